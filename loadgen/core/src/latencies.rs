//! A histogram of durations with exact extremes. One set of bounds for every
//! histogram of the product, because only equal bounds merge without loss.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// One hour in microseconds: the longest time a histogram can tell apart.
const HIGHEST: u64 = 3_600_000_000;

/// Decimal digits that survive the histogram's rounding.
const DIGITS: u8 = 3;

/// Durations in microseconds, from 1 µs to 1 h with three digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Absent until the first value: an empty one would take 185 KiB.
    histogram: Option<Box<Histogram<u64>>>,
    least: u64,
    greatest: u64,
    sum: u128,
    /// Values beyond one hour: counted in the sum and the maximum, and as one hour in the percentiles.
    overflow: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            histogram: None,
            least: u64::MAX,
            greatest: 0,
            sum: 0,
            overflow: 0,
        }
    }
}

impl Latencies {
    /// Counts one duration, rounded to the nearest microsecond.
    pub fn record(&mut self, duration: Duration) {
        let nanoseconds = duration.as_nanos().saturating_add(500);
        let microseconds = u64::try_from(nanoseconds / 1000).unwrap_or(u64::MAX);
        self.least = self.least.min(microseconds);
        self.greatest = self.greatest.max(microseconds);
        self.sum += u128::from(microseconds);
        self.overflow += u64::from(microseconds > HIGHEST);
        self.histogram
            .get_or_insert_with(new_histogram)
            .saturating_record(microseconds.min(HIGHEST));
    }

    /// Adds the values of `other`. Nothing is lost: both have the same buckets.
    pub fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.histogram else {
            return;
        };
        self.histogram
            .get_or_insert_with(new_histogram)
            .add(&**theirs)
            .expect("all histograms have the same bounds");
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.sum += other.sum;
        self.overflow += other.overflow;
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.histogram
            .as_ref()
            .map_or(0, |histogram| histogram.len())
    }

    /// How many values were beyond one hour.
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The value that `quantile` (0 to 1) of all values do not exceed, in microseconds: the
    /// upper edge of its bucket, but never more than the exact maximum.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let histogram = self.histogram.as_ref()?;
        Some(histogram.value_at_quantile(quantile).min(self.greatest))
    }

    /// The exact smallest value, in microseconds.
    pub fn least(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.least)
    }

    /// The exact largest value, in microseconds.
    pub fn greatest(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.greatest)
    }

    /// The exact mean, in microseconds.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / self.count() as f64)
    }

    /// How many values lie in each of the ranges that `edges` (in microseconds,
    /// rising) are the upper ends of; values beyond the last edge are left out.
    pub fn counts_up_to(&self, edges: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len()];
        for bucket in self.histogram.iter().flat_map(|h| h.iter_recorded()) {
            let place = edges.partition_point(|edge| *edge < bucket.value_iterated_to());
            if let Some(count) = counts.get_mut(place) {
                *count += bucket.count_at_value();
            }
        }
        counts
    }

    /// The figures of a report; nothing but the count where there are no values.
    pub fn summary(&self) -> Summary {
        let quantile = |quantile| self.quantile(quantile);
        Summary {
            count: self.count(),
            min: self.least(),
            mean: self.mean().map(|mean| (mean * 10.0).round() / 10.0),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: self.greatest(),
        }
    }
}

fn new_histogram() -> Box<Histogram<u64>> {
    let histogram = Histogram::new_with_bounds(1, HIGHEST, DIGITS);
    Box::new(histogram.expect("the bounds are valid"))
}

/// A distribution in a few figures, in microseconds; null without values.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of percentiles say it all")]
pub struct Summary {
    pub count: u64,
    pub min: Option<u64>,
    pub mean: Option<f64>,
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
    pub p999: Option<u64>,
    pub max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(microseconds: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        for value in microseconds {
            latencies.record(Duration::from_micros(*value));
        }
        latencies
    }

    #[test]
    fn an_empty_histogram_has_no_figures() {
        assert_eq!(Latencies::default().summary(), Summary::default());
    }

    #[test]
    fn values_beyond_an_hour_are_counted_not_lost() {
        let day = of(&[86_400_000_000]);
        assert_eq!((day.count(), day.overflow()), (1, 1));
        assert_eq!(day.greatest(), Some(86_400_000_000));
        let median = day.quantile(0.5).expect("not empty");
        assert!(
            (HIGHEST..HIGHEST + HIGHEST / 1000).contains(&median),
            "{median}"
        );
    }

    #[test]
    fn ranges_add_up() {
        let counts = of(&[1, 5, 10, 11, 999]).counts_up_to(&[10, 100, 1000]);
        assert_eq!(counts, [3, 1, 1]);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_part_in_a_thousand_of_the_truth(
            mut values in prop::collection::vec(1_u64..HIGHEST, 1..200),
            quantile in 0.0..1.0_f64,
        ) {
            let latencies = of(&values);
            values.sort_unstable();
            let rank = ((quantile * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let truth = values[rank - 1] as f64;
            let reported: f64 = latencies.quantile(quantile).expect("not empty") as f64;
            prop_assert!((reported / truth - 1.0).abs() <= 1e-3 + 1.0 / truth, "{} for {}", reported, truth);
        }

        #[test]
        fn merging_is_the_same_as_recording_together(
            left in prop::collection::vec(0_u64..10_000_000, 0..50),
            right in prop::collection::vec(0_u64..10_000_000, 0..50),
        ) {
            let mut merged: Latencies = of(&left);
            merged.merge(&of(&right));
            let together = of(&[left.as_slice(), right.as_slice()].concat());
            prop_assert_eq!(merged.summary(), together.summary());
        }
    }
}
