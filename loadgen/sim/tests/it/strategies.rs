//! The worked comparison again, now from strategies as they are written, the
//! random and the planned ones among them; and the webhook's.

use std::time::Duration;

use contract::{Dice, Law};
use loadgen_sim::polling::{Laboratory, Row};

const DEADLINE: Duration = Duration::from_secs(120);

fn laboratory(law: &str) -> Laboratory {
    let law: Law = law.parse().expect(law);
    Laboratory::new(&law, DEADLINE, Dice::new(1)).expect("a deadline")
}

fn row(laboratory: &Laboratory, strategy: &str) -> Row {
    let strategy = strategy.parse().expect(strategy);
    laboratory.row(&strategy).expect("a row")
}

/// Strategy; requests; mean lag and p95 of the delivered; bound per rental;
/// efficiency in per cent. How far off each may be is half its last digit, and
/// what chance adds.
#[rustfmt::skip]
const ROWS: [(&str, f64, f64, f64, f64, f64); 10] = [
    ("backoff(1s,x2,cap=10s,jitter=full)", 8.48, 3.17, 7.59, 1.15, 40.5),
    ("backoff(1s,x2,cap=10s,jitter=equal)", 6.51, 3.49, 7.67, 1.54, 48.9),
    ("backoff(1s,x1,cap=10s,jitter=decorrelated)", 5.99, 3.62, 8.89, 1.68, 51.8),
    ("backoff(6s,x1,cap=6s,jitter=full)", 9.60, 2.00, 4.65, 1.01, 56.4),
    ("quantile(10)", 5.96, 8.70, 75.9, 1.69, 21.6),
    ("hazard(lambda=0.3s)", 6.09, 1.859, 3.81, 1.654, 99.0),
    ("hazard(lambda=1s)", 3.56, 3.462, 7.01, 3.077, 99.0),
    ("hazard(lambda=4s)", 2.04, 7.440, 15.2, 6.655, 99.6),
    ("optimal(lambda=1s)", 3.72, 3.245, 6.48, 2.915, 100.0),
    ("fixed(3s)", 9.38, 1.497, 2.85, 1.036, 77.1),
];

#[test]
fn the_worked_table_comes_from_strategies_as_they_are_written() {
    let laboratory = laboratory("0.9*lognormal(12s,0.8) + 0.1*never");
    for (strategy, requests, mean, p95, bound, efficiency) in ROWS {
        let row = row(&laboratory, strategy);
        let chance = if row.exact { 0.0 } else { 1.0 };
        for (what, actual, expected, rounding, error) in [
            ("requests", row.requests, requests, 0.006, 0.02),
            ("mean lag", row.lag_mean_s, mean, 0.006, 0.03),
            ("p95", row.lag_p95_s, p95, 0.06, 0.12),
            ("bound", row.bound_s * row.delivered, bound, 0.006, 0.01),
            ("efficiency", 100.0 * row.efficiency, efficiency, 0.06, 0.5),
        ] {
            let most = rounding + chance * error;
            assert!(
                (actual - expected).abs() <= most,
                "{strategy}: {what} is {actual}, not {expected}"
            );
        }
        assert_eq!(row.se.is_some(), !row.exact);
    }
}

#[test]
fn a_random_phase_costs_half_a_request() {
    let laboratory = laboratory("0.9*lognormal(12s,0.8) + 0.1*never");
    let early = row(&laboratory, "fixed(3s, first=uniform(0s,3s))");
    assert!((early.requests - 9.94).abs() < 0.03, "{early:?}");
    let around = row(&laboratory, "fixed(3s, first=uniform(1.5s,4.5s))");
    assert!((around.requests - 9.44).abs() < 0.03, "{around:?}");
}

#[test]
fn a_webhook_leaves_little_to_ask() {
    let laboratory = laboratory("0.9*lognormal(12s,0.8) + 0.1*never");
    let fallback = |strategy: &str| row(&laboratory, &format!("webhook(fallback={strategy})"));
    let near = |actual: f64, expected: f64, digit: f64| (actual - expected).abs() <= 0.6 * digit;
    let fixed = fallback("fixed(10s)");
    assert!(
        near(fixed.requests, 2.35, 0.01) && near(fixed.lag_mean_s * 0.9, 1.00, 0.02),
        "{fixed:?}"
    );
    let last = fallback("schedule(120s)");
    assert!(
        near(last.requests, 0.15, 0.01) && near(last.lag_mean_s * 0.9, 5.5, 0.2),
        "{last:?}"
    );
    let best = fallback("optimal(lambda=0.2s)");
    assert!(
        near(best.requests, 1.55, 0.02) && near(best.lag_mean_s * 0.9, 1.06, 0.02),
        "{best:?}"
    );
    let polls = best.schedule_s.clone().expect("a schedule");
    for (poll, expected) in polls.iter().zip([11.8, 20.6, 31.5, 46.6, 70.7, 120.0]) {
        assert!((poll - expected).abs() < 0.4, "{polls:?}");
    }
    assert!(
        best.efficiency > 0.99 && fixed.efficiency < best.efficiency,
        "{best:?} {fixed:?}"
    );
}

#[test]
fn what_is_learned_comes_near_what_is_known() {
    let laboratory = laboratory("0.9*lognormal(12s,0.8) + 0.1*never");
    let learned = row(&laboratory, "adaptive(lambda=1s)");
    assert!(learned.efficiency > 0.9, "{learned:?}");
}
