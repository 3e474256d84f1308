//! Rates as people write them, and rates that change over time.
//!
//! A [`RateProfile`] maps the number of arrivals expected so far to the moment
//! when that many are expected. Constant and random arrivals both follow from
//! it, for steady rates and ramps alike.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::TimeSpan;
use serde::Deserialize;
use serde_with::DeserializeFromStr;

use crate::curve::Curve;

/// Events per second, written `2000/s`, `300/m` or `90/h`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, DeserializeFromStr)]
pub struct Rate(f64);

impl Rate {
    /// So many per second; not less than none and not more than a million.
    pub const fn of(per_second: f64) -> Self {
        Self(per_second.clamp(0.0, HIGHEST))
    }

    /// The number per second.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

/// Events per second at most; no client of this API, and no generator of it, comes near.
const HIGHEST: f64 = 1e6;

/// Not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate; write it like 2000/s, 300/m or 90/h, at most 1000000/s")]
pub struct RateError(String);

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (number, seconds) = match text.split_once('/') {
            Some((number, "s")) => (number, 1.0),
            Some((number, "m")) => (number, 60.0),
            Some((number, "h")) => (number, 3600.0),
            _ => return Err(RateError(text.to_owned())),
        };
        number
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| *number >= 0.0 && *number / seconds <= HIGHEST)
            .map(|number| Self(number / seconds))
            .ok_or_else(|| RateError(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// A stretch of time over which the rate moves in a straight line to `rate`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The rate at the end of the stage.
    #[schemars(with = "String")]
    pub rate: Rate,
    /// How long the stage lasts; zero is a jump.
    #[schemars(with = "String")]
    pub over: TimeSpan,
}

/// A rate over time.
#[derive(Clone, Debug, PartialEq)]
pub struct RateProfile(Curve);

impl RateProfile {
    /// The rates, per second, along `curve`.
    pub const fn along(curve: Curve) -> Self {
        Self(curve)
    }

    /// The same rate for ever.
    pub const fn constant(rate: Rate) -> Self {
        Self(Curve::constant(rate.0))
    }

    /// From nothing along `stages`; the last rate stays for ever.
    pub fn staged(stages: Vec<Stage>) -> Self {
        let stages = stages.into_iter();
        let stages = stages.map(|stage| (stage.rate.0, stage.over.0));
        Self(Curve::through(0.0, stages))
    }

    /// When `expected` arrivals are expected to have happened; `None` means never.
    pub fn instant(&self, expected: f64) -> Option<Duration> {
        self.0.instant(expected)
    }

    /// How many arrivals are expected before `at`.
    pub fn expected(&self, at: Duration) -> f64 {
        self.0.integral(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().expect(text)
    }

    fn stage(to: &str, seconds: u64) -> Stage {
        Stage {
            rate: rate(to),
            over: TimeSpan(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn rates_have_a_unit() {
        assert_eq!(rate("2000/s").per_second(), 2000.0);
        assert_eq!(rate("300/m").per_second(), 5.0);
        for text in ["2000", "2000/d", "-1/s", "x/s", "", "1e9/s", "inf/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let profile = RateProfile::constant(rate("4/s"));
        assert_eq!(profile.instant(0.0), Some(Duration::ZERO));
        assert_eq!(profile.instant(6.0), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn a_ramp_is_a_parabola_and_its_end_stays() {
        // 0 to 10/s over 10 s makes 50 arrivals, half of them after 7.07 s.
        let profile = RateProfile::staged(vec![stage("10/s", 10)]);
        let half = profile.instant(25.0).expect("reached").as_secs_f64();
        assert!((half - 50_f64.sqrt()).abs() < 1e-6, "{half}");
        assert_eq!(profile.instant(60.0), Some(Duration::from_secs(11)));
        let stopping = RateProfile::staged(vec![stage("10/s", 10), stage("0/s", 10)]);
        assert!(stopping.instant(99.0).is_some());
        assert_eq!(stopping.instant(100.0), None, "the rate is nothing by then");
        assert_eq!(RateProfile::constant(rate("0/s")).instant(0.0), None);
    }
}
