//! A run in seconds. Each worker cuts what it counts at the full seconds of a
//! phase and hands the slices over; the slices of all workers make an
//! [`Interval`]. Nothing is lost: intervals add up to the run.

use std::fmt;
use std::mem;
use std::sync::mpsc::Sender;
use std::time::Duration;

use contract::Moment;
use serde::{Deserialize, Serialize};

use crate::tally::Tally;

/// How long an interval is.
pub const LENGTH: Duration = Duration::from_secs(1);

/// Which phase of a run is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading the balances.
    Opening,
    /// Making rentals to poll.
    SetUp,
    /// The load.
    Load,
    /// Reading the balances again.
    Closing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Opening => "opening",
            Self::SetUp => "set_up",
            Self::Load => "load",
            Self::Closing => "closing",
        })
    }
}

/// What one worker counted in one second of a phase. A request belongs to the
/// second in which it was answered.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Which second of the phase, from 0.
    pub index: u32,
    /// What was counted.
    pub tally: Box<Tally>,
}

/// What all workers counted in one second of a phase.
#[derive(Clone, Debug)]
pub struct Interval {
    /// The phase.
    pub stage: Stage,
    /// Which second of the phase, from 0.
    pub index: u32,
    /// When it began.
    pub start: Moment,
    /// A second, or less at the end of the phase.
    pub length: Duration,
    /// What was counted.
    pub tally: Tally,
    /// The share of the time that the busiest worker thread spent on a
    /// processor, if the operating system tells.
    pub cpu: Option<f64>,
}

/// Cuts a worker's counts into seconds.
#[derive(Debug)]
pub(crate) struct Cutter {
    slices: Sender<Slice>,
    start: Moment,
    index: u32,
}

impl Cutter {
    pub(crate) const fn new(slices: Sender<Slice>, start: Moment) -> Self {
        Self {
            slices,
            start,
            index: 0,
        }
    }

    /// When the current second ends.
    pub(crate) fn end(&self) -> Moment {
        self.start + LENGTH * (self.index + 1)
    }

    /// Hands over the current second's counts and begins the next with none.
    pub(crate) fn cut(&mut self, tally: &mut Tally) {
        let tally = Box::new(mem::take(tally));
        // Nobody listens any more when the run has failed elsewhere.
        let _ = self.slices.send(Slice {
            index: self.index,
            tally,
        });
        self.index += 1;
    }
}

/// How a fleet stands: what it has counted, of which the last second in full.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What was handed over.
    pub before: Totals,
    /// What was not.
    pub current: &'a Tally,
}

/// A few counts of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Polls.
    pub polls: u64,
    /// Failed requests.
    pub failures: u64,
    /// Rentals that ended.
    pub ended: u64,
}

impl Totals {
    /// Adds the counts of `tally`.
    pub fn add(&mut self, tally: &Tally) {
        self.polls += tally.operation(contract::Operation::CheckOtp).requests;
        self.failures += tally.failures();
        self.ended += tally.rentals.ended();
    }
}
