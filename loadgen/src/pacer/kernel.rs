//! Linux: a timer of the kernel that the worker's own event loop waits for
//! beside its sockets. It has nanoseconds and no slack, and no other thread
//! takes part (bench: slip in `benches/load`).

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An alarm clock with one alarm.
#[derive(Debug)]
pub(crate) struct Pacer {
    timer: AsyncFd<OwnedFd>,
    due: Cell<Option<Instant>>,
}

impl Pacer {
    /// A pacer without an alarm, for the runtime that runs this.
    pub(crate) fn start() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(
            deprecated,
            reason = "unsound for types that may change their descriptor; an OwnedFd never does, \
                      and the successor would need unsafe code"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Self {
            timer,
            due: Cell::new(None),
        })
    }

    /// Sets the alarm; `None` clears it.
    pub(crate) fn set(&self, due: Option<Instant>) {
        if self.due.replace(due) == due {
            return;
        }
        // Zero would clear the timer.
        let left = |due: Instant| {
            due.saturating_duration_since(Instant::now())
                .max(Duration::from_nanos(1))
        };
        let value = Itimerspec {
            it_interval: timespec(Duration::ZERO),
            it_value: timespec(due.map_or(Duration::ZERO, left)),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)
            .expect("invariant: a timer of our own takes any duration");
    }

    /// Returns when the alarm has rung.
    pub(crate) async fn rung(&self) {
        // The timer is never read: each expiry is an event of its own, and
        // setting the timer forgets the expiries before.
        if let Ok(mut ready) = self.timer.readable().await {
            ready.clear_ready();
        }
        self.due.set(None);
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
