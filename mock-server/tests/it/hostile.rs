//! Traffic that means no good, or too much of it, over real sockets: it is
//! refused in words, and the well-behaved do not feel it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mock_server::{Limits, Place, Running, Server};

use crate::arm::{Ask, exchange, get, key, over_http, rent, settings, written};
use crate::metrics::metric;
use crate::transport::{PROFILE, connect, read_to_end, send};

/// Longer than anything here takes on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn limited(limits: Limits) -> Running {
    let server = Server {
        limits,
        ..Server::local()
    };
    server.start(settings("")).expect("a free port")
}

/// One request whose connection stays; the status.
fn ask_on(stream: &mut TcpStream, ask: Ask<'_>) -> u16 {
    send(stream, ask);
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).expect("an answer");
        assert!(length > 0, "the connection was closed");
        answer.extend_from_slice(&chunk[..length]);
    }
    let status = std::str::from_utf8(&answer[9..12]).expect("text");
    status.parse().expect("a status")
}

#[test]
fn a_rebound_name_and_a_foreign_page_reach_neither_clocks_nor_metrics() {
    let running = limited(Limits::DEFAULT);
    let (address, key) = (running.address(), key(1));
    over_http(address, rent(&key, "service=whatsapp"));
    for (method, target) in [("POST", "/__admin/reset"), ("GET", "/metrics")] {
        let ask = |host: &str, more: &str| {
            let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}");
            exchange(address, &format!("{head}Connection: close\r\n\r\n"))
        };
        let port = address.port();
        let rebound = ask(&format!("evil.example:{port}"), "");
        assert_eq!(rebound.status, 403, "{target}");
        assert!(rebound.body.contains("the Host header names another"));
        // What a browser sends without asking first: a simple request.
        let simple = "Origin: https://evil.example\r\nContent-Type: text/plain\r\n";
        let foreign = ask(&format!("127.0.0.1:{port}"), simple);
        assert_eq!(foreign.status, 403, "{target}");
        assert!(foreign.body.contains("web pages of another origin"));
    }
    let history = over_http(address, get(&key, "/api/v1/rentals/history")).json();
    assert_eq!(history["total_records"], 1, "nothing was reset");
}

#[test]
fn a_head_may_be_as_long_as_is_said_and_no_longer() {
    let running = limited(Limits {
        head: "1024".parse().expect("a size"),
        ..Limits::DEFAULT
    });
    let key = key(1);
    let of_length = |length: usize| {
        let padded = |padding: &str| {
            let padding = format!("Connection: close\r\nX-Padding: {padding}\r\n");
            written(get(&key, PROFILE), &padding)
        };
        let short = padded("").len();
        exchange(running.address(), &padded(&"x".repeat(length - short)))
    };
    assert_eq!(of_length(1024).status, 200);
    assert_eq!(of_length(1025).status, 431);
    assert_eq!(of_length(100_000).status, 431);
}

#[test]
fn a_body_may_be_as_long_as_is_said_and_one_that_is_longer_costs_no_connection() {
    let running = limited(Limits {
        body: "500".parse().expect("a size"),
        ..Limits::DEFAULT
    });
    let key = key(1);
    let mut stream = connect(&running);
    for (length, status) in [(500, 200), (501, 413), (200_000, 413), (500, 200)] {
        let body = format!("service=whatsapp&x={}", "x".repeat(length - 19));
        assert_eq!(ask_on(&mut stream, rent(&key, &body)), status, "{length}");
    }
}

#[test]
fn garbage_behind_a_good_request_is_told_after_the_good_answer() {
    let running = limited(Limits::DEFAULT);
    let mut stream = connect(&running);
    let good = written(get(&key(1), PROFILE), "");
    let both = format!("{good}\u{1}\u{2} this is no request\r\n\r\n");
    stream.write_all(both.as_bytes()).expect("it reads");
    let answers = read_to_end(&mut stream).expect("closed in order");
    let (first, second) = answers.split_once('}').expect("a body");
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{answers}");
    assert!(second.contains("HTTP/1.1 400 Bad Request"), "{answers}");
    let malformed = metric(running.address(), "otplab_requests_malformed_total");
    assert_eq!(malformed, Some(1));
}

/// Two thousand, or as many as this process may have with both their ends.
fn crowd() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    (files as usize).saturating_sub(500).div_ceil(3).min(2000)
}

/// Connections that have begun a request, some in its head and some in its body.
fn begun(running: &Running, count: usize) -> Vec<TcpStream> {
    let half = [
        "GET /api",
        "POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n",
    ];
    let streams = (0..count).map(|number| {
        let mut stream = connect(running);
        let _ = stream.write_all(half[number % 2].as_bytes());
        stream
    });
    streams.collect()
}

fn drip(streams: &mut [TcpStream]) {
    for stream in streams {
        let _ = stream.write_all(b"x");
    }
}

#[test]
fn two_thousand_dripping_connections_keep_nobody_waiting() {
    let running = limited(Limits::DEFAULT);
    let count = crowd();
    let mut slow = begun(&running, count);
    let key = key(1);
    let mut good = connect(&running);
    for _ in 0..10 {
        drip(&mut slow);
        assert_eq!(ask_on(&mut good, get(&key, PROFILE)), 200);
    }
    let open = metric(running.address(), r#"otplab_connections_open{port="main"}"#);
    // The good one, and the one that asks.
    assert_eq!(open, Some(count as u64 + 2));
}

#[test]
fn two_thousand_dripping_connections_are_closed_when_their_time_is_up() {
    let running = limited(Limits {
        arrival_time: "50ms".parse().expect("a time"),
        ..Limits::DEFAULT
    });
    let count = crowd();
    let key = key(1);
    let mut good = connect(&running);
    let mut slow = begun(&running, count);
    let begin = Instant::now();
    let closed = || metric(running.address(), "otplab_connections_stalled_total");
    while closed() != Some(count as u64) {
        assert!(begin.elapsed() < PATIENCE, "{:?} closed", closed());
        drip(&mut slow);
        assert_eq!(ask_on(&mut good, get(&key, PROFILE)), 200);
    }
    for mut stream in slow {
        match stream.read(&mut [0; 1]) {
            Ok(length) => assert_eq!(length, 0, "there was nothing to answer"),
            // Drops that came too late are answered with a reset.
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert_eq!(ask_on(&mut good, get(&key, PROFILE)), 200, "still there");
}

fn with_two_seats() -> Running {
    let server = Server {
        limits: Limits {
            connections: "2".parse().expect("a count"),
            ..Limits::DEFAULT
        },
        admin_listen: Some(Place::Tcp((Ipv4Addr::LOCALHOST, 0).into())),
        ..Server::local()
    };
    server.start(settings("")).expect("free ports")
}

#[test]
fn one_connection_too_many_is_told_so_until_another_leaves() {
    let running = with_two_seats();
    let (address, key) = (running.address(), key(1));
    let (mut first, mut second) = (connect(&running), connect(&running));
    for stream in [&mut first, &mut second] {
        assert_eq!(ask_on(stream, get(&key, PROFILE)), 200);
    }
    let refused = over_http(address, get(&key, PROFILE));
    assert_eq!((refused.status, refused.retry_after), (503, Some(1)));
    let message = refused.json()["message"].to_string();
    assert!(message.contains("raise --max-connections"), "{message}");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(running.crowded());
    let admin = running.admin_address().expect("a port of its own");
    let refused = metric(admin, r#"otplab_connections_refused_total{port="main"}"#);
    assert_eq!(refused, Some(1), "the control API has seats of its own");
    assert_eq!(ask_on(&mut second, get(&key, PROFILE)), 200);
    drop(first);
    let begin = Instant::now();
    while over_http(address, get(&key, PROFILE)).status != 200 {
        assert!(begin.elapsed() < PATIENCE, "no seat became free");
    }
}

#[test]
fn the_refused_need_not_speak_and_may_be_many() {
    let running = with_two_seats();
    let seated = [connect(&running), connect(&running)];
    // More than are listened to before they are told.
    let refused: Vec<_> = (0..100).map(|_| connect(&running)).collect();
    for mut stream in refused {
        let answer = read_to_end(&mut stream).expect("closed in order");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    drop(seated);
}

#[test]
fn a_flood_of_odd_paths_does_not_fill_the_memory() {
    let running = Server::local()
        .start(settings("journal_bytes = 20000"))
        .expect("a free port");
    let mut stream = connect(&running);
    let key = key(1);
    for number in 0..200 {
        let odd = format!("/{number}/{}", "x".repeat(1000));
        assert_eq!(ask_on(&mut stream, get(&key, &odd)), 404);
    }
    let bytes = metric(running.address(), "otplab_journal_bytes").expect("a gauge");
    assert!((19_000..=20_000).contains(&bytes), "{bytes}");
    let lost = metric(running.address(), "otplab_journal_evicted_total");
    assert!(lost > Some(100), "{lost:?}");
}

fn control(address: SocketAddr, target: &str) -> u16 {
    let ask = Ask {
        key: None,
        ..get("", target)
    };
    over_http(address, ask).status
}

#[test]
fn the_control_api_on_a_port_of_its_own_is_nowhere_else() {
    let server = Server {
        admin_listen: Some(Place::Tcp((Ipv4Addr::LOCALHOST, 0).into())),
        ..Server::local()
    };
    let running = server.start(settings("")).expect("free ports");
    let (main, key) = (running.address(), key(1));
    let admin = running.admin_address().expect("a port of its own");
    assert_ne!(main, admin);
    for target in ["/__admin/health", "/metrics"] {
        assert_eq!(control(admin, target), 200, "{target}");
        let unknown = over_http(main, get(&key, target));
        assert_eq!(unknown.status, 404);
        assert_eq!(unknown.json()["message"], "There is no such endpoint.");
    }
    assert_eq!(control(main, "/openapi.json"), 200);
    assert_eq!(control(admin, "/openapi.json"), 404);
    for probe in ["/livez", "/readyz"] {
        assert_eq!((control(main, probe), control(admin, probe)), (200, 200));
    }
    for ask in [get(&key, PROFILE), rent(&key, "service=whatsapp")] {
        let lost = over_http(admin, ask);
        assert_eq!(lost.status, 404);
        assert!(lost.body.contains("the API is on the other one"));
    }
    let taken = Server {
        admin_listen: Some(admin.into()),
        ..Server::local()
    };
    let error = taken.start(settings("")).expect_err("taken");
    let expected = "with --admin-listen 127.0.0.1:0";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn the_guard_looks_at_the_address_of_the_control_api() {
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for (listen, admin_listen, status) in [
        (anywhere, Some(here), 200),
        (here, Some(anywhere), 403),
        (anywhere, None, 403),
    ] {
        let server = Server {
            listen: vec![listen.into()],
            admin_listen: admin_listen.map(Place::Tcp),
            ..Server::local()
        };
        let running = server.start(settings("")).expect("free ports");
        let address = running.admin_address().unwrap_or_else(|| running.address());
        let reached = (Ipv4Addr::LOCALHOST, address.port()).into();
        for target in ["/__admin/health", "/metrics"] {
            assert_eq!(control(reached, target), status, "{target} of {server:?}");
        }
    }
}
