//! Laws whose best schedules are known exactly, small problems that can be
//! searched through, and the bound against everything chance comes up with.

use contract::Law;
use loadgen_sim::polling::{Bound, Problem, Schedule};
use proptest::prelude::*;

fn law(text: &str) -> Law {
    text.parse().expect(text)
}

#[test]
fn exponential_delays_are_polled_periodically() {
    // e^(θδ) = 1 + θ(δ + λ) for the gap δ, with θ = 1/5 s and λ = 1 s.
    let (rate, price) = (0.2_f64, 1.0);
    let mut gap = 1.0_f64;
    for _ in 0..200 {
        gap = (1.0 + rate * (gap + price)).ln() / rate;
    }
    let problem = Problem::new(&law("exp(5s)"), 60.0, 0.0).expect("well-posed");
    let best = problem.optimum(price).expect("a price");
    // Towards the deadline the schedule bends; before, all gaps are alike.
    let polls = best.schedule.polls();
    for pair in polls.windows(2).take(polls.len() / 2) {
        assert!(
            (pair[1] - pair[0] - gap).abs() < 0.02,
            "{} not {gap}",
            pair[1] - pair[0]
        );
    }
}

#[test]
fn uniform_delays_have_gaps_that_shrink_by_the_price() {
    // δₖ = T/n + λ(n + 1 − 2k)/2 with the largest n for which n(n − 1) < 2T/λ.
    let (deadline, price) = (60.0, 2.0);
    let problem = Problem::new(&law("uniform(0s,60s)"), deadline, 0.0).expect("well-posed");
    let best = problem.optimum(price).expect("a price");
    let polls = best.schedule.polls();
    let count = (1..)
        .take_while(|n| f64::from(n * (n - 1)) < 2.0 * deadline / price)
        .last();
    let count = count.expect("at least one poll");
    assert_eq!(polls.len() as i32, count);
    let mut before = 0.0;
    for (k, poll) in (1..).zip(polls) {
        let expected = deadline / f64::from(count) + price * f64::from(count + 1 - 2 * k) / 2.0;
        assert!(
            (poll - before - expected).abs() < 0.02,
            "gap {k}: {}",
            poll - before
        );
        before = *poll;
    }
}

#[test]
fn atoms_are_polled_at_their_moments() {
    let problem = Problem::new(&law("0.5*10s + 0.5*40s"), 60.0, 0.0).expect("well-posed");
    let best = problem.optimum(1.0).expect("a price");
    assert_eq!(best.schedule.polls(), [10.0, 40.0, 60.0]);
    assert_eq!(best.schedule.figures(problem.law()).lag_mean, 0.0);
    let instant = Problem::new(&law("0.9*0s + 0.1*never"), 60.0, 0.0).expect("well-posed");
    let best = instant.optimum(1.0).expect("a price");
    assert_eq!(best.schedule.polls(), [0.0, 60.0]);
}

#[test]
fn no_schedule_of_a_few_polls_is_better() {
    let law = law("0.6*lognormal(3s,0.5) + 0.3*uniform(6s,9s) + 0.1*never");
    let price = 0.4;
    let problem = Problem::new(&law, 10.0, 0.0).expect("well-posed");
    let best = problem.optimum(price).expect("a price");
    let moments: Vec<_> = (1..20).map(|half| f64::from(half) / 2.0).collect();
    let mut least = f64::INFINITY;
    for subset in 0_u32..1 << moments.len() {
        let chosen = (0..moments.len()).filter(|index| subset >> index & 1 == 1);
        let polls = chosen.map(|index| moments[index]).collect();
        let figures = Schedule::new(polls, 10.0).expect("in order");
        if figures.polls().len() > 7 {
            continue;
        }
        least = least.min(cost(&figures, &law, price));
    }
    assert!(
        best.cost <= least && best.cost > 0.95 * least,
        "{} and {least}",
        best.cost
    );
}

#[test]
fn a_least_gap_is_kept_and_costs_something() {
    let law = law("0.9*lognormal(4s,0.3) + 0.1*never");
    let free = Problem::new(&law, 60.0, 0.0).expect("well-posed");
    let bound = Problem::new(&law, 60.0, 3.0).expect("well-posed");
    let (free, bound) = (
        free.optimum(0.05).expect("a price"),
        bound.optimum(0.05).expect("a price"),
    );
    let gaps = bound
        .schedule
        .polls()
        .windows(2)
        .map(|pair| pair[1] - pair[0]);
    assert!(gaps.fold(f64::INFINITY, f64::min) >= 3.0 - 1e-9);
    assert!(bound.cost > 1.05 * free.cost && bound.certified > free.certified);
}

fn cost(schedule: &Schedule, law: &Law, price: f64) -> f64 {
    let figures = schedule.figures(law);
    figures.lag_per_rental() + price * figures.requests
}

const LAWS: [&str; 6] = [
    "0.9*lognormal(12s,0.8) + 0.1*never",
    "0.5*lognormal(4s,0.3) + 0.4*lognormal(40s,0.2) + 0.1*never",
    "0.3*5s + 0.5*uniform(1s,30s) + 0.2*never",
    "exp(8s)",
    "uniform(10s,20s)",
    "shifted(5s,exp(3s))",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_beats_the_bound(
        law in prop::sample::select(LAWS.to_vec()),
        gaps in prop::collection::vec(0.05..15.0_f64, 1..40),
        price in 0.05..5.0_f64,
    ) {
        let law: Law = law.parse().expect(law);
        let problem = Problem::new(&law, 60.0, 0.0).expect("well-posed");
        let mut time = 0.0;
        let polls = gaps.iter().map(|gap| { time += gap; time }).filter(|time| *time < 60.0);
        let schedule = Schedule::new(polls.collect(), 60.0).expect("in order");
        let best = problem.optimum(price).expect("a price");
        prop_assert!(best.certified <= best.cost);
        prop_assert!(best.certified <= cost(&schedule, &law, price));
        let figures = schedule.figures(&law);
        let least = Bound::at(&problem, figures.requests);
        prop_assert!(least.lag_per_rental <= figures.lag_per_rental() + 1e-12);
    }
}
