//! Waiting on the server for something to happen, so that a test need not poll
//! for it. The core says how the wish stands; this sleeps in between.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mock_server_core::control::Scope;
use mock_server_core::watch::{Watch, Wish};
use tokio::sync::Notify;

use crate::state::State;

/// Those who wait for anything to change.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    /// How many there are: looked at for every request, so that nobody waiting
    /// costs nothing.
    count: AtomicUsize,
    changed: Notify,
}

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// What was waited for is so.
    Happened,
    /// The time was up.
    TimedOut,
    /// It was about a rental that there is not.
    NoSuchRental,
}

impl Watchers {
    /// Something has changed.
    pub(crate) fn tell(&self) {
        if self.count.load(Ordering::Acquire) > 0 {
            self.changed.notify_waiters();
        }
    }
}

/// One who waits, for as long as this lives.
struct Watcher<'a>(&'a Watchers);

impl<'a> Watcher<'a> {
    fn join(watchers: &'a Watchers) -> Self {
        watchers.count.fetch_add(1, Ordering::AcqRel);
        Self(watchers)
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Waits until the wish has come true, or `patience` is at its end.
pub(crate) async fn wait(state: &State, scope: Scope, wish: &Wish, patience: Duration) -> Waited {
    let watcher = Watcher::join(&state.watchers);
    let end = state.clock.now() + patience;
    loop {
        // Registered before looking, so that a change in between is not missed.
        let changed = watcher.0.changed.notified();
        let due = match state.with(|mock, now| mock.watch(now, scope, wish)) {
            Watch::Happened => return Waited::Happened,
            Watch::NoSuchRental => return Waited::NoSuchRental,
            Watch::NotBefore(moment) => moment,
        };
        tokio::select! {
            () = changed => {}
            () = state.clock.sleep_until(due) => {}
            () = state.clock.sleep_until(end) => return Waited::TimedOut,
        }
    }
}
