//! A body that comes in parts with pauses between them. It knows when its next
//! part is due; that it is sent alone is hyper's doing, which flushes whenever a
//! body makes it wait.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use contract::Moment;
use hyper::body::Frame;

use crate::clock::Clock;
use crate::reply_body::CutShort;

/// How slowly a body comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// What the time is told by.
    pub(crate) clock: Clock,
    /// When the head leaves.
    pub(crate) from: Moment,
    /// From there to the last byte.
    pub(crate) over: Duration,
}

/// What of a body is still to come, and when.
pub(crate) struct Trickle {
    rest: Bytes,
    pace: Pace,
    parts: u32,
    sent: u32,
    /// The pause before the next part, once it has begun.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Enough for a client to see progress more than once, and few enough that a
/// short body has a byte for each.
const PARTS: usize = 5;

impl Trickle {
    /// All of `body`, to be sent at this pace.
    pub(crate) fn new(body: Bytes, pace: Pace) -> Self {
        Self {
            parts: body.len().min(PARTS) as u32,
            rest: body,
            pace,
            sent: 0,
            pause: None,
        }
    }

    /// How many bytes are still to come.
    pub(crate) const fn left(&self) -> u64 {
        self.rest.len() as u64
    }

    /// The next part, when it is due.
    pub(crate) fn poll_part(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let Pace { clock, from, over } = self.pace;
        let due = from + over.saturating_mul(self.sent + 1) / self.parts;
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(clock.sleep_until(due)));
        ready!(pause.as_mut().poll(context));
        self.pause = None;
        let length = self.rest.len() / (self.parts - self.sent) as usize;
        self.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }
}

impl fmt::Debug for Trickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trickle")
            .field("rest", &self.rest)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
