//! Server-sent events: what is told, in which order, and to whom.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::arm::{get, key, over_http, rent, settings};
use crate::control::{advance, control, start};

/// One who listens.
struct Ear(BufReader<TcpStream>);

impl Ear {
    /// When this returns, the server knows that somebody listens.
    fn open(address: SocketAddr, key: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let auth = key
            .map(|key| format!("Auth: {key}\r\n"))
            .unwrap_or_default();
        write!(
            stream,
            "GET /__admin/events HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n"
        )
        .expect("it reads");
        let mut ear = Self(BufReader::new(stream));
        while ear.line() != "" {}
        ear
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the server writes text");
        line.trim_end().to_owned()
    }

    /// The next event: its name and its data. What frames chunks is passed over.
    fn next(&mut self) -> (String, Value) {
        let mut name = None;
        loop {
            let line = self.line();
            if let Some(event) = line.strip_prefix("event: ") {
                name = Some(event.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(data).expect("JSON");
                return (name.expect("a name comes first"), data);
            }
        }
    }

    fn names<const N: usize>(&mut self) -> [String; N] {
        std::array::from_fn(|_| self.next().0)
    }
}

#[test]
fn what_happens_is_told_in_order() {
    let running = start(settings("sms_delay = \"10m\"\ntime_scale = 0"));
    let (address, mine, other) = (running.address(), key(1), key(2));
    over_http(address, rent(&mine, "service=whatsapp"));
    let (mut all, mut my) = (Ear::open(address, None), Ear::open(address, Some(&mine)));
    over_http(address, rent(&other, "service=telegram"));
    advance(address, Some(&mine), "10m");
    control(address, Some(&other), "POST", "rentals/13322955/expire", "");
    control(address, Some(&mine), "POST", "reset", "");
    let (name, sms) = my.next();
    assert_eq!(
        (name.as_str(), &sms["rental_id"]),
        ("sms.received", &13_322_954.into())
    );
    assert_eq!(sms["code"].as_str().map(str::len), Some(6));
    assert_eq!(my.names(), ["clock.changed", "account.reset"]);
    let expected = [
        "rental.made",
        "request",
        "sms.received",
        "clock.changed",
        "rental.expired",
        "account.reset",
    ];
    assert_eq!(all.names(), expected);
}

#[test]
fn an_sms_is_told_in_real_time_without_anybody_asking() {
    let running = start(settings("sms_delay = \"20ms\""));
    let (address, mine) = (running.address(), key(1));
    let mut ear = Ear::open(address, Some(&mine));
    over_http(address, rent(&mine, "service=whatsapp"));
    assert_eq!(ear.names(), ["rental.made", "request", "sms.received"]);
}

#[test]
fn who_reads_too_slowly_is_told_how_much_is_lost() {
    let running = start(settings("time_scale = 0"));
    let (address, mine) = (running.address(), key(1));
    let mut ear = Ear::open(address, None);
    // More than sockets hold and the queue remembers.
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let mut answers = BufReader::new(stream.try_clone().expect("a handle"));
    let ask = crate::arm::written(get(&mine, "/api/v1/profile"), "");
    let mut drain = vec![0; 1 << 16];
    for _ in 0..400 {
        stream
            .write_all(ask.repeat(100).as_bytes())
            .expect("it reads");
        let mut heads = 0;
        while heads < 100 {
            let read = std::io::Read::read(&mut answers, &mut drain).expect("answers");
            let text = String::from_utf8_lossy(&drain[..read]);
            heads += text.matches("\"success\"").count();
        }
    }
    let mut told = 0;
    let lost = loop {
        match ear.next() {
            (name, data) if name == "lagged" => break data["lost"].as_u64().expect("a count"),
            _ => told += 1,
        }
    };
    assert!(lost > 0 && told + lost < 40_000, "{told} told, {lost} lost");
    drop(ear);
    assert_eq!(
        over_http(address, get(&mine, "/api/v1/profile")).status,
        200
    );
}
