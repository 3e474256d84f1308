//! The faults that only a raw socket can tell apart: which bytes come, when,
//! and how the connection ends.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mock_server::Running;

use crate::arm::{get, key, over_http, rent, written};
use crate::transport::{PROFILE, connect, read_to_end, send, start};

/// Every byte until the end, and how the connection ends.
fn all(stream: &mut TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    (bytes, end.map(|_| ()).map_err(|error| error.kind()))
}

fn ask_profile(running: &Running, more_headers: &str) -> TcpStream {
    let mut stream = connect(running);
    let ask = written(get(&key(1), PROFILE), more_headers);
    stream.write_all(ask.as_bytes()).expect("the server reads");
    stream
}

/// What one profile request with this fault brings.
fn with(fault: &str) -> (Vec<u8>, Result<(), ErrorKind>) {
    let running = start(&format!("faults = [\"profile: {fault}\"]"));
    all(&mut ask_profile(&running, ""))
}

/// The announced length and the body.
fn announced(answer: &str) -> (usize, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok());
    (length.expect("an announced length"), body)
}

#[test]
fn an_empty_response_is_a_fin_without_a_byte() {
    assert_eq!(with("empty_response"), (Vec::new(), Ok(())));
    assert_eq!(with("EMPTY_RESPONSE"), (Vec::new(), Ok(())));
}

#[test]
fn a_reset_is_a_reset_by_any_name() {
    let reset = (Vec::new(), Err(ErrorKind::ConnectionReset));
    assert_eq!(with("CONNECTION_RESET_BY_PEER"), reset);
    assert_eq!(with("reset_peer after_commit"), reset);
}

#[test]
fn a_reset_after_bytes_comes_after_exactly_these() {
    for bytes in [0, 1, 25] {
        let (answer, end) = with(&format!("reset_after_bytes({bytes})"));
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let (length, body) = announced(&answer);
        assert!(length > 90, "{answer}");
        assert_eq!(body.len(), bytes);
        assert_eq!(end, Err(ErrorKind::ConnectionReset));
    }
}

#[test]
fn a_malformed_chunk_follows_a_head_that_promises_chunks() {
    let (answer, end) = with("malformed_chunk");
    let answer = String::from_utf8(answer).expect("text");
    let (head, garbage) = answer.split_once("\r\n\r\n").expect("a whole head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.ends_with("\r\ntransfer-encoding: chunked"), "{head}");
    let size = garbage.lines().next().expect("a first line");
    assert!(usize::from_str_radix(size, 16).is_err(), "{size}");
    assert_eq!(end, Ok(()), "FIN and not RST");
}

#[test]
fn random_data_is_no_http_and_repeats_with_the_seed() {
    let (first, end) = with("random_data");
    assert_eq!((first.len(), end), (128, Ok(())));
    assert!(!first.starts_with(b"HTTP"));
    assert_eq!(with("RANDOM_DATA_THEN_CLOSE").0, first);
    let running = start(r#"faults = ["profile: random_data"]"#);
    let [once, again] = [(); 2].map(|()| all(&mut ask_profile(&running, "")).0);
    assert_eq!(once, first);
    assert_ne!(again, first, "each answer has bytes of its own");
}

#[test]
fn an_html_error_is_a_page_and_keeps_the_connection() {
    let running =
        start(r#"faults = ["profile: html_error nth 1", "profile: html_error(403) nth 2"]"#);
    let mut stream = connect(&running);
    let key = key(1);
    send(&mut stream, get(&key, PROFILE));
    let last = written(get(&key, PROFILE), "Connection: close\r\n");
    stream.write_all(last.as_bytes()).expect("the server reads");
    let both = read_to_end(&mut stream).expect("two answers");
    assert!(both.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{both}");
    assert!(both.contains("\r\nHTTP/1.1 403 ") || both.contains("HTTP/1.1 403 Forbidden"));
    assert_eq!(both.matches("content-type: text/html\r\n").count(), 2);
    assert_eq!(both.matches("<html>").count(), 2);
}

#[test]
fn a_slow_body_comes_in_parts_over_its_time() {
    let running = start(r#"faults = ["profile: slow_body(400ms)"]"#);
    let asked = Instant::now();
    let mut stream = ask_profile(&running, "Connection: close\r\n");
    let mut answer = String::new();
    let mut arrivals = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let length = stream.read(&mut chunk).expect("the rest of the answer");
        if length == 0 {
            break;
        }
        answer += std::str::from_utf8(&chunk[..length]).expect("text");
        arrivals.push(asked.elapsed());
    }
    let (length, body) = announced(&answer);
    assert_eq!(body.len(), length, "nothing is missing");
    assert!(body.ends_with("}}"), "{body}");
    // On a busy machine one read may find several parts; that they all wait for
    // the last would take a reader that sleeps for most of the time.
    assert!(arrivals.len() >= 3, "in parts: {arrivals:?}");
    let last = arrivals.last().expect("there are several");
    assert!(*last >= Duration::from_millis(400), "{arrivals:?}");
}

#[test]
fn a_slow_close_is_a_whole_answer_and_a_late_fin() {
    let running = start(r#"faults = ["profile: slow_close(400ms)"]"#);
    let asked = Instant::now();
    let mut stream = ask_profile(&running, "");
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).expect("an answer");
    let answered = asked.elapsed();
    let answer = std::str::from_utf8(&answer[..length]).expect("text");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let (length, body) = announced(answer);
    assert_eq!(body.len(), length);
    assert_eq!(all(&mut stream), (Vec::new(), Ok(())));
    assert!(asked.elapsed() >= Duration::from_millis(400));
    assert!(answered < Duration::from_millis(390), "{answered:?}");
}

#[test]
fn a_slow_close_holds_up_no_stop() {
    let running = start(r#"faults = ["profile: slow_close(1h)"]"#);
    let mut stream = ask_profile(&running, "");
    stream.read_exact(&mut [0; 12]).expect("an answer");
    let asked = Instant::now();
    running.stop();
    assert!(asked.elapsed() < Duration::from_secs(1), "no grace for it");
    assert_eq!(all(&mut stream).1, Ok(()));
}

#[test]
fn what_was_answered_before_a_bad_end_arrives() {
    for (fault, rest) in [("empty_response", 0), ("random_data", 128)] {
        let running = start(&format!("faults = [\"profile: {fault} nth 3\"]"));
        let mut stream = connect(&running);
        let pipelined = written(get(&key(1), PROFILE), "").repeat(3);
        stream
            .write_all(pipelined.as_bytes())
            .expect("the server reads");
        let (bytes, end) = all(&mut stream);
        assert_eq!(end, Ok(()), "{fault}");
        let answers = String::from_utf8_lossy(&bytes[..bytes.len() - rest]);
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{fault}");
        assert!(answers.ends_with("}}"), "{fault}: {answers}");
    }
}

#[test]
fn an_answer_lost_after_the_commit_leaves_the_rental() {
    for fault in ["reset_peer", "empty_response", "html_error", "random_data"] {
        let rules =
            format!("faults = [\"rent: {fault} nth 1 after_commit\", \"rent: {fault} nth 2\"]");
        let running = start(&rules);
        let key = key(1);
        for _ in 0..2 {
            let mut stream = connect(&running);
            send(&mut stream, rent(&key, "service=whatsapp"));
            let mut status = [0; 12];
            let _ = stream.read(&mut status);
            assert_ne!(&status, b"HTTP/1.1 200");
        }
        let history = over_http(running.address(), get(&key, "/api/v1/rentals/history"));
        assert_eq!(history.json()["total_records"], 1, "{fault}");
    }
}

#[test]
fn a_request_may_prefer_a_fault_for_itself() {
    let running = start("");
    let (bytes, end) = all(&mut ask_profile(&running, "Prefer: fault=reset_peer\r\n"));
    assert_eq!((bytes.len(), end), (0, Err(ErrorKind::ConnectionReset)));
    let several =
        "Prefer: respond-async\r\nprefer: wait=5, fault=status(503)\r\nConnection: close\r\n";
    let (answer, _) = all(&mut ask_profile(&running, several));
    assert!(answer.starts_with(b"HTTP/1.1 503 "));
    let wrong = "Prefer: fault=explode\r\nConnection: close\r\n";
    let (answer, _) = all(&mut ask_profile(&running, wrong));
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let message = r#"{"success":false,"message":"The mock server cannot read the fault "#;
    assert!(answer.contains(message), "{answer}");
    assert_eq!(
        over_http(running.address(), get(&key(1), PROFILE)).status,
        200
    );
}
