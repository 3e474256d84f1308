//! An answer as data: what to send, and when and how. Waiting and damaging
//! connections is the shell's business.

use std::time::Duration;

use bytes::Bytes;
use contract::body::Refusal;
use contract::{Moment, Truth};
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::webhook::WebhookAttempt;

/// What the mock answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body; JSON, unless a fault rule broke or replaced it.
    pub body: Bytes,
    /// What it claims to be.
    pub media: Media,
    /// Seconds for the `Retry-After` header.
    pub retry_after: Option<u32>,
    /// The value of the [`contract::truth::HEADER`] header.
    pub truth: Option<Truth>,
    /// When and how it leaves.
    pub delivery: Delivery,
    /// What few answers have; boxed, because polls are many, and a reply of more
    /// than 128 bytes is moved by calls to `memmove` (bench "poll decision").
    pub(crate) extras: Option<Box<Extras>>,
}

/// What an answer may have beside the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Headers, with their names in lower case.
    headers: Vec<(&'static str, String)>,
    /// What is to be posted before the answer leaves.
    posts: Vec<WebhookAttempt>,
}

/// The `Content-Type` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// What the API sends.
    Json,
    /// What proxies send when something is wrong.
    Html,
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
    /// The same, but the connection is reset after these bytes.
    CutByReset {
        /// Not before this moment.
        at: Moment,
        /// How many bytes of the body are sent; fewer than there are.
        bytes: usize,
    },
    /// The head at once, the body in parts.
    Trickle {
        /// The head: not before this moment.
        at: Moment,
        /// From the head to the last byte.
        over: Duration,
    },
    /// Whole, with the announcement that the connection closes, which it then
    /// does not do for a while.
    Linger {
        /// The answer: not before this moment.
        at: Moment,
        /// From the answer to the end of the connection.
        linger: Duration,
    },
    /// The head, for a body in chunks, and then something that is no chunk.
    BrokenChunk {
        /// Not before this moment.
        at: Moment,
    },
    /// The body and nothing else: it is no HTTP. Then the connection closes.
    Raw {
        /// Not before this moment.
        at: Moment,
    },
    /// The connection closes in order instead, without a byte.
    Empty {
        /// Not before this moment.
        at: Moment,
    },
    /// The connection is reset instead.
    Reset {
        /// Not before this moment.
        at: Moment,
    },
    /// Not at all: the connection stays open and silent.
    Never,
}

impl Delivery {
    /// When it begins, if it ever does.
    pub const fn at(self) -> Option<Moment> {
        match self {
            Self::Whole { at }
            | Self::Cut { at, .. }
            | Self::CutByReset { at, .. }
            | Self::Trickle { at, .. }
            | Self::Linger { at, .. }
            | Self::BrokenChunk { at }
            | Self::Raw { at }
            | Self::Empty { at }
            | Self::Reset { at } => Some(at),
            Self::Never => None,
        }
    }
}

/// Whole seconds, because `Retry-After` knows no others, and less than `wait`
/// would be a lie.
pub(crate) fn seconds_to_wait(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

impl Reply {
    /// A good answer that leaves at once.
    pub(crate) const fn success(body: Bytes, at: Moment) -> Self {
        Self {
            status: 200,
            body,
            media: Media::Json,
            retry_after: None,
            truth: None,
            delivery: Delivery::Whole { at },
            extras: None,
        }
    }

    /// Headers beside those that have a field of their own; names are in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let headers = self.extras.iter().flat_map(|extras| &extras.headers);
        headers.map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether it arrives whole, and says in JSON what it promises if it is good.
    pub(crate) fn is_readable(&self) -> bool {
        let whole = matches!(
            self.delivery,
            Delivery::Whole { .. } | Delivery::Trickle { .. } | Delivery::Linger { .. }
        );
        let read = || serde_json::from_slice::<IgnoredAny>(&self.body);
        whole && (self.status >= 300 || read().is_ok())
    }

    /// The webhooks that have to be answered or given up before the answer leaves:
    /// post them, and tell the mock.
    pub fn take_posts(&mut self) -> Vec<WebhookAttempt> {
        let extras = self.extras.as_mut();
        extras.map_or_else(Vec::new, |extras| std::mem::take(&mut extras.posts))
    }

    /// Adds a header; its name is in lower case.
    pub(crate) fn add_header(&mut self, name: &'static str, value: &(impl ToString + ?Sized)) {
        let extras = self.extras.get_or_insert_default();
        extras.headers.push((name, value.to_string()));
    }

    /// Adds a webhook that has to be posted first.
    pub(crate) fn add_post(&mut self, attempt: WebhookAttempt) {
        self.extras.get_or_insert_default().posts.push(attempt);
    }

    /// The refusal of a fault that the request asked for and that is none. It is
    /// the mock's own and no answer of the API, so no dialect changes it.
    #[cold]
    pub(crate) fn not_preferable(error: String, at: Moment) -> Self {
        let body = Refusal {
            success: false,
            message: error.into(),
        };
        Self {
            status: 400,
            ..Self::success(json(&body), at)
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
pub(crate) const fn may_have_body(status: u16) -> bool {
    !matches!(status, 204 | 205 | 304)
}

/// The bytes of a body.
pub(crate) fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body)
        .expect("invariant: bodies have text keys and no failing fields")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_small() {
        assert!(size_of::<Reply>() <= 128, "{}", size_of::<Reply>());
    }
}
