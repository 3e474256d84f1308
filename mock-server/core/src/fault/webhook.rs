//! What may be wrong with the webhooks of a rental, and what several such faults
//! come to together. They say nothing about its SMS, which a poll shows as ever.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault of all webhooks of the rental that a request makes; its answer is as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFault {
    /// `webhook_drop`: it is never posted, and the log of deliveries says so.
    Drop,
    /// `webhook_duplicate`, `webhook_duplicate(2s)` and `webhook_duplicate(concurrent)`:
    /// so long after it the same comes once more; `concurrent` is no time at all.
    Duplicate(Duration),
    /// `webhook_reorder`: the next one of the account overtakes it.
    Reorder,
    /// `webhook_early`: it comes before the rent is answered.
    Early,
    /// `webhook_late(30s)`: it comes this much later than it would.
    Late(Duration),
    /// `webhook_bad_signature`: where webhooks are signed, its signature is wrong.
    BadSignature,
    /// `webhook_stale_timestamp`: where webhooks are signed, it says that it was sent
    /// an hour ago, and is signed with that.
    StaleTimestamp,
}

impl WebhookFault {
    /// From an event to the same once more, if nobody says: soon enough for a
    /// test, and late enough to be no race.
    pub(crate) const AGAIN_AFTER: Duration = Duration::from_secs(1);
}

/// All that is to happen to the webhooks of one rental.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookPlan {
    pub(crate) dropped: bool,
    pub(crate) reordered: bool,
    pub(crate) early: bool,
    pub(crate) bad_signature: bool,
    pub(crate) stale_timestamp: bool,
    /// How much later it comes.
    pub(crate) later: Duration,
    /// How long after it the same comes once more.
    pub(crate) again_after: Option<Duration>,
}

impl WebhookPlan {
    /// Nothing out of the ordinary.
    pub(crate) const ORDINARY: Self = Self {
        dropped: false,
        reordered: false,
        early: false,
        bad_signature: false,
        stale_timestamp: false,
        later: Duration::ZERO,
        again_after: None,
    };

    /// The plan with one more fault: delays add up, and of two duplicates the first
    /// rule's counts.
    pub(crate) fn suffer(&mut self, fault: WebhookFault) {
        match fault {
            WebhookFault::Drop => self.dropped = true,
            WebhookFault::Reorder => self.reordered = true,
            WebhookFault::Early => self.early = true,
            WebhookFault::BadSignature => self.bad_signature = true,
            WebhookFault::StaleTimestamp => self.stale_timestamp = true,
            WebhookFault::Late(more) => self.later = self.later.saturating_add(more),
            WebhookFault::Duplicate(after) => {
                self.again_after = self.again_after.or(Some(after));
            }
        }
    }

    /// The faults by name, as rules have them.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let all = [
            (self.dropped, "webhook_drop"),
            (self.again_after.is_some(), "webhook_duplicate"),
            (self.reordered, "webhook_reorder"),
            (self.early, "webhook_early"),
            (self.later > Duration::ZERO, "webhook_late"),
            (self.bad_signature, "webhook_bad_signature"),
            (self.stale_timestamp, "webhook_stale_timestamp"),
        ];
        let suffered = all.into_iter().filter(|(suffered, _)| *suffered);
        suffered.map(|(_, name)| name).collect()
    }
}
