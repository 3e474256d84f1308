//! The wall behind the moments: the only place of this crate that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use contract::Moment;

/// Counts from the start of the run. Monotonic.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// A clock that stands at [`Moment::START`].
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment::from(self.started.elapsed())
    }

    /// A moment of this run as the operating system counts it.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.started + moment.since_start()
    }
}

/// The time of day, in seconds since 1970: a label for people, never subtracted.
pub(crate) fn unix_seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
