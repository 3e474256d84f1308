//! Fault rules: which requests are to go wrong, and how, as values. Reading
//! them is [`grammar`]'s business, deciding about a request is [`verdict`]'s.

mod grammar;
mod verdict;

use serde_with::DeserializeFromStr;
use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use contract::{Law, Operation, TimeSpan};

pub use self::grammar::FaultRuleError;
pub(crate) use self::verdict::Verdict;

/// One rule, written `OPERATION: FAULT(arguments) WHEN`.
///
/// Of the rules that fire on one request, latencies add up and the first
/// [`Damage`] decides. `Display` writes what `FromStr` reads.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr)]
pub struct FaultRule {
    /// Which requests it counts.
    pub target: Target,
    /// What it does.
    pub fault: Fault,
    /// To which of the counted requests.
    pub when: When,
}

/// The operations that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// All of them: `*`.
    Every,
    /// One of them.
    Only(Operation),
}

/// What a rule does to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The answer comes later, or never.
    Latency(Law),
    /// The answer is another, or comes differently.
    Damage(Damage),
}

/// What may happen to an answer, other than its being late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// `status(503)`: this status instead; the operation is not carried out.
    Status(u16),
    /// `reset_peer`: the connection is reset; the operation is not carried out.
    ResetPeer,
    /// `timeout`: no answer, ever; the operation is not carried out.
    Timeout,
    /// `truncate_body(N)`: the operation is carried out and its answer breaks off
    /// after N bytes, or in the middle. The last byte never arrives.
    TruncateBody(Option<usize>),
    /// `malformed_json`: the operation is carried out and its answer, complete
    /// as HTTP, is not JSON.
    MalformedJson,
    /// `rate_limit(2s)`: status 429 and how long to wait; not carried out.
    RateLimit(Duration),
    /// `no_numbers`: rent finds no number.
    NoNumbers,
}

/// Which of the requests that a rule counts it fires on. The count is that of
/// one account and begins at 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// All.
    Always,
    /// `first 2`: the first two.
    First(NonZeroU64),
    /// `nth 3`: only the third.
    Nth(NonZeroU64),
    /// `every 5`: the fifth, the tenth and so on.
    Every(NonZeroU64),
    /// `probability 0.1`: each with this chance.
    Probability(f64),
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.target, self.fault, self.when)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Only(operation) => operation.fmt(f),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(law) => write!(f, "latency({law})"),
            Self::Damage(damage) => damage.fmt(f),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "status({code})"),
            Self::ResetPeer => f.write_str("reset_peer"),
            Self::Timeout => f.write_str("timeout"),
            Self::TruncateBody(None) => f.write_str("truncate_body"),
            Self::TruncateBody(Some(bytes)) => write!(f, "truncate_body({bytes})"),
            Self::MalformedJson => f.write_str("malformed_json"),
            Self::RateLimit(wait) => write!(f, "rate_limit({})", TimeSpan(*wait)),
            Self::NoNumbers => f.write_str("no_numbers"),
        }
    }
}

/// With the space before it, since [`When::Always`] is written as nothing.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::First(count) => write!(f, " first {count}"),
            Self::Nth(count) => write!(f, " nth {count}"),
            Self::Every(count) => write!(f, " every {count}"),
            Self::Probability(chance) => write!(f, " probability {chance}"),
        }
    }
}
