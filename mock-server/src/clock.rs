//! The one place of the server where time is measured. The core is told.

use std::future::pending;
use std::time::Instant;

use contract::Moment;
use jiff::Timestamp;

/// Counts from the start of the server, by a clock that is never set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting; also what the wall clock shows at this moment.
    pub(crate) fn start() -> (Self, Timestamp) {
        let start = Instant::now();
        (Self { start }, Timestamp::now())
    }

    /// How far the run is.
    pub(crate) fn now(self) -> Moment {
        self.start.elapsed().into()
    }

    /// Waits until `moment`, which may be too far away to ever come.
    pub(crate) async fn sleep_until(self, moment: Moment) {
        match self.start.checked_add(moment.since_start()) {
            Some(instant) => tokio::time::sleep_until(instant.into()).await,
            None => pending().await,
        }
    }
}
