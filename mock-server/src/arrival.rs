//! Whether a request is half way in. A connection may stay idle as long as it
//! likes, since pools of clients do; a request that has begun must arrive.
//!
//! hyper's own timeout for heads also ends idle connections, and sets a timer
//! for every request. This costs one plain write per read and one per request.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::Wire;

/// Twice the number of requests that arrived, plus one while another is on its way.
///
/// One task reads the socket and serves the requests, so no order is asked of
/// the atomic and nobody else writes to it; it is one because that task may be
/// handed between threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival(Arc<AtomicU64>);

impl Arrival {
    /// Some bytes came.
    pub(crate) fn begun(&self) {
        self.0.store(self.odd(), Ordering::Relaxed);
    }

    /// A request is complete.
    pub(crate) fn complete(&self) {
        self.0.store(self.odd() + 1, Ordering::Relaxed);
    }

    /// Whether the request that is complete is the connection's first.
    pub(crate) fn is_first(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 2
    }

    fn odd(&self) -> u64 {
        self.0.load(Ordering::Relaxed) | 1
    }

    /// Names the request that is on its way, if one is.
    pub(crate) fn under_way(&self) -> Option<u64> {
        let count = self.0.load(Ordering::Relaxed);
        (count % 2 == 1).then_some(count)
    }
}

/// A socket as hyper has it: reports what it reads to an [`Arrival`], and
/// leaves on the [`Wire`] what it writes.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) wire: Wire,
    pub(crate) arrival: Arrival,
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = self.wire.poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.arrival.begun();
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.poll_take(context, &[IoSlice::new(bytes)])
    }

    /// Nothing: the connection sends when hyper has nothing more to say.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing: how the connection ends is `ending`'s.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_under_way_from_its_first_byte_to_its_last() {
        let arrival = Arrival::default();
        assert_eq!(arrival.under_way(), None);
        arrival.begun();
        let first = arrival.under_way();
        arrival.begun();
        assert!(first.is_some() && arrival.under_way() == first);
        arrival.complete();
        assert_eq!(arrival.under_way(), None);
        arrival.complete();
        arrival.begun();
        assert_ne!(arrival.under_way(), first);
    }
}
