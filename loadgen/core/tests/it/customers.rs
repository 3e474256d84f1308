//! Customers of a scripted server: what they ask, when they stop, and what is
//! counted of it.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Cents, Moment, Operation};
use loadgen_core::answer::{Answer, Failure, Rented, Row};
use loadgen_core::call::{Call, Order};

use crate::world::{Server, plan, run};

const COST: Cents = Cents(144);

/// Rents that get their code `delay` after the rent, if `delay` is given, and
/// live for 60 s. A rental has the number of its account. Every answer takes `takes`.
fn rentals(delay: Option<Duration>, takes: Duration) -> impl Server {
    let mut rented: BTreeMap<u64, Moment> = BTreeMap::new();
    move |now, order: &Order| {
        let answer = match order.call {
            Call::Rent(_) => {
                let id = u64::from(order.account);
                rented.insert(id, now);
                Answer::Rented(Rented {
                    id,
                    phone: 12_025_550_100 + id,
                    cost: COST,
                    expires_in: Duration::from_secs(60),
                })
            }
            Call::CheckOtp(id) => match delay {
                Some(delay) if now.since(rented[&id]) >= delay => Answer::Received {
                    code: "0042".into(),
                    truth: None,
                },
                _ if now.since(rented[&id]) >= Duration::from_secs(60) => Answer::Ended,
                _ => Answer::Waiting,
            },
            Call::History(_) => Answer::History(vec![row(u64::from(order.account))]),
            Call::Profile => Answer::Balance(Cents(100_000)),
        };
        (takes, Ok(answer))
    }
}

fn row(id: u64) -> Row {
    Row {
        id,
        cost: COST,
        code: Some("0042".into()),
        completed: true,
    }
}

const ONE: &str = "[arrivals]\nusers = 1\n[stop]\ncount = 1\n[users]\npolling = \"fixed(2s)\"\n";

#[test]
fn a_customer_rents_polls_until_the_code_and_confirms_it() {
    let server = rentals(Some(Duration::from_secs(5)), Duration::ZERO);
    let (tally, _, end) = run(plan(ONE), 1, server);
    // Polls at 2, 4 and 6 s; the code is there from 5 s on.
    assert_eq!(tally.operation(Operation::CheckOtp).requests, 3);
    assert_eq!((tally.rentals.delivered, tally.rentals.confirmed), (1, 1));
    assert_eq!(tally.rentals.polls_delivered, 3);
    assert_eq!(tally.rentals.time_to_code.greatest(), Some(6_000_000));
    assert_eq!(end, Moment::from(Duration::from_secs(6)));
    assert_eq!(tally.failures(), 0);
}

#[test]
fn an_expired_rental_is_refunded_and_its_polls_are_counted_apart() {
    let (tally, ..) = run(plan(ONE), 1, rentals(None, Duration::ZERO));
    let rentals = &tally.rentals;
    assert_eq!(
        (
            rentals.expired,
            rentals.delivered,
            rentals.polls_undelivered
        ),
        (1, 0, 30)
    );
    assert_eq!(tally.money.charged, tally.money.refunded);
}

#[test]
fn a_customer_gives_up_after_one_last_poll_at_its_deadline() {
    let impatient = format!("{ONE}give_up = \"5s\"\n");
    let (tally, _, end) = run(plan(&impatient), 1, rentals(None, Duration::ZERO));
    assert_eq!(
        (tally.rentals.abandoned, tally.rentals.polls_undelivered),
        (1, 3)
    );
    assert_eq!(end, Moment::from(Duration::from_secs(5)));
    assert_eq!(tally.money.unfinished.len(), 1);
}

#[test]
fn a_failed_poll_is_counted_and_the_schedule_goes_on() {
    let mut inner = rentals(Some(Duration::from_secs(3)), Duration::ZERO);
    let mut polls = 0;
    let (tally, ..) = run(plan(ONE), 1, move |now, order: &Order| {
        polls += u32::from(matches!(order.call, Call::CheckOtp(_)));
        match (polls, order.call) {
            (1, Call::CheckOtp(_)) => (Duration::ZERO, Err(Failure::Status(503))),
            _ => inner(now, order),
        }
    });
    assert_eq!(tally.rentals.confirmed, 1);
    let polls = tally.operation(Operation::CheckOtp);
    assert_eq!(
        (polls.requests, polls.failures[&Failure::Status(503)]),
        (2, 1)
    );
}

#[test]
fn a_refused_rent_is_a_failed_rental_and_the_slot_pauses() {
    let three = "[arrivals]\nusers = 1\n[stop]\ncount = 3\n";
    let (tally, _, end) = run(plan(three), 1, |_, _: &Order| {
        (Duration::ZERO, Err(Failure::Status(402)))
    });
    assert_eq!((tally.rentals.started, tally.rentals.failed), (3, 3));
    assert_eq!(end, Moment::from(Duration::from_secs(1)));
    assert_eq!(tally.money.unknown_rents, 0, "a refusal charges nothing");
}

#[test]
fn a_history_that_contradicts_the_code_is_a_mismatch() {
    let mut inner = rentals(Some(Duration::ZERO), Duration::ZERO);
    let (tally, ..) = run(plan(ONE), 1, move |now, order: &Order| match order.call {
        Call::History(_) => {
            let wrong = Row {
                code: Some("42".into()),
                ..row(0)
            };
            (Duration::ZERO, Ok(Answer::History(vec![wrong])))
        }
        _ => inner(now, order),
    });
    assert_eq!((tally.rentals.delivered, tally.rentals.confirmed), (1, 0));
    assert_eq!(
        tally.operation(Operation::History).failures[&Failure::Mismatch],
        1
    );
}

#[test]
fn a_row_further_down_is_found_on_a_later_page() {
    let mut inner = rentals(Some(Duration::ZERO), Duration::ZERO);
    let (tally, ..) = run(plan(ONE), 1, move |now, order: &Order| match order.call {
        Call::History(page) => {
            let rows = vec![row(if page < 3 { 1000 + u64::from(page) } else { 0 })];
            (Duration::ZERO, Ok(Answer::History(rows)))
        }
        _ => inner(now, order),
    });
    assert_eq!(tally.rentals.confirmed, 1);
    assert_eq!(tally.operation(Operation::History).requests, 3);
}

#[test]
fn ten_thousand_rentals_wait_over_a_few_connections() {
    let crowd =
        "[arrivals]\nusers = 10000\n[stop]\ncount = 10000\n[users]\npolling = \"fixed(10s)\"\n";
    let server = rentals(Some(Duration::from_secs(25)), Duration::from_micros(50));
    let (tally, ..) = run(plan(crowd), 64, server);
    assert_eq!(tally.rentals.delivered, 10_000);
    assert_eq!(tally.rentals.polls_delivered, 30_000);
}

#[test]
fn after_the_drain_those_who_still_wait_are_abandoned() {
    let text = "[arrivals]\nusers = 5\n[stop]\nduration = \"10s\"\ndrain = \"5s\"\n";
    let (tally, _, end) = run(plan(text), 5, rentals(None, Duration::ZERO));
    assert_eq!((tally.rentals.started, tally.rentals.abandoned), (5, 5));
    assert_eq!(end, Moment::from(Duration::from_secs(15)));
}

#[test]
fn a_customer_gives_up_by_the_clock_even_if_answers_are_slow() {
    // Answers take 3 s, so of the beats at 2, 4, … s only each second one can be used.
    let impatient = format!("{ONE}give_up = \"7s\"\n");
    let server = rentals(None, Duration::from_secs(3));
    let (tally, _, end) = run(plan(&impatient), 1, server);
    // Rent until 3 s; polls meant for 5 s and 9 s, and the last for the deadline at 10 s.
    assert_eq!(
        (tally.rentals.abandoned, tally.rentals.polls_undelivered),
        (1, 3)
    );
    assert_eq!(end, Moment::from(Duration::from_secs(15)));
    // That last one waits from 10 s to 12 s for its turn, and is answered at 15 s.
    let polls = tally.operation(Operation::CheckOtp);
    assert_eq!(polls.response.greatest(), Some(5_000_000));
    assert_eq!(polls.service.greatest(), Some(3_000_000));
}

#[test]
fn a_million_users_may_be_alive_and_no_more() {
    let crowd = "[arrivals]\nrate = \"1000000/s\"\n[stop]\ncount = 1010000\n[users]\npolling = \"fixed(60s)\"\n";
    let (tally, ..) = run(plan(crowd), 1, |_, _: &Order| {
        (Duration::from_millis(1), Err(Failure::Timeout))
    });
    assert_eq!(tally.rentals.failed, 1_010_000);
    assert_eq!(tally.rentals.peak_in_flight, 1_000_000);
}

#[test]
fn a_server_paced_customer_asks_when_the_server_says() {
    let paced = ONE.replace("fixed(2s)", "server-paced(3s)");
    let mut honest = rentals(Some(Duration::from_secs(9)), Duration::ZERO);
    let mut asked = Vec::new();
    let server = |now: Moment, order: &Order| {
        let polls = matches!(order.call, Call::CheckOtp(_));
        if polls {
            asked.push(now.since_start().as_secs());
        }
        // The world says two seconds with each of these.
        if polls && asked.len() == 2 {
            return (Duration::ZERO, Err(Failure::Status(429)));
        }
        honest(now, order)
    };
    let (tally, ..) = run(plan(&paced), 1, server);
    assert_eq!(tally.rentals.delivered, 1);
    // After 3 and 6 s two seconds, and then three again.
    assert_eq!(asked, [3, 6, 8, 11]);
}
