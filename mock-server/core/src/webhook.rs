//! Webhooks as values: which event, which post of it, what it says, and what an
//! answer means. When which is due is `queue`'s and `outbox`'s business; posting
//! them, and waiting for the moment, is the shell's.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::WebhookAck;
use crate::endpoint::EndpointId;
use crate::settings::WebhookSettings;

/// Names one event on its way to one endpoint, over all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryId {
    /// The rental that it is about.
    pub(crate) rental: u32,
    /// Which of the rental's SMS it tells.
    pub(crate) sms: u32,
    /// Whether a tester's hand brought that SMS. It is not the one that was drawn
    /// under the same number, and neither is its event.
    pub(crate) by_hand: bool,
    /// Which of the posts of the same event it is, where there is more than one:
    /// one for each reason why there is.
    pub(crate) copy: CopyOf,
    /// Where it goes.
    pub(crate) endpoint: EndpointId,
}

/// Why the same event is on its way more than once.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CopyOf {
    /// It is not: this is the event.
    #[default]
    Original,
    /// The dialect posts twice.
    Dialect,
    /// A fault of the SMS.
    Sms,
    /// A fault of the webhook.
    Webhook,
}

impl DeliveryId {
    /// The event of an SMS that no tester brought.
    pub(crate) const fn drawn(rental: u32, sms: u32) -> Self {
        Self {
            rental,
            sms,
            by_hand: false,
            copy: CopyOf::Original,
            endpoint: EndpointId::LOWEST,
        }
    }

    /// The same event on its way to another endpoint.
    pub(crate) const fn to(self, endpoint: EndpointId) -> Self {
        Self { endpoint, ..self }
    }

    /// The same event once more.
    pub(crate) const fn copied(self, copy: CopyOf) -> Self {
        Self { copy, ..self }
    }

    /// Whether both bring the same event to the same endpoint.
    pub(crate) fn is_same_event(&self, other: &Self) -> bool {
        self.copied(other.copy) == *other
    }

    /// What a receiver knows the event by: all attempts, duplicates and endpoints have
    /// it in common.
    pub(crate) fn message(&self) -> String {
        let Self { rental, sms, .. } = self;
        let hand = if self.by_hand { "h" } else { "" };
        format!("msg_{rental}_{sms}{hand}")
    }
}

/// One post to be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAttempt {
    /// The event.
    pub delivery: DeliveryId,
    /// Which attempt this is, from 1.
    pub number: u32,
    /// The same bytes at every attempt.
    pub body: Bytes,
    /// Headers beside those that every post has, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Where to.
    pub receiver: Arc<WebhookSettings>,
    /// How long the receiver may take to answer.
    pub timeout: Duration,
    /// Which answers acknowledge it.
    pub ack: WebhookAck,
}

/// The status by which a receiver says, as Standard Webhooks has it, that it wants
/// no more.
const GONE: u16 = 410;

impl WebhookAttempt {
    /// What an answer in time with this status means.
    pub fn outcome(&self, status: u16) -> WebhookOutcome {
        let acknowledged = match self.ack {
            WebhookAck::Any2xx => matches!(status, 200..=299),
            WebhookAck::Only200 => status == 200,
        };
        if acknowledged {
            WebhookOutcome::Acknowledged
        } else if status == GONE && self.receiver.secret.is_some() {
            WebhookOutcome::Gone
        } else {
            WebhookOutcome::Failed
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// A status that acknowledges it, in time.
    Acknowledged,
    /// Anything else.
    Failed,
    /// An endpoint of Standard Webhooks answered that it wants no more.
    Gone,
}
