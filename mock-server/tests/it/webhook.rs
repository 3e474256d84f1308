//! Webhooks at a real listener: what is posted, when again, and where not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use mock_server::{Server, StartError};
use mock_server_core::{Settings, WebhookSettings};
use serde_json::Value;

use crate::arm::{get, key, over_http, posting, rent};

const POLL: &str = "/api/v1/number/check-otp/13322954";

fn posting_to(url: &str) -> Settings {
    let url = url.parse().expect(url);
    let receiver = WebhookSettings {
        spacing: Duration::from_millis(5),
        ..WebhookSettings::new(url)
    };
    posting(receiver, r#"sms_delay = "5ms""#)
}

/// Takes one post and answers it with `status`; the head and the body.
pub(crate) fn receive(listener: &TcpListener, status: &str) -> (String, String) {
    let (mut stream, _) = listener.accept().expect("a post");
    let text = read_request(&mut stream);
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    stream
        .write_all(answer.as_bytes())
        .expect("the server reads");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    (head.to_owned(), body.to_owned())
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut chunk = [0; 1024];
        let length = stream.read(&mut chunk).expect("the rest of the post");
        text += std::str::from_utf8(&chunk[..length]).expect("text");
    }
    text
}

#[test]
fn an_sms_is_posted_until_it_is_acknowledged() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let running = Server::local()
        .start(posting_to(&format!("http://127.0.0.1:{port}/hook?a=b")))
        .expect("a free port");
    let key = key(1);
    let rental = over_http(running.address(), rent(&key, "service=whatsapp")).json();
    let (head, first) = receive(&listener, "500 Oops");
    let poll = over_http(running.address(), get(&key, POLL)).json();
    let (_, second) = receive(&listener, "302 Elsewhere");
    let (_, third) = receive(&listener, "204 Fine");
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(first, second);
    assert_eq!(second, third);
    let event: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(event["event"], "sms.received");
    assert_eq!(event["rental_id"], rental["rental"]["id"]);
    assert_eq!(event["phone"], rental["rental"]["phone"]);
    assert_eq!(event["service_slug"], "whatsapp");
    assert_eq!(poll["sms_received"], true, "the poll shows it first");
    assert_eq!(event["sms_code"], poll["sms_code"]);
    assert_eq!(event["raw_text"], poll["full_message"]);
    let timestamp = event["timestamp"].as_i64().expect("seconds");
    assert!((timestamp - jiff::Timestamp::now().as_second()).abs() <= 2);
    listener.set_nonblocking(true).expect("a mode");
    std::thread::sleep(Duration::from_millis(30));
    assert!(listener.accept().is_err(), "acknowledged: no fourth post");
}

#[test]
fn webhooks_leave_this_machine_only_if_allowed_by_name() {
    for local in [
        "http://localhost:1/",
        "http://127.0.0.2:1/",
        "http://[::1]:1/",
    ] {
        assert!(Server::local().start(posting_to(local)).is_ok(), "{local}");
    }
    let error = Server::local()
        .start(posting_to("http://hooks.test/"))
        .expect_err("not this machine");
    assert!(matches!(error, StartError::WebhookHost(_)));
    assert!(
        error
            .to_string()
            .ends_with("add --allow-webhook-host hooks.test")
    );
    let allowed = Server {
        webhook_hosts: vec!["hooks.test".to_owned()],
        ..Server::local()
    };
    assert!(allowed.start(posting_to("http://hooks.test/")).is_ok());
}
