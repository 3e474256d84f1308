//! The bound is below every strategy that was ever simulated: random laws, and
//! random strategies of the whole grammar, those with chance in them included.

use std::time::Duration;

use contract::{Dice, Law};
use loadgen_sim::polling::{Laboratory, Row};
use proptest::prelude::*;

const DEADLINE: u64 = 60;

fn milliseconds(range: std::ops::Range<u32>) -> impl Strategy<Value = String> {
    range.prop_map(|milliseconds| format!("{milliseconds}ms"))
}

fn shape() -> impl Strategy<Value = String> {
    let sigma = (1_u32..200).prop_map(|percent| f64::from(percent) / 100.0);
    prop_oneof![
        milliseconds(0..50_000),
        milliseconds(10..90_000).prop_map(|mean| format!("exp({mean})")),
        (milliseconds(10..60_000), sigma)
            .prop_map(|(median, s)| format!("lognormal({median},{s})")),
        (0_u32..40_000, 1_u32..40_000)
            .prop_map(|(low, wide)| { format!("uniform({low}ms,{}ms)", low + wide) }),
        (milliseconds(0..20_000), milliseconds(10..20_000))
            .prop_map(|(shift, mean)| format!("shifted({shift},exp({mean}))")),
    ]
}

/// A sum of two shapes, of which some never arrives.
fn law() -> impl Strategy<Value = Law> {
    (shape(), shape(), 0_u32..=100, 0_u32..80).prop_map(|(one, other, share, lost)| {
        let first = f64::from(share * (100 - lost)) / 1e4;
        let lost = f64::from(lost) / 100.0;
        let second = 1.0 - lost - first;
        let text = format!(
            "{first}*{one} + {:.9}*{other} + {lost}*never",
            second.max(0.0)
        );
        text.parse().expect("a law")
    })
}

/// Any strategy but the one that learns, with everything that goes with them all.
fn strategy() -> impl Strategy<Value = String> {
    let gap = || milliseconds(300..30_000);
    let jitter = prop::sample::select(vec!["none", "full", "equal", "decorrelated"]);
    let factor = (10_u32..40).prop_map(|tenths| f64::from(tenths) / 10.0);
    let polls = prop::collection::vec(1_u32..8_000, 1..12).prop_map(|gaps| {
        let mut at = 0;
        let polls = gaps.into_iter().map(|gap| {
            at += gap;
            format!("{at}ms")
        });
        format!("schedule({}", polls.collect::<Vec<_>>().join(","))
    });
    let whole = prop_oneof![
        gap().prop_map(|gap| format!("fixed({gap}")),
        (gap(), factor, gap(), jitter).prop_map(|(gap, x, cap, jitter)| format!(
            "backoff({gap},x{x},cap={cap},jitter={jitter}"
        )),
        polls,
        (2_u32..20).prop_map(|count| format!("quantile({count}")),
        milliseconds(100..9_000).prop_map(|price| format!("optimal(lambda={price}")),
        (10_u32..90).prop_map(|tenths| format!("optimal(budget={}", f64::from(tenths) / 10.0)),
    ];
    let first = prop_oneof![
        3 => Just(String::new()),
        1 => milliseconds(0..9_000).prop_map(|by| format!(",first={by}")),
        1 => milliseconds(1..9_000).prop_map(|wide| format!(",first=uniform(0s,{wide})")),
    ];
    let least_gap = prop_oneof![
        3 => Just(String::new()),
        1 => milliseconds(100..3_000).prop_map(|gap| format!(",min_gap={gap}")),
    ];
    (whole, first, least_gap).prop_map(|(whole, first, gap)| format!("{whole}{first}{gap})"))
}

fn below(law: &Law, strategy: &str) -> Result<(), TestCaseError> {
    let laboratory = Laboratory::new(law, Duration::from_secs(DEADLINE), Dice::new(5));
    let parsed = strategy.parse().expect(strategy);
    let row: Row = match laboratory.expect("a deadline").row(&parsed) {
        Ok(row) => row,
        // The square-root rule and quantiles do not fit every law.
        Err(_) => return Ok(()),
    };
    // An estimate may be on the wrong side by what chance does to it.
    let chance = row.errors.map_or(0.0, |errors| 4.5 * errors.se_efficiency);
    let margin = 1e-6 + chance * row.lag_mean_s;
    prop_assert!(row.bound_s <= row.lag_mean_s + margin, "{law}: {row:?}");
    prop_assert!((0.0..=1.0).contains(&row.efficiency) && row.wasted >= 0.0);
    prop_assert!(row.lag_p50_s <= row.lag_p95_s && row.lag_p95_s <= row.lag_p99_s);
    Ok(())
}

/// The best price for these is next to the least that the table covers.
#[test]
fn nor_do_two_polls_that_miss_nothing() {
    let law: Law = "0.008*10246ms + 0.792*0s + 0.2*never"
        .parse()
        .expect("a law");
    below(&law, "optimal(budget=1.5)").expect("no lag is the least there is");
}

/// Of one request the bound is a small difference of large numbers.
#[test]
fn nor_does_a_single_poll_at_the_deadline() {
    let law: Law = "0.25*36082ms + 0.75*never".parse().expect("a law");
    below(&law, "optimal(lambda=7973ms,min_gap=100ms)").expect("one poll has one lag");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_strategy_beats_the_bound(law in law(), strategy in strategy()) {
        below(&law, &strategy)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    #[test]
    fn nor_does_one_that_learns(law in law()) {
        below(&law, "adaptive(lambda=1s)")?;
    }

    #[test]
    fn nor_any_beside_a_webhook(law in law(), strategy in strategy()) {
        below(&law, &format!("webhook(fallback={strategy},p=0.8,mean=2s)"))?;
    }
}
