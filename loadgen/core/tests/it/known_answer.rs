//! A known answer: a server whose every answer takes a programmed time, against
//! what is reported of it. Percentiles may be off by the width of a bucket.

use std::sync::Arc;
use std::time::Duration;

use contract::{Dice, Operation};
use loadgen_core::answer::Answer;
use loadgen_core::arrivals::{Arrivals, Process};
use loadgen_core::call::Order;
use loadgen_core::fleet::{Plan, Role, Target};
use loadgen_core::latencies::Latencies;
use loadgen_core::rate::RateProfile;
use loadgen_core::stop::Stop;

use crate::world::run;

/// Polls in all, each a millisecond after the one before.
const POLLS: u64 = 20_000;

/// How long the n-th answer takes: mostly 2 to 12 ms, one in a hundred a
/// hundred times as much, all different and in no order.
fn programmed(index: u64) -> Duration {
    // Multiplying by a number without common factors visits every value once.
    let mixed = index * 7_919 % POLLS;
    let plain = 2_000_000 + mixed * 503;
    let slow = if mixed.is_multiple_of(100) { 100 } else { 1 };
    Duration::from_nanos(plain * slow)
}

fn check(latencies: &Latencies, mut truth: Vec<u64>) {
    truth.sort_unstable();
    assert_eq!(latencies.count(), POLLS);
    assert_eq!(latencies.least(), truth.first().copied());
    assert_eq!(latencies.greatest(), truth.last().copied());
    assert_eq!(
        latencies.sum(),
        truth.iter().map(|value| u128::from(*value)).sum()
    );
    for quantile in [0.5, 0.9, 0.95, 0.99, 0.999] {
        let exact = truth[(quantile * POLLS as f64).ceil() as usize - 1];
        let reported = latencies.percentile(quantile).expect("enough samples");
        // Three digits of 2,048 sub-buckets: buckets are this wide at most.
        let bucket = (exact / 1024).max(1);
        assert!(
            (exact..=exact + bucket).contains(&reported),
            "p{quantile}: {reported} reported, {exact} programmed"
        );
    }
}

#[test]
fn percentiles_are_within_one_bucket_of_what_was_programmed() {
    let target = Target {
        account: 0,
        rental: 1,
    };
    let plan = Plan {
        arrivals: Arrivals::Open {
            profile: RateProfile::constant("1000/s".parse().expect("a rate")),
            process: Process::Constant,
        },
        stop: Stop {
            count: Some(POLLS),
            ..Stop::default()
        },
        role: Role::PollOnce([target].into()),
        accounts: 1,
        dice: Dice::new(9),
    };
    let mut asked = 0;
    // More connections than can be busy: nobody waits for one.
    let (tally, ..) = run(Arc::new(plan), 5000, |_, _: &Order| {
        asked += 1;
        (programmed(asked - 1), Ok(Answer::Waiting))
    });
    let truth = || (0..POLLS).map(|index| (programmed(index).as_nanos() as u64 + 500) / 1000);
    let polls = tally.operation(Operation::CheckOtp);
    check(&polls.response, truth().collect());
    check(&polls.service, truth().collect());
    assert_eq!(polls.slip.greatest(), Some(0));
    // Little's law in the fleet's own books.
    let sum: Duration = (0..POLLS).map(programmed).sum();
    assert_eq!(tally.instrument.under_way, sum);
}
