//! What is known of a run while it lasts. Plain values: whoever tells them says
//! what time it is.

use std::time::Duration;

use contract::Operation;
use loadgen_core::interval::{Interval, Stage};
use loadgen_core::latencies::Latencies;
use loadgen_core::outcome::Outcome;
use loadgen_core::record::About;
use loadgen_core::stop::Stop;
use loadgen_core::tally::{RentalTally, Tally};
use loadgen_core::threshold::{Threshold, Verdict};
use loadgen_core::warmup::Warmup;

use super::history::History;
use crate::progress::Snapshot;

/// A run so far.
#[derive(Clone, Debug)]
pub struct State {
    stop: Stop,
    /// The scenario, the server and the seed in words.
    pub(super) heading: String,
    thresholds: Vec<Threshold>,
    warmup: Warmup,
    pub(super) stage: Stage,
    /// The latest counts.
    pub(super) snapshot: Snapshot,
    pub(super) history: History,
    /// The load without its warm-up.
    outcome: Outcome,
    /// The last whole second.
    pub(super) last: Last,
    /// How the thresholds stand.
    pub(super) verdicts: Vec<Verdict>,
    /// Whether the user has asked for the end.
    ending: bool,
}

/// Figures of one second; times in microseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Last {
    pub(super) offered: f64,
    pub(super) answered: f64,
    pub(super) response_p50: Option<u64>,
    pub(super) response_p99: Option<u64>,
    pub(super) slip_p50: Option<u64>,
    pub(super) slip_p99: Option<u64>,
    pub(super) lateness_p99: Option<u64>,
    pub(super) cpu: Option<f64>,
    pub(super) warmup: bool,
}

impl Default for State {
    fn default() -> Self {
        Self::new(Stop::default())
    }
}

impl State {
    /// A run that has not begun, and will end by this rule.
    pub fn new(stop: Stop) -> Self {
        Self {
            stop,
            heading: String::new(),
            thresholds: Vec::new(),
            warmup: Warmup::None,
            stage: Stage::Opening,
            snapshot: Snapshot::default(),
            history: History::default(),
            outcome: Outcome::of_tally(Tally::default(), Duration::ZERO),
            last: Last::default(),
            verdicts: Vec::new(),
            ending: false,
        }
    }

    /// The run begins.
    pub fn begin(&mut self, about: &About) {
        self.heading = format!(
            "{} against {}, seed {}",
            about.scenario, about.server, about.seed
        );
        self.thresholds.clone_from(&about.thresholds);
        self.warmup = about.warmup;
        self.judge();
    }

    /// The user has asked for the end.
    pub const fn end(&mut self) {
        self.ending = true;
    }

    /// Whether the user has asked for the end.
    pub(super) const fn is_ending(&self) -> bool {
        self.ending
    }

    /// The latest counts of a phase.
    pub fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        self.stage = stage;
        self.snapshot = snapshot.clone();
    }

    /// The next whole second; only those of the load are drawn.
    pub fn second(&mut self, interval: &Interval) {
        if interval.stage != Stage::Load {
            // All phases count as requests, but rates and lateness are the load's.
            let mut tally = interval.tally.clone();
            (tally.offered, tally.achieved) = (0, 0);
            tally.instrument.lateness = Latencies::default();
            self.outcome.tally.follow(&tally);
            return self.judge();
        }
        self.history.add(interval);
        let warmup = self.warmup.covers(interval.index);
        self.last = Last::of(interval, warmup);
        if warmup {
            // Rentals are counted over the whole run, their times are not.
            let mut tally = interval.tally.clone();
            self.outcome.tally.take_whole(&mut tally);
        } else {
            self.outcome.tally.follow(&interval.tally);
            self.outcome.window += interval.length;
        }
        self.outcome.duration += interval.length;
        self.judge();
    }

    fn judge(&mut self) {
        let judged = self.thresholds.iter();
        self.verdicts = judged
            .map(|threshold| threshold.judge(&self.outcome))
            .collect();
    }

    /// What became of the rentals so far, up to the last whole second.
    pub(super) const fn rentals(&self) -> &RentalTally {
        &self.outcome.tally.rentals
    }

    /// How long the load lasts, if that is known.
    pub(super) fn expected_seconds(&self) -> Option<u32> {
        let duration = self.stop.duration?;
        u32::try_from(duration.as_secs()).ok()
    }

    /// From 0 to 1, by the limit that is nearer.
    pub(super) fn progress(&self) -> f64 {
        let snapshot = &self.snapshot;
        let share = match self.stage {
            Stage::Opening | Stage::SetUp => 0.0,
            Stage::Closing => 1.0,
            Stage::Load => {
                let elapsed = snapshot.elapsed.as_secs_f64();
                let by_time = self
                    .stop
                    .duration
                    .map(|limit| elapsed / limit.as_secs_f64().max(1e-9));
                let by_count = self.stop.count.map(|limit| {
                    let done = snapshot.ended.max(snapshot.polls.min(limit));
                    done as f64 / limit.max(1) as f64
                });
                by_time.into_iter().chain(by_count).fold(0.0, f64::max)
            }
        };
        share.min(1.0)
    }

    /// What is done now, and how much is left of it.
    pub(super) fn doing(&self) -> String {
        match self.stage {
            Stage::Opening => "reading balances".to_owned(),
            Stage::SetUp => "renting numbers to poll".to_owned(),
            Stage::Closing => "reading balances again".to_owned(),
            Stage::Load => {
                let elapsed = self.snapshot.elapsed.as_secs_f64();
                let left = match self.progress() {
                    _ if self.ending => "ending".to_owned(),
                    done if done >= 1.0 => "last rentals".to_owned(),
                    done if done <= 0.0 => "no end in sight".to_owned(),
                    done => format!("{:.0}s left", elapsed * (1.0 - done) / done),
                };
                let warmup = if self.last.warmup { ", warm-up" } else { "" };
                format!("{elapsed:.0}s, {left}{warmup}")
            }
        }
    }
}

impl Last {
    fn of(interval: &Interval, warmup: bool) -> Self {
        let tally = &interval.tally;
        let polls = tally.operation(Operation::CheckOtp);
        let length = interval.length.as_secs_f64().max(1e-3);
        Self {
            offered: tally.offered as f64 / length,
            answered: tally.requests() as f64 / length,
            response_p50: polls.response.percentile(0.5),
            response_p99: polls.response.percentile(0.99),
            slip_p50: polls.slip.percentile(0.5),
            slip_p99: polls.slip.percentile(0.99),
            lateness_p99: tally.instrument.lateness.percentile(0.99),
            cpu: interval.cpu,
            warmup,
        }
    }
}
