//! Which webhooks are due, in which order, and what follows an attempt. Posting
//! them, and waiting for the moment, is the shell's business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::{WebhookAck, WebhookRetry};
use crate::settings::WebhookSettings;

/// Names one event over all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryId {
    /// The rental that it is about.
    pub(crate) rental: u32,
    /// Which of the rental's SMS it tells.
    pub(crate) sms: u32,
    /// Whether a tester's hand brought that SMS. It is not the one that was drawn
    /// under the same number, and neither is its event.
    pub(crate) by_hand: bool,
    /// Whether it is the same event once more.
    pub(crate) again: bool,
}

impl DeliveryId {
    /// The event of an SMS that no tester brought.
    pub(crate) const fn drawn(rental: u32, sms: u32) -> Self {
        Self {
            rental,
            sms,
            by_hand: false,
            again: false,
        }
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

impl WebhookAttempt {
    /// What an answer in time with this status means.
    pub const fn outcome(&self, status: u16) -> WebhookOutcome {
        let acknowledged = match self.ack {
            WebhookAck::Any2xx => matches!(status, 200..=299),
            WebhookAck::Only200 => status == 200,
        };
        if acknowledged {
            WebhookOutcome::Acknowledged
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
}

/// Posts of one account under way at one moment at most. A receiver that hangs
/// holds each for seconds, and every one costs a socket. What one account waits
/// for delays no other.
const CONCURRENT_POSTS: usize = 64;

/// The events of an account that are not yet acknowledged or given up, in the
/// account's own time.
#[derive(Debug, Default)]
pub(crate) struct WebhookQueue {
    /// By moment, and at one moment in the order of the rents.
    due: BTreeMap<(Moment, DeliveryId), u32>,
    /// Those being posted at the moment: which attempt it is, and when it began.
    in_flight: BTreeMap<DeliveryId, (u32, Moment)>,
    /// Attempts since the last that was acknowledged.
    failures: u32,
    /// Whether there were so many that nothing is posted any more.
    disabled: bool,
}

impl WebhookQueue {
    /// Plans an event that is due at `moment`.
    pub(crate) fn plan(&mut self, moment: Moment, delivery: DeliveryId) {
        if !self.disabled {
            self.due.insert((moment, delivery), 0);
        }
    }

    /// When the next attempt is due, if one more can be under way.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let (moment, _) = self.next(|_| true)?;
        Some(moment)
    }

    /// Begins the next attempt that is due by `now`, among those that are `wanted`;
    /// its event and its number.
    pub(crate) fn begin(
        &mut self,
        now: Moment,
        wanted: impl Fn(DeliveryId) -> bool,
    ) -> Option<(DeliveryId, u32)> {
        let next = self.next(wanted).filter(|(moment, _)| *moment <= now)?;
        let (_, delivery) = next;
        let number = self.due.remove(&next)? + 1;
        self.in_flight.insert(delivery, (number, now));
        Some((delivery, number))
    }

    fn next(&self, wanted: impl Fn(DeliveryId) -> bool) -> Option<(Moment, DeliveryId)> {
        let mut due = self.due.keys().copied();
        let may_post = self.in_flight.len() < CONCURRENT_POSTS;
        due.find(|(_, delivery)| may_post && wanted(*delivery))
    }

    /// Forgets the events that are `unwanted`; one that is being posted is not
    /// posted again.
    pub(crate) fn cancel(&mut self, unwanted: impl Fn(DeliveryId) -> bool) {
        self.due.retain(|(_, delivery), _| !unwanted(*delivery));
        self.in_flight.retain(|delivery, _| !unwanted(*delivery));
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_posting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// How many attempts have failed since the last that was acknowledged, and
    /// whether that was the end of all posts.
    pub(crate) const fn failures(&self) -> (u32, bool) {
        (self.failures, self.disabled)
    }

    /// Ends an attempt: done with, or again later, or given up. A receiver that is
    /// no more gets no other attempt. Says whether one follows.
    pub(crate) fn end(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        outcome: WebhookOutcome,
        retry: Option<WebhookRetry>,
    ) -> bool {
        let Some((number, begun)) = self.in_flight.remove(&delivery) else {
            return false;
        };
        if outcome == WebhookOutcome::Acknowledged {
            self.failures = 0;
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let Some(retry) = retry else {
            return false;
        };
        if retry.disables_after(self.failures) {
            self.disabled = true;
            self.due.clear();
        } else if let Some(delay) = retry.after(number).filter(|_| !self.disabled) {
            self.due.insert((now.max(begun + delay), delivery), number);
            return true;
        }
        false
    }
}

/// What is to be posted for an account, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedWebhooks {
    events: Vec<SavedWebhook>,
    /// Attempts since the last that was acknowledged.
    failures: u32,
    /// Whether there were so many that nothing is posted any more.
    disabled: bool,
}

/// An event that is to be posted, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedWebhook {
    rental: u32,
    sms: u32,
    by_hand: bool,
    again: bool,
    /// When the next attempt is due, in nanoseconds of the account's time.
    due: u64,
    /// Attempts that were made.
    attempts: u16,
}

impl WebhookQueue {
    /// Written down; what is being posted at the moment is to be posted again.
    pub(crate) fn save(&self) -> SavedWebhooks {
        let due = self.due.iter();
        let due = due.map(|((at, event), attempts)| (*event, *at, *attempts));
        let in_flight = self.in_flight.iter();
        let in_flight = in_flight.map(|(event, (number, at))| (*event, *at, *number - 1));
        let saved = due
            .chain(in_flight)
            .map(|(event, at, attempts)| SavedWebhook {
                rental: event.rental,
                sms: event.sms,
                by_hand: event.by_hand,
                again: event.again,
                due: at.nanoseconds(),
                attempts: attempts.try_into().unwrap_or(u16::MAX),
            });
        SavedWebhooks {
            events: saved.collect(),
            failures: self.failures,
            disabled: self.disabled,
        }
    }

    /// As it was written down.
    pub(crate) fn restore(saved: SavedWebhooks) -> Self {
        let due = saved.events.into_iter().map(|saved| {
            let event = DeliveryId {
                rental: saved.rental,
                sms: saved.sms,
                by_hand: saved.by_hand,
                again: saved.again,
            };
            let at = Moment::from_nanoseconds(saved.due);
            ((at, event), saved.attempts.into())
        });
        Self {
            due: due.collect(),
            in_flight: BTreeMap::new(),
            failures: saved.failures,
            disabled: saved.disabled,
        }
    }

    /// The rentals that something is posted about, or is to be.
    pub(crate) fn rentals(&self) -> impl Iterator<Item = u32> {
        let due = self.due.keys().map(|(_, event)| event.rental);
        due.chain(self.in_flight.keys().map(|event| event.rental))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: WebhookRetry = WebhookRetry::Spaced {
        attempts: 5,
        spacing: Duration::from_secs(15),
    };

    fn begin(queue: &mut WebhookQueue, now: Moment) -> Option<(DeliveryId, u32)> {
        queue.begin(now, |_| true)
    }

    fn event(rental: u32) -> DeliveryId {
        DeliveryId::drawn(rental, 0)
    }

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    #[test]
    fn events_come_in_the_order_of_their_moments() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(5), event(1));
        queue.plan(at(2), event(3));
        queue.plan(at(2), event(2));
        assert_eq!(queue.next_due(), Some(at(2)));
        assert_eq!(begin(&mut queue, at(1)), None);
        assert_eq!(begin(&mut queue, at(2)), Some((event(2), 1)));
        assert_eq!(begin(&mut queue, at(2)), Some((event(3), 1)));
        assert_eq!(begin(&mut queue, at(2)), None);
    }

    #[test]
    fn a_failed_event_is_tried_five_times() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        for number in 1..=5 {
            let now = queue.next_due().expect("one is due");
            assert_eq!(now, at(15 * (u64::from(number) - 1)));
            assert_eq!(begin(&mut queue, now), Some((event(1), number)));
            queue.end(now, event(1), WebhookOutcome::Failed, Some(RETRY));
        }
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn an_acknowledged_event_is_done_with() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        begin(&mut queue, at(0));
        queue.end(at(0), event(1), WebhookOutcome::Acknowledged, Some(RETRY));
        queue.end(at(0), event(1), WebhookOutcome::Failed, Some(RETRY));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn a_receiver_that_hangs_holds_so_many_posts_and_no_more() {
        let mut queue = WebhookQueue::default();
        for rental in 0..100 {
            queue.plan(at(0), event(rental));
        }
        let mut begun = 0;
        while begin(&mut queue, at(0)).is_some() {
            begun += 1;
        }
        assert_eq!((begun, queue.next_due()), (CONCURRENT_POSTS, None));
        queue.end(at(5), event(0), WebhookOutcome::Failed, Some(RETRY));
        assert_eq!(queue.next_due(), Some(at(0)));
    }

    #[test]
    fn fifty_failures_in_a_row_are_the_end_of_all_posts() {
        let mut queue = WebhookQueue::default();
        let fail = |queue: &mut WebhookQueue, outcome| {
            let now = queue.next_due().expect("one is due");
            let (delivery, _) = begin(queue, now).expect("due");
            queue.end(now, delivery, outcome, Some(WebhookRetry::DisableAfter50));
        };
        for rental in 0..40 {
            queue.plan(at(0), event(rental));
        }
        for _ in 0..49 {
            fail(&mut queue, WebhookOutcome::Failed);
        }
        fail(&mut queue, WebhookOutcome::Acknowledged);
        assert_eq!(queue.failures(), (0, false));
        for _ in 0..49 {
            fail(&mut queue, WebhookOutcome::Failed);
        }
        assert_eq!(queue.failures(), (49, false));
        queue.plan(at(0), event(99));
        fail(&mut queue, WebhookOutcome::Failed);
        assert_eq!(queue.failures(), (50, true));
        queue.plan(at(0), event(100));
        assert_eq!(queue.next_due(), None);
    }
}
