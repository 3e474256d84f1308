//! Faults of the transport as a raw socket sees them, and what else only a
//! socket can show.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use mock_server::{Limits, Running, Server};

use crate::arm::{Ask, get, key, over_http, rent, settings, written};

pub(crate) const PROFILE: &str = "/api/v1/profile";

pub(crate) fn start(toml: &str) -> Running {
    Server::local().start(settings(toml)).expect("a free port")
}

pub(crate) fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.address()).expect("the server listens");
    let patience = Some(Duration::from_secs(5));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

pub(crate) fn send(stream: &mut TcpStream, ask: Ask<'_>) {
    stream
        .write_all(written(ask, "").as_bytes())
        .expect("the server reads");
}

pub(crate) fn read_to_end(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).map(|_| text)
}

#[test]
fn reset_peer_is_a_reset_on_the_wire() {
    let running = start(r#"faults = ["*: reset_peer nth 2"]"#);
    let key = key(1);
    assert_eq!(over_http(running.address(), get(&key, PROFILE)).status, 200);
    let mut stream = connect(&running);
    send(&mut stream, get(&key, PROFILE));
    let error = read_to_end(&mut stream).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn timeout_is_silence_until_the_server_stops() {
    let running = start(r#"faults = ["profile: timeout"]"#);
    let mut stream = connect(&running);
    let shortly = Some(Duration::from_millis(30));
    stream.set_read_timeout(shortly).expect("a timeout");
    send(&mut stream, get(&key(1), PROFILE));
    let error = stream.read(&mut [0; 1]).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let asked = Instant::now();
    running.stop();
    assert!(asked.elapsed() < Duration::from_secs(1), "no grace for it");
    assert_eq!(stream.read(&mut [0; 1]).expect("closed in order"), 0);
}

#[test]
fn a_client_that_leaves_a_silent_server_is_let_go() {
    let running = start(r#"faults = ["profile: timeout"]"#);
    let mut stream = connect(&running);
    send(&mut stream, get(&key(1), PROFILE));
    stream.shutdown(Shutdown::Write).expect("half closed");
    assert_eq!(read_to_end(&mut stream).expect("closed in order"), "");
}

#[test]
fn a_cut_body_announces_all_sends_a_part_and_ends() {
    let running = start(r#"faults = ["rent: truncate_body(10)", "profile: truncate_body"]"#);
    let key = key(1);
    for (ask, expected) in [
        (rent(&key, "service=whatsapp"), None),
        (get(&key, PROFILE), Some(2)),
    ] {
        let mut stream = connect(&running);
        send(&mut stream, ask);
        let answer = read_to_end(&mut stream).expect("FIN and not RST");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
        let announced: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .expect("an announced length");
        assert!(announced > 90, "{head}");
        assert!(body.starts_with("{\"success"), "{body}");
        assert_eq!(body.len(), expected.map_or(10, |share| announced / share));
    }
    let history = over_http(running.address(), get(&key, "/api/v1/rentals/history"));
    assert_eq!(history.json()["total_records"], 1, "the rent was made");
}

#[test]
fn a_whole_but_malformed_body_keeps_the_connection() {
    let running = start(r#"faults = ["profile: malformed_json nth 1"]"#);
    let mut stream = connect(&running);
    let key = key(1);
    send(&mut stream, get(&key, PROFILE));
    stream
        .write_all(written(get(&key, PROFILE), "Connection: close\r\n").as_bytes())
        .expect("the server reads");
    let both = read_to_end(&mut stream).expect("two answers");
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(
        both.matches("\"}}").count(),
        1,
        "one lost its last brace: {both}"
    );
}

#[test]
fn latency_delays_one_connection_and_no_other() {
    let running = start(r#"faults = ["profile: latency(150ms) nth 1"]"#);
    let key = key(1);
    let mut slow = connect(&running);
    let asked = Instant::now();
    send(&mut slow, get(&key, PROFILE));
    while over_http(running.address(), get(&key, "/api/v1/rentals/history")).status != 200 {}
    assert!(asked.elapsed() < Duration::from_millis(140));
    slow.read_exact(&mut [0; 12]).expect("an answer");
    assert!(asked.elapsed() >= Duration::from_millis(150));
}

#[test]
fn a_body_too_large_or_cut_off_is_told_so() {
    let running = start("");
    let key = key(1);
    let large = "x".repeat(200_000);
    let answer = over_http(running.address(), rent(&key, &large));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["message"], "The request body is too large.");
    let mut stream = connect(&running);
    let whole = written(rent(&key, "service=whatsapp"), "");
    stream
        .write_all(&whole.as_bytes()[..whole.len() - 3])
        .expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let answer = read_to_end(&mut stream).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("The request body ended before its announced length."));
}

#[test]
fn what_is_not_http_is_told_so() {
    let running = start("");
    let mut stream = connect(&running);
    stream.write_all(b"GET\r\n\r\n").expect("the server reads");
    let answer = read_to_end(&mut stream).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[test]
fn a_head_without_end_is_refused() {
    let running = start("");
    let mut stream = connect(&running);
    let endless = format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(20_000));
    stream
        .write_all(endless.as_bytes())
        .expect("the server reads");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 431");
}

#[test]
fn a_request_that_never_arrives_is_dropped_and_an_idle_connection_is_not() {
    let impatient = Server {
        limits: Limits {
            arrival_time: "20ms".parse().expect("a time"),
            ..Limits::DEFAULT
        },
        ..Server::local()
    };
    let running = impatient.start(settings("")).expect("a free port");
    let key = key(1);
    let mut idle = connect(&running);
    send(&mut idle, get(&key, PROFILE));
    for beginning in [
        "GET /api",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nservice",
    ] {
        let mut stalled = connect(&running);
        stalled.write_all(beginning.as_bytes()).expect("it reads");
        assert_eq!(read_to_end(&mut stalled).expect("closed in order"), "");
    }
    idle.write_all(written(get(&key, PROFILE), "Connection: close\r\n").as_bytes())
        .expect("it is still there");
    let answers = read_to_end(&mut idle).expect("two answers");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
}

#[test]
fn probes_need_no_key() {
    let running = start(r#"faults = ["*: timeout"]"#);
    for probe in ["/livez", "/readyz"] {
        let ask = Ask {
            key: None,
            ..get("", probe)
        };
        let answer = over_http(running.address(), ask);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"status":"ok"}"#)
        );
    }
}
