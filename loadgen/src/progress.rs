//! The live display: how the run stands while it lasts. On stderr and only on
//! a terminal; results go elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
pub use loadgen_core::interval::Stage;
use loadgen_core::interval::{Standing, Totals};
use loadgen_core::units;

/// How a run, or one worker's part of it, stands.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Users alive.
    pub alive: u32,
    /// Polls so far.
    pub polls: u64,
    /// Failed requests so far.
    pub failures: u64,
    /// Rentals that ended so far.
    pub ended: u64,
    /// 99th percentile of the polls' response times in the last whole second,
    /// in microseconds.
    pub poll_p99: Option<u64>,
}

impl Snapshot {
    pub(crate) fn of(standing: Standing<'_>, alive: u32) -> Self {
        let mut totals: Totals = standing.before;
        totals.add(standing.current);
        Self {
            alive,
            polls: totals.polls,
            failures: totals.failures,
            ended: totals.ended,
            poll_p99: None,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.alive += other.alive;
        self.polls += other.polls;
        self.failures += other.failures;
        self.ended += other.ended;
    }
}

/// Where a worker pins its latest snapshot.
#[derive(Debug, Default)]
pub(crate) struct Board {
    // Touched five times a second by the worker and by the display.
    latest: Mutex<Snapshot>,
}

impl Board {
    pub(crate) fn post(&self, snapshot: Snapshot) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    pub(crate) fn read(boards: &[Self]) -> Snapshot {
        let mut sum = Snapshot::default();
        for board in boards {
            sum.merge(&board.latest.lock().unwrap_or_else(PoisonError::into_inner));
        }
        sum
    }
}

/// Something that shows how the run stands, five times a second.
pub trait Display {
    /// Shows the latest state of `stage`.
    fn show(&mut self, stage: Stage, snapshot: &Snapshot);
    /// Takes away what it shows: a phase has ended.
    fn clear(&mut self);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Display for Silent {
    fn show(&mut self, _: Stage, _: &Snapshot) {}

    fn clear(&mut self) {}
}

/// A progress bar on stderr.
#[derive(Debug)]
pub struct Bar {
    /// What is on the screen now.
    bar: Option<ProgressBar>,
    /// How long users start, if that is the limit.
    duration: Option<Duration>,
    /// How many users start, if that is the limit.
    count: Option<u64>,
    began: Option<Instant>,
    /// When the polls were last counted, and how many there were.
    last: (Instant, u64),
}

impl Bar {
    /// A bar for a run of this length; it stays invisible where stderr is not a terminal.
    pub fn new(duration: Option<Duration>, count: Option<u64>) -> Self {
        Self {
            bar: None,
            duration,
            count,
            began: None,
            last: (Instant::now(), 0),
        }
    }

    /// From 0 to 1, by the limit that is nearer.
    fn progress(&self, elapsed: Duration, snapshot: &Snapshot) -> f64 {
        let by_time = self
            .duration
            .map(|limit| elapsed.as_secs_f64() / limit.as_secs_f64().max(1e-9));
        let done = snapshot
            .ended
            .max(snapshot.polls.min(self.count.unwrap_or(0)));
        let by_count = self.count.map(|limit| done as f64 / limit.max(1) as f64);
        by_time
            .into_iter()
            .chain(by_count)
            .fold(0.0, f64::max)
            .min(1.0)
    }

    fn message(&mut self, elapsed: Duration, progress: f64, snapshot: &Snapshot) -> String {
        let now = Instant::now();
        let since = now.duration_since(self.last.0).as_secs_f64().max(1e-3);
        let rate = snapshot.polls.saturating_sub(self.last.1) as f64 / since;
        self.last = (now, snapshot.polls);
        let remaining = if progress >= 1.0 {
            "last rentals".to_owned()
        } else {
            let left = elapsed.as_secs_f64() * (1.0 - progress) / progress.max(1e-3);
            format!("{left:.0}s left")
        };
        let p99 = snapshot.poll_p99;
        format!(
            "{:.0}s, {remaining} · {} in flight · {} polls/s · p99 {} · {} errors",
            elapsed.as_secs_f64(),
            units::count(u64::from(snapshot.alive)),
            units::count(rate.round() as u64),
            p99.map_or_else(|| "n/a".to_owned(), |value| units::time(value as f64)),
            units::count(snapshot.failures),
        )
    }
}

impl Display for Bar {
    fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        let (position, message) = match stage {
            Stage::Opening => (0.0, "reading balances".to_owned()),
            Stage::SetUp => (0.0, "renting numbers to poll".to_owned()),
            Stage::Closing => (1.0, "reading balances again".to_owned()),
            Stage::Load => {
                let elapsed = self.began.get_or_insert_with(Instant::now).elapsed();
                let progress = self.progress(elapsed, snapshot);
                (progress, self.message(elapsed, progress, snapshot))
            }
        };
        let bar = self.bar.get_or_insert_with(bar);
        bar.set_position((position * 1000.0) as u64);
        bar.set_message(message);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{msg} {wide_bar:.cyan/dim}");
    bar.set_style(style.expect("the template is fixed").progress_chars("━╸─"));
    bar
}
