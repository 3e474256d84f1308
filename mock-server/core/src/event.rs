//! What happens by itself, or because a clock was advanced: names and an order,
//! no more. Telling it is the business of the feed and of the clocks' control.

use schemars::JsonSchema;
use serde::Serialize;

/// What may happen, in the order in which equal moments are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Event {
    /// The SMS is readable.
    #[serde(rename = "sms.received")]
    SmsReceived,
    /// A webhook was posted.
    #[serde(rename = "webhook.posted")]
    WebhookPosted,
    /// The rental ended without an SMS. By default it was refunded with that.
    #[serde(rename = "rental.expired")]
    RentalExpired,
    /// The rental was refunded some time after its end.
    #[serde(rename = "rental.refunded")]
    RentalRefunded,
    /// A rate limit counts from nothing again.
    #[serde(rename = "rate.window_reset")]
    RateWindowReset,
}

impl Event {
    /// As it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SmsReceived => "sms.received",
            Self::WebhookPosted => "webhook.posted",
            Self::RentalExpired => "rental.expired",
            Self::RentalRefunded => "rental.refunded",
            Self::RateWindowReset => "rate.window_reset",
        }
    }
}
