//! When a run ends. Independent of how users arrive and of what they do.

use std::time::Duration;

use contract::Moment;

/// When no more users start, and how long those alive may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// No user starts later than this after the first.
    pub duration: Option<Duration>,
    /// No more users than this.
    pub count: Option<u64>,
    /// After `duration`, users that still wait give up after this long;
    /// `None` lets each wait until its own deadline.
    pub drain: Option<Duration>,
}

impl Stop {
    /// The end of the arrivals of a phase that begins at `start`.
    pub fn last_start(&self, start: Moment) -> Moment {
        self.duration
            .map_or(Moment::NEVER, |duration| start + duration)
    }

    /// The end of all waiting, if the arrivals end at `last_start`.
    pub fn last_wait(&self, last_start: Moment) -> Moment {
        self.drain.map_or(Moment::NEVER, |drain| last_start + drain)
    }
}
