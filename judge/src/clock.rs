//! The time since the check began, by the server's clock: where the server's
//! clock is moved, ours moves along. The only place of this crate that reads a clock.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that can be moved forward.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// How far it was moved.
    ahead: Cell<Duration>,
    /// How far it is being moved at this moment.
    moving: Cell<Duration>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            ahead: Cell::default(),
            moving: Cell::default(),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn wall() -> f64 {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH);
        passed.unwrap_or_default().as_secs_f64()
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed() + self.ahead.get()
    }

    /// How long it has been here, whatever was moved.
    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// The latest that it can be at the server.
    pub(crate) fn latest(&self) -> Duration {
        self.now() + self.moving.get()
    }

    /// The server's clock is about to be moved.
    pub(crate) fn begin(&self, step: Duration) {
        self.moving.set(step);
    }

    /// It was moved, or was not.
    pub(crate) fn end(&self, moved: bool) {
        let step = self.moving.take();
        if moved {
            self.ahead.set(self.ahead.get() + step);
        }
    }
}
