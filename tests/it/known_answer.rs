//! A known answer over the network: a server whose answers take programmed
//! times and that keeps its own times, against what the generator reports. Its
//! times fence the generator's in from both sides, so a slow machine moves the
//! fence and the figures together.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use contract::Operation;
use loadgen::client::Client;
use loadgen::interrupt::Interrupt;
use loadgen::progress::Silent;
use loadgen::recorder::Unrecorded;
use loadgen::run::{self, Job, Keys};
use loadgen::target::Target;
use loadgen_core::budget::Bounds;
use loadgen_core::latencies::Latencies;
use loadgen_core::scenario::{Overrides, Scenario};

const POLLS: usize = 400;

/// One user who asks as fast as it is answered, over one connection.
const ONE_AFTER_THE_OTHER: &str = r#"
connections = 1

[arrivals]
users = 1

[stop]
count = 400

[setup]
rentals = 1

[users]
do = "poll_once"
accounts = 1
"#;

/// How long the n-th poll takes: 0.2 to 1 ms, one in twenty 25 times as long,
/// all different and in no order.
fn programmed(index: usize) -> Duration {
    // Multiplying by a number without common factors visits every value once.
    let mixed = index * 149 % POLLS;
    let slow = if mixed.is_multiple_of(20) { 25 } else { 1 };
    Duration::from_micros((200 + 2 * mixed as u64) * slow)
}

/// What the server saw of one poll.
struct Seen {
    /// Before the client can have meant to send it: when the answer before it left.
    earliest: Instant,
    read: Instant,
    answered: Instant,
    /// After the client had its answer: when the next request or the end came.
    latest: Instant,
}

/// Serves connections, one after the other, until it has seen all polls and
/// the balance after them.
fn serve(listener: &TcpListener) -> io::Result<Vec<Seen>> {
    let mut polls: Vec<Seen> = Vec::with_capacity(POLLS);
    let mut earliest = Instant::now();
    let mut is_last = false;
    while !is_last {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        loop {
            let request = read_request(&mut stream)?;
            let read = Instant::now();
            if let Some(poll) = polls.last_mut()
                && poll.latest == poll.answered
            {
                poll.latest = read;
            }
            let Some(request) = request else { break };
            let is_poll = request.contains("/check-otp/");
            is_last = !is_poll && polls.len() == POLLS;
            if is_poll {
                thread::sleep(programmed(polls.len()));
            }
            let answered = Instant::now();
            stream.write_all(answer(&request).as_bytes())?;
            if is_poll {
                polls.push(Seen {
                    earliest,
                    read,
                    answered,
                    latest: answered,
                });
            }
            earliest = answered;
        }
    }
    Ok(polls)
}

/// The head of a request and what came with it; `None` at the end of the connection.
fn read_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let (mut request, mut buffer) = (String::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(None),
            read => request += &String::from_utf8_lossy(&buffer[..read]),
        }
        let is_whole = match request.split_once("\r\n\r\n") {
            Some((head, body)) => !head.contains("Content-Length") || body.ends_with('}'),
            None => false,
        };
        if is_whole {
            return Ok(Some(request));
        }
    }
}

fn answer(request: &str) -> String {
    let body = if request.contains("/check-otp/") {
        r#"{"success":true,"sms_received":false,"message":"Waiting"}"#
    } else if request.starts_with("POST") {
        r#"{"success":true,"message":"Rented","rental":{"id":1,"phone":"12025550100","service":"whatsapp","cost":"$1.44","expires_in_seconds":1200}}"#
    } else {
        r#"{"success":true,"user":{"name":"A","email":"a@example.com","balance":"340.50"}}"#
    };
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The response and service times that the generator reports.
fn reported(client: Client, address: SocketAddr) -> (Latencies, Latencies) {
    let text = ONE_AFTER_THE_OTHER;
    let scenario = Scenario::read("known", "known.toml", text, Overrides::default());
    let target = Target::parse(&format!("http://{address}"), &[]).expect("loopback");
    let job = Job {
        scenario: &scenario.expect(text),
        seed: 1,
        target: &target,
        server: "a server with programmed times",
        keys: Keys::MadeUp,
        threads: 1,
        client,
        bounds: Bounds::default(),
        webhooks: None,
    };
    let run = run::run(&job, &Interrupt::never(), &mut Silent, &mut Unrecorded);
    let tally = run.expect("the server answers").outcome.tally;
    assert_eq!(tally.failures(), 0);
    let polls = tally.operation(Operation::CheckOtp);
    (polls.response.clone(), polls.service.clone())
}

/// Whether every percentile lies within one bucket of the fence.
fn check(what: &str, reported: &Latencies, least: &[u128], most: &[u128]) {
    assert_eq!(reported.count(), POLLS as u64, "{what}");
    for quantile in [0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.96, 0.99, 1.0] {
        let rank = (quantile * POLLS as f64).ceil() as usize - 1;
        let (least, most) = (least[rank], most[rank]);
        // Three digits of 2,048 sub-buckets: buckets are this wide at most.
        let bucket = most / 1024 + 1;
        let figure = u128::from(reported.quantile(quantile).expect("polls"));
        assert!(
            (least..=most + bucket).contains(&figure),
            "{what} p{quantile}: {figure} µs reported, {least} to {most} µs seen"
        );
    }
}

#[test]
fn percentiles_are_what_the_server_itself_measured() {
    for client in [Client::Lean, Client::Hyper] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = thread::spawn(move || serve(&listener));
        let (response, service) = reported(client, address);
        let seen = server.join().expect("no panic").expect("no error");

        // The ranks of the bounds bound the ranks of what they bound.
        let sorted = |duration: &dyn Fn(&Seen) -> Duration| {
            let mut all: Vec<_> = seen.iter().map(|poll| duration(poll).as_micros()).collect();
            all.sort_unstable();
            all
        };
        let least = sorted(&|poll| poll.answered - poll.read);
        let most = sorted(&|poll| poll.latest - poll.earliest);
        let mut truth: Vec<_> = (0..POLLS)
            .map(|index| programmed(index).as_micros())
            .collect();
        truth.sort_unstable();
        assert!(
            truth
                .iter()
                .zip(&least)
                .all(|(truth, least)| truth <= least)
        );
        check("response", &response, &least, &most);
        check("service", &service, &least, &most);
    }
}
