//! Reading a request's body, with a bound on what is kept.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mock_server_core::Body;

use crate::limits::BodyBytes;

/// What is read of a body beyond the limit. A client that is still sending when
/// the connection closes may lose the answer that tells it why, so some more is
/// read and thrown away.
const PATIENCE: usize = 1024 * 1024;

/// A body, as far as it came.
#[derive(Debug)]
pub(crate) enum ReadBody {
    /// All of it.
    Whole(Bytes),
    /// More than the limit.
    TooLarge,
    /// Less than was announced.
    Incomplete,
}

impl ReadBody {
    /// Reads to the end, or to the end of patience; keeps `limit` bytes at most.
    pub(crate) async fn read(mut incoming: Incoming, limit: BodyBytes) -> Self {
        let limit = limit.number();
        let mut kept = BytesMut::new();
        let mut length = 0;
        while let Some(frame) = incoming.frame().await {
            let Ok(frame) = frame else {
                return Self::Incomplete;
            };
            let Some(data) = frame.data_ref() else {
                continue;
            };
            length += data.len();
            if length > limit + PATIENCE {
                break;
            }
            if length <= limit {
                kept.extend_from_slice(data);
            }
        }
        if length > limit {
            Self::TooLarge
        } else {
            Self::Whole(kept.freeze())
        }
    }

    /// The same for the core.
    pub(crate) fn as_core(&self) -> Body<'_> {
        match self {
            Self::Whole(bytes) => Body::Whole(bytes),
            Self::TooLarge => Body::TooLarge,
            Self::Incomplete => Body::Incomplete,
        }
    }
}
