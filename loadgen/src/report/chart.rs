//! The polling hot path as a picture: how many polls took how long, response
//! beside service. Where the two part, the difference was spent waiting to be
//! sent, which a tool that only times its requests would not have seen.

use std::fmt::Write;

use loadgen_core::latencies::{Latencies, samples_for};
use loadgen_core::tally::OperationTally;
use loadgen_core::units;

use super::{DIM, HEADING, line};

/// Characters of the longest bar.
const WIDTH: usize = 28;

/// Percentiles that are marked beside the range they fall into.
const MARKS: [(f64, &str); 5] = [
    (0.5, "p50"),
    (0.9, "p90"),
    (0.95, "p95"),
    (0.99, "p99"),
    (0.999, "p99.9"),
];

/// Appends the picture, if there were polls.
pub(super) fn polls(out: &mut String, tally: &OperationTally) {
    let (Some(least), Some(greatest)) = (tally.response.least(), tally.response.greatest()) else {
        return;
    };
    let least = tally.service.least().unwrap_or(least).min(least);
    let edges = edges(least, greatest);
    let response = shares(&tally.response, &edges);
    let service = shares(&tally.service, &edges);
    let longest = response.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    line!(out, "");
    line!(
        out,
        "{HEADING}check_otp{HEADING:#}   {:<WIDTH$}  response  service",
        "response time of the polls"
    );
    let mut below = 0.0;
    for (place, edge) in edges.iter().enumerate() {
        let share = response[place];
        let marks = marks(below, below + share, tally.response.count());
        below += share;
        let bar = bar(share / longest);
        let range = format!("≤ {}", units::time(*edge as f64));
        let row = format!("{range:>11} {bar:<WIDTH$} {:>9}", percent(share));
        let beside = format!("{:>9}  {marks}", percent(service[place]));
        line!(out, "{row}{DIM}{}{DIM:#}", beside.trim_end());
    }
}

/// The upper ends of the ranges: 1, 2, 5, 10, … microseconds, as far as there are values.
fn edges(least: u64, greatest: u64) -> Vec<u64> {
    let decades = (0..11).map(|exponent| 10_u64.pow(exponent));
    let all: Vec<_> = decades.flat_map(|ten| [ten, 2 * ten, 5 * ten]).collect();
    let first = all.partition_point(|edge| *edge < least);
    let last = all.partition_point(|edge| *edge < greatest);
    all[first..=last.min(all.len() - 1)].to_vec()
}

fn shares(latencies: &Latencies, edges: &[u64]) -> Vec<f64> {
    let total = latencies.count().max(1) as f64;
    let counts = latencies.counts_up_to(edges);
    counts
        .into_iter()
        .map(|count| count as f64 / total)
        .collect()
}

fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * (WIDTH * 8) as f64).round() as usize;
    // What is there at all can be seen.
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn marks(from: f64, to: f64, samples: u64) -> String {
    MARKS
        .iter()
        .filter(|(quantile, _)| from < *quantile && *quantile <= to)
        .filter(|(quantile, _)| samples_for(*quantile) <= samples)
        .map(|(_, name)| *name)
        .collect::<Vec<_>>()
        .join(" ")
}

fn percent(share: f64) -> String {
    match share {
        none if none <= 0.0 => String::new(),
        trace if trace < 0.0005 => "<0.1%".to_owned(),
        share => format!("{:.1}%", share * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_cover_all_values() {
        assert_eq!(edges(60, 1200), [100, 200, 500, 1000, 2000]);
        assert_eq!(edges(0, 1), [1]);
        assert_eq!(edges(3, 3), [5]);
    }

    #[test]
    fn bars_grow_by_eighths_and_a_trace_is_seen() {
        assert_eq!(bar(1.0).chars().count(), WIDTH);
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1e-6), "▏");
        assert_eq!(bar(0.5 / WIDTH as f64), "▌");
    }

    #[test]
    fn percentiles_are_marked_where_they_fall() {
        assert_eq!(marks(0.0, 0.5, 20), "p50");
        assert_eq!(marks(0.5, 0.99, 1000), "p90 p95 p99");
        assert_eq!(marks(0.5, 0.99, 999), "p90 p95", "too few samples for more");
        assert_eq!(marks(0.9995, 1.0, 1_000_000), "");
    }
}
