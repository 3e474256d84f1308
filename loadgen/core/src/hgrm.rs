//! The percentile distribution as a text that HdrHistogram's plotting tools
//! read (`.hgrm`): each line a value, the share of values up to it, how many
//! those are, and 1/(1 − share). Lines get closer as they approach 100 %.

use std::fmt::Write;

use crate::latencies::Latencies;

/// Lines for each halving of the distance to 100 %.
const TICKS_PER_HALF: u32 = 5;

/// Values are shown in milliseconds.
const DIVISOR: f64 = 1000.0;

/// The whole file; `None` without values.
pub fn text(latencies: &Latencies) -> Option<String> {
    let histogram = latencies.histogram()?;
    let mut out = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let total = latencies.count();
    let mut counted = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        counted += step.count_since_last_iteration();
        let (value, quantile) = (step.value_iterated_to() as f64, step.quantile_iterated_to());
        let value = value / DIVISOR;
        let line = if counted < total || quantile < 1.0 {
            let odds = 1.0 / (1.0 - quantile);
            format!("{value:>12.3} {quantile:>2.12} {counted:>10} {odds:>14.2}")
        } else {
            format!("{value:>12.3} {quantile:>2.12} {counted:>10}")
        };
        out += &line;
        out.push('\n');
    }
    let mean = latencies.mean().unwrap_or_default() / DIVISOR;
    let deviation = histogram.stdev() / DIVISOR;
    let greatest = latencies.greatest().unwrap_or_default() as f64 / DIVISOR;
    let buckets = buckets(histogram.high(), histogram.sigfig());
    write!(
        out,
        "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]\n\
         #[Max     = {greatest:>12.3}, Total count    = {total:>12}]\n\
         #[Buckets = {:>12}, SubBuckets     = {:>12}]\n",
        buckets.0, buckets.1
    )
    .expect("writing to a string");
    Some(out)
}

/// How many buckets and sub-buckets a histogram up to `high` with so many digits has.
fn buckets(high: u64, digits: u8) -> (u32, u64) {
    let sub_buckets = (2 * 10_u64.pow(u32::from(digits))).next_power_of_two();
    let mut count = 1;
    let mut reach = sub_buckets;
    while reach <= high {
        reach *= 2;
        count += 1;
    }
    (count, sub_buckets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_lines_approach_all_values_and_end_with_the_sums() {
        let mut latencies = Latencies::default();
        for milliseconds in 1..=1000 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        let text = text(&latencies).expect("values");
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let figures = line.split_whitespace();
                figures
                    .map(|figure| figure.parse().expect("a number"))
                    .collect()
            })
            .collect();
        assert!(
            rows.windows(2)
                .all(|pair| pair[0][0] <= pair[1][0] && pair[0][2] <= pair[1][2])
        );
        let last = rows.last().expect("rows");
        assert_eq!((last.len(), last[1], last[2]), (3, 1.0, 1000.0));
        let half = rows.iter().find(|row| row[1] >= 0.5).expect("a median");
        assert!((half[0] - 500.0).abs() < 1.0, "{half:?}");
        assert!(text.contains("Total count    =         1000]"), "{text}");
        assert!(
            text.contains("#[Buckets =           22, SubBuckets     =         2048]"),
            "{text}"
        );
        assert_eq!(super::text(&Latencies::default()), None);
    }
}
