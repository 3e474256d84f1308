//! What `/metrics` says, after things that are known to have happened.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use mock_server::Server;

use crate::arm::{Ask, exchange, get, key, over_http, rent, settings, written};
use crate::transport::PROFILE;

fn page(address: SocketAddr) -> String {
    let ask = Ask {
        key: None,
        ..get("", "/metrics")
    };
    let answer = over_http(address, ask);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn sample(page: &str, name: &str) -> Option<u64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start().parse().ok()
}

/// One sample of a server, by its name with its labels.
pub(crate) fn metric(address: SocketAddr, name: &str) -> Option<u64> {
    sample(&page(address), name)
}

/// Takes one post and acknowledges it.
fn acknowledge(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().expect("a post");
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        let mut chunk = [0; 1024];
        let length = stream.read(&mut chunk).expect("the rest of the post");
        text.extend_from_slice(&chunk[..length]);
    }
    let answer = b"HTTP/1.1 204 Fine\r\n\r\n";
    stream.write_all(answer).expect("the server reads");
}

fn control(address: SocketAddr, call: &str, body: &str) {
    let target = format!("/__admin/{call}");
    let ask = Ask {
        method: "POST",
        key: None,
        body,
        ..get("", &target)
    };
    assert_eq!(over_http(address, ask).status, 200, "{call}");
}

#[test]
fn the_counts_are_those_of_what_happened() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let running = Server::local()
        .start(settings(&format!(
            "time_scale = \"0\"\nsms_delay = \"3s\"\njournal_max = 4\n\
             webhook_url = \"http://127.0.0.1:{port}/\"\n\
             faults = [\"history: reset_peer\", \"rent: sms_second_code(2s) nth 1\"]"
        )))
        .expect("a free port");
    let (address, key) = (running.address(), key(1));
    over_http(address, get(&key, PROFILE));
    over_http(address, get("short", PROFILE));
    over_http(address, get(&key, "/api/v1/nowhere"));
    over_http(address, rent(&key, "service=whatsapp"));
    for _ in 0..2 {
        over_http(address, get(&key, "/api/v1/number/check-otp/13322954"));
    }
    let mut reset = std::net::TcpStream::connect(address).expect("it listens");
    let history = written(get(&key, "/api/v1/rentals/history"), "");
    reset.write_all(history.as_bytes()).expect("it reads");
    reset.read(&mut [0; 1]).expect_err("a reset");
    thread::scope(|scope| {
        scope.spawn(|| acknowledge(&listener));
        control(address, "clock/advance", r#"{"duration":"3s"}"#);
    });
    // From here on nobody answers: the second SMS is posted five times in vain.
    drop(listener);
    control(address, "clock/advance", r#"{"duration":"10m"}"#);
    over_http(address, rent(&key, "service=whatsapp"));
    let page = page(address);
    for (name, expected) in [
        (r#"requests_total{operation="profile",status="200"}"#, 1),
        (r#"requests_total{operation="profile",status="401"}"#, 1),
        (r#"requests_total{operation="unmatched",status="404"}"#, 1),
        (r#"requests_total{operation="rent",status="200"}"#, 2),
        (r#"requests_total{operation="check_otp",status="200"}"#, 2),
        (r#"requests_total{operation="history",status="none"}"#, 1),
        ("journal_entries", 4),
        ("journal_evicted_total", 4),
        ("accounts", 1),
        (r#"rentals{state="pending"}"#, 1),
        (r#"rentals{state="completed"}"#, 1),
        (r#"rentals{state="expired"}"#, 0),
        ("rentals_made_total", 2),
        ("sms_delivered_total", 2),
        (r#"webhook_attempts_total{outcome="acknowledged"}"#, 1),
        (r#"webhook_attempts_total{outcome="failed"}"#, 5),
        // Eight requests, two advances, and this.
        (r#"connections_total{port="main"}"#, 11),
        (r#"connections_refused_total{port="main"}"#, 0),
        ("connections_stalled_total", 0),
        ("requests_malformed_total", 0),
    ] {
        let counted = sample(&page, &format!("otplab_{name}"));
        assert_eq!(counted, Some(expected), "{name}\n{page}");
    }
    assert!(!page.contains(&key) && !page.contains("kkk"), "a key leaks");
}

#[test]
fn a_reset_forgets_rentals_but_no_count_goes_back() {
    let running = Server::local()
        .start(settings("time_scale = \"0\"\nsms_delay = \"3s\""))
        .expect("a free port");
    let (address, key) = (running.address(), key(1));
    over_http(address, rent(&key, "service=whatsapp"));
    control(address, "clock/advance", r#"{"duration":"3s"}"#);
    over_http(address, rent(&key, "service=whatsapp"));
    control(address, "reset", "");
    let page = page(address);
    for (name, expected) in [
        (r#"requests_total{operation="rent",status="200"}"#, 2),
        (r#"rentals{state="pending"}"#, 0),
        (r#"rentals{state="completed"}"#, 0),
        ("rentals_made_total", 2),
        ("sms_delivered_total", 1),
        ("journal_entries", 0),
        ("journal_bytes", 0),
    ] {
        let counted = sample(&page, &format!("otplab_{name}"));
        assert_eq!(counted, Some(expected), "{name}\n{page}");
    }
}

#[test]
fn the_page_is_well_formed_and_says_so() {
    let running = Server::local().start(settings("")).expect("a free port");
    over_http(running.address(), get(&key(1), PROFILE));
    let page = page(running.address());
    let (mut family, mut kind) = ("", "");
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let lines = page.strip_suffix("# EOF\n").expect("an end");
    for line in lines.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a help text");
            assert!(!words.is_empty() && families.insert(name), "{line}");
            assert!(name.starts_with("otplab_") && !name.ends_with("_total"));
            family = name;
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, what) = typed.split_once(' ').expect("a type");
            assert_eq!(name, family);
            kind = what;
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            assert!(samples.insert(name), "twice: {line}");
            let bare = name.split_once('{').map_or(name, |(bare, _)| bare);
            let suffix = bare.strip_prefix(family).expect(line);
            assert_eq!(suffix, if kind == "counter" { "_total" } else { "" });
            assert!(value.parse::<u64>().is_ok(), "{line}");
        }
    }
    assert!(families.len() > 10, "{page}");
}

#[test]
fn the_media_type_is_that_of_the_format_and_a_token_is_asked_for() {
    let server = Server {
        admin_token: Some("secret".to_owned()),
        ..Server::local()
    };
    let running = server.start(settings("")).expect("a free port");
    let ask = |more: &str| {
        let head = "GET /metrics HTTP/1.1\r\nHost: mock.example\r\nConnection: close\r\n";
        let mut stream = std::net::TcpStream::connect(running.address()).expect("it listens");
        let request = format!("{head}{more}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    };
    assert!(ask("").starts_with("HTTP/1.1 403 "));
    let answer = ask("Authorization: Bearer secret\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let media = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(answer.contains(media), "{answer}");
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(running.address(), post).status, 404);
}
