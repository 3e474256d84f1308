//! Coordinated omission: a server that stands still for a second must show up
//! in the response times, as arithmetic says, whatever the generator saw.

use std::sync::Arc;
use std::time::Duration;

use contract::{Cents, Dice, Moment, Operation};
use loadgen_core::answer::{Answer, Failure, Rented};
use loadgen_core::arrivals::{Arrivals, Process};
use loadgen_core::call::{Call, Order};
use loadgen_core::fleet::{Plan, Role, Target};
use loadgen_core::latencies::Latencies;
use loadgen_core::rate::RateProfile;
use loadgen_core::stop::Stop;

use crate::world::{plan, run};

/// Polls at 2,000 a second for 10 s, over 64 connections.
fn polls(process: Process) -> Arc<Plan> {
    let target = Target {
        account: 0,
        rental: 1,
    };
    Arc::new(Plan {
        arrivals: Arrivals::Open {
            profile: RateProfile::constant("2000/s".parse().expect("a rate")),
            process,
        },
        stop: Stop {
            duration: Some(Duration::from_secs(10)),
            ..Stop::default()
        },
        role: Role::PollOnce([target].into()),
        accounts: 1,
        dice: Dice::new(3),
    })
}

/// Answers in 50 µs, but not between the fourth and the fifth second.
fn stalled(now: Moment, order: &Order) -> (Duration, Result<Answer, Failure>) {
    let (begin, end) = (Duration::from_secs(4), Duration::from_secs(5));
    let service = Duration::from_micros(50);
    let takes = match now.since_start() {
        now if now >= begin && now < end => end - now + service,
        _ => service,
    };
    let answer = match order.call {
        Call::Rent(_) => Answer::Rented(Rented {
            id: u64::from(order.account),
            phone: 12_025_550_100,
            cost: Cents(144),
            expires_in: Duration::from_secs(60),
        }),
        _ => Answer::Waiting,
    };
    (takes, Ok(answer))
}

/// Whether a quantile is what arithmetic says, give or take a twentieth.
fn check(response: &Latencies, what: &str, quantile: f64, seconds: f64) {
    let actual = response.quantile(quantile).expect("polls") as f64 / 1e6;
    assert!(
        (actual / seconds - 1.0).abs() < 0.05,
        "{what} p{quantile}: {actual} s instead of {seconds} s"
    );
}

#[test]
fn a_stall_is_in_the_response_times_of_all_who_were_due() {
    for process in [Process::Constant, Process::Poisson] {
        let (tally, ..) = run(polls(process), 64, stalled);
        let polls = tally.operation(Operation::CheckOtp);
        // A tenth of the polls was due during the stall and waited for its end,
        // evenly from 0 to 1 s: p95 is the middle of them, p99 nine tenths.
        for (quantile, seconds) in [(0.95, 0.5), (0.99, 0.9)] {
            check(&polls.response, &format!("{process:?}"), quantile, seconds);
        }
        assert_eq!(
            polls.service.quantile(0.95),
            Some(50),
            "only 64 polls were under way"
        );
    }
}

#[test]
fn a_closed_population_asks_less_during_a_stall_and_hides_nothing_of_it() {
    // 2,000 polls a second again: 200 customers, each every 100 ms.
    let customers = r#"
        [arrivals]
        users = 200
        ramp = "100ms"

        [stop]
        duration = "10s"
        drain = "1ms"

        [users]
        polling = "fixed(100ms)"
    "#;
    let (tally, ..) = run(plan(customers), 64, stalled);
    let polls = tally.operation(Operation::CheckOtp);
    // Each customer had one poll under way during the stall, due evenly in its
    // first 100 ms, and passed over nine beats: 90 polls instead of 99.
    let expected = 200.0 * 90.0;
    assert!((polls.requests as f64 / expected - 1.0).abs() < 0.05);
    let in_stall = polls.response.count() - polls.response.counts_up_to(&[500_000])[0];
    assert_eq!(in_stall, 200);
    let share = 200.0 / expected;
    for beyond in [0.009, 0.005, 0.002] {
        // The nearer to its begin a poll was due, the longer it waited.
        let seconds = 1.0 - 0.1 * beyond / share;
        check(&polls.response, "closed", 1.0 - beyond, seconds);
    }
    assert_eq!(
        polls.service.quantile(0.99),
        Some(50),
        "only 64 polls were under way"
    );
}

#[test]
fn users_who_ask_as_fast_as_they_are_answered_are_each_caught_once() {
    let users = Plan {
        arrivals: Arrivals::users(16),
        ..Plan::clone(&polls(Process::Constant))
    };
    let (tally, ..) = run(Arc::new(users), 64, stalled);
    let response = &tally.operation(Operation::CheckOtp).response;
    // Nine seconds of polls of 50 µs, and all 16 users wait from the stall's begin.
    let expected = 16.0 * 9.0 / 50e-6;
    assert!((response.count() as f64 / expected - 1.0).abs() < 0.05);
    let in_stall = response.count() - response.counts_up_to(&[500_000])[0];
    assert_eq!(in_stall, 16);
    check(response, "busy", 1.0 - 8.0 / expected, 1.0);
    // Little's law: each user always has one poll under way.
    let under_way = tally.instrument.under_way.as_secs_f64();
    assert!((under_way / (16.0 * 10.0) - 1.0).abs() < 0.05);
}
