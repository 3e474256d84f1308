//! A connection's socket, which two have in hand: hyper, who reads from it and
//! writes to it, and the connection, who knows when hyper has nothing more to
//! say and sends what it wrote. So the answers to a pipeline leave together.
//! How the connection ends is `ending`'s.
//!
//! hyper's own `pipeline_flush` is no substitute: it sends nothing while unread
//! bytes are buffered, and so holds answers back for a request that waits, for
//! one that is half way in, and for ever before a head that it refuses. This
//! is five times as fast for polls that come 16 deep, and no dearer for a poll
//! on its own (`benches/speed`).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::socket::Socket;

/// Bytes that are kept at most; then writing is sending. Some seventy polls, or
/// most of the longest page of a history.
const LIMIT: usize = 16 * 1024;

/// A socket and what is not yet sent through it. All clones are the same.
///
/// The lock only lets the connection's task reach what hyper has in its hands:
/// the task alone ever takes it.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<Ends>>);

#[derive(Debug)]
struct Ends {
    socket: Socket,
    unsent: Vec<u8>,
}

impl Wire {
    /// With nothing to send.
    pub(crate) fn new(socket: Socket) -> Self {
        let unsent = Vec::new();
        Self(Arc::new(Mutex::new(Ends { socket, unsent })))
    }

    /// Reads from the socket.
    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.ends().socket).poll_read(context, buffer)
    }

    /// Takes as much of `slices` as there is room for, and makes room if there is none.
    pub(crate) fn poll_take(
        &self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.ends();
        if ends.room() == 0 {
            ready!(ends.poll_send(context))?;
        }
        Poll::Ready(Ok(ends.take(slices)))
    }

    /// Sends everything.
    pub(crate) fn poll_send(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ends().poll_send(context)
    }

    /// The socket alone, if this is the last clone.
    pub(crate) fn into_socket(self) -> Option<Socket> {
        let ends = Arc::into_inner(self.0)?.into_inner();
        ends.ok().map(|ends| ends.socket)
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0
            .lock()
            .expect("invariant: nothing panics while it has the lock")
    }
}

impl Ends {
    fn room(&self) -> usize {
        LIMIT - self.unsent.len()
    }

    fn take(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let before = self.unsent.len();
        for slice in slices {
            let taken = slice.len().min(self.room());
            self.unsent.extend_from_slice(&slice[..taken]);
        }
        self.unsent.len() - before
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let socket = Pin::new(&mut self.socket);
            match ready!(socket.poll_write(context, &self.unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => drop(self.unsent.drain(..sent)),
            }
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }
}
