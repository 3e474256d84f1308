//! The rules by name, and why each of them matters.

/// What a client should not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Three polls of a rental in a row less than a second after the last.
    PollTooFast,
    /// Polls of a rental that was told to be over, beyond one to read it back.
    PollAfterTerminal,
    /// Five failures in a row, the pauses between which do not grow.
    NoBackoff,
    /// The same request again before a `Retry-After` was over.
    RetryAfterIgnored,
    /// Another rent after one whose outcome is unknown, without a look at what it did.
    UnsafeRetryOfRent,
    /// A rental that nobody looked at.
    RentalLeaked,
    /// The same refused request three times in a row.
    ErrorStatusUnhandled,
    /// Five polls of a rental in a row, each on a connection of its own.
    ConnectionPerRequest,
    /// A receiver that takes longer than the most impatient service waits.
    WebhookSlowAck,
    /// A receiver that takes an event and refuses the same event.
    WebhookNotIdempotent,
    /// An unsigned event that was taken at its word.
    WebhookUnverified,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::PollTooFast,
        Self::PollAfterTerminal,
        Self::NoBackoff,
        Self::RetryAfterIgnored,
        Self::UnsafeRetryOfRent,
        Self::RentalLeaked,
        Self::ErrorStatusUnhandled,
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
            Self::ConnectionPerRequest => "connection-per-request",
            Self::WebhookSlowAck => "webhook-slow-ack",
            Self::WebhookNotIdempotent => "webhook-not-idempotent",
            Self::WebhookUnverified => "webhook-unverified",
        }
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
                "failures were answered with requests at the same pace; let pauses grow after 429, \
                 5xx and broken connections"
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
                "a number was paid for, and nobody fetched what came of it; poll it to its end, or \
                 take its webhook"
            }
            Self::ErrorStatusUnhandled => {
                "a refused request came again unchanged, three times in a row; a 4xx does not go \
                 away by itself, so report it and stop"
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
                "an event without a signature was taken at its word; anybody can post one, so poll \
                 the rental before its code is used"
            }
        }
    }
}
