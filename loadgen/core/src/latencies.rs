//! A histogram of durations with exact extremes. One set of bounds for every
//! histogram of the product, because only equal bounds merge without loss.

use std::borrow::Cow;
use std::time::Duration;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One hour in microseconds: the longest time a histogram can tell apart.
const HIGHEST: u64 = 3_600_000_000;

/// Decimal digits that survive the histogram's rounding.
const DIGITS: u8 = 3;

/// Durations in microseconds, from 1 µs to 1 h with three digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Absent as long as all values are the same, because it takes 185 KiB. In a
    /// simulation most seconds know one latency only.
    histogram: Option<Box<Histogram<u64>>>,
    /// Without a histogram: how often there was that one value.
    same: u64,
    least: u64,
    greatest: u64,
    sum: u128,
    /// Values beyond one hour: counted in the sum and the maximum, and as one hour in the percentiles.
    overflow: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Latencies {
    /// No values.
    pub const EMPTY: Self = Self {
        histogram: None,
        same: 0,
        least: u64::MAX,
        greatest: 0,
        sum: 0,
        overflow: 0,
    };

    /// Counts one duration, rounded to the nearest microsecond.
    pub fn record(&mut self, duration: Duration) {
        let nanoseconds = duration.as_nanos().saturating_add(500);
        let microseconds = u64::try_from(nanoseconds / 1000).unwrap_or(u64::MAX);
        self.count_in(microseconds, 1);
        self.least = self.least.min(microseconds);
        self.greatest = self.greatest.max(microseconds);
        self.sum += u128::from(microseconds);
        self.overflow += u64::from(microseconds > HIGHEST);
    }

    /// Counts a value so many times, but for the exact figures.
    fn count_in(&mut self, microseconds: u64, times: u64) {
        let known = self.same == 0 || microseconds == self.greatest;
        if self.histogram.is_none() && known && microseconds <= HIGHEST {
            self.same += times;
        } else {
            self.spread_out()
                .saturating_record_n(microseconds.min(HIGHEST), times);
        }
    }

    /// The histogram, which is there from now on.
    fn spread_out(&mut self) -> &mut Histogram<u64> {
        let (value, same) = (self.greatest, std::mem::take(&mut self.same));
        self.histogram.get_or_insert_with(|| {
            let mut histogram = new_histogram();
            if same > 0 {
                histogram.saturating_record_n(value, same);
            }
            histogram
        })
    }

    /// Adds the values of `other`. Nothing is lost: both have the same buckets.
    pub fn merge(&mut self, other: &Self) {
        match &other.histogram {
            None if other.same == 0 => return,
            None => self.count_in(other.greatest, other.same),
            // Looking through all buckets would take longer than anything else.
            Some(theirs) if theirs.equivalent(theirs.min(), theirs.max()) => {
                self.count_in(other.greatest, theirs.len());
            }
            Some(theirs) => self
                .spread_out()
                .add(&**theirs)
                .expect("all histograms have the same bounds"),
        }
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.sum += other.sum;
        self.overflow += other.overflow;
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.histogram
            .as_ref()
            .map_or(self.same, |histogram| histogram.len())
    }

    /// How many values were beyond one hour.
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The value that `quantile` (0 to 1) of all values do not exceed, in microseconds: the
    /// upper edge of its bucket, but never more than the exact maximum.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let Some(histogram) = &self.histogram else {
            return self.greatest();
        };
        Some(histogram.value_at_quantile(quantile).min(self.greatest))
    }

    /// Like [`Self::quantile`], but only if there are enough samples to say it:
    /// see [`samples_for`].
    pub fn percentile(&self, quantile: f64) -> Option<u64> {
        let enough = self.count() >= samples_for(quantile);
        self.quantile(quantile).filter(|_| enough)
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

    /// The exact sum of all values, in microseconds.
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// The histogram, if there are values.
    pub fn histogram(&self) -> Option<Cow<'_, Histogram<u64>>> {
        match &self.histogram {
            Some(histogram) => Some(Cow::Borrowed(histogram)),
            None if self.same == 0 => None,
            None => {
                let mut whole = self.clone();
                whole.spread_out();
                whole.histogram.map(|histogram| Cow::Owned(*histogram))
            }
        }
    }

    /// What a histogram does not hold, for [`Self::restored`].
    pub fn exact(&self) -> Option<Exact> {
        (self.count() > 0).then(|| Exact {
            count: self.count(),
            min: self.least,
            max: self.greatest,
            sum: u64::try_from(self.sum).unwrap_or(u64::MAX),
            overflow: self.overflow,
        })
    }

    /// The values that a histogram and what belongs to it were made from; `None`
    /// if the two do not fit together.
    pub fn restored(histogram: &Histogram<u64>, exact: Exact) -> Option<Self> {
        let mut ours = new_histogram();
        ours.add(histogram).ok()?;
        (ours.len() == exact.count).then(|| Self {
            histogram: Some(ours),
            same: 0,
            least: exact.min,
            greatest: exact.max,
            sum: u128::from(exact.sum),
            overflow: exact.overflow,
        })
    }

    /// The curve of a plot: up to `points` pairs of a quantile and its value,
    /// even on an axis that gives each further nine as much room, up to the
    /// last quantile that the samples can say.
    pub fn curve(&self, points: u32) -> Vec<(f64, u64)> {
        let Some(greatest) = self.greatest() else {
            return Vec::new();
        };
        let nines = (self.count() as f64 / 10.0).max(1.0).log10();
        let quantiles = (0..points).map(|point| {
            let share = f64::from(point) / f64::from(points.max(2) - 1);
            1.0 - 10.0_f64.powf(-nines * share)
        });
        quantiles
            .map(|quantile| (quantile, self.quantile(quantile).unwrap_or(greatest)))
            .collect()
    }

    /// How many values lie in each of the ranges that `edges` (in microseconds,
    /// rising) are the upper ends of; values beyond the last edge are left out.
    pub fn counts_up_to(&self, edges: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len()];
        let histogram = self.histogram();
        for bucket in histogram.iter().flat_map(|h| h.iter_recorded()) {
            let place = edges.partition_point(|edge| *edge < bucket.value_iterated_to());
            if let Some(count) = counts.get_mut(place) {
                *count += bucket.count_at_value();
            }
        }
        counts
    }

    /// The figures of a report; nothing but the count where there are no values.
    pub fn summary(&self) -> Summary {
        let quantile = |quantile| self.percentile(quantile);
        Summary {
            count: self.count(),
            overflow: self.overflow,
            min: self.least(),
            sum: self.exact().map(|exact| exact.sum),
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

/// How many samples a percentile needs before it is a figure and no accident:
/// ten beyond it.
pub fn samples_for(quantile: f64) -> u64 {
    // The subtraction is not exact: 0.9 must need 100 samples, not 101.
    (10.0 / (1.0 - quantile) - 1e-6).ceil() as u64
}

/// The exact figures beside a histogram, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exact {
    /// How many values.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// Of all of them.
    pub sum: u64,
    /// Those beyond one hour.
    pub overflow: u64,
}

/// A distribution in a few figures, in microseconds; null without values, and
/// for percentiles beyond which there are fewer than ten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of percentiles say it all")]
pub struct Summary {
    pub count: u64,
    /// Values beyond one hour, which the percentiles hold as one hour.
    pub overflow: u64,
    pub min: Option<u64>,
    /// Of all values, exactly.
    pub sum: Option<u64>,
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
    fn a_percentile_needs_ten_samples_beyond_it() {
        for (quantile, samples) in [
            (0.5, 20),
            (0.9, 100),
            (0.95, 200),
            (0.99, 1000),
            (0.999, 10_000),
        ] {
            assert_eq!(samples_for(quantile), samples, "{quantile}");
        }
        let latencies = of(&(1..=999).collect::<Vec<_>>());
        assert_eq!(latencies.percentile(0.9), Some(900));
        assert_eq!(latencies.percentile(0.99), None);
        assert_eq!(latencies.quantile(0.99), Some(990));
    }

    #[test]
    fn equal_values_need_no_histogram_and_say_what_one_would() {
        for value in [0, 80, 123_457, HIGHEST] {
            let same = of(&[value; 3000]);
            assert!(same.histogram.is_none());
            let mut spread = same.clone();
            spread.spread_out();
            assert_eq!(same.summary(), spread.summary(), "{value}");
            assert_eq!(same.histogram().as_deref(), spread.histogram().as_deref());
            assert_eq!(
                same.counts_up_to(&[1000, HIGHEST]),
                spread.counts_up_to(&[1000, HIGHEST])
            );
            assert_eq!(same.curve(9)[1..], spread.curve(9)[1..]);
        }
    }

    #[test]
    fn a_curve_rises_and_ends_with_what_the_samples_can_say() {
        let curve = of(&(1..=1000).collect::<Vec<_>>()).curve(51);
        assert_eq!((curve.len(), curve[0]), (51, (0.0, 1)));
        assert!(
            curve
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1)
        );
        let last = curve[50];
        assert!((last.0 - 0.99).abs() < 1e-9 && last.1 == 990, "{last:?}");
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
