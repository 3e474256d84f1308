//! What becomes of an answer: replaced, or damaged on its way. It is a reply
//! like any other; how it is delivered is written in it.

use bytes::Bytes;
use contract::dice::{self, Roll};
use contract::{Moment, Problem};

use super::{Damage, Phase, Substitute};
use crate::dialect::Dialect;
use crate::reply::{Delivery, Media, Reply, seconds_to_wait};

/// What one request's answer is up against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Something else is sent.
    Instead(Substitute, Phase),
    /// It arrives otherwise than it should.
    Damage(Damage),
}

/// Bytes of `random_data`: more than any parser needs to see that it is no HTTP.
const RANDOM_BYTES: usize = 128;

impl Effect {
    /// Whether the operation is to be left undone.
    pub(crate) const fn prevents(self) -> bool {
        matches!(self, Self::Instead(_, Phase::Before))
    }

    /// What is sent at `at` instead of `reply`, or what is left of it.
    #[cold]
    pub(crate) fn befall(
        self,
        reply: Reply,
        (at, dialect): (Moment, &Dialect),
        roll: impl FnOnce() -> Roll,
    ) -> Reply {
        match self {
            Self::Instead(substitute, _) => substitute.reply((at, dialect), roll),
            Self::Damage(damage) => damage.applied(reply, at),
        }
    }
}

impl Substitute {
    fn reply(self, (at, dialect): (Moment, &Dialect), roll: impl FnOnce() -> Roll) -> Reply {
        let refusal = |problem| dialect.refusal(problem, None, at);
        match self {
            Self::Status(code) => refusal(Problem::Injected(code)),
            Self::NoNumbers => refusal(Problem::NoNumbers),
            Self::InsufficientBalance => refusal(Problem::InsufficientBalance),
            Self::RateLimit(wait) => Reply {
                retry_after: Some(seconds_to_wait(wait)),
                ..refusal(Problem::RateLimited)
            },
            Self::HtmlError(code) => Reply {
                status: code,
                media: Media::Html,
                ..Reply::success(page(code), at)
            },
            Self::RandomData => Reply {
                body: random_data(roll()),
                ..Reply::nothing(Delivery::Raw { at })
            },
            Self::ResetPeer => Reply::nothing(Delivery::Reset { at }),
            Self::EmptyResponse => Reply::nothing(Delivery::Empty { at }),
            Self::Timeout => Reply::nothing(Delivery::Never),
        }
    }
}

impl Damage {
    fn applied(self, reply: Reply, at: Moment) -> Reply {
        let length = reply.body.len();
        // The last byte never arrives, or nothing would be missing.
        let part = |bytes: usize| bytes.min(length.saturating_sub(1));
        let delivery = match self {
            Self::TruncateBody(bytes) => Delivery::Cut {
                at,
                bytes: part(bytes.unwrap_or(length / 2)),
            },
            Self::ResetAfterBytes(bytes) => Delivery::CutByReset {
                at,
                bytes: part(bytes),
            },
            Self::MalformedChunk => Delivery::BrokenChunk { at },
            Self::SlowBody(over) => Delivery::Trickle { at, over },
            Self::SlowClose(linger) => Delivery::Linger { at, linger },
            Self::MalformedJson => {
                // An object without its closing brace is JSON to nobody.
                let body = reply.body.slice(..length.saturating_sub(1));
                return Reply { body, ..reply };
            }
        };
        Reply { delivery, ..reply }
    }
}

fn page(code: u16) -> Bytes {
    format!(
        "<html>\n<head><title>{code}</title></head>\n<body>\n<h1>{code}</h1>\n\
         <p>This page was injected by a fault rule.</p>\n</body>\n</html>\n"
    )
    .into()
}

fn random_data(mut roll: Roll) -> Bytes {
    let mut bytes = vec![0; RANDOM_BYTES];
    dice::fill(&mut roll, &mut bytes);
    // Chance might spell the beginning of an answer; no answer begins like this.
    bytes[0] |= 0x80;
    bytes.into()
}
