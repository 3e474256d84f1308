//! Everything is a function of the seed, however requests interleave: one
//! client after another and thirty-two at once see the same.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use mock_server::Server;
use serde_json::Value;

use crate::arm::{Ask, get, key, over_http, rent, settings};

const ACCOUNTS: u32 = 32;
const RENTS: usize = 8;

/// Long enough for every SMS of [`SETTINGS`] to have come.
const SMS_TIME: Duration = Duration::from_millis(12);

const SETTINGS: &str = r#"
    sms_delay = "uniform(0s,10ms)"
    faults = [
        "rent: no_numbers probability 0.2",
        "check_otp: status(503) probability 0.3",
        "*: status(500) every 7",
        "*: latency(uniform(0s,200us))",
    ]"#;

/// What one account saw: everything but the ids.
#[derive(Debug, PartialEq)]
struct Seen {
    rents: Vec<(u16, Value, Value)>,
    polls: Vec<(u16, Value, Option<Duration>)>,
}

fn rent_all(address: SocketAddr, key: &str) -> Vec<(u16, Value)> {
    let services = ["service=whatsapp", "service=telegram", "service=google"];
    (0..RENTS)
        .map(|turn| {
            let answer = over_http(address, rent(key, services[turn % services.len()]));
            (answer.status, answer.json()["rental"].clone())
        })
        .collect()
}

fn poll_all(address: SocketAddr, key: &str, rents: Vec<(u16, Value)>) -> Seen {
    let rented = rents.iter().filter(|(status, _)| *status == 200);
    let polls = rented.map(|(_, rental)| {
        let target = format!("/api/v1/number/check-otp/{}", rental["id"]);
        let answer = over_http(
            address,
            Ask {
                truth: true,
                ..get(key, &target)
            },
        );
        let delay = answer.truth.map(|truth| truth.delay);
        (answer.status, answer.json()["sms_code"].clone(), delay)
    });
    let polls = polls.collect();
    let rents = rents
        .into_iter()
        .map(|(status, rental)| (status, rental["phone"].clone(), rental["cost"].clone()));
    Seen {
        rents: rents.collect(),
        polls,
    }
}

fn start() -> mock_server::Running {
    let server = Server {
        workers: NonZeroUsize::new(2).expect("two"),
        ..Server::local()
    };
    server.start(settings(SETTINGS)).expect("a free port")
}

fn one_after_another() -> Vec<Seen> {
    let running = start();
    let keys: Vec<_> = (0..ACCOUNTS).map(key).collect();
    let rents: Vec<_> = keys
        .iter()
        .map(|key| rent_all(running.address(), key))
        .collect();
    thread::sleep(SMS_TIME);
    let polls = keys.iter().zip(rents);
    polls
        .map(|(key, rents)| poll_all(running.address(), key, rents))
        .collect()
}

fn all_at_once() -> Vec<Seen> {
    let running = start();
    let address = running.address();
    let client = |number| {
        thread::spawn(move || {
            let key = key(number);
            let rents = rent_all(address, &key);
            thread::sleep(SMS_TIME);
            poll_all(address, &key, rents)
        })
    };
    let clients: Vec<_> = (0..ACCOUNTS).map(client).collect();
    let seen = clients.into_iter().map(|client| client.join());
    seen.map(|seen| seen.expect("no client fails")).collect()
}

#[test]
fn one_client_and_thirty_two_see_the_same() {
    let alone = one_after_another();
    assert_eq!(alone, all_at_once());
    let delays = alone.iter().flat_map(|seen| &seen.polls);
    let delivered = delays.filter(|(_, _, delay)| delay.is_some()).count();
    assert!(
        delivered > 64,
        "the comparison is about something: {delivered}"
    );
    assert_ne!(alone[0], alone[1]);
}
