//! Counting one request: three histograms, and the counters beside them.

use std::time::Duration;

use contract::{Moment, Operation};
use criterion::Criterion;
use loadgen_core::call::Times;
use loadgen_core::tally::Tally;

/// One request with its response, service and slip.
pub(crate) fn record(criterion: &mut Criterion) {
    let mut tally = Tally::default();
    let mut spread = 0_u64;
    criterion.bench_function("histogram: record one request", |bencher| {
        bencher.iter(|| {
            // Latencies from 50 us to 1 ms, in an order without a pattern.
            spread = (spread * 7 + 12_345) % 950_000;
            let sent = Moment::from_nanoseconds(1_000);
            let times = Times {
                intended: Moment::START,
                sent,
                answered: sent + Duration::from_nanos(50_000 + spread),
            };
            tally.request(Operation::CheckOtp, times, None);
        });
    });
}
