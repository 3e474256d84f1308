//! The body of an answer on its way out: whole, or cut short or slowed down on
//! purpose.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::feed::EventStream;
use crate::trickle::{Pace, Trickle};

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
        /// What comes of the connection then.
        end: CutShort,
    },
    /// All of it, in parts.
    Trickle(Box<Trickle>),
    /// What happens, when it happens.
    Events(Box<EventStream>),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CutShort {
    /// The connection is to end in order.
    #[error("cut short by a fault rule")]
    Close,
    /// The connection is to be reset.
    #[error("cut short and reset by a fault rule")]
    Reset,
}

impl ReplyBody {
    /// The whole of `bytes`.
    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }

    /// The first `length` of `bytes`, all of which are announced, and then `end`.
    pub(crate) fn cut(bytes: &Bytes, length: usize, end: CutShort) -> Self {
        Self::Cut {
            part: bytes.slice(..length.min(bytes.len())),
            announced: bytes.len() as u64,
            progress: CutProgress::Fresh,
            end,
        }
    }

    /// All of `bytes`, in parts.
    pub(crate) fn trickle(bytes: Bytes, pace: Pace) -> Self {
        Self::Trickle(Box::new(Trickle::new(bytes, pace)))
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
            Self::Trickle(trickle) => trickle.poll_part(context),
            Self::Events(events) => events.poll_part(context),
            Self::Cut {
                part,
                progress,
                end,
                ..
            } => match *progress {
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
                CutProgress::Flushed => Poll::Ready(Some(Err(*end))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Cut { .. } | Self::Events(_) => false,
            Self::Trickle(trickle) => trickle.left() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len) as u64,
            Self::Cut { announced, .. } => *announced,
            Self::Trickle(trickle) => trickle.left(),
            Self::Events(_) => return SizeHint::default(),
        })
    }
}
