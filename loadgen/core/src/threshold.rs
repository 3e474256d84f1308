//! Thresholds: what must hold for a run to pass, and whether it did.
//!
//! ```text
//! check_otp.response.p99 < 25ms     OPERATION.(response|service|slip).FIGURE
//! check_otp.errors.rate < 0.1%      errors.rate and errors.count, of one operation or of all
//! rentals.delivered > 99%           of the rentals that ended, or a count without %
//! rentals.confirmed == 100%         of the delivered ones
//! lag.p95 < 2s                      detection lag
//! time_to_code.p50 < 10s            from rent to code; also sms_delay
//! connect.max < 1s                  opening a connection
//! lateness.p99 < 1ms                what the generator itself added
//! polls.per_delivered < 4           mean polls of a delivered rental
//! rates.achieved > 1990             requests per second; also rates.offered
//! ledger.unexplained == 0           cents that went missing
//! ```
//!
//! A figure is `min`, `mean`, `max` or a percentile: `p50`, `p99`, `p999` (99.9 %).
//! A threshold without samples fails, and so does a percentile beyond which
//! there are fewer than ten: a check of nothing never passes.

use std::fmt;
use std::str::FromStr;

use contract::{Operation, TimeSpan};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::distribution::Distribution;
use crate::latencies::{Latencies, samples_for};
use crate::outcome::Outcome;
use crate::tally::Tally;
use crate::units;

/// A condition on a run.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr, SerializeDisplay)]
pub struct Threshold {
    text: String,
    metric: Metric,
    comparison: Comparison,
    /// In the metric's own unit: microseconds, a share of one, or a plain number.
    limit: f64,
    unit: Unit,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Metric {
    Latency(Distribution, Figure),
    ErrorRate(Option<Operation>),
    ErrorCount(Option<Operation>),
    Rentals(Fate),
    PollsPerDelivered,
    Offered,
    Achieved,
    Unexplained,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Min,
    Mean,
    Max,
    Quantile(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Delivered,
    Confirmed,
    Expired,
    Abandoned,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// How the limit was written, and so how the actual value is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Time,
    Percent,
    Number,
}

/// How a threshold came out.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Verdict {
    /// As it was written.
    pub expr: String,
    /// What was measured, in the unit of the expression; null without enough samples.
    pub actual: Option<String>,
    /// Whether it held.
    pub passed: bool,
}

impl Threshold {
    /// Whether it held in this run.
    pub fn judge(&self, outcome: &Outcome) -> Verdict {
        let actual = self.metric.value(outcome, self.unit);
        Verdict {
            expr: self.text.clone(),
            actual: actual.map(|value| self.unit.show(value)),
            passed: actual.is_some_and(|value| self.comparison.holds(value, self.limit)),
        }
    }

    /// How many samples there are and how many the percentile needs, if those
    /// are too few.
    pub fn too_few(&self, outcome: &Outcome) -> Option<(u64, u64)> {
        let Metric::Latency(distribution, Figure::Quantile(quantile)) = self.metric else {
            return None;
        };
        let (count, needed) = (
            distribution.of(&outcome.tally).count(),
            samples_for(quantile),
        );
        (count < needed).then_some((count, needed))
    }
}

impl Comparison {
    fn holds(self, actual: f64, limit: f64) -> bool {
        match self {
            Self::Less => actual < limit,
            Self::AtMost => actual <= limit,
            Self::Greater => actual > limit,
            Self::AtLeast => actual >= limit,
            // Shares are quotients of counts: equal up to their last bit.
            Self::Equal => (actual - limit).abs() < 1e-9,
        }
    }
}

impl Metric {
    fn value(self, outcome: &Outcome, unit: Unit) -> Option<f64> {
        let tally = &outcome.tally;
        let rentals = &tally.rentals;
        match self {
            Self::Latency(distribution, figure) => figure.of(distribution.of(tally)),
            Self::ErrorRate(operation) => {
                let (failed, requests) = errors(tally, operation);
                (requests > 0).then(|| failed as f64 / requests as f64)
            }
            Self::ErrorCount(operation) => {
                let (failed, requests) = errors(tally, operation);
                (requests > 0).then_some(failed as f64)
            }
            Self::Rentals(fate) => {
                let (count, of) = match fate {
                    Fate::Delivered => (rentals.delivered, rentals.ended()),
                    Fate::Confirmed => (rentals.confirmed, rentals.delivered),
                    Fate::Expired => (rentals.expired, rentals.ended()),
                    Fate::Abandoned => (rentals.abandoned, rentals.ended()),
                    Fate::Failed => (rentals.failed, rentals.ended()),
                };
                let share = || {
                    if unit == Unit::Percent {
                        of as f64
                    } else {
                        1.0
                    }
                };
                (of > 0).then(|| count as f64 / share())
            }
            Self::PollsPerDelivered => (rentals.delivered > 0)
                .then(|| rentals.polls_delivered as f64 / rentals.delivered as f64),
            Self::Offered => (tally.requests() > 0).then(|| outcome.rate(tally.offered)),
            Self::Achieved => (tally.requests() > 0).then(|| outcome.rate(tally.achieved)),
            Self::Unexplained => outcome
                .ledger
                .as_ref()
                .and_then(|ledger| ledger.missing())
                .map(|missing| missing.0 as f64),
        }
    }

    /// The metric with this name, and the unit its limits have.
    fn named(name: &str) -> Option<(Self, Unit)> {
        let parts: Vec<_> = name.split('.').collect();
        let metric = match parts.as_slice() {
            ["errors", "rate"] => Self::ErrorRate(None),
            ["errors", "count"] => Self::ErrorCount(None),
            ["rentals", fate] => Self::Rentals(Fate::named(fate)?),
            ["polls", "per_delivered"] => Self::PollsPerDelivered,
            ["rates", "offered"] => Self::Offered,
            ["rates", "achieved"] => Self::Achieved,
            ["ledger", "unexplained"] => Self::Unexplained,
            [operation, "errors", "rate"] => Self::ErrorRate(Some(operation.parse().ok()?)),
            [operation, "errors", "count"] => Self::ErrorCount(Some(operation.parse().ok()?)),
            _ => {
                let (distribution, figure) = name.rsplit_once('.')?;
                Self::Latency(distribution.parse().ok()?, figure.parse().ok()?)
            }
        };
        let unit = match metric {
            Self::Latency(..) => Unit::Time,
            Self::ErrorRate(_) => Unit::Percent,
            _ => Unit::Number,
        };
        Some((metric, unit))
    }
}

fn errors(tally: &Tally, operation: Option<Operation>) -> (u64, u64) {
    match operation {
        None => (tally.failures(), tally.requests()),
        Some(operation) => {
            let tally = tally.operation(operation);
            (tally.failed(), tally.requests)
        }
    }
}

impl Figure {
    fn of(self, latencies: &Latencies) -> Option<f64> {
        match self {
            Self::Mean => latencies.mean(),
            Self::Min => latencies.least().map(|value| value as f64),
            Self::Max => latencies.greatest().map(|value| value as f64),
            Self::Quantile(quantile) => latencies.percentile(quantile).map(|value| value as f64),
        }
    }
}

impl FromStr for Figure {
    type Err = ();

    /// `p50` is 50 %, `p999` is 99.9 %: two digits, then decimals.
    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "min" => return Ok(Self::Min),
            "mean" => return Ok(Self::Mean),
            "max" => return Ok(Self::Max),
            _ => {}
        }
        let digits = name.strip_prefix('p').ok_or(())?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let (two, more) = digits.split_at_checked(2).ok_or(())?;
        // More than two digits are for 99.9 % and beyond: p100 would be 10 %.
        let sensible = two != "00" && (more.is_empty() || two == "99");
        if !plain || !sensible || digits.len() > 6 {
            return Err(());
        }
        format!("0.{digits}")
            .parse()
            .map(Self::Quantile)
            .map_err(drop)
    }
}

impl Fate {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "delivered" => Self::Delivered,
            "confirmed" => Self::Confirmed,
            "expired" => Self::Expired,
            "abandoned" => Self::Abandoned,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Time => units::time(value),
            Self::Percent => units::percent(value),
            Self::Number => units::digits(value),
        }
    }
}

/// Not a threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// No comparison.
    #[error("{0:?} compares nothing; write it like `check_otp.response.p99 < 25ms`")]
    Shape(String),
    /// No such figure.
    #[error(
        "{0:?} is not measured; there are OPERATION.response.p99 (or service, slip; min, mean, \
         max, p50, p999 …), errors.rate, errors.count, rentals.delivered (or confirmed, expired, \
         abandoned, failed), lag.p95, time_to_code.p50, connect.max, lateness.p99, polls.per_delivered, rates.achieved, \
         rates.offered and ledger.unexplained"
    )]
    Metric(String),
    /// The limit does not fit the figure.
    #[error("{limit:?} is not a limit for {metric}; write {example}")]
    Limit {
        /// As written.
        limit: String,
        /// As written.
        metric: String,
        /// What would fit.
        example: &'static str,
    },
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let shape = || ThresholdError::Shape(text.to_owned());
        let position = text.find(['<', '>', '=']).ok_or_else(shape)?;
        let (name, rest) = (text[..position].trim(), &text[position..]);
        let (comparison, length) = match rest.as_bytes() {
            [b'<', b'=', ..] => (Comparison::AtMost, 2),
            [b'>', b'=', ..] => (Comparison::AtLeast, 2),
            [b'=', b'=', ..] => (Comparison::Equal, 2),
            [b'<', ..] => (Comparison::Less, 1),
            [b'>', ..] => (Comparison::Greater, 1),
            _ => return Err(shape()),
        };
        let (metric, unit) =
            Metric::named(name).ok_or_else(|| ThresholdError::Metric(name.to_owned()))?;
        let written = rest[length..].trim();
        let (limit, unit) =
            limit(written, metric, unit).map_err(|example| ThresholdError::Limit {
                limit: written.to_owned(),
                metric: name.to_owned(),
                example,
            })?;
        Ok(Self {
            text: text.trim().to_owned(),
            metric,
            comparison,
            limit,
            unit,
        })
    }
}

/// The limit in the metric's unit, or what to write instead.
fn limit(text: &str, metric: Metric, unit: Unit) -> Result<(f64, Unit), &'static str> {
    let number = |text: &str| text.trim().parse().ok().filter(|n: &f64| n.is_finite());
    let percent = text.strip_suffix('%').and_then(number);
    match (unit, metric) {
        (Unit::Time, _) => {
            let span: TimeSpan = text.parse().map_err(|_| "a duration such as 25ms")?;
            Ok((span.0.as_secs_f64() * 1e6, unit))
        }
        (Unit::Percent, _) => match percent {
            Some(share) => Ok((share / 100.0, unit)),
            None => Err("a percentage such as 0.1%"),
        },
        (Unit::Number, Metric::Rentals(_)) => match (percent, number(text)) {
            (Some(share), _) => Ok((share / 100.0, Unit::Percent)),
            (None, Some(count)) => Ok((count, unit)),
            (None, None) => Err("a percentage such as 99% or a count such as 400"),
        },
        (Unit::Number, _) => number(text)
            .map(|limit| (limit, unit))
            .ok_or("a number such as 4"),
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Failure;
    use crate::call::Times;
    use contract::Moment;
    use std::time::Duration;

    fn judged(threshold: &str, tally: Tally) -> Verdict {
        let threshold: Threshold = threshold.parse().expect(threshold);
        threshold.judge(&Outcome::of_tally(tally, Duration::from_secs(10)))
    }

    /// 99 polls answered within 10 ms, and one refused after a second.
    fn hundred_polls() -> Tally {
        let mut tally = Tally::default();
        for poll in 0..100 {
            let late = poll == 99;
            let answered = Moment::from_nanoseconds(if late { 1_000_000_000 } else { 10_000_000 });
            let times = Times {
                intended: Moment::START,
                sent: Moment::START,
                answered,
            };
            tally.request(
                Operation::CheckOtp,
                times,
                late.then_some(Failure::Status(503)),
            );
        }
        tally.achieved = 100;
        tally.rentals.delivered = 9;
        tally.rentals.expired = 1;
        tally
    }

    #[test]
    fn figures_are_compared_in_their_own_unit() {
        for (threshold, actual, passed) in [
            // A percentile is the upper edge of its bucket.
            ("check_otp.response.p50 < 10.1ms", "10.01ms", true),
            ("check_otp.response.p90 < 10ms", "10.01ms", false),
            ("check_otp.service.max == 1s", "1s", true),
            ("check_otp.errors.rate < 2%", "1%", true),
            ("errors.count < 1", "1", false),
            ("rentals.delivered >= 90%", "90%", true),
            ("rentals.delivered > 9", "9", false),
            ("rates.achieved > 9", "10", true),
        ] {
            let verdict = judged(threshold, hundred_polls());
            assert_eq!(
                (verdict.actual.as_deref(), verdict.passed),
                (Some(actual), passed),
                "{threshold}"
            );
        }
    }

    #[test]
    fn a_threshold_without_samples_fails() {
        for threshold in [
            "profile.response.p99 < 1h",
            "errors.rate < 100%",
            "rentals.failed == 0%",
            "lag.p95 < 1h",
            "polls.per_delivered < 1000",
            "ledger.unexplained == 0",
            "rates.offered >= 0",
        ] {
            let verdict = judged(threshold, Tally::default());
            assert_eq!(
                (verdict.actual, verdict.passed),
                (None, false),
                "{threshold}"
            );
        }
    }

    #[test]
    fn a_percentile_of_too_few_samples_is_no_figure() {
        let threshold: Threshold = "check_otp.response.p99 < 1h".parse().expect("well-formed");
        let outcome = Outcome::of_tally(hundred_polls(), Duration::from_secs(10));
        assert_eq!(threshold.too_few(&outcome), Some((100, 1000)));
        let verdict = threshold.judge(&outcome);
        assert_eq!((verdict.actual, verdict.passed), (None, false));
    }

    #[test]
    fn mistakes_say_what_to_write_instead() {
        for (text, message) in [
            ("check_otp.response.p99", "compares nothing; write it like"),
            (
                "check_otp.response.p99 = 1s",
                "compares nothing; write it like",
            ),
            (
                "check_otp.latency.p99 < 1s",
                "\"check_otp.latency.p99\" is not measured",
            ),
            ("poll.response.p99 < 1s", "is not measured"),
            ("check_otp.response.p9 < 1s", "is not measured"),
            ("check_otp.response.p100 < 1s", "is not measured"),
            (
                "check_otp.response.p99 < 25",
                "\"25\" is not a limit for check_otp.response.p99; write a duration",
            ),
            ("errors.rate < 0.1", "write a percentage such as 0.1%"),
            (
                "rentals.delivered > most",
                "write a percentage such as 99% or a count",
            ),
        ] {
            let error = text.parse::<Threshold>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[a-z_]{0,9}[.a-z0-9]{0,12} ?[<>=]{0,2} ?[0-9.a-z%]{0,8}") {
            let _ = text.parse::<Threshold>();
        }
    }
}
