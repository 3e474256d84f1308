//! Whether a run's figures are about the server, or about the instrument that
//! measured it. A verdict on a run is a list of checks, each with what was found
//! and what to change.
//!
//! | check | doubtful | invalid |
//! | --- | --- | --- |
//! | `rate` | | open arrivals, and more than 1 % of what was offered is missing |
//! | `slip` | p99 of the polls' slip over 1 ms and over 1 % of their median response | p99 of the generator's own lateness over 50 ms and over 10 % of it |
//! | `cpu` | a worker thread over 90 % busy with closed arrivals | the same with open arrivals |
//! | `overflow` | | any time beyond one hour |
//! | `little` | | requests under way differ by more than 2 % from rate times response time |
//! | `samples` | a threshold on a percentile with fewer than ten samples beyond it | |
//! | `limits` | | connections that did not open for want of file descriptors or ports |
//! | `steady` | an automatic warm-up that found no end | |
//! | `bounds` | more than 1 % of the requests held back, or users turned away, by a bound of the run or `Retry-After` | |
//!
//! Slip is judged by the generator's own lateness, because a request that waits
//! for a connection waits for the server. Closed arrivals ask as fast as they
//! are answered, so a busy generator is no surprise there, but its figures are
//! those of generator and server together.

use contract::Operation;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Failure;
use crate::outcome::Outcome;
use crate::record::About;
use crate::record::Ending;
use crate::tally::{OperationTally, Tally};
use crate::units;

/// The verdict on a run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Validity {
    /// The worst grade of all checks.
    pub grade: Grade,
    /// One by one.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How it came out.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// What to change; null where nothing has to be.
    pub advice: Option<&'static str>,
}

/// How far figures can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing to judge, or it could not be.
    NotApplicable,
    /// They can.
    Valid,
    /// With care.
    Doubtful,
    /// They cannot.
    Invalid,
}

impl Grade {
    /// As a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::Valid => "valid",
            Self::Doubtful => "doubtful",
            Self::Invalid => "invalid",
        }
    }
}

/// What a verdict is made from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What was run.
    pub about: &'a About,
    /// What was measured.
    pub outcome: &'a Outcome,
    /// How the run ended.
    pub ending: Ending,
    /// The busiest worker thread's share of a processor, if that is known.
    pub cpu: Option<f64>,
    /// Whether the load was steady after an automatic warm-up.
    pub steady: Option<bool>,
}

/// How much of the offered load may be missing at the end of the arrivals.
const MISSING: f64 = 0.01;

/// Slip that matters, in microseconds, and as a share of the median response.
const SLIP: (f64, f64) = (1000.0, 0.01);

/// Lateness that makes figures worthless, in the same units. It is far beyond
/// what a busy machine does to a thread that wants to wake up.
const LATENESS: (f64, f64) = (50_000.0, 0.1);

/// A worker thread that is busy for so much of its time has no reserve.
const BUSY: f64 = 0.9;

/// By how much rate times response time may differ from the requests under way.
const LITTLE: f64 = 0.02;

/// Fewer requests than this prove nothing about sums.
const FEW: u64 = 1000;

impl Validity {
    /// The checks that somebody should hear of.
    pub fn complaints(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.grade > Grade::Valid)
    }
}

impl Evidence<'_> {
    /// The verdict.
    pub fn judge(&self) -> Validity {
        let checks = vec![
            self.rate(),
            self.slip(),
            self.processor(),
            self.overflow(),
            self.little(),
            self.samples(),
            self.limits(),
            self.settling(),
            self.bounds(),
        ];
        let worst = checks.iter().map(|check| check.grade).max();
        Validity {
            grade: worst.unwrap_or(Grade::NotApplicable).max(Grade::Valid),
            checks,
        }
    }

    /// Whether what was offered was carried. What is under way when the arrivals
    /// end is not missing yet: at most one request on each connection.
    fn rate(&self) -> Check {
        let (outcome, tally) = (self.outcome, &self.outcome.tally);
        let found = format!(
            "{} requests/s offered, {} answered",
            units::digits(outcome.rate(tally.offered)),
            units::digits(outcome.rate(tally.achieved))
        );
        let missing = tally.offered.saturating_sub(tally.achieved) as f64;
        let allowed = (tally.offered as f64 * MISSING).max(f64::from(self.about.connections));
        let grade = match (self.about.open, self.ending) {
            (false, _) | (_, Ending::CutShort) => Grade::NotApplicable,
            (true, _) if missing > allowed => Grade::Invalid,
            (true, _) => Grade::Valid,
        };
        Check::new(
            "rate",
            grade,
            found,
            "response times then grow with the length of the run; lower the rate, or give it more \
             --connections or --threads",
        )
    }

    fn slip(&self) -> Check {
        let most = most_used(&self.outcome.tally);
        let lateness = &self.outcome.tally.instrument.lateness;
        let (Some(late), Some(slip), Some(median)) = (
            lateness.percentile(0.99),
            most.slip.percentile(0.99),
            most.response.percentile(0.5),
        ) else {
            return Check::not_applicable("slip", "too few requests to say");
        };
        let beyond = |value: u64, (least, share): (f64, f64)| {
            value as f64 > least.max(share * median as f64)
        };
        let grade = match () {
            () if beyond(late, LATENESS) => Grade::Invalid,
            () if beyond(slip, SLIP) => Grade::Doubtful,
            () => Grade::Valid,
        };
        let time = |microseconds: u64| units::time(microseconds as f64);
        let found = format!(
            "slip p99 {}, of which the generator's own lateness p99 {}, beside a median response of {}",
            time(slip),
            time(late),
            time(median)
        );
        let advice = if beyond(late, SLIP) {
            "the generator woke up late: stop other programs, or move the server to another machine"
        } else {
            "every connection was waiting for the server: response times say so, service times do not; \
             more --connections would ask it for more at once"
        };
        Check::new("slip", grade, found, advice)
    }

    fn processor(&self) -> Check {
        let Some(cpu) = self.cpu else {
            return Check::not_applicable("cpu", "this system does not tell");
        };
        let grade = match (cpu > BUSY, self.about.open) {
            (false, _) => Grade::Valid,
            (true, true) => Grade::Invalid,
            (true, false) => Grade::Doubtful,
        };
        Check::new(
            "cpu",
            grade,
            format!(
                "the busiest worker thread took {} of a core",
                units::percent(cpu)
            ),
            "service times then hold the generator's own work; give it more --threads, or less to do",
        )
    }

    fn overflow(&self) -> Check {
        let tally = &self.outcome.tally;
        let warmup = self.outcome.warmup.as_ref();
        let beyond = tally.overflow() + warmup.map_or(0, |part| part.tally.overflow());
        let grade = if beyond > 0 {
            Grade::Invalid
        } else {
            Grade::Valid
        };
        Check::new(
            "overflow",
            grade,
            format!("{} times beyond one hour", units::count(beyond)),
            "percentiles hold them as one hour; give users a shorter give_up or request_timeout",
        )
    }

    /// Little's law over the whole run: requests under way, counted as they come
    /// and go, against rate times mean response time, from the histograms. If
    /// the two differ, something was lost inside the tool.
    fn little(&self) -> Check {
        let parts = || {
            let warmup = self.outcome.warmup.as_ref().map(|part| &part.tally);
            std::iter::once(&self.outcome.tally).chain(warmup)
        };
        let operations = || {
            parts().flat_map(|tally| {
                let all = Operation::ALL.into_iter();
                all.map(|operation| tally.operation(operation))
            })
        };
        let under_way: f64 = parts()
            .map(|tally| tally.instrument.under_way.as_secs_f64())
            .sum();
        let requests: u64 = operations().map(|tally| tally.requests).sum();
        let untimed: u64 = operations().map(without_time).sum();
        if self.ending != Ending::Complete || untimed > 0 || requests < FEW || under_way <= 0.0 {
            return Check::not_applicable(
                "little",
                "needs a complete run without broken connections",
            );
        }
        let responses: f64 = operations()
            .map(|tally| tally.response.sum() as f64 / 1e6)
            .sum();
        let off = (under_way - responses).abs() / under_way;
        let grade = if off > LITTLE {
            Grade::Invalid
        } else {
            Grade::Valid
        };
        let duration = self.outcome.duration.as_secs_f64().max(1e-9);
        Check::new(
            "little",
            grade,
            format!(
                "{} requests under way on average, {} by rate times response time",
                units::digits(under_way / duration),
                units::digits(responses / duration)
            ),
            "otplab has lost requests or times; please report it",
        )
    }

    /// Whether the load was what the scenario asks for, or less on purpose.
    fn bounds(&self) -> Check {
        let tally = &self.outcome.tally;
        let (held, away) = (tally.held, tally.turned_away);
        if held == 0 && away == 0 {
            return Check::not_applicable("bounds", "nothing was held back");
        }
        let less = away > 0 || held as f64 > MISSING * tally.requests() as f64;
        let grade = if less { Grade::Doubtful } else { Grade::Valid };
        Check::new(
            "bounds",
            grade,
            format!(
                "{} requests held back, {} users turned away",
                units::count(held),
                units::count(away)
            ),
            "the load was less than the scenario asks for, because of --max-rate, --max-rentals, --max-spend or Retry-After",
        )
    }

    fn samples(&self) -> Check {
        let thresholds = &self.about.thresholds;
        let short: Vec<_> = thresholds
            .iter()
            .filter_map(|threshold| {
                let (count, needed) = threshold.too_few(self.outcome)?;
                Some(format!("{threshold} has {count} of {needed} samples"))
            })
            .collect();
        if thresholds.is_empty() {
            return Check::not_applicable("samples", "no thresholds");
        }
        let (grade, found) = match short.is_empty() {
            true => (Grade::Valid, "enough for every threshold".to_owned()),
            false => (Grade::Doubtful, short.join("; ")),
        };
        Check::new(
            "samples",
            grade,
            found,
            "run longer, or ask for a lower percentile",
        )
    }

    fn limits(&self) -> Check {
        let count = self.outcome.tally.instrument.limits_hit;
        let grade = if count > 0 {
            Grade::Invalid
        } else {
            Grade::Valid
        };
        Check::new(
            "limits",
            grade,
            format!(
                "{} connections not opened for want of file descriptors or ports",
                units::count(count)
            ),
            "raise ulimit -n or net.ipv4.ip_local_port_range, or take fewer --connections",
        )
    }

    fn settling(&self) -> Check {
        match self.steady {
            None => Check::not_applicable("steady", "nobody asked for --warmup auto"),
            Some(steady) => Check::new(
                "steady",
                if steady {
                    Grade::Valid
                } else {
                    Grade::Doubtful
                },
                if steady {
                    "the load settled"
                } else {
                    "the load never settled"
                }
                .to_owned(),
                "run longer, or say with --warmup how much to leave out",
            ),
        }
    }
}

impl Check {
    fn new(name: &'static str, grade: Grade, found: String, advice: &'static str) -> Self {
        Self {
            name,
            grade,
            found,
            advice: (grade > Grade::Valid).then_some(advice),
        }
    }

    fn not_applicable(name: &'static str, why: &str) -> Self {
        Self::new(name, Grade::NotApplicable, why.to_owned(), "")
    }
}

/// The operation with the most requests.
fn most_used(tally: &Tally) -> &OperationTally {
    Operation::ALL
        .into_iter()
        .map(|operation| tally.operation(operation))
        .max_by_key(|tally| tally.requests)
        .expect("invariant: there are four operations")
}

/// Requests that have no response time: those whose connection broke.
fn without_time(tally: &OperationTally) -> u64 {
    tally
        .failures
        .iter()
        .filter(|(kind, _)| !kind.was_answered() && **kind != Failure::Timeout)
        .map(|(_, count)| count)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Times;
    use crate::record::FORMAT_VERSION;
    use crate::warmup::Warmup;
    use contract::Moment;
    use std::time::Duration;

    fn about(open: bool) -> About {
        About {
            format_version: FORMAT_VERSION,
            otplab: "0".to_owned(),
            scenario: "test".to_owned(),
            seed: 1,
            target: "http://127.0.0.1:1".to_owned(),
            server: "a server".to_owned(),
            started_s: 0.0,
            open,
            connections: 64,
            threads: 1,
            warmup: Warmup::None,
            thresholds: Vec::new(),
            populations: Vec::new(),
        }
    }

    /// Ten thousand polls of 10 ms in ten seconds, each taken up after `late`
    /// and sent after `slip`.
    fn polls(late: Duration, slip: Duration) -> Tally {
        let mut tally = Tally::default();
        let service = Duration::from_millis(10);
        for index in 0..10_000 {
            let intended = Moment::START + Duration::from_millis(index);
            let times = Times {
                intended,
                sent: intended + slip,
                answered: intended + slip + service,
            };
            tally.request(Operation::CheckOtp, times, None);
            tally.instrument.lateness.record(late);
            tally.instrument.under_way += slip + service;
            tally.offered += 1;
            tally.achieved += 1;
        }
        tally
    }

    fn good() -> Tally {
        polls(Duration::from_micros(60), Duration::from_micros(100))
    }

    /// The names and grades of what there is to complain about, and the whole grade.
    fn judged(about: &About, tally: Tally, cpu: f64) -> (Grade, Vec<(&'static str, Grade)>) {
        let outcome = Outcome::of_tally(tally, Duration::from_secs(10));
        let evidence = Evidence {
            about,
            outcome: &outcome,
            ending: Ending::Complete,
            cpu: Some(cpu),
            steady: None,
        };
        let validity = evidence.judge();
        let complaints = validity.complaints().map(|check| {
            assert!(check.advice.is_some(), "{check:?}");
            (check.name, check.grade)
        });
        (validity.grade, complaints.collect())
    }

    #[test]
    fn a_good_run_is_valid() {
        for open in [false, true] {
            let verdict = judged(&about(open), good(), 0.5);
            assert_eq!(verdict, (Grade::Valid, vec![]));
        }
    }

    #[test]
    fn a_rate_that_was_not_carried_is_invalid_where_there_is_a_rate() {
        let mut tally = good();
        tally.achieved = 9899;
        assert_eq!(judged(&about(false), tally.clone(), 0.5).0, Grade::Valid);
        let verdict = judged(&about(true), tally.clone(), 0.5);
        assert_eq!(verdict, (Grade::Invalid, vec![("rate", Grade::Invalid)]));
        tally.achieved = 9900;
        assert_eq!(judged(&about(true), tally, 0.5).0, Grade::Valid);
    }

    #[test]
    fn requests_under_way_at_the_end_are_not_missing() {
        let mut tally = good();
        (tally.offered, tally.achieved) = (1000, 936);
        assert_eq!(judged(&about(true), tally, 0.5).0, Grade::Valid);
    }

    #[test]
    fn a_server_that_keeps_requests_waiting_does_not_make_the_generator_invalid() {
        let waiting = polls(Duration::from_micros(60), Duration::from_millis(400));
        let verdict = judged(&about(false), waiting, 0.5);
        assert_eq!(verdict.0, Grade::Doubtful);
        assert_eq!(verdict.1, [("slip", Grade::Doubtful)]);
        let late = polls(Duration::from_millis(60), Duration::from_millis(60));
        let verdict = judged(&about(false), late, 0.5);
        assert_eq!(verdict.1, [("slip", Grade::Invalid)]);
        // What a busy machine does to a thread that wants to wake up.
        let busy = polls(Duration::from_millis(20), Duration::from_millis(20));
        assert_eq!(judged(&about(true), busy, 0.5).0, Grade::Doubtful);
    }

    #[test]
    fn a_generator_without_reserve_cannot_keep_a_rate() {
        let verdict = judged(&about(true), good(), 0.95);
        assert_eq!(verdict.1, [("cpu", Grade::Invalid)]);
        let verdict = judged(&about(false), good(), 0.95);
        assert_eq!(verdict.1, [("cpu", Grade::Doubtful)]);
    }

    #[test]
    fn lost_time_overflow_limits_and_thin_percentiles_are_named() {
        let mut lossy = good();
        lossy.instrument.under_way = lossy.instrument.under_way.mul_f64(1.03);
        assert_eq!(
            judged(&about(true), lossy.clone(), 0.5).1,
            [("little", Grade::Invalid)]
        );
        // A connection that broke has no response time, so the sum cannot agree.
        let times = Times {
            intended: Moment::START,
            sent: Moment::START,
            answered: Moment::START,
        };
        lossy.request(Operation::Rent, times, Some(Failure::Reset));
        assert_eq!(judged(&about(true), lossy, 0.5).0, Grade::Valid);

        let mut endless = good();
        endless
            .rentals
            .time_to_code
            .record(Duration::from_secs(3601));
        assert_eq!(
            judged(&about(true), endless, 0.5).1,
            [("overflow", Grade::Invalid)]
        );

        let mut limited = good();
        limited.instrument.limits_hit = 1;
        assert_eq!(
            judged(&about(true), limited, 0.5).1,
            [("limits", Grade::Invalid)]
        );

        let mut strict = about(true);
        strict.thresholds = vec![
            "check_otp.response.p9999 < 1s"
                .parse()
                .expect("well-formed"),
        ];
        let verdict = judged(&strict, good(), 0.5);
        assert_eq!(verdict.1, [("samples", Grade::Doubtful)]);
    }

    #[test]
    fn what_cannot_be_judged_is_not_held_against_a_run() {
        let outcome = Outcome::of_tally(Tally::default(), Duration::ZERO);
        let about = about(true);
        let evidence = Evidence {
            about: &about,
            outcome: &outcome,
            ending: Ending::CutShort,
            cpu: None,
            steady: Some(false),
        };
        let validity = evidence.judge();
        let complaints: Vec<_> = validity.complaints().map(|check| check.name).collect();
        assert_eq!(
            (validity.grade, complaints),
            (Grade::Doubtful, vec!["steady"])
        );
    }
}
