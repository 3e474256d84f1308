//! An answer as data: what to send, and when and how. Waiting and damaging
//! connections is the shell's business.

use bytes::Bytes;
use contract::{Moment, Problem, Truth};
use serde::Serialize;

/// What the mock answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body; JSON, unless a fault rule broke it.
    pub body: Bytes,
    /// Seconds for the `Retry-After` header.
    pub retry_after: Option<u64>,
    /// The method for the `Allow` header.
    pub allow: Option<&'static str>,
    /// The value of the [`contract::truth::HEADER`] header.
    pub truth: Option<Truth>,
    /// When and how it leaves.
    pub delivery: Delivery,
}

/// How an answer leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As it should.
    Whole {
        /// Not before this moment.
        at: Moment,
    },
    /// The whole length is announced, then the connection closes after some bytes.
    Cut {
        /// Not before this moment.
        at: Moment,
        /// How many bytes of the body are sent; fewer than there are.
        bytes: usize,
    },
    /// The connection is reset instead.
    Reset {
        /// Not before this moment.
        at: Moment,
    },
    /// Not at all: the connection stays open and silent.
    Never,
}

impl Reply {
    /// A good answer that leaves at once.
    pub(crate) const fn success(body: Bytes, at: Moment) -> Self {
        Self {
            status: 200,
            body,
            retry_after: None,
            allow: None,
            truth: None,
            delivery: Delivery::Whole { at },
        }
    }

    /// A refusal that leaves at once.
    #[cold]
    pub(crate) fn refusal(problem: Problem, at: Moment) -> Self {
        let status = problem.status();
        Self {
            status,
            allow: problem.allow(),
            body: if may_have_body(status) {
                json(&problem.body())
            } else {
                Bytes::new()
            },
            ..Self::success(Bytes::new(), at)
        }
    }

    /// No answer but what `delivery` does.
    pub(crate) fn nothing(delivery: Delivery) -> Self {
        Self {
            delivery,
            ..Self::success(Bytes::new(), Moment::START)
        }
    }
}

/// RFC 9110 gives these three statuses no content.
const fn may_have_body(status: u16) -> bool {
    !matches!(status, 204 | 205 | 304)
}

/// The bytes of a body.
pub(crate) fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body)
        .expect("invariant: bodies have text keys and no failing fields")
        .into()
}
