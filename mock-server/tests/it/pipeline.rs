//! Several requests sent before the first answer is read: answers come in
//! order, together where they can, and none waits for a request behind it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::arm::{get, key, over_http, rent, written};
use crate::transport::{PROFILE, connect, read_to_end, start};

/// A request whose answer says which page it is, and so which request it answers.
fn page(number: usize) -> String {
    let target = format!("/api/v1/rentals/history?page={number}&per_page=100");
    written(get(&key(1), &target), "")
}

fn pages(numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers.map(page).collect()
}

fn write(stream: &mut TcpStream, requests: &str) {
    stream
        .write_all(requests.as_bytes())
        .expect("the server reads");
}

/// Which pages the answers are, in their order.
fn answered(answers: &str) -> Vec<usize> {
    let pages = answers.split("\"current_page\":").skip(1);
    pages
        .map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit());
            rest[..digits.expect("more follows")]
                .parse()
                .expect("a page")
        })
        .collect()
}

/// What has come once page `last` has.
fn read_until(stream: &mut TcpStream, last: usize) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).expect("more answers");
        assert!(length > 0, "{}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes);
        if answered(&text).last() == Some(&last) && text.ends_with('}') {
            return text.into_owned();
        }
    }
}

fn assert_silent(stream: &mut TcpStream) {
    let shortly = Some(Duration::from_millis(30));
    stream.set_read_timeout(shortly).expect("a timeout");
    let error = stream.read(&mut [0; 1]).expect_err("no more answers");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn requests_in_one_write_are_answered_in_order() {
    let running = start("");
    for count in [1, 2, 16, 17, 100] {
        let mut stream = connect(&running);
        write(&mut stream, &pages(1..=count));
        let answers = read_until(&mut stream, count);
        assert_eq!(answered(&answers), Vec::from_iter(1..=count));
        assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), count);
    }
}

#[test]
fn answers_do_not_wait_for_a_slow_one_behind_them() {
    let running = start(r#"faults = ["profile: timeout"]"#);
    let mut stream = connect(&running);
    let slow = written(get(&key(1), PROFILE), "");
    write(&mut stream, &(pages(1..=3) + &slow + &pages(4..=5)));
    assert_eq!(answered(&read_until(&mut stream, 3)), [1, 2, 3]);
    assert_silent(&mut stream);
}

#[test]
fn a_slow_one_holds_up_those_behind_it_and_no_longer() {
    let running = start(r#"faults = ["profile: latency(60ms)"]"#);
    let mut stream = connect(&running);
    let slow = written(get(&key(1), PROFILE), "");
    write(&mut stream, &(pages(1..=2) + &slow + &pages(3..=4)));
    let answers = read_until(&mut stream, 4);
    assert_eq!(answered(&answers), [1, 2, 3, 4]);
    let profile = answers.find("\"balance\"").expect("a profile");
    assert_eq!(answered(&answers[..profile]), [1, 2]);
}

#[test]
fn answers_do_not_wait_for_the_rest_of_a_request_behind_them() {
    let running = start("");
    let whole = page(3);
    let form = written(rent(&key(1), "service=whatsapp"), "");
    for (next, cut) in [
        (&whole, 5),
        (&whole, whole.len() - 1),
        (&form, form.len() - 1),
    ] {
        let mut stream = connect(&running);
        write(&mut stream, &(pages(1..=2) + &next[..cut]));
        assert_eq!(answered(&read_until(&mut stream, 2)), [1, 2]);
        write(&mut stream, &(next[cut..].to_owned() + &page(4)));
        let rest = read_until(&mut stream, 4);
        assert_eq!(rest.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{rest}");
    }
}

#[test]
fn a_refused_head_is_told_so_after_all_that_was_good() {
    let running = start("");
    let endless = format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(20_000));
    for (bad, status) in [("GET\r\n\r\n", 400), (&endless, 431)] {
        for good in [0, 3, 16, 40] {
            let mut stream = connect(&running);
            write(&mut stream, &(pages(1..=good) + bad));
            let mut bytes = Vec::new();
            // What the server has not read of an endless head resets the connection.
            let _ = stream.read_to_end(&mut bytes);
            let answers = String::from_utf8(bytes).expect("text");
            assert_eq!(answered(&answers), Vec::from_iter(1..=good));
            let last = answers.rfind("HTTP/1.1 ").expect("an answer");
            assert_eq!(
                answers[last + 9..last + 12],
                status.to_string(),
                "{answers}"
            );
        }
    }
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    let running = start("");
    let key = key(1);
    for _ in 0..100 {
        let rented = over_http(running.address(), rent(&key, "service=whatsapp"));
        assert_eq!(rented.status, 200);
    }
    // Some nine megabytes of answers: more than the kernel keeps for a socket.
    let requests = page(1).repeat(599);
    let last = written(
        get(&key, "/api/v1/rentals/history?page=2"),
        "Connection: close\r\n",
    );
    let mut stream = connect(&running);
    write(&mut stream, &(requests + &last));
    assert_eq!(over_http(running.address(), get(&key, PROFILE)).status, 200);
    let answers = read_to_end(&mut stream).expect("closed in order");
    let pages = answered(&answers);
    assert_eq!((pages.len(), pages.last()), (600, Some(&2)));
}
