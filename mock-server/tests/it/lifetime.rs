//! Starting and stopping.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use mock_server::{Server, StartError};

use crate::arm::{get, key, over_http, settings, written};

const PROFILE: &str = "/api/v1/profile";

#[test]
fn a_started_server_answers_at_once() {
    for _ in 0..5 {
        let running = Server::local().start(settings("")).expect("a free port");
        let answer = over_http(running.address(), get(&key(1), PROFILE));
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn a_port_in_use_is_told_with_a_remedy() {
    let first = Server::local().start(settings("")).expect("a free port");
    let second = Server {
        listen: vec![first.address().into()],
        ..Server::local()
    };
    let error = second.start(settings("")).expect_err("taken");
    assert!(matches!(error, StartError::InUse(_)));
    assert!(
        error.to_string().contains("--listen 127.0.0.1:0"),
        "{error}"
    );
}

#[test]
fn what_is_in_flight_is_finished_and_idle_connections_are_closed() {
    let slow = r#"faults = ["profile: latency(80ms)"]"#;
    let running = Server::local().start(settings(slow)).expect("a free port");
    let address = running.address();
    let mut idle = TcpStream::connect(address).expect("the server listens");
    let mut busy = TcpStream::connect(address).expect("the server listens");
    busy.write_all(written(get(&key(1), PROFILE), "").as_bytes())
        .expect("the server reads");
    thread::sleep(Duration::from_millis(30));
    running.stop();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).expect("a whole answer");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with('}'),
        "{answer}"
    );
    assert_eq!(idle.read(&mut [0; 1]).expect("closed in order"), 0);
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn an_asynchronous_program_may_start_stop_and_fail_to_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let first = Server::local().start(settings("")).expect("a free port");
        let second = Server {
            listen: vec![first.address().into()],
            ..Server::local()
        };
        assert!(second.start(settings("")).is_err());
        first.stop();
    });
}
