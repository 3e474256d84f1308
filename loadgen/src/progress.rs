//! How a run stands while it lasts, between the workers that know and whoever
//! shows it. What that looks like is decided elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use loadgen_core::interval::Stage;
use loadgen_core::interval::{Standing, Totals};

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
    /// Since the phase began.
    pub elapsed: Duration,
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
            elapsed: Duration::ZERO,
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
