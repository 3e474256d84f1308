//! One scenario over both HTTP clients: the same rentals, and the same names
//! for whatever the mock does to an answer.

use std::collections::BTreeMap;

use contract::Operation;
use loadgen::client::Client;
use loadgen_core::answer::Failure;

use crate::two_arms::live_over;

const CLIENTS: [Client; 2] = [Client::Lean, Client::Hyper];

#[test]
fn both_clients_get_the_same_rentals_codes_and_delays() {
    let scenario = r#"
        connections = 5

        [arrivals]
        users = 12

        [stop]
        count = 36

        [users]
        services = ["whatsapp", "telegram"]
        polling = "fixed(20ms)"

        [mock]
        sms_delay = "0.9*uniform(10ms,150ms) + 0.1*never"
        rental_life = "300ms"
    "#;
    let [lean, hyper] = CLIENTS.map(|client| {
        let outcome = live_over(client, scenario, 3, 1);
        let ledger = outcome.ledger.expect("balances were read");
        assert_eq!(ledger.unexplained, contract::Cents::ZERO, "{client:?}");
        assert_eq!(outcome.tally.failures(), 0, "{client:?}");
        // Five in each phase: balances, load, balances.
        assert_eq!(outcome.tally.instrument.connect.count(), 15, "{client:?}");
        let rentals = outcome.tally.rentals;
        (
            rentals.delivered,
            rentals.confirmed,
            rentals.expired,
            rentals.fingerprint,
            rentals.sms_delay.summary(),
        )
    });
    assert_eq!(lean, hyper);
}

/// What three polls come to, of which `fault` strikes the first.
fn polls(client: Client, fault: &str, patience: &str) -> (u64, BTreeMap<Failure, u64>) {
    let scenario = format!(
        r#"
        request_timeout = "{patience}"

        [arrivals]
        users = 1

        [stop]
        count = 3

        [setup]
        rentals = 1

        [users]
        do = "poll_once"
        accounts = 1

        [mock]
        sms_delay = "never"
        faults = ["check_otp: {fault} first 1"]
        "#
    );
    let outcome = live_over(client, &scenario, 1, 1);
    let polls = outcome.tally.operation(Operation::CheckOtp);
    (polls.requests, polls.failures.clone())
}

#[test]
fn each_fault_of_the_mock_has_one_name() {
    for (fault, failure) in [
        ("status(503)", Some(Failure::Status(503))),
        ("rate_limit", Some(Failure::Status(429))),
        ("html_error", Some(Failure::Status(502))),
        ("reset_peer", Some(Failure::Reset)),
        ("empty_response", Some(Failure::Closed)),
        ("random_data", Some(Failure::Protocol)),
        ("timeout", Some(Failure::Timeout)),
        ("latency(never)", Some(Failure::Timeout)),
        ("latency(20ms)", None),
        ("truncate_body", Some(Failure::Closed)),
        ("truncate_body(0)", Some(Failure::Closed)),
        ("reset_after_bytes(20)", Some(Failure::Reset)),
        ("malformed_json", Some(Failure::Body)),
        ("malformed_chunk", Some(Failure::Protocol)),
        ("slow_body(40ms)", None),
        ("slow_body(5s)", Some(Failure::Timeout)),
        ("slow_close(20ms)", None),
    ] {
        // Only what is to time out is given little time.
        let patience = match failure {
            Some(Failure::Timeout) => "250ms",
            _ => "60s",
        };
        let failures: BTreeMap<_, _> = failure.into_iter().map(|failure| (failure, 1)).collect();
        for client in CLIENTS {
            let expected = (3, failures.clone());
            let polls = polls(client, fault, patience);
            assert_eq!(polls, expected, "{fault} over {client:?}");
        }
    }
}
