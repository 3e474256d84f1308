//! The worked comparison: codes by lognormal(12s,0.8), one in ten never, and a
//! deadline of 120 s. The expected figures were computed twice and
//! independently of this code.

use contract::Law;
use loadgen_sim::polling::{Bound, Problem, Schedule};

const DEADLINE: f64 = 120.0;

fn law() -> Law {
    "0.9*lognormal(12s,0.8) + 0.1*never".parse().expect("a law")
}

fn problem() -> Problem {
    Problem::new(&law(), DEADLINE, 0.0).expect("well-posed")
}

/// Polls with these gaps until the deadline.
fn schedule(mut gap: impl FnMut(i32) -> f64) -> Schedule {
    let (mut polls, mut time) = (Vec::new(), 0.0);
    for index in 0.. {
        time += gap(index);
        if time >= DEADLINE {
            break;
        }
        polls.push(time);
    }
    Schedule::new(polls, DEADLINE).expect("in order")
}

fn backoff(initial: f64, factor: f64, cap: f64) -> Schedule {
    schedule(|index| (initial * factor.powi(index)).min(cap))
}

fn near(actual: f64, expected: f64, digits: i32) -> bool {
    (actual - expected).abs() <= 0.6 * 10_f64.powi(-digits)
}

/// A figure with as many digits behind the point as the table has.
type Figure = (f64, i32);

/// Name, requests, lag per rental, mean and p95 of the delivered, bound, and
/// tenths of the efficiency.
type Row = (&'static str, Figure, [Figure; 3], Figure, f64);

#[rustfmt::skip]
const ROWS: [Row; 8] = [
    ("fixed 1 s", (27.26, 2), [(0.449, 3), (0.500, 3), (0.95, 2)], (0.346, 3), 7.70),
    ("fixed 3 s", (9.38, 2), [(1.345, 3), (1.497, 3), (2.85, 2)], (1.036, 3), 7.71),
    ("fixed 5 s", (5.81, 2), [(2.226, 3), (2.479, 3), (4.75, 2)], (1.742, 3), 7.82),
    ("fixed 10 s", (3.12, 2), [(4.438, 3), (4.941, 3), (9.41, 2)], (3.622, 3), 8.16),
    ("1 s x2 cap 60", (4.51, 2), [(6.73, 2), (7.49, 2), (26.4, 1)], (2.32, 2), 3.45),
    ("1 s x1.5 cap 10", (6.56, 2), [(2.98, 2), (3.32, 2), (8.50, 2)], (1.52, 2), 5.10),
    ("1 s x2 cap 5", (7.43, 2), [(2.17, 2), (2.42, 2), (4.72, 2)], (1.33, 2), 6.13),
    ("5 s x1.5 cap 45", (3.06, 2), [(5.43, 2), (6.05, 2), (15.9, 1)], (3.73, 2), 6.86),
];

fn schedules() -> [Schedule; 8] {
    [
        schedule(|_| 1.0),
        schedule(|_| 3.0),
        schedule(|_| 5.0),
        schedule(|_| 10.0),
        backoff(1.0, 2.0, 60.0),
        backoff(1.0, 1.5, 10.0),
        backoff(1.0, 2.0, 5.0),
        backoff(5.0, 1.5, 45.0),
    ]
}

#[test]
fn deterministic_rows_agree_within_rounding() {
    let problem = problem();
    for ((name, requests, lags, bound, efficiency), schedule) in ROWS.into_iter().zip(schedules()) {
        let figures = schedule.figures(&law());
        let least = Bound::at(&problem, figures.requests);
        let lag = figures.lag_per_rental();
        let [per_rental, mean, p95] = lags;
        for (what, actual, (expected, digits)) in [
            ("requests", figures.requests, requests),
            ("lag per rental", lag, per_rental),
            ("lag", figures.lag_mean, mean),
            ("p95", figures.lag_p95, p95),
            ("bound", least.lag_per_rental, bound),
            ("efficiency", 10.0 * least.efficiency(lag), (efficiency, 2)),
        ] {
            let agrees = near(actual, expected, digits);
            assert!(agrees, "{name}: {what} is {actual}, not {expected}");
        }
    }
}

#[test]
fn the_optimum_is_where_it_was_found_before() {
    let best = problem().optimum(1.0).expect("a price");
    let expected = [
        8.32, 13.31, 18.46, 24.01, 30.17, 37.22, 45.56, 55.88, 69.45, 88.79, 120.0,
    ];
    let polls = best.schedule.polls();
    assert_eq!(polls.len(), expected.len());
    for (poll, expected) in polls.iter().zip(expected) {
        assert!((poll - expected).abs() < 0.15, "{poll}, not {expected}");
    }
    assert!(
        best.cost >= 6.635_107_1 && best.cost < 6.6353,
        "{}",
        best.cost
    );
    assert!(best.certified <= 6.635_107_6, "{}", best.certified);
    assert!(best.cost / best.certified - 1.0 < 1e-4, "{best:?}");
}

#[test]
fn bound_and_optimum_are_a_hundredth_of_a_per_cent_apart() {
    let problem = problem();
    for price in [0.01, 0.03, 0.1, 0.3, 1.0, 4.0] {
        let best = problem.optimum(price).expect("a price");
        let gap = best.cost / best.certified - 1.0;
        assert!((0.0..1e-4).contains(&gap), "{price}: {gap}");
    }
}

#[test]
fn a_budget_is_used_up_and_never_exceeded() {
    let problem = problem();
    for budget in [1.0, 1.5, 3.0, 4.0] {
        let schedule = problem.optimum_within(budget).expect("a budget");
        let figures = schedule.figures(&law());
        let left = budget - figures.requests;
        assert!((-1e-9..2e-3).contains(&left), "{budget}: {left} left");
        // Corners of the frontier may be mixed by a coin, which no schedule can.
        let least = Bound::at(&problem, figures.requests);
        let efficiency = least.efficiency(figures.lag_per_rental());
        assert!(efficiency > 0.97, "{budget}: {efficiency}");
    }
}
