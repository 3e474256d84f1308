//! A client of the CodySMS API, tested against otplab: `mock_server::Mock` in the
//! test program itself, no server to start and no port to choose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use mock_server::{Account, Answer, Matcher, Mock, Sms, Times};

/// One mock for all tests; its time stands still.
static MOCK: LazyLock<Mock> = LazyLock::new(|| {
    let mock = Mock::builder().sms_delay("5s").frozen();
    mock.start().expect("a free port")
});

/// The client under test would be here; this stands for it, with a key of its own for
/// each test, so that no test sees another.
struct Client(Account);

impl Client {
    fn of(test: &str) -> Self {
        Self(MOCK.account_named(test))
    }

    fn rent(&self) -> String {
        self.ask("POST /number/rent", r#"{"service":"whatsapp"}"#)
    }

    fn poll(&self, rental: u32) -> String {
        self.ask(&format!("GET /number/check-otp/{rental}"), "")
    }

    /// Status line, headers and body; a client would use a library.
    fn ask(&self, line: &str, body: &str) -> String {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let (host, key, length) = (MOCK.address(), self.0.key(), body.len());
        let mut stream = TcpStream::connect(host).expect("it listens");
        write!(
            stream,
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuth: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    fn rented(&self) -> u32 {
        let answer = self.rent();
        let (_, id) = answer.split_once(r#""id":"#).expect("a rental");
        let (id, _) = id.split_once(',').expect("more of it");
        id.parse().expect("a number")
    }
}

#[test]
fn the_code_comes_after_five_seconds() {
    let client = Client::of("the code comes after five seconds");
    let rental = client.rented();
    client.0.advance(Duration::from_secs(4)).done();
    assert!(client.poll(rental).contains(r#""sms_received":false"#));
    client.0.advance(Duration::from_secs(1)).done();
    let code = client.0.rental(rental).expect("it was rented").code;
    assert!(
        client
            .poll(rental)
            .contains(&format!(r#""sms_code":"{code}""#))
    );
}

#[tokio::test]
async fn an_asynchronous_test_awaits_time() {
    let client = Client::of("an asynchronous test awaits time");
    let rental = client.rented();
    client.0.advance(Duration::from_secs(5)).await;
    assert!(client.poll(rental).contains(r#""sms_received":true"#));
}

#[test]
fn an_sms_may_say_what_the_test_wants() {
    let client = Client::of("an SMS may say what the test wants");
    let rental = client.rented();
    let sent = client.0.send_sms(rental, Sms::code("0042"));
    sent.expect("a live rental");
    assert!(client.poll(rental).contains(r#""sms_code":"0042""#));
}

#[test]
fn a_rental_that_ends_without_an_sms_is_refunded() {
    let client = Client::of("a rental that ends without an SMS is refunded");
    let rental = client.rented();
    client.0.expire(rental).expect("a live rental");
    assert!(client.poll(rental).contains(r#""success":false"#));
    let ledger = client.0.ledger();
    assert_eq!(ledger.balance, ledger.opening);
}

#[test]
fn a_lost_server_is_met_once_and_seen_in_the_journal() {
    let client = Client::of("a lost server is met once");
    let fault = client.0.add_fault("rent: status(503) first 1");
    fault.expect("a rule");
    assert!(client.rent().starts_with("HTTP/1.1 503 "));
    assert!(client.rent().starts_with("HTTP/1.1 200 "));
    let rents = Matcher {
        operation: Some("rent".to_owned()),
        ..Matcher::default()
    };
    let verified = client.0.verify(&rents, Times::Exactly(2));
    assert_eq!(verified.result, Answer::Pass);
}
