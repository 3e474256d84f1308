//! What waits for one endpoint: which event is due when, which are being posted,
//! and what follows an attempt. What waits is a few bytes for each event; what is
//! under way is bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::WebhookRetry;
use crate::endpoint::EndpointId;
use crate::webhook::{CopyOf, DeliveryId, WebhookOutcome};

/// Posts to one endpoint under way at one moment at most. A receiver that hangs
/// holds each for seconds, and every one costs a socket. What one endpoint waits
/// for delays no other.
const CONCURRENT_POSTS: usize = 64;

/// The same for an endpoint that seems to be dead, so that a few of those leave
/// the server's sockets to others.
const CONCURRENT_POSTS_IF_DEAD: usize = 4;

/// Failures in a row that a live endpoint hardly has.
const SEEMS_DEAD: u32 = 8;

/// An event that the next one is to overtake waits this long for one.
const WAITS_TO_BE_OVERTAKEN: Duration = Duration::from_secs(5);

/// The events of an endpoint that are not yet acknowledged or given up, in the
/// account's own time.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookQueue {
    /// By moment, and at one moment in the order of the rents; attempts made.
    due: BTreeMap<(Moment, DeliveryId), u32>,
    /// Those being posted at the moment: which attempt it is, and when it began.
    in_flight: BTreeMap<DeliveryId, (u32, Moment)>,
    /// The event that waits to be overtaken, and until when.
    held: Option<(Moment, DeliveryId)>,
    /// Attempts since the last that was acknowledged.
    failures: u32,
    /// Whether nothing is posted any more: there were too many, or it is gone.
    disabled: bool,
    pub(crate) counts: Counts,
}

/// What became of the events of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) given_up: u64,
    /// Never posted, or not again, because the endpoint was disabled.
    pub(crate) skipped: u64,
}

/// How many events an endpoint, or several, still have before them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pending {
    /// To be posted at a later moment: the SMS is still to come, or an attempt failed.
    pub scheduled: u64,
    /// Due, and waiting for their turn.
    pub overdue: u64,
    /// Being posted.
    pub posting: u64,
}

impl std::ops::AddAssign for Pending {
    fn add_assign(&mut self, other: Self) {
        self.scheduled += other.scheduled;
        self.overdue += other.overdue;
        self.posting += other.posting;
    }
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// When the next is due, if there is one.
    pub(crate) again: Option<Moment>,
    /// Whether this one was the end of all posts to the endpoint.
    pub(crate) disabled: bool,
}

/// Why an event is not posted once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// No such delivery.
    #[error("there is no delivery with this id, or it is another account's, or forgotten")]
    Missing,
    /// It is under way.
    #[error("it is being posted at the moment; POST wait for its delivery, and then replay it")]
    Posting,
    /// The endpoint takes nothing.
    #[error("its endpoint is disabled; PUT webhooks/endpoints/{{endpoint_id}} enables it again")]
    Disabled,
    /// The endpoint is no more.
    #[error("its endpoint is there no more")]
    Gone,
}

impl WebhookQueue {
    /// Plans an event that is due at `moment`.
    pub(crate) fn plan(&mut self, moment: Moment, delivery: DeliveryId) {
        if self.disabled {
            self.counts.skipped += 1;
        } else {
            self.due.insert((moment, delivery), 0);
        }
    }

    /// Plans an event once more, whatever became of it; it was planned for
    /// `planned`, if at all.
    pub(crate) fn replay(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        planned: Option<Moment>,
    ) -> Result<(), ReplayError> {
        if self.in_flight.contains_key(&delivery) {
            return Err(ReplayError::Posting);
        }
        if self.disabled {
            return Err(ReplayError::Disabled);
        }
        if let Some(planned) = planned {
            self.due.remove(&(planned, delivery));
        }
        self.due.insert((now, delivery), 0);
        Ok(())
    }

    /// When the next attempt is due, if one more can be under way.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let ((moment, _), _) = self.due.first_key_value().filter(|_| self.has_room())?;
        Some(*moment)
    }

    /// Begins the next attempt that is due by `now`; its event and its number. One
    /// that is to be overtaken is held back, if none is already.
    pub(crate) fn begin(
        &mut self,
        now: Moment,
        is_overtaken: impl Fn(DeliveryId) -> bool,
    ) -> Option<(DeliveryId, u32)> {
        loop {
            let (moment, delivery) = *self.due.first_key_value()?.0;
            if moment > now || !self.has_room() {
                return None;
            }
            let attempts = self.due.remove(&(moment, delivery)).unwrap_or_default();
            let was_held = self.held == Some((moment, delivery));
            if attempts == 0 && !was_held && self.held.is_none() && is_overtaken(delivery) {
                let until = now + WAITS_TO_BE_OVERTAKEN;
                self.held = Some((until, delivery));
                self.due.insert((until, delivery), 0);
                continue;
            }
            if was_held {
                self.held = None;
            }
            self.in_flight.insert(delivery, (attempts + 1, now));
            return Some((delivery, attempts + 1));
        }
    }

    /// The same for an event about one rental that was planned for this very moment.
    pub(crate) fn begin_about(&mut self, now: Moment, rental: u32) -> Option<(DeliveryId, u32)> {
        let first = (now, DeliveryId::drawn(rental, 0));
        let last = (now, DeliveryId::drawn(rental + 1, 0));
        let (key, _) = self.due.range(first..last).next()?;
        let key = *key;
        let number = self.due.remove(&key)? + 1;
        self.in_flight.insert(key.1, (number, now));
        Some((key.1, number))
    }

    fn has_room(&self) -> bool {
        let most = if self.failures >= SEEMS_DEAD {
            CONCURRENT_POSTS_IF_DEAD
        } else {
            CONCURRENT_POSTS
        };
        self.in_flight.len() < most
    }

    /// Forgets the events that are `unwanted`; one that is being posted is not
    /// posted again.
    pub(crate) fn cancel(&mut self, unwanted: impl Fn(DeliveryId) -> bool) {
        self.due.retain(|(_, delivery), _| !unwanted(*delivery));
        self.in_flight.retain(|delivery, _| !unwanted(*delivery));
        self.held = self.held.filter(|(_, delivery)| !unwanted(*delivery));
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_posting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whether nothing is to be posted, and nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.in_flight.is_empty()
    }

    /// How many attempts have failed since the last that was acknowledged, and
    /// whether that was the end of all posts.
    pub(crate) const fn failures(&self) -> (u32, bool) {
        (self.failures, self.disabled)
    }

    /// Posts again, as if nothing had failed.
    pub(crate) const fn enable(&mut self) {
        (self.failures, self.disabled) = (0, false);
    }

    /// What is still before it at `now`.
    pub(crate) fn pending(&self, now: Moment) -> Pending {
        let later = self.due.range((now + Duration::from_nanos(1), FIRST)..);
        let scheduled = later.count() as u64;
        Pending {
            scheduled,
            overdue: self.due.len() as u64 - scheduled,
            posting: self.in_flight.len() as u64,
        }
    }

    /// Ends an attempt that is not made after all: there is nothing to post.
    pub(crate) fn drop(&mut self, delivery: DeliveryId) {
        self.in_flight.remove(&delivery);
    }

    /// Ends an attempt: done with, or again later, or given up.
    pub(crate) fn end(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        outcome: WebhookOutcome,
        retry: WebhookRetry,
    ) -> Followed {
        let Some((number, begun)) = self.in_flight.remove(&delivery) else {
            return Followed::default();
        };
        self.let_go(now, delivery);
        match outcome {
            WebhookOutcome::Acknowledged => {
                self.failures = 0;
                self.counts.acknowledged += 1;
                return Followed::default();
            }
            WebhookOutcome::Failed | WebhookOutcome::Gone => {}
        }
        self.failures = self.failures.saturating_add(1);
        if outcome == WebhookOutcome::Gone || retry.disables_after(self.failures) {
            return self.disable();
        }
        let delay = retry.after(number).filter(|_| !self.disabled);
        let again = delay.map(|delay| now.max(begun + delay));
        match again {
            Some(moment) => {
                self.due.insert((moment, delivery), number);
            }
            None => self.counts.given_up += 1,
        }
        Followed {
            again,
            disabled: false,
        }
    }

    fn disable(&mut self) -> Followed {
        self.disabled = true;
        self.counts.given_up += 1;
        self.counts.skipped += self.due.len() as u64;
        self.due.clear();
        self.held = None;
        Followed {
            again: None,
            disabled: true,
        }
    }

    /// What waited to be overtaken has been, by `other`.
    fn let_go(&mut self, now: Moment, other: DeliveryId) {
        if let Some((until, held)) = self.held.filter(|(_, held)| *held != other)
            && self.due.remove(&(until, held)).is_some()
        {
            // Not held again, because it is noted as held until it is posted.
            self.held = Some((now, held));
            self.due.insert((now, held), 0);
        }
    }
}

/// Before all other events.
const FIRST: DeliveryId = DeliveryId::drawn(0, 0);

/// What is to be posted to an endpoint, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedQueue {
    events: Vec<SavedWebhook>,
    /// Attempts since the last that was acknowledged.
    failures: u32,
    /// Whether nothing is posted any more.
    disabled: bool,
    counts: Counts,
}

/// An event that is to be posted, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedWebhook {
    rental: u32,
    sms: u32,
    by_hand: bool,
    copy: CopyOf,
    /// When the next attempt is due, in nanoseconds of the account's time.
    due: u64,
    /// Attempts that were made.
    attempts: u16,
    /// Whether it waits to be overtaken.
    #[serde(default)]
    held: bool,
}

impl WebhookQueue {
    /// Written down; what is being posted at the moment is to be posted again.
    pub(crate) fn save(&self) -> SavedQueue {
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
                copy: event.copy,
                due: at.nanoseconds(),
                attempts: attempts.try_into().unwrap_or(u16::MAX),
                held: self.held == Some((at, event)),
            });
        SavedQueue {
            events: saved.collect(),
            failures: self.failures,
            disabled: self.disabled,
            counts: self.counts,
        }
    }

    /// As it was written down, for the endpoint of this name.
    pub(crate) fn restore(saved: SavedQueue, endpoint: EndpointId) -> Self {
        let mut queue = Self {
            failures: saved.failures,
            disabled: saved.disabled,
            counts: saved.counts,
            ..Self::default()
        };
        for saved in saved.events {
            let event = DeliveryId {
                rental: saved.rental,
                sms: saved.sms,
                by_hand: saved.by_hand,
                copy: saved.copy,
                endpoint,
            };
            let at = Moment::from_nanoseconds(saved.due);
            queue.due.insert((at, event), saved.attempts.into());
            if saved.held {
                queue.held = Some((at, event));
            }
        }
        queue
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
        queue.begin(now, |_| false)
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
            queue.end(now, event(1), WebhookOutcome::Failed, RETRY);
        }
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn an_acknowledged_event_is_done_with() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        begin(&mut queue, at(0));
        queue.end(at(0), event(1), WebhookOutcome::Acknowledged, RETRY);
        queue.end(at(0), event(1), WebhookOutcome::Failed, RETRY);
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
        queue.end(at(5), event(0), WebhookOutcome::Failed, RETRY);
        assert_eq!(queue.next_due(), Some(at(0)));
    }

    #[test]
    fn ten_thousand_events_for_a_dead_endpoint_wait_and_four_are_under_way() {
        let mut queue = WebhookQueue::default();
        for rental in 0..10_000 {
            queue.plan(at(0), event(rental));
        }
        for rental in 0..SEEMS_DEAD {
            begin(&mut queue, at(0));
            queue.end(at(0), event(rental), WebhookOutcome::Failed, RETRY);
        }
        while begin(&mut queue, at(1)).is_some() {}
        let pending = Pending {
            scheduled: u64::from(SEEMS_DEAD),
            overdue: 10_000 - u64::from(SEEMS_DEAD) - 4,
            posting: 4,
        };
        assert_eq!(queue.pending(at(1)), pending, "and none is lost");
        let entry = size_of::<((Moment, DeliveryId), u32)>();
        assert!(entry <= 40, "what waits is small: {entry} bytes");
        // One that answers makes it live again.
        let under_way = *queue.in_flight.keys().next().expect("four");
        queue.end(at(1), under_way, WebhookOutcome::Acknowledged, RETRY);
        while begin(&mut queue, at(1)).is_some() {}
        assert_eq!(queue.in_flight.len(), CONCURRENT_POSTS);
    }

    #[test]
    fn an_event_that_is_to_be_overtaken_lets_the_next_one_go_first() {
        let mut queue = WebhookQueue::default();
        let mut order = Vec::new();
        for rental in 1..=5 {
            queue.plan(at(rental.into()), event(rental));
        }
        while let Some(now) = queue.next_due() {
            if let Some((delivery, _)) = queue.begin(now, |_| true) {
                order.push((now.since_start().as_secs(), delivery.rental));
                queue.end(now, delivery, WebhookOutcome::Acknowledged, RETRY);
            }
        }
        // Pairs swap; the last waits for nobody in vain.
        assert_eq!(order, [(2, 2), (2, 1), (4, 4), (4, 3), (10, 5)]);
    }

    #[test]
    fn what_is_replayed_is_tried_as_if_for_the_first_time() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        begin(&mut queue, at(0));
        assert_eq!(
            queue.replay(at(1), event(1), None),
            Err(ReplayError::Posting)
        );
        let followed = queue.end(at(1), event(1), WebhookOutcome::Failed, RETRY);
        assert_eq!(followed.again, Some(at(15)));
        assert_eq!(queue.replay(at(2), event(1), followed.again), Ok(()));
        assert_eq!(begin(&mut queue, at(2)), Some((event(1), 1)));
        queue.end(at(2), event(1), WebhookOutcome::Gone, RETRY);
        assert_eq!(
            queue.replay(at(3), event(1), None),
            Err(ReplayError::Disabled)
        );
        queue.plan(at(3), event(2));
        assert_eq!((queue.next_due(), queue.counts.skipped), (None, 1));
        queue.enable();
        queue.plan(at(3), event(3));
        assert_eq!(queue.next_due(), Some(at(3)));
    }

    #[test]
    fn fifty_failures_in_a_row_are_the_end_of_all_posts() {
        let mut queue = WebhookQueue::default();
        let fail = |queue: &mut WebhookQueue, outcome| {
            let now = queue.next_due().expect("one is due");
            let (delivery, _) = begin(queue, now).expect("due");
            queue.end(now, delivery, outcome, WebhookRetry::DisableAfter50);
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
