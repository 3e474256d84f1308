//! Webhooks at a real listener: what is posted, when again, and where not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use mock_server::{Running, Server, StartError};
use mock_server_core::{Settings, WebhookSettings};
use serde_json::Value;

use crate::arm::{get, key, over_http, posting, rent, written};

const POLL: &str = "/api/v1/number/check-otp/13322954";

fn posting_to(url: &str) -> Settings {
    speaking("webhook_retry=5x5ms", "5ms", url)
}

fn speaking(dialect: &str, sms_delay: &str, url: &str) -> Settings {
    let url = url.parse().expect(url);
    let toml = format!("sms_delay = \"{sms_delay}\"\ndialect = \"{dialect}\"");
    posting(WebhookSettings::new(url), &toml)
}

/// A server that posts to a listener of ours.
fn start(dialect: &str, sms_delay: &str) -> (Running, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let settings = speaking(dialect, sms_delay, &format!("http://127.0.0.1:{port}/hook"));
    (
        Server::local().start(settings).expect("a free port"),
        listener,
    )
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

pub(crate) fn read_request(stream: &mut TcpStream) -> String {
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

#[test]
fn a_signed_webhook_brings_its_signature_and_its_time() {
    let (running, listener) = start("webhook_signature=Jefe", "0s");
    over_http(running.address(), rent(&key(1), "service=whatsapp"));
    let (head, body) = receive(&listener, "200 Fine");
    let header = |wanted: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(name, _)| *name == wanted);
        values.next().map(|(_, value)| value.to_owned())
    };
    let signature = header("x-signature").expect("signed");
    let digits = signature.strip_prefix("sha256=").expect("by its name");
    assert_eq!(digits.len(), 64);
    let seconds: i64 = header("x-timestamp")
        .expect("a time")
        .parse()
        .expect("seconds");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let sent = event["timestamp"].as_i64().expect("seconds");
    assert!((0..=2).contains(&(seconds - sent)), "{seconds} {sent}");
}

#[test]
fn where_only_200_acknowledges_204_does_not() {
    let (running, listener) = start("webhook_ack=200, webhook_retry=5x5ms", "0s");
    over_http(running.address(), rent(&key(1), "service=whatsapp"));
    let (_, first) = receive(&listener, "204 Fine");
    let (_, second) = receive(&listener, "200 Fine");
    assert_eq!(first, second);
    listener.set_nonblocking(true).expect("a mode");
    std::thread::sleep(Duration::from_millis(30));
    assert!(listener.accept().is_err(), "acknowledged: no third post");
}

#[test]
fn a_webhook_may_come_before_the_answer_of_its_rent() {
    let (running, listener) = start("webhook_order=before_rent_answer", "0s");
    let (address, key) = (running.address(), key(1));
    let mut client = TcpStream::connect(address).expect("the server listens");
    let request = written(rent(&key, "service=whatsapp"), "Connection: close\r\n");
    client
        .write_all(request.as_bytes())
        .expect("the server reads");
    let (mut post, _) = listener.accept().expect("a post");
    read_request(&mut post);
    // The answer waits for the receiver's, however long that takes.
    client
        .set_read_timeout(Some(Duration::from_millis(50)))
        .expect("a limit");
    assert!(client.read(&mut [0; 1]).is_err(), "no answer yet");
    let poll = over_http(address, get(&key, POLL)).json();
    assert_eq!(poll["sms_received"], true, "others are answered meanwhile");
    post.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .expect("the server reads");
    client.set_read_timeout(None).expect("no limit");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_post_before_the_answer_is_given_up_like_any_other() {
    let (running, listener) = start(
        "webhook_order=before_rent_answer, webhook_timeout=20ms, webhook_retry=none",
        "0s",
    );
    let answer = over_http(running.address(), rent(&key(1), "service=whatsapp"));
    assert_eq!(answer.status, 200);
    assert!(listener.accept().is_ok(), "it was posted");
}

#[test]
fn a_pair_comes_at_once() {
    let (running, listener) = start("webhook_duplicate=concurrent", "0s");
    over_http(running.address(), rent(&key(1), "service=whatsapp"));
    // Both are under way before either is answered.
    let mut posts = [0, 1].map(|_| listener.accept().expect("a post").0);
    let bodies = posts.each_mut().map(|post| {
        let text = read_request(post);
        let (_, body) = text.split_once("\r\n\r\n").expect("a whole head");
        body.to_owned()
    });
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn a_hanging_receiver_of_one_account_delays_no_other_account() {
    let (running, listener) = start("webhook_timeout=1m", "0s");
    let (address, busy) = (running.address(), key(1));
    let mut hanging = Vec::new();
    for _ in 0..300 {
        over_http(address, rent(&busy, "service=whatsapp"));
    }
    over_http(address, rent(&key(2), "service=telegram"));
    loop {
        let (mut post, _) = listener.accept().expect("a post");
        let text = read_request(&mut post);
        hanging.push(post);
        if text.contains("telegram") {
            break;
        }
    }
    assert!(hanging.len() < 300, "{}", hanging.len());
}
