//! A request that was seen, and how much can be said about another that came
//! later: whether it was sent by somebody who knew the answer, and how long after.

use std::time::Duration;

use contract::Moment;

use crate::journal::Entry;
use crate::reply::{Delivery, Reply};
use crate::request::Connection;

/// Timers of some languages fire a little early, in real time.
const TIMER: Duration = Duration::from_millis(5);

/// A request and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) entry: Entry,
    /// When it came, in the server's time.
    pub(super) at: Moment,
    /// When its answer had left, in the server's time; when it came, if it has none.
    pub(super) left: Moment,
    pub(super) connection: Option<Connection>,
    /// Whether its connection ended with the answer.
    pub(super) closes: bool,
    /// Whether its body could be read by a client.
    pub(super) readable: bool,
}

impl Past {
    /// A request that came at `at`, and the reply to it.
    pub(super) fn new(
        entry: Entry,
        at: Moment,
        (connection, reply): (Option<Connection>, &Reply),
    ) -> Self {
        let left = match reply.delivery {
            Delivery::Trickle { at, over } => at + over,
            other => other.at().unwrap_or(at),
        };
        Self {
            entry,
            at,
            left: left.max(at),
            connection,
            closes: !matches!(
                reply.delivery,
                Delivery::Whole { .. } | Delivery::Trickle { .. }
            ),
            readable: reply.is_readable(),
        }
    }

    /// Whether a good answer came back, which the client could read.
    pub(super) fn succeeded(&self) -> bool {
        self.readable && self.entry.status.is_some_and(|status| status < 300)
    }

    /// Whether `next` was sent in knowledge of this answer: after it, and over the same
    /// connection or one that was opened since. Another connection may be another
    /// worker's, which knew nothing of it.
    pub(super) fn is_known_to(&self, next: &Self) -> bool {
        next.at >= self.left
            && match (self.connection, next.connection) {
                (Some(this), Some(other)) => {
                    this.number == other.number || other.since >= self.left
                }
                _ => true,
            }
    }
}

/// How an account's time has run since some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How fast; 0 if it stands still.
    pub(super) pace: f64,
    /// Since when, in the server's time.
    pub(super) since: Moment,
}

impl Pace {
    /// Real time, of nobody's clock.
    pub(super) const REAL: Self = Self {
        pace: 1.0,
        since: Moment::START,
    };

    /// From one moment of the server's time to another in the account's; `None` if its
    /// clock stood still or was moved in between, for then pauses mean nothing.
    pub(super) fn between(self, earlier: Moment, later: Moment) -> Option<Duration> {
        let steady = self.pace > 0.0 && self.since <= earlier;
        steady.then(|| self.scaled(later.since(earlier)))
    }

    /// By how much a timer may be early, in the account's time.
    pub(super) fn timer(self) -> Duration {
        self.scaled(TIMER)
    }

    fn scaled(self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.pace).unwrap_or(Duration::MAX)
    }
}
