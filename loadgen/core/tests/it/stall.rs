//! Coordinated omission: a server that stands still for a second must show up
//! in the response times, as arithmetic says, whatever the generator saw.

use std::sync::Arc;
use std::time::Duration;

use contract::{Dice, Moment, Operation};
use loadgen_core::answer::Answer;
use loadgen_core::arrivals::{Arrivals, Process};
use loadgen_core::call::Order;
use loadgen_core::fleet::{Plan, Role, Target};
use loadgen_core::rate::RateProfile;
use loadgen_core::stop::Stop;

use crate::world::run;

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
fn stalled(now: Moment, _: &Order) -> (Duration, Result<Answer, loadgen_core::answer::Failure>) {
    let (begin, end) = (Duration::from_secs(4), Duration::from_secs(5));
    let service = Duration::from_micros(50);
    let takes = match now.since_start() {
        now if now >= begin && now < end => end - now + service,
        _ => service,
    };
    (takes, Ok(Answer::Waiting))
}

#[test]
fn a_stall_is_in_the_response_times_of_all_who_were_due() {
    for process in [Process::Constant, Process::Poisson] {
        let (tally, ..) = run(polls(process), 64, stalled);
        let polls = tally.operation(Operation::CheckOtp);
        // A tenth of the polls was due during the stall and waited for its end,
        // evenly from 0 to 1 s: p95 is the middle of them, p99 nine tenths.
        for (quantile, seconds) in [(0.95, 0.5), (0.99, 0.9)] {
            let actual = polls.response.quantile(quantile).expect("polls") as f64 / 1e6;
            assert!(
                (actual / seconds - 1.0).abs() < 0.05,
                "{process:?} p{quantile}: {actual} s"
            );
        }
        assert_eq!(
            polls.service.quantile(0.95),
            Some(50),
            "only 64 polls were under way"
        );
    }
}
