//! What users do when requests fail, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use contract::{Cents, Moment, Operation};
use loadgen_core::answer::{Answer, Failure, Rented};
use loadgen_core::arrivals::Shard;
use loadgen_core::budget::{Bounds, Budget};
use loadgen_core::call::{Call, Order};
use loadgen_core::fleet::Fleet;
use loadgen_core::tally::Tally;

use crate::world::{plan, run, run_fleet};

const ONE: &str =
    "arrivals = \"1\"\n[stop]\ncount = 1\n[users]\npolling = \"fixed(10s)\"\ngive_up = \"20s\"\n";

/// When each request was made, in milliseconds; requests of the kind that
/// `fails` says fail so, as often as it says.
fn made(
    policy: &str,
    fails: (Operation, Failure),
    mut often: u32,
    polite: bool,
) -> (Tally, Vec<(Operation, u128)>) {
    let text = format!("{ONE}retry = \"{policy}\"\n");
    let mut fleet = Fleet::new(plan(&text), Shard::WHOLE, Moment::START);
    let budget = Arc::new(Budget::new(Bounds::default(), polite));
    fleet.keep_to(budget, Shard::WHOLE);
    let mut made = Vec::new();
    let (tally, ..) = run_fleet(fleet, 10, |now, order: &Order| {
        let operation = order.call.operation();
        made.push((operation, now.since_start().as_millis()));
        if operation == fails.0 && often > 0 {
            often -= 1;
            return (Duration::ZERO, Err(fails.1));
        }
        let answer = match order.call {
            Call::Rent(_) => Answer::Rented(Rented {
                id: 1,
                phone: 12_025_550_100,
                cost: Cents(144),
                expires_in: Duration::from_secs(60),
            }),
            _ => Answer::Waiting,
        };
        (Duration::ZERO, Ok(answer))
    });
    (tally, made)
}

fn polls(made: &[(Operation, u128)]) -> Vec<u128> {
    let polls = made.iter().filter(|(of, _)| *of == Operation::CheckOtp);
    polls.map(|(_, at)| *at).collect()
}

const POLL_503: (Operation, Failure) = (Operation::CheckOtp, Failure::Status(503));
const POLL_429: (Operation, Failure) = (Operation::CheckOtp, Failure::Status(429));

#[test]
fn a_failed_poll_is_made_again_with_growing_pauses_and_is_counted() {
    let policy = "attempts(3,backoff(200ms,x2))";
    let (tally, requests) = made(policy, POLL_503, 2, false);
    assert_eq!(polls(&requests), [10_000, 10_200, 10_600, 20_000]);
    let operation = tally.operation(Operation::CheckOtp);
    assert_eq!((operation.requests, operation.retries), (4, 2));
    assert_eq!(
        tally.rentals.polls_undelivered, 4,
        "each of them was a poll"
    );
    // Three attempts and no more: then the schedule goes on.
    let (tally, requests) = made(policy, POLL_503, 3, false);
    assert_eq!(polls(&requests), [10_000, 10_200, 10_600, 20_000]);
    assert_eq!(tally.operation(Operation::CheckOtp).failed(), 3);
}

#[test]
fn without_a_policy_nothing_is_made_again() {
    let (tally, requests) = made("none", POLL_503, 1, false);
    assert_eq!(polls(&requests), [10_000, 20_000]);
    assert_eq!(tally.operation(Operation::CheckOtp).retries, 0);
}

#[test]
fn retry_after_is_honoured_or_ignored_on_purpose() {
    // The server says two seconds.
    for (policy, polite, expected) in [
        ("attempts(3,fixed(500ms))", false, [10_000, 12_000, 20_000]),
        (
            "attempts(3,fixed(500ms),retry_after=ignore)",
            false,
            [10_000, 10_500, 20_000],
        ),
        (
            "attempts(3,fixed(500ms),retry_after=ignore)",
            true,
            [10_000, 12_000, 20_000],
        ),
        ("attempts(3,fixed(5s))", false, [10_000, 15_000, 20_000]),
    ] {
        let (_, requests) = made(policy, POLL_429, 1, polite);
        assert_eq!(polls(&requests), expected, "{policy}, polite: {polite}");
    }
}

#[test]
fn an_account_that_was_told_to_wait_makes_no_request_of_any_user() {
    let text = "arrivals = \"100/s\"\n[stop]\nduration = \"1s\"\n[users]\naccounts = 1\nretry = \"none(retry_after=honour)\"\n";
    let mut made = Vec::new();
    let (tally, ..) = run(plan(text), 10, |now, _: &Order| {
        made.push(now.since_start());
        (Duration::from_millis(1), Err(Failure::Status(429)))
    });
    assert_eq!(tally.rentals.failed, 100);
    assert!(tally.held > 90, "{} held", tally.held);
    let early = made.iter().filter(|at| **at < Duration::from_secs(2));
    assert_eq!(early.count(), 1, "the first is told, and all others wait");
}

#[test]
fn a_rent_is_made_again_only_where_asked_and_then_its_charge_is_uncertain() {
    let lost = (Operation::Rent, Failure::Timeout);
    let policy = "attempts(3,fixed(1s),on=timeout)";
    let (tally, _) = made(policy, lost, 2, false);
    assert_eq!((tally.rentals.failed, tally.money.unknown_rents), (1, 1));
    assert_eq!(tally.operation(Operation::Rent).retries, 0);
    let unsafe_policy = "attempts(3,fixed(1s),on=timeout,rent=yes)";
    let (tally, _) = made(unsafe_policy, lost, 2, false);
    assert_eq!((tally.rentals.failed, tally.money.unknown_rents), (0, 2));
    assert_eq!(tally.operation(Operation::Rent).retries, 2);
    assert_eq!(tally.rentals.started, 1);
}
