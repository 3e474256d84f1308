//! What a run may not do, whatever its scenario asks for.

use std::sync::Arc;
use std::time::Duration;

use contract::{Cents, Moment};
use loadgen_core::answer::{Answer, Failure, Rented};
use loadgen_core::arrivals::Shard;
use loadgen_core::budget::{Bounds, Budget};
use loadgen_core::call::{Call, Order};
use loadgen_core::fleet::Fleet;

use crate::world::{plan, run_fleet};

/// Customers who never get a code and leave after ten seconds.
const RUSH: &str = "arrivals = \"100/s\"\n[stop]\nduration = \"10s\"\n[users]\npolling = \"fixed(1s)\"\ngive_up = \"10s\"\n";

fn answer(order: &Order) -> Answer {
    match order.call {
        Call::Rent(_) => Answer::Rented(Rented {
            id: 1,
            phone: 12_025_550_100,
            cost: Cents(144),
            expires_in: Duration::from_secs(60),
        }),
        _ => Answer::Waiting,
    }
}

/// The shards of a run one after the other, keeping to one budget; every
/// request with its moment, and how many users were turned away and requests held.
fn requests(bounds: Bounds, shards: u32, text: &str) -> (Vec<(Moment, Call)>, u64, u64) {
    let budget = Arc::new(Budget::new(bounds, false));
    let (mut requests, mut away, mut held) = (Vec::new(), 0, 0);
    for index in 0..shards {
        let shard = Shard { index, of: shards };
        let mut fleet = Fleet::new(plan(text), shard, Moment::START);
        fleet.keep_to(Arc::clone(&budget), shard);
        let (tally, ..) = run_fleet(fleet, 1000, |now, order: &Order| {
            requests.push((now, order.call));
            (Duration::from_millis(1), Ok(answer(order)))
        });
        away += tally.turned_away;
        held += tally.held;
    }
    (requests, away, held)
}

fn rents(requests: &[(Moment, Call)]) -> usize {
    let rents = requests.iter();
    rents
        .filter(|(_, call)| matches!(call, Call::Rent(_)))
        .count()
}

#[test]
fn no_more_rentals_than_allowed_and_those_there_are_go_on() {
    let bounds = Bounds {
        rentals: Some(7),
        ..Bounds::default()
    };
    for shards in [1, 3] {
        let (requests, away, _) = requests(bounds, shards, RUSH);
        assert_eq!(rents(&requests), 7);
        assert!(away > 0, "somebody was turned away");
        // Each polls ten times.
        assert_eq!(requests.len(), 77);
    }
}

#[test]
fn no_more_money_than_allowed() {
    let bounds = Bounds {
        spend: Some(Cents(1000)),
        ..Bounds::default()
    };
    let (requests, ..) = requests(bounds, 2, RUSH);
    assert_eq!(rents(&requests), 6, "six times $1.44 are $8.64");
}

#[test]
fn no_more_requests_per_second_than_allowed() {
    let bounds = Bounds {
        rate: Some("20/s".parse().expect("a rate")),
        ..Bounds::default()
    };
    let (mut requests, _, held) = requests(bounds, 4, RUSH);
    requests.sort_by_key(|(at, _)| *at);
    assert!(held > 0);
    let window = Duration::from_secs(1);
    for (first, (begin, _)) in requests.iter().enumerate() {
        let within = requests[first..].iter();
        let count = within
            .take_while(|(at, _)| at.since(*begin) < window)
            .count();
        // Four workers, each evenly at a quarter of the rate.
        assert!(count <= 20 + 4, "{count} within a second");
    }
}

#[test]
fn a_rent_that_was_refused_costs_nothing_and_one_that_was_lost_may() {
    for (failure, rents) in [(Failure::Status(402), 100), (Failure::Timeout, 6)] {
        let budget = Bounds {
            spend: Some(Cents(1000)),
            ..Bounds::default()
        };
        let mut fleet = Fleet::new(
            plan("arrivals = \"100/s\"\n[stop]\nduration = \"1s\"\n"),
            Shard::WHOLE,
            Moment::START,
        );
        fleet.keep_to(Arc::new(Budget::new(budget, false)), Shard::WHOLE);
        let (tally, ..) = run_fleet(fleet, 1000, |_, _: &Order| (Duration::ZERO, Err(failure)));
        assert_eq!(tally.rentals.started, rents, "{failure}");
    }
}
