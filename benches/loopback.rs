//! A poll over the real server: one connection, one request at a time. Almost
//! all of it is the kernel's; what is ours is the difference to a bare echo.

use std::io::{Read, Write};
use std::net::TcpStream;

use criterion::Criterion;
use mock_server::Server;
use mock_server_core::AccountSettings;

/// From writing the request to having read the answer.
pub(crate) fn poll_on_one_connection(criterion: &mut Criterion) {
    let settings = AccountSettings {
        sms_delay: "never".parse().expect("a law"),
        ..AccountSettings::new(1)
    };
    let server = Server::local().start(settings.into()).expect("a free port");
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    let key = "k".repeat(60);
    let body = r#"{"service":"whatsapp"}"#;
    let rent = format!(
        "POST /api/v1/number/rent HTTP/1.1\r\nHost: localhost\r\nAuth: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let poll = format!(
        "GET /api/v1/number/check-otp/13322954 HTTP/1.1\r\nHost: localhost\r\nAuth: {key}\r\n\r\n"
    );
    let mut buffer = [0; 4096];
    let mut exchange = |request: &str| {
        stream
            .write_all(request.as_bytes())
            .expect("the server reads");
        // An answer fits one segment on loopback.
        let length = stream.read(&mut buffer).expect("the server answers");
        assert!(buffer[..length].starts_with(b"HTTP/1.1 200"));
    };
    exchange(&rent);
    criterion.bench_function("loopback: poll on one connection", |bencher| {
        bencher.iter(|| exchange(&poll));
    });
}
