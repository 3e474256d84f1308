//! Anywhere: a thread that waits on a condition variable. The kernel wakes it
//! within some fifty microseconds, and it wakes the worker.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::Notify;

/// An alarm clock with one alarm. Dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Pacer {
    alarm: Arc<Alarm>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Alarm {
    // A std mutex: it is held for a few instructions, and the thread that
    // waits on it has no runtime.
    state: Mutex<State>,
    changed: Condvar,
    rung: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When to ring; `None` when there is nothing to wait for.
    due: Option<Instant>,
    /// Until when the thread sleeps; `None` when it sleeps for ever.
    asleep_until: Option<Instant>,
    ended: bool,
}

impl Pacer {
    /// A pacer without an alarm.
    pub(crate) fn start() -> std::io::Result<Self> {
        let alarm = Arc::new(Alarm {
            state: Mutex::default(),
            changed: Condvar::new(),
            rung: Notify::new(),
        });
        let thread = std::thread::Builder::new()
            .name("pacer".to_owned())
            .spawn({
                let alarm = Arc::clone(&alarm);
                move || alarm.ring_until_ended()
            })?;
        Ok(Self {
            alarm,
            thread: Some(thread),
        })
    }

    /// Sets the alarm; `None` clears it.
    pub(crate) fn set(&self, due: Option<Instant>) {
        let mut state = self.alarm.lock();
        state.due = due;
        // The thread looks at the alarm when it wakes, so it has to be woken
        // only if it would sleep too long.
        let too_late = |until: Option<Instant>| until.is_none_or(|until| Some(until) > due);
        if due.is_some() && too_late(state.asleep_until) {
            drop(state);
            self.alarm.changed.notify_one();
        }
    }

    /// Returns when the alarm has rung.
    pub(crate) async fn rung(&self) {
        self.alarm.rung.notified().await;
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.alarm.lock().ended = true;
        self.alarm.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked: it takes no input but instants.
            let _ = thread.join();
        }
    }
}

impl Alarm {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is two instants.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_until_ended(&self) {
        let mut state = self.lock();
        while !state.ended {
            let now = Instant::now();
            if state.due.is_some_and(|due| due <= now) {
                state.due = None;
                self.rung.notify_one();
            }
            state.asleep_until = state.due;
            state = match state.due {
                Some(due) => {
                    let result = self
                        .changed
                        .wait_timeout(state, due.saturating_duration_since(now));
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let result = self.changed.wait(state);
                    result.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}
