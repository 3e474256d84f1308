//! Fault rules: which requests are to go wrong, and how, as values. Nothing
//! here happens to anybody.
//!
//! | module | holds |
//! | --- | --- |
//! | `grammar`, `argument`, `clause` | how rules are read: the whole, the fault, the words behind it |
//! | `display` | how rules are written |
//! | `preference` | the fault that one request asks for itself |
//! | `record`, `verdict` | what an account's rules have seen, and what they say about a request |
//! | `effect` | what becomes of an answer |
//! | `sms`, `webhook` | what becomes of a rental's SMS, and of its webhooks |

mod argument;
mod clause;
mod display;
mod effect;
mod grammar;
mod preference;
mod record;
mod sms;
mod verdict;
mod webhook;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use std::num::NonZeroU64;
use std::time::Duration;

use contract::{Law, Operation};

pub use self::grammar::FaultRuleError;
pub(crate) use self::preference::preferred;
pub use self::preference::{PreferenceError, mentions_fault};
pub(crate) use self::record::{ActiveRule, FaultRecord};
pub use self::record::{Origin, RuleId, RuleIdError};
pub use self::sms::SmsFault;
pub(crate) use self::sms::SmsPlan;
pub(crate) use self::verdict::Verdict;
pub use self::webhook::WebhookFault;
pub(crate) use self::webhook::WebhookPlan;

/// One rule, written `OPERATION: FAULT(arguments) WHEN ttl DURATION PHASE`.
///
/// Of the rules that fire on one request, latencies add up, all that happens to
/// the SMS happens, and the first [`Substitute`] or [`Damage`] decides about
/// the answer. `Display` writes what `FromStr` reads.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr, SerializeDisplay)]
pub struct FaultRule {
    /// Which requests it counts.
    pub target: Target,
    /// What it does.
    pub fault: Fault,
    /// To which of the counted requests.
    pub when: When,
    /// For how long after the account's first request, or after a tester added the
    /// rule, by the account's clock; for ever if unsaid.
    pub ttl: Option<Duration>,
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
    /// `latency(LAW)`: the answer comes later, or never.
    Latency(Law),
    /// The client gets something else than the answer.
    Instead(Substitute, Phase),
    /// The answer comes, but not as it should. The operation is carried out.
    Damage(Damage),
    /// The answer is fine, and something is wrong with the SMS.
    Sms(SmsFault),
    /// The answer and the SMS are fine, and something is wrong with the webhooks.
    Webhook(WebhookFault),
}

/// Whether an operation whose answer nobody gets is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// `before`: it is not, and nothing has changed.
    #[default]
    Before,
    /// `after_commit`: it is. The rental is made and charged, the answer is lost.
    AfterCommit,
}

/// What a client may get instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Substitute {
    /// `status(503)`: this status.
    Status(u16),
    /// `rate_limit(2s)`: status 429 and how long to wait.
    RateLimit(Duration),
    /// `no_numbers`: rent finds no number.
    NoNumbers,
    /// `insufficient_balance`: rent finds too little money, whatever there is.
    InsufficientBalance,
    /// `html_error(502)`: the page that a proxy in between would send.
    HtmlError(u16),
    /// `reset_peer`: the connection is reset.
    ResetPeer,
    /// `empty_response`: the connection ends in order, without a byte.
    EmptyResponse,
    /// `random_data`: bytes that are no HTTP, then the end of the connection.
    RandomData,
    /// `timeout`: no answer, ever.
    Timeout,
}

/// What may happen to an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// `truncate_body(N)`: it breaks off after N bytes, or in the middle; the
    /// connection ends in order. The last byte never arrives.
    TruncateBody(Option<usize>),
    /// `reset_after_bytes(N)`: the same, but the connection is reset.
    ResetAfterBytes(usize),
    /// `malformed_json`: complete as HTTP, it is not JSON.
    MalformedJson,
    /// `malformed_chunk`: its status, then a chunk that is none, then the end.
    MalformedChunk,
    /// `slow_body(5s)`: the head at once, the body in parts over this time.
    SlowBody(Duration),
    /// `slow_close(5s)`: all of it at once, the end of the connection only
    /// after this time.
    SlowClose(Duration),
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
    /// `after 2`: the third and all that follow.
    After(u64),
    /// `between 2 and 4`: the second, the third and the fourth.
    Between(NonZeroU64, NonZeroU64),
    /// `probability 0.1`: each with this chance.
    Probability(f64),
}
