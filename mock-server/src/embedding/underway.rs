//! What takes time: it happens on a thread of the mock's own, so that a test may
//! await it in any runtime, or wait for it in none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::worker;

/// What is under way. It goes on whether or not anybody waits for it.
#[derive(Debug)]
#[must_use = "await it, or wait for it with `done`"]
pub struct Underway<T>(oneshot::Receiver<T>);

const ENDS: &str = "invariant: whoever waits keeps the thread";

impl<T> Underway<T> {
    /// Waits until it is done, in a test that is not asynchronous.
    ///
    /// # Panics
    ///
    /// In an asynchronous test, whose runtime it would stop: await it there.
    pub fn done(self) -> T {
        self.0.blocking_recv().expect(ENDS)
    }
}

impl<T> Future for Underway<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let received = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(received.expect(ENDS))
    }
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The thread; it ends when nobody can give it anything to do any more.
#[derive(Clone, Debug)]
pub(super) struct Hands(UnboundedSender<Job>);

impl Hands {
    pub(super) fn start() -> io::Result<Self> {
        let (sender, jobs) = unbounded_channel();
        // It is left to end by itself: an account may outlive its mock.
        worker::spawn("otplab-hands", work(jobs))?;
        Ok(Self(sender))
    }

    /// Begins at once.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Underway<T> {
        let (sender, receiver) = oneshot::channel();
        // Kept until the work is done, so that the thread is.
        let hands = self.clone();
        let job = async move {
            let _ = sender.send(work.await);
            drop(hands);
        };
        self.0
            .send(Box::pin(job))
            .unwrap_or_else(|_| unreachable!("invariant: the thread lives as long as a sender"));
        Underway(receiver)
    }
}

async fn work(mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        tokio::spawn(job);
    }
}
