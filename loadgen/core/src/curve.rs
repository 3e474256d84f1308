//! A quantity that moves in straight lines over time: a rate of arrivals, or a
//! number of users. It knows its integral and its inverse, so that a plan can
//! be counted from anywhere; what is planned with it is not its business.

use std::time::Duration;

/// Straight lines, one after the other, and then the same value for ever.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    segments: Vec<Segment>,
    rest: f64,
}

/// A straight line; it may begin elsewhere than the one before it has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    begin: f64,
    end: f64,
    lasts: Duration,
}

impl Curve {
    /// The same value for ever.
    pub const fn constant(value: f64) -> Self {
        Self {
            segments: Vec::new(),
            rest: value,
        }
    }

    /// From `begin` to each value over the time beside it; the last one stays.
    pub fn through(begin: f64, stages: impl IntoIterator<Item = (f64, Duration)>) -> Self {
        let mut curve = Self::constant(begin);
        for (end, lasts) in stages {
            let begin = curve.rest;
            curve.segments.push(Segment { begin, end, lasts });
            curve.rest = end;
        }
        curve
    }

    /// Nothing, then `height` from `at` on for as long as it `lasts`, then nothing.
    pub fn pulse(height: f64, at: Duration, lasts: Duration) -> Self {
        let flat = |value, lasts| Segment {
            begin: value,
            end: value,
            lasts,
        };
        Self {
            segments: vec![flat(0.0, at), flat(height, lasts)],
            rest: 0.0,
        }
    }

    /// The sum of both at any time.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut breaks: Vec<_> = self.breaks().chain(other.breaks()).collect();
        breaks.sort_unstable();
        breaks.dedup();
        let mut segments = Vec::with_capacity(breaks.len());
        let mut before = Duration::ZERO;
        for at in breaks {
            segments.push(Segment {
                begin: self.value(before) + other.value(before),
                end: self.value_before(at) + other.value_before(at),
                lasts: at - before,
            });
            before = at;
        }
        let rest = self.rest + other.rest;
        Self { segments, rest }
    }

    /// The value at `at`; where it jumps, the one it jumps to.
    pub fn value(&self, at: Duration) -> f64 {
        let mut before = Duration::ZERO;
        for segment in &self.segments {
            if at < before + segment.lasts {
                return segment.value(at - before);
            }
            before += segment.lasts;
        }
        self.rest
    }

    /// The greatest value it ever comes near.
    pub fn greatest(&self) -> f64 {
        let all = self.segments.iter().flat_map(|line| [line.begin, line.end]);
        all.fold(self.rest, f64::max)
    }

    /// What adds up until `at`.
    pub fn integral(&self, at: Duration) -> f64 {
        let (mut before, mut sum) = (Duration::ZERO, 0.0);
        for segment in &self.segments {
            let within = at.saturating_sub(before).min(segment.lasts);
            sum += (segment.begin + segment.value(within)) / 2.0 * within.as_secs_f64();
            before += segment.lasts;
        }
        sum + self.rest * at.saturating_sub(before).as_secs_f64()
    }

    /// When so much has added up; `None` means never.
    ///
    /// Within a segment the value is a + b·t, so a·t + b·t²/2 has added up by
    /// t; the inverse is written so that b = 0 needs no case of its own.
    pub fn instant(&self, sum: f64) -> Option<Duration> {
        let mut before = Duration::ZERO;
        let mut left = sum;
        for segment in &self.segments {
            let seconds = segment.lasts.as_secs_f64();
            let within = (segment.begin + segment.end) / 2.0 * seconds;
            if left < within {
                let slope = (segment.end - segment.begin) / seconds;
                let square = segment.begin * segment.begin + 2.0 * slope * left;
                let offset = if left > 0.0 {
                    2.0 * left / (segment.begin + square.max(0.0).sqrt())
                } else {
                    0.0
                };
                return before.checked_add(Duration::try_from_secs_f64(offset).ok()?);
            }
            left -= within;
            before += segment.lasts;
        }
        // With nothing to come, even what is due now never comes.
        let seconds = if self.rest > 0.0 {
            left / self.rest
        } else {
            f64::INFINITY
        };
        let offset = Duration::try_from_secs_f64(seconds).ok()?;
        before.checked_add(offset)
    }

    /// The first moment from `from` on after which the value is more than `level`.
    pub fn above(&self, level: f64, from: Duration) -> Option<Duration> {
        let mut before = Duration::ZERO;
        for segment in &self.segments {
            let end = before + segment.lasts;
            if from < end {
                let at = from.max(before);
                if segment.value(at - before) > level {
                    return Some(at);
                }
                if segment.end > level {
                    let share = (level - segment.begin) / (segment.end - segment.begin);
                    return Some(at.max(before + segment.lasts.mul_f64(share.clamp(0.0, 1.0))));
                }
            }
            before = end;
        }
        (self.rest > level).then(|| from.max(before))
    }

    /// Where its lines end.
    fn breaks(&self) -> impl Iterator<Item = Duration> {
        self.segments.iter().scan(Duration::ZERO, |end, segment| {
            *end += segment.lasts;
            Some(*end)
        })
    }

    /// The value just before `at`, which is not the beginning.
    fn value_before(&self, at: Duration) -> f64 {
        let mut before = Duration::ZERO;
        for segment in &self.segments {
            if !segment.lasts.is_zero() && at <= before + segment.lasts {
                return segment.value(at - before);
            }
            before += segment.lasts;
        }
        self.rest
    }
}

impl Segment {
    fn value(self, within: Duration) -> f64 {
        if self.lasts.is_zero() {
            return self.end;
        }
        let share = within.as_secs_f64() / self.lasts.as_secs_f64();
        self.begin + (self.end - self.begin) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn curve() -> impl Strategy<Value = Curve> {
        let stages = prop::collection::vec((0_u32..1000, 0_u64..20), 1..6);
        let pulse = (0_u32..500, 0_u64..30, 0_u64..10);
        (0_u32..500, stages, pulse).prop_map(|(begin, stages, (height, at, lasts))| {
            let stages = stages.into_iter();
            let stages = stages.map(|(to, lasts)| (f64::from(to), Duration::from_secs(lasts)));
            let pulse = Curve::pulse(
                f64::from(height),
                Duration::from_secs(at),
                Duration::from_secs(lasts),
            );
            Curve::through(f64::from(begin), stages).plus(&pulse)
        })
    }

    #[test]
    fn a_level_is_passed_where_the_line_crosses_it() {
        let curve = Curve::through(0.0, [(4.0, seconds(4.0)), (0.0, seconds(4.0))]);
        assert_eq!(curve.above(1.0, Duration::ZERO), Some(seconds(1.0)));
        assert_eq!(curve.above(0.0, Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(curve.above(1.0, seconds(5.0)), Some(seconds(5.0)));
        assert_eq!(curve.above(1.0, seconds(7.0)), None, "it falls for ever");
        assert_eq!(curve.above(4.0, Duration::ZERO), None, "it is never more");
        let jump = Curve::pulse(3.0, seconds(2.0), seconds(1.0));
        assert_eq!(jump.above(2.0, Duration::ZERO), Some(seconds(2.0)));
        assert_eq!(jump.above(2.0, seconds(3.0)), None);
    }

    #[test]
    fn a_pulse_stands_on_what_is_below_it() {
        let base = Curve::through(0.0, [(10.0, seconds(10.0))]);
        let both = base.plus(&Curve::pulse(100.0, seconds(4.0), seconds(2.0)));
        let values = [3.0, 4.0, 5.0, 6.0, 20.0].map(|at| both.value(seconds(at)));
        assert_eq!(values, [3.0, 104.0, 105.0, 6.0, 10.0]);
        assert_eq!(both.greatest(), 106.0);
        assert!((both.integral(seconds(10.0)) - 250.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_instant_of_a_sum_is_when_it_has_added_up(curve in curve(), sum in 0.0..5000.0) {
            if let Some(at) = curve.instant(sum) {
                prop_assert!((curve.integral(at) - sum).abs() < 1e-3, "{} at {at:?}", curve.integral(at));
            } else {
                prop_assert!(curve.integral(Duration::from_secs(1_000_000)) <= sum + 1e-6);
            }
        }

        #[test]
        fn sums_of_curves_add_up(one in curve(), other in curve(), at in 0.0..60.0) {
            let (both, at) = (one.plus(&other), seconds(at));
            let apart = one.integral(at) + other.integral(at);
            prop_assert!((both.integral(at) - apart).abs() < 1e-6, "{} {apart}", both.integral(at));
            prop_assert!((both.value(at) - one.value(at) - other.value(at)).abs() < 1e-9);
        }

        #[test]
        fn instants_never_run_backwards(curve in curve(), first in 0.0..5000.0, more in 0.0..5000.0) {
            if let (Some(early), Some(late)) = (curve.instant(first), curve.instant(first + more)) {
                prop_assert!(early <= late, "{early:?} {late:?}");
            }
        }

        #[test]
        fn above_a_level_is_above_it(curve in curve(), level in 0.0..1000.0, from in 0.0..60.0) {
            let from = seconds(from);
            match curve.above(level, from) {
                Some(at) => {
                    prop_assert!(at >= from);
                    prop_assert!(curve.value(at + Duration::from_micros(1)) > level - 1e-3
                        || curve.value(at) > level - 1e-3);
                }
                None => prop_assert!(curve.value(from) <= level),
            }
        }
    }
}
