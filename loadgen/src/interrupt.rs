//! Ctrl-C: the first ends the arrivals and lets customers finish, the second
//! ends everything at once. Results are written either way.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How urgently the run should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    None,
    /// No new customers.
    Drain,
    /// Now.
    Stop,
}

/// What the user wants, for everyone to watch.
#[derive(Clone, Debug)]
pub struct Interrupt {
    wish: watch::Receiver<Urgency>,
    /// For those who hear of the wish otherwise than by a signal.
    voice: watch::Sender<Urgency>,
    /// Lesser wishes are not heeded.
    least: Urgency,
}

impl Interrupt {
    /// Nobody will interrupt.
    #[must_use]
    pub fn never() -> Self {
        Self::manual().1
    }

    /// An interrupt in the caller's hands, for tests.
    pub fn manual() -> (watch::Sender<Urgency>, Self) {
        let (sender, wish) = watch::channel(Urgency::None);
        let interrupt = Self {
            wish,
            voice: sender.clone(),
            least: Urgency::Drain,
        };
        (sender, interrupt)
    }

    /// Watches SIGINT and SIGTERM, on a thread of its own, until the process ends.
    ///
    /// # Errors
    ///
    /// When the operating system denies a thread or a signal handler.
    pub fn listen() -> io::Result<Self> {
        let (sender, interrupt) = Self::manual();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let guard = runtime.enter();
        let (mut interrupted, mut terminated) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        drop(guard);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    loop {
                        tokio::select! {
                            _ = interrupted.recv() => {}
                            _ = terminated.recv() => {}
                        }
                        sender.send_modify(|wish| *wish = wish.next());
                    }
                });
            })?;
        Ok(interrupt)
    }

    /// What a signal does: the first time ends the arrivals, the second everything.
    pub fn urge(&self) {
        self.voice.send_modify(|wish| *wish = wish.next());
    }

    /// The same, for work that is done even after the first Ctrl-C.
    #[must_use]
    pub(crate) fn only_stop(&self) -> Self {
        Self {
            wish: self.wish.clone(),
            voice: self.voice.clone(),
            least: Urgency::Stop,
        }
    }

    /// What the user wants now.
    pub fn urgency(&self) -> Urgency {
        let wish = *self.wish.borrow();
        if wish >= self.least {
            wish
        } else {
            Urgency::None
        }
    }

    /// Returns when there is a wish that was not heeded yet.
    pub(crate) async fn changed(&mut self) {
        let least = self.least;
        while self.wish.changed().await.is_ok() {
            if *self.wish.borrow_and_update() >= least {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

impl Urgency {
    const fn next(self) -> Self {
        match self {
            Self::None => Self::Drain,
            Self::Drain | Self::Stop => Self::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_a_signal_says() {
        let interrupt = Interrupt::never();
        let closing = interrupt.only_stop();
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push((interrupt.urgency(), closing.urgency()));
            interrupt.clone().urge();
        }
        let none = Urgency::None;
        assert_eq!(
            seen,
            [
                (none, none),
                (Urgency::Drain, none),
                (Urgency::Stop, Urgency::Stop)
            ]
        );
    }
}
