//! What interval-censored observations say of the distribution without any
//! family of laws: the most likely distribution of all, after Turnbull (1976).
//!
//! It puts probability into those intervals only that begin where some
//! observation begins and end where the next one ends; how much, is found by
//! expectation and maximisation. Where in such an interval it lies nobody knows,
//! so the distribution is a band.

use super::Observation;

/// The distribution that was seen: intervals in order, each with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    steps: Vec<Step>,
}

/// An interval of time, in seconds, and its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    after: f64,
    by: f64,
    probability: f64,
}

/// Rounds of the search at most, and the change that ends it.
const ROUNDS: u32 = 3_000;
const STILL: f64 = 1e-7;

impl Curve {
    /// The estimate; there is at least one observation.
    pub fn of(observations: &[Observation]) -> Self {
        let intervals = innermost(observations);
        let total: f64 = observations.iter().map(|seen| seen.count).sum();
        // Each observation covers intervals without a gap.
        let covers: Vec<_> = observations
            .iter()
            .map(|seen| {
                let first = intervals.partition_point(|step| step.0 < seen.after);
                let end = intervals.partition_point(|step| step.1 <= seen.by);
                (first, end.max(first + 1).min(intervals.len()), seen.count)
            })
            .collect();
        let mut weights = vec![1.0 / intervals.len() as f64; intervals.len()];
        for _ in 0..ROUNDS {
            let next = round(&weights, &covers, total);
            let pairs = weights.iter().zip(&next);
            let change = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            weights = next;
            if change < STILL {
                break;
            }
        }
        let steps = intervals.into_iter().zip(weights);
        Self {
            steps: steps
                .map(|((after, by), probability)| Step {
                    after,
                    by,
                    probability,
                })
                .collect(),
        }
    }

    /// The probability of a code by `time`: at least, and at most.
    pub fn by(&self, time: f64) -> (f64, f64) {
        let sum = |counts: &dyn Fn(&&Step) -> bool| -> f64 {
            let steps = self.steps.iter().filter(counts);
            steps.map(|step| step.probability).sum()
        };
        let surely = sum(&|step| step.by <= time);
        (
            surely,
            sum(&|step| step.after < time || step.by <= time).max(surely),
        )
    }

    /// How far `cdf` is outside of the band, at most.
    pub fn distance(&self, cdf: impl Fn(f64) -> f64) -> f64 {
        let (mut before, mut farthest) = (0.0, 0.0_f64);
        for step in &self.steps {
            let after = before + step.probability;
            farthest = farthest.max((cdf(step.after) - before).abs());
            if step.by.is_finite() {
                farthest = farthest.max((cdf(step.by) - after).abs());
            }
            before = after;
        }
        farthest
    }
}

/// The intervals that probability may lie in: from where an observation begins to
/// where one ends, with no other beginning or end between.
fn innermost(observations: &[Observation]) -> Vec<(f64, f64)> {
    // At one moment ends come before beginnings, but for exact delays, whose
    // beginning is their end.
    let mut marks: Vec<(f64, u8)> = Vec::with_capacity(2 * observations.len());
    for seen in observations {
        let exact = seen.after == seen.by;
        marks.push((seen.after, if exact { 1 } else { 3 }));
        marks.push((seen.by, if exact { 2 } else { 0 }));
    }
    marks.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let begins = |kind: u8| kind % 2 == 1;
    let pairs = marks.windows(2);
    let pairs = pairs.filter(|pair| begins(pair[0].1) && !begins(pair[1].1));
    let mut intervals: Vec<_> = pairs.map(|pair| (pair[0].0, pair[1].0)).collect();
    intervals.dedup();
    intervals
}

/// One round: each observation is shared among its intervals by their weights.
fn round(weights: &[f64], covers: &[(usize, usize, f64)], total: f64) -> Vec<f64> {
    let mut sums = vec![0.0];
    for weight in weights {
        sums.push(sums[sums.len() - 1] + weight);
    }
    let mut shares = vec![0.0; weights.len() + 1];
    for (first, end, count) in covers {
        let covered = sums[*end] - sums[*first];
        if covered > 0.0 {
            shares[*first] += count / covered;
            shares[*end] -= count / covered;
        }
    }
    let mut share = 0.0;
    let next = weights.iter().zip(&shares).map(|(weight, change)| {
        share += change;
        weight * share.max(0.0) / total
    });
    next.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(after: f64, by: f64, count: f64) -> Observation {
        Observation { after, by, count }
    }

    #[test]
    fn of_exact_delays_it_is_their_share() {
        let curve = Curve::of(&[seen(1.0, 1.0, 3.0), seen(2.0, 2.0, 1.0)]);
        let (low, high) = curve.by(1.5);
        assert!(
            (low - 0.75).abs() < 1e-6 && (high - 0.75).abs() < 1e-6,
            "{curve:?}"
        );
        assert_eq!(curve.by(0.5), (0.0, 0.0));
    }

    #[test]
    fn of_those_that_are_still_out_it_is_the_estimate_of_kaplan_and_meier() {
        // One of four arrives at 1, one is given up at 2, one of the other two
        // arrives at 3: S = 3/4, then 3/8.
        let never = f64::INFINITY;
        let curve = Curve::of(&[
            seen(1.0, 1.0, 1.0),
            seen(2.0, never, 1.0),
            seen(3.0, 3.0, 1.0),
            seen(4.0, never, 1.0),
        ]);
        assert!((curve.by(1.0).0 - 0.25).abs() < 1e-4, "{curve:?}");
        assert!((curve.by(3.0).0 - 0.625).abs() < 1e-4, "{curve:?}");
    }

    #[test]
    fn overlapping_intervals_share_what_they_have_in_common() {
        // Both may have arrived between 2 and 3, and nothing is likelier.
        let curve = Curve::of(&[seen(0.0, 3.0, 1.0), seen(2.0, 5.0, 1.0)]);
        assert_eq!(curve.steps.len(), 1);
        assert_eq!(curve.by(2.5), (0.0, 1.0));
        assert_eq!(
            curve.distance(|time| if time < 2.5 { 0.0 } else { 1.0 }),
            0.0
        );
    }
}
