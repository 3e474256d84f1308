//! What a worker keeps of each of its connections: enough to see that it
//! stalls and to call it back, without the connection having to look at a timer
//! and a lock whenever bytes arrive. With 512 busy connections that saves two
//! per cent of the CPU time per poll (`benches/peers`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use tokio::task::AbortHandle;

use crate::arrival::Arrival;

/// The connection's end of the leash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leash(Arc<Pull>);

#[derive(Debug, Default)]
struct Pull {
    called_back: AtomicBool,
    /// The connection's task, once it runs; a task keeps its waker for life.
    waker: OnceLock<Waker>,
}

impl Leash {
    /// Lets the worker reach the task that is being polled.
    pub(crate) fn hold(&self, waker: &Waker) {
        self.0.waker.get_or_init(|| waker.clone());
    }

    /// Whether the connection should finish what is in flight and end.
    pub(crate) fn is_called_back(&self) -> bool {
        self.0.called_back.load(Ordering::Acquire)
    }

    fn call_back(&self) {
        self.0.called_back.store(true, Ordering::Release);
        if let Some(waker) = self.0.waker.get() {
            waker.wake_by_ref();
        }
    }
}

/// The worker's end: one connection.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) leash: Leash,
    pub(crate) arrival: Arrival,
    pub(crate) task: AbortHandle,
    /// The request that was under way at the last look.
    pub(crate) suspect: Option<u64>,
}

impl Held {
    /// Whether the connection still is one.
    pub(crate) fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }

    /// Ends the connection if the same request was under way at the last look; whether it was.
    pub(crate) fn end_if_stalled(&mut self) -> bool {
        let suspect = self.arrival.under_way();
        let stalled = suspect.is_some() && suspect == self.suspect;
        if stalled {
            self.task.abort();
        }
        self.suspect = suspect;
        stalled
    }

    /// Asks the connection to finish what is in flight and end.
    pub(crate) fn call_back(&self) {
        self.leash.call_back();
    }
}
