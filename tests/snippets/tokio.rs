//! As much of tokio as a client needs that does one thing at a time.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub mod time {
    pub use std::time::Instant;

    pub async fn sleep_until(due: Instant) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
