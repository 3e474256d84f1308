//! The body of an answer on its way out: whole, or cut short on purpose.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// What hyper is given to send.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// All of it; `None` once it is gone.
    Whole(Option<Bytes>),
    /// Less than is announced.
    Cut {
        /// What is sent.
        part: Bytes,
        /// What is announced.
        announced: u64,
        /// How far it is.
        progress: CutProgress,
    },
}

/// How far a body that will be cut is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutProgress {
    /// Nothing is sent.
    Fresh,
    /// The part is handed over, but may still lie in hyper's buffer.
    HandedOver,
    /// hyper had its chance to flush: now the connection may end.
    Flushed,
}

/// The body ended on purpose before its announced length.
#[derive(Debug, thiserror::Error)]
#[error("cut short by a fault rule")]
pub(crate) struct CutShort;

impl ReplyBody {
    /// The whole of `bytes`.
    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }

    /// The first `length` of `bytes`, all of which are announced.
    pub(crate) fn cut(bytes: &Bytes, length: usize) -> Self {
        Self::Cut {
            part: bytes.slice(..length.min(bytes.len())),
            announced: bytes.len() as u64,
            progress: CutProgress::Fresh,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(Frame::data).map(Ok)),
            Self::Cut { part, progress, .. } => match *progress {
                CutProgress::Fresh => {
                    *progress = CutProgress::HandedOver;
                    Poll::Ready(Some(Ok(Frame::data(part.clone()))))
                }
                // hyper drops what it has buffered when a body fails, but flushes
                // when a body makes it wait: so make it wait once.
                CutProgress::HandedOver => {
                    *progress = CutProgress::Flushed;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                CutProgress::Flushed => Poll::Ready(Some(Err(CutShort))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Cut { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len) as u64,
            Self::Cut { announced, .. } => *announced,
        })
    }
}
