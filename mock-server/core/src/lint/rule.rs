//! The rules by name, and why each of them matters.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// What a client should not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr)]
pub enum Rule {
    /// Three polls of a rental in a row less than a second after the last.
    PollTooFast,
    /// Polls of a rental that was told to be over, beyond one to read it back.
    PollAfterTerminal,
    /// Six failures in a row with the same pause between them, or none.
    NoBackoff,
    /// The same request again before a `Retry-After` was over.
    RetryAfterIgnored,
    /// Another rent after one whose outcome is unknown, without a look at what it did.
    UnsafeRetryOfRent,
    /// A rental that nobody came back to.
    RentalLeaked,
    /// The same refused request three times in a row.
    ErrorStatusUnhandled,
    /// A rent with a parameter that is not documented.
    UndocumentedParameter,
    /// Five polls of a rental in a row, each on a connection of its own.
    ConnectionPerRequest,
    /// A receiver that takes longer than the most impatient service waits.
    WebhookSlowAck,
    /// A receiver that takes an event and refuses the same event.
    WebhookNotIdempotent,
    /// An event without a good signature that was taken at its word.
    WebhookUnverified,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::PollTooFast,
        Self::PollAfterTerminal,
        Self::NoBackoff,
        Self::RetryAfterIgnored,
        Self::UnsafeRetryOfRent,
        Self::RentalLeaked,
        Self::ErrorStatusUnhandled,
        Self::UndocumentedParameter,
        Self::ConnectionPerRequest,
        Self::WebhookSlowAck,
        Self::WebhookNotIdempotent,
        Self::WebhookUnverified,
    ];

    /// Its name, for ever.
    pub const fn id(self) -> &'static str {
        match self {
            Self::PollTooFast => "poll-too-fast",
            Self::PollAfterTerminal => "poll-after-terminal",
            Self::NoBackoff => "no-backoff",
            Self::RetryAfterIgnored => "retry-after-ignored",
            Self::UnsafeRetryOfRent => "unsafe-retry-of-rent",
            Self::RentalLeaked => "rental-leaked",
            Self::ErrorStatusUnhandled => "error-status-unhandled",
            Self::UndocumentedParameter => "undocumented-parameter",
            Self::ConnectionPerRequest => "connection-per-request",
            Self::WebhookSlowAck => "webhook-slow-ack",
            Self::WebhookNotIdempotent => "webhook-not-idempotent",
            Self::WebhookUnverified => "webhook-unverified",
        }
    }

    /// The clause of the contract that it follows from, if it follows from one.
    pub const fn clause(self) -> Option<&'static str> {
        Some(match self {
            Self::PollTooFast => "C15",
            Self::PollAfterTerminal => "C13",
            Self::NoBackoff | Self::RetryAfterIgnored => "B9",
            Self::UnsafeRetryOfRent => "R16",
            Self::RentalLeaked => "C11",
            Self::UndocumentedParameter => "R18",
            Self::WebhookSlowAck | Self::WebhookNotIdempotent => "W13",
            Self::WebhookUnverified => "W12",
            Self::ErrorStatusUnhandled | Self::ConnectionPerRequest => return None,
        })
    }

    /// What is wrong, and what to do instead.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::PollTooFast => {
                "a rental was polled again within a second, three times in a row; services ask for \
                 pauses of 3 s to 10 s"
            }
            Self::PollAfterTerminal => {
                "a rental was polled on after an answer that nothing follows; stop at the code, at \
                 an error, and at the latest after expires_in_seconds"
            }
            Self::NoBackoff => {
                "six failures in a row were followed by requests at the same pace; let pauses grow \
                 after 429, 5xx and broken connections"
            }
            Self::RetryAfterIgnored => {
                "the request came again before the seconds of Retry-After were over; wait as long \
                 as it says"
            }
            Self::UnsafeRetryOfRent => {
                "a rent was sent again although the first may have been carried out, and each \
                 costs money; read the history before another"
            }
            Self::RentalLeaked => {
                "a number was paid for, and nobody came for its code; poll until sms_received is true \
                 or the rental ends, or take its webhook"
            }
            Self::ErrorStatusUnhandled => {
                "a refused request came again unchanged, three times in a row; a 4xx does not go \
                 away by itself, so report it and stop"
            }
            Self::UndocumentedParameter => {
                "a rent had a parameter that no documentation names, and a service may do anything \
                 with it; send service only"
            }
            Self::ConnectionPerRequest => {
                "every poll of a rental came on a connection of its own; keep one open and use it \
                 again"
            }
            Self::WebhookSlowAck => {
                "the receiver took longer than services wait, 3 s at the most impatient, and would \
                 get the event again; answer first and work afterwards"
            }
            Self::WebhookNotIdempotent => {
                "the receiver took an event and refused the same event when it came twice; answer \
                 2xx to what is known already"
            }
            Self::WebhookUnverified => {
                "an event without a good signature was taken at its word; anybody can post one, so \
                 poll the rental before its code is used"
            }
        }
    }
}

/// No such rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rule; they are {rules}", rules = Rule::ALL.map(Rule::id).join(", "))]
pub struct RuleError(String);

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut rules = Self::ALL.into_iter();
        rules
            .find(|rule| rule.id() == text.trim())
            .ok_or_else(|| RuleError(text.to_owned()))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
