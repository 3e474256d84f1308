//! Raw bytes into a real connection: whatever they are, the server goes on
//! answering others, and a panic in any of its threads ends the run.

#![no_main]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mock_server::{Running, Server};
use mock_server_core::Settings;

/// For an answer that never comes, which is what some bytes ask for.
const SHORTLY: Duration = Duration::from_millis(20);

/// For an answer that must come.
const PATIENCE: Duration = Duration::from_secs(10);

static SERVER: OnceLock<Running> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let server = SERVER.get_or_init(|| {
        let started = Server::local().start(Settings::new(7));
        started.expect("a free port")
    });
    let mut stream = connect(server, SHORTLY);
    // Refused bytes are as good as any: only what comes after them counts.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    drop(stream);
    let mut stream = connect(server, PATIENCE);
    let ask = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
});

fn connect(server: &Running, patience: Duration) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("the server listens");
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    stream
}
