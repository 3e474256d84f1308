//! What a run leaves behind while it lasts, line by line (`record.jsonl`): what
//! is run, then each second, then the end. Together with the histograms of the
//! log ([`crate::hlog`]) every report can be made from it again, and a run that
//! was killed has lost its last second at most.
//!
//! An interval's histograms are in the log, in the order of
//! [`Distribution::all`]; what they do not hold is here.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Cents, Moment, Operation};
use serde::{Deserialize, Serialize};

use crate::answer::Failure;
use crate::distribution::Distribution;
use crate::hlog::Entry;
use crate::interval::{Interval, Stage};
use crate::lag::LagShares;
use crate::latencies::{Exact, Latencies};
use crate::outcome::{Certainty, Ledger};
use crate::place::Place;
use crate::tally::{InstrumentTally, PopulationTally, RentalTally, Tally, WebhookTally};
use crate::threshold::Threshold;
use crate::warmup::Warmup;

/// The version of these lines.
pub const FORMAT_VERSION: u32 = 1;

/// A line of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Run(About),
    /// One second of one phase.
    Second(Box<Second>),
    /// The last, unless the run was killed.
    End(End),
}

impl Line {
    /// As it is written, with the end of the line.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("plain data can be written") + "\n"
    }
}

/// What stands for the address of a server that there never was.
pub const SIMULATED: &str = "simulated";

impl About {
    /// Whether the run was simulated.
    pub fn is_simulated(&self) -> bool {
        self.target == SIMULATED
    }
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Of the record's lines.
    pub format_version: u32,
    /// The version of otplab.
    pub otplab: String,
    /// The scenario's name.
    pub scenario: String,
    /// Of all chance.
    pub seed: u64,
    /// The server's address.
    pub target: String,
    /// The server, in words.
    pub server: String,
    /// When the run began, in seconds since 1970.
    pub started_s: f64,
    /// Whether users arrive by a rate, whatever the server does.
    pub open: bool,
    /// Connections that all users share.
    pub connections: u32,
    /// Worker threads.
    pub threads: u32,
    /// What counts as warm-up.
    pub warmup: Warmup,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
    /// The names of the populations, where they are told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<String>,
}

/// Whether a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its own rule.
    Complete,
    /// The user stopped it.
    Interrupted,
    /// Nobody knows; the record stops in the middle.
    CutShort,
}

impl Ending {
    /// Without an end, it was cut short.
    pub const fn of(end: Option<&End>) -> Self {
        match end {
            None => Self::CutShort,
            Some(End {
                interrupted: true, ..
            }) => Self::Interrupted,
            Some(_) => Self::Complete,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// From the first arrival to the last answer, in nanoseconds.
    pub duration_ns: u64,
    /// From the first arrival to the end of the arrivals, in nanoseconds.
    pub window_ns: u64,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// The audit of the balances, where there was one.
    pub ledger: Option<LedgerLine>,
}

/// An audit, in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at Ledger")]
pub struct LedgerLine {
    pub accounts: usize,
    pub charged: i64,
    pub refunded: i64,
    pub unexplained: i64,
    pub certainty: Certainty,
}

impl From<Ledger> for LedgerLine {
    fn from(ledger: Ledger) -> Self {
        Self {
            accounts: ledger.accounts,
            charged: ledger.charged.0,
            refunded: ledger.refunded.0,
            unexplained: ledger.unexplained.0,
            certainty: ledger.certainty,
        }
    }
}

impl From<LedgerLine> for Ledger {
    fn from(line: LedgerLine) -> Self {
        Self {
            accounts: line.accounts,
            charged: Cents(line.charged),
            refunded: Cents(line.refunded),
            unexplained: Cents(line.unexplained),
            certainty: line.certainty,
        }
    }
}

/// One second of one phase, without its histograms. Money is not in it: what
/// became of that is known at the end only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at Interval and Tally")]
pub struct Second {
    pub stage: Stage,
    pub index: u32,
    pub start_ns: u64,
    pub length_ns: u64,
    pub cpu: Option<f64>,
    pub offered: u64,
    pub achieved: u64,
    pub under_way_ns: u64,
    pub limits_hit: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turned_away: u64,
    #[serde(default, skip_serializing_if = "WebhookTally::is_empty")]
    pub webhooks: WebhookTally,
    /// By operation, those that were used.
    pub operations: BTreeMap<String, Requests>,
    pub rentals: Rentals,
    /// By population, where they are told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<PopulationLine>,
    /// By distribution, those that have values.
    pub distributions: BTreeMap<String, Exact>,
}

/// The requests of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at OperationTally")]
pub struct Requests {
    pub requests: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<Failure, u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u64,
}

/// One population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at PopulationTally")]
pub struct PopulationLine {
    pub requests: u64,
    pub failures: u64,
    pub rentals: Rentals,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What became of the rentals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at RentalTally")]
pub struct Rentals {
    pub started: u64,
    pub peak_in_flight: u64,
    pub delivered: u64,
    pub confirmed: u64,
    pub expired: u64,
    pub abandoned: u64,
    pub failed: u64,
    pub polls_delivered: u64,
    pub polls_undelivered: u64,
    pub lag_strategy_us: u64,
    pub lag_server_us: u64,
    pub lag_generator_us: u64,
    pub fingerprint: u64,
}

impl Second {
    /// The line of an interval.
    pub fn of(interval: &Interval) -> Self {
        let tally = &interval.tally;
        let used = Operation::ALL
            .into_iter()
            .map(|operation| (operation, tally.operation(operation)))
            .filter(|(_, tally)| tally.requests > 0 || tally.failed() > 0);
        let distributions = Distribution::all().filter_map(|distribution| {
            let exact = distribution.of(tally).exact()?;
            Some((distribution.to_string(), exact))
        });
        Self {
            stage: interval.stage,
            index: interval.index,
            start_ns: interval.start.nanoseconds(),
            length_ns: nanoseconds(interval.length),
            cpu: interval.cpu,
            offered: tally.offered,
            achieved: tally.achieved,
            under_way_ns: nanoseconds(tally.instrument.under_way),
            limits_hit: tally.instrument.limits_hit,
            held: tally.held,
            turned_away: tally.turned_away,
            webhooks: tally.webhooks,
            operations: used
                .map(|(operation, tally)| {
                    let requests = Requests {
                        requests: tally.requests,
                        errors: tally.failures.clone(),
                        retries: tally.retries,
                    };
                    (operation.name().to_owned(), requests)
                })
                .collect(),
            rentals: Rentals::of(&tally.rentals),
            populations: tally
                .populations()
                .iter()
                .map(|population| PopulationLine {
                    requests: population.requests,
                    failures: population.failures,
                    rentals: Rentals::of(&population.rentals),
                })
                .collect(),
            distributions: distributions.collect(),
        }
    }

    /// Whether it is one of the first `warmup` seconds of the load.
    pub fn warms_up(&self, warmup: u32) -> bool {
        self.stage == Stage::Load && self.index < warmup
    }

    /// The interval, with its histograms taken from the log; `None` if the log
    /// does not hold them next.
    pub fn interval(&self, log: &mut dyn Iterator<Item = Entry>) -> Option<Interval> {
        let mut tally = Tally::default();
        (tally.offered, tally.achieved) = (self.offered, self.achieved);
        (tally.held, tally.turned_away) = (self.held, self.turned_away);
        tally.webhooks = self.webhooks;
        tally.rentals = self.rentals.tally();
        for (place, line) in (0..).map(Place).zip(&self.populations) {
            *tally.population(place) = PopulationTally {
                requests: line.requests,
                failures: line.failures,
                rentals: line.rentals.tally(),
            };
        }
        tally.instrument = InstrumentTally {
            under_way: Duration::from_nanos(self.under_way_ns),
            limits_hit: self.limits_hit,
            ..InstrumentTally::default()
        };
        for (name, requests) in &self.operations {
            let operation = tally.operation_mut(name.parse().ok()?);
            operation.requests = requests.requests;
            operation.failures.clone_from(&requests.errors);
            operation.retries = requests.retries;
        }
        for distribution in Distribution::all() {
            if let Some(exact) = self.distributions.get(&distribution.to_string()) {
                let entry = log
                    .next()
                    .filter(|entry| entry.distribution == distribution)?;
                *distribution.of_mut(&mut tally) = Latencies::restored(&entry.histogram, *exact)?;
            }
        }
        Some(Interval {
            stage: self.stage,
            index: self.index,
            start: Moment::from_nanoseconds(self.start_ns),
            length: Duration::from_nanos(self.length_ns),
            tally,
            cpu: self.cpu,
        })
    }
}

impl Rentals {
    const fn of(tally: &RentalTally) -> Self {
        Self {
            started: tally.started,
            peak_in_flight: tally.peak_in_flight,
            delivered: tally.delivered,
            confirmed: tally.confirmed,
            expired: tally.expired,
            abandoned: tally.abandoned,
            failed: tally.failed,
            polls_delivered: tally.polls_delivered,
            polls_undelivered: tally.polls_undelivered,
            lag_strategy_us: tally.lag_shares.strategy,
            lag_server_us: tally.lag_shares.server,
            lag_generator_us: tally.lag_shares.generator,
            fingerprint: tally.fingerprint,
        }
    }

    fn tally(self) -> RentalTally {
        RentalTally {
            started: self.started,
            peak_in_flight: self.peak_in_flight,
            delivered: self.delivered,
            confirmed: self.confirmed,
            expired: self.expired,
            abandoned: self.abandoned,
            failed: self.failed,
            polls_delivered: self.polls_delivered,
            polls_undelivered: self.polls_undelivered,
            lag_shares: LagShares {
                strategy: self.lag_strategy_us,
                server: self.lag_server_us,
                generator: self.lag_generator_us,
            },
            fingerprint: self.fingerprint,
            ..RentalTally::default()
        }
    }
}

/// As a plain number; 584 years at most.
pub fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The seconds of a record in order, up to the first line or histogram that is
/// damaged or missing; and the run's end, if that was reached.
pub fn read(
    record: &str,
    log: &[u8],
    each: &mut dyn FnMut(&About, &Interval),
) -> Option<(About, Option<End>)> {
    let mut lines = lines(record);
    let Some(Line::Run(about)) = lines.next() else {
        return None;
    };
    let mut entries = crate::hlog::entries(log);
    for line in lines {
        match line {
            Line::Second(second) => match second.interval(&mut entries) {
                Some(interval) => each(&about, &interval),
                None => break,
            },
            Line::End(end) => return Some((about, Some(end))),
            Line::Run(_) => break,
        }
    }
    Some((about, None))
}

/// The seconds of a record without their histograms.
pub fn seconds(record: &str) -> impl Iterator<Item = Second> {
    lines(record).filter_map(|line| match line {
        Line::Second(second) => Some(*second),
        Line::Run(_) | Line::End(_) => None,
    })
}

/// The lines of a record, up to the first that is damaged.
fn lines(record: &str) -> impl Iterator<Item = Line> {
    record
        .lines()
        .map_while(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Times;
    use crate::hlog;

    /// A second with something in every field.
    fn interval() -> Interval {
        let mut tally = Tally::default();
        let times = |answered| Times {
            intended: Moment::START,
            sent: Moment::from_nanoseconds(5_000),
            answered: Moment::from_nanoseconds(answered),
        };
        for (nanoseconds, failure) in [
            (70_000, None),
            (90_000, Some(Failure::Status(503))),
            (90_000, Some(Failure::Status(503))),
            (90_000, Some(Failure::Reset)),
            (7_200_000_000_000, Some(Failure::Timeout)),
        ] {
            tally.request(Operation::CheckOtp, times(nanoseconds), failure);
        }
        tally.mismatch();
        tally.rentals = Rentals {
            started: 1,
            peak_in_flight: 2,
            delivered: 3,
            confirmed: 4,
            expired: 5,
            abandoned: 6,
            failed: 7,
            polls_delivered: 8,
            polls_undelivered: 9,
            lag_strategy_us: 10,
            lag_server_us: 11,
            lag_generator_us: 12,
            fingerprint: u64::MAX,
        }
        .tally();
        tally.rentals.detection_lag.record(Duration::from_millis(3));
        (tally.offered, tally.achieved) = (13, 14);
        tally.instrument.limits_hit = 15;
        (tally.held, tally.turned_away) = (20, 21);
        tally.webhooks.received = 23;
        tally.webhooks.lost = 24;
        tally.operation_mut(Operation::CheckOtp).retries = 22;
        for place in [Place(0), Place(1)] {
            tally.population(place).request(place.0 == 1);
            tally.rentals(Some(place), |rentals| {
                rentals.delivered += 1;
                rentals.detection_lag.record(Duration::from_millis(4));
            });
        }
        tally.instrument.under_way = Duration::from_nanos(16);
        Interval {
            stage: Stage::Load,
            index: 17,
            start: Moment::from_nanoseconds(18),
            length: Duration::from_nanos(19),
            tally,
            cpu: Some(0.20),
        }
    }

    #[test]
    fn a_second_comes_back_as_it_was() {
        let interval = interval();
        let (second, log) = (Second::of(&interval), hlog::lines(&interval, false));
        let line = Line::Second(Box::new(second.clone())).text();
        assert_eq!(seconds(&line).next().as_ref(), Some(&second));
        let mut entries = hlog::entries(log.as_bytes());
        let back = second.interval(&mut entries).expect("all is there");
        assert_eq!(Second::of(&back), second);
        let (written, read) = (
            interval.tally.operation(Operation::CheckOtp),
            back.tally.operation(Operation::CheckOtp),
        );
        assert_eq!(read.failures, written.failures);
        assert_eq!(read.response.summary(), written.response.summary());
        assert_eq!(read.response.overflow(), 1);
        assert_eq!(back.tally.failures(), interval.tally.failures());
    }

    #[test]
    fn a_second_without_its_histograms_is_none() {
        let interval = interval();
        let (second, log) = (Second::of(&interval), hlog::lines(&interval, false));
        let without_first = log.split_once('\n').map_or("", |(_, rest)| rest);
        for damaged in ["", without_first] {
            let mut entries = hlog::entries(damaged.as_bytes());
            assert!(second.interval(&mut entries).is_none());
        }
        assert!(read(&Line::End(END).text(), b"", &mut |_, _| {}).is_none());
    }

    const END: End = End {
        duration_ns: 1,
        window_ns: 1,
        interrupted: false,
        ledger: None,
    };

    #[test]
    fn only_first_seconds_of_the_load_warm_up() {
        let mut second = Second::of(&interval());
        (second.stage, second.index) = (Stage::Load, 3);
        assert_eq!((second.warms_up(3), second.warms_up(4)), (false, true));
        second.stage = Stage::Opening;
        assert!(!second.warms_up(4));
    }
}
