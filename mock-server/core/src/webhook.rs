//! Which webhooks are due, in which order, and what follows an attempt. Posting
//! them, and waiting for the moment, is the shell's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::WebhookSettings;

/// Names one event over all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryId {
    /// The rental that it is about.
    pub(crate) rental: u32,
    /// Which of the rental's SMS it tells.
    pub(crate) sms: u32,
    /// Which of the events that tell it.
    pub(crate) copy: EventCopy,
}

impl DeliveryId {
    /// The first event of a rental that there may be; in their order, those of
    /// one rental stand together.
    pub(crate) const fn first(rental: u32) -> Self {
        Self {
            rental,
            sms: 0,
            copy: EventCopy::Only,
        }
    }
}

/// Tells events of one SMS apart; there is one, unless somebody wants more.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventCopy {
    /// The one that everybody gets.
    Only,
    /// The same once more.
    Again,
    /// That of an SMS from a tester's hand, which is not the one that was drawn
    /// under this number.
    ByHand,
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
    /// Where to, and how patiently.
    pub receiver: Arc<WebhookSettings>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// A status from 200 to 299, in time.
    Acknowledged,
    /// Anything else.
    Failed,
}

/// The events of an account that are not yet acknowledged or given up, in the
/// account's own time.
#[derive(Debug, Default)]
pub(crate) struct WebhookQueue {
    /// By moment, and at one moment in the order of the rents.
    due: BTreeMap<(Moment, DeliveryId), u32>,
    /// Those being posted at the moment: which attempt it is, and when it began.
    in_flight: BTreeMap<DeliveryId, (u32, Moment)>,
}

impl WebhookQueue {
    /// Plans an event that is due at `moment`.
    pub(crate) fn plan(&mut self, moment: Moment, delivery: DeliveryId) {
        self.due.insert((moment, delivery), 0);
    }

    /// When the next attempt is due.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.due.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// Begins the next attempt that is due by `now`; its event and its number.
    pub(crate) fn begin(&mut self, now: Moment) -> Option<(DeliveryId, u32)> {
        let entry = self.due.first_entry()?;
        let (moment, delivery) = *entry.key();
        if moment > now {
            return None;
        }
        let number = entry.remove().saturating_add(1);
        self.in_flight.insert(delivery, (number, now));
        Some((delivery, number))
    }

    /// Forgets the events that `unwanted` names; one that is being posted is not
    /// posted again.
    pub(crate) fn cancel(&mut self, unwanted: impl Fn(DeliveryId) -> bool) {
        self.due.retain(|(_, delivery), _| !unwanted(*delivery));
        self.in_flight.retain(|delivery, _| !unwanted(*delivery));
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_posting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Ends an attempt: done with, or again later, or given up. Attempts are
    /// spaced from begin to begin, however long the receiver takes to fail. A
    /// receiver that is no more gets no other attempt. Says whether one follows.
    pub(crate) fn end(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        outcome: WebhookOutcome,
        settings: Option<&WebhookSettings>,
    ) -> bool {
        let Some((number, begun)) = self.in_flight.remove(&delivery) else {
            return false;
        };
        if let Some(settings) = settings
            && outcome == WebhookOutcome::Failed
            && number < settings.attempts
        {
            let again = now.max(begun + settings.spacing);
            self.due.insert((again, delivery), number);
            return true;
        }
        false
    }
}

/// An event that is to be posted, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedWebhook {
    rental: u32,
    sms: u32,
    copy: EventCopy,
    /// When the next attempt is due, in nanoseconds of the account's time.
    due: u64,
    /// Attempts that were made.
    attempts: u32,
}

impl WebhookQueue {
    /// Written down; what is being posted at the moment is to be posted again.
    pub(crate) fn save(&self) -> Vec<SavedWebhook> {
        let due = self.due.iter();
        let due = due.map(|((at, event), attempts)| (*event, *at, *attempts));
        let in_flight = self.in_flight.iter();
        let in_flight = in_flight.map(|(event, (number, at))| (*event, *at, *number - 1));
        let saved = due
            .chain(in_flight)
            .map(|(event, at, attempts)| SavedWebhook {
                rental: event.rental,
                sms: event.sms,
                copy: event.copy,
                due: at.nanoseconds(),
                attempts,
            });
        saved.collect()
    }

    /// As it was written down.
    pub(crate) fn restore(saved: Vec<SavedWebhook>) -> Self {
        let due = saved.into_iter().map(|saved| {
            let event = DeliveryId {
                rental: saved.rental,
                sms: saved.sms,
                copy: saved.copy,
            };
            let at = Moment::from_nanoseconds(saved.due);
            ((at, event), saved.attempts)
        });
        Self {
            due: due.collect(),
            in_flight: BTreeMap::new(),
        }
    }

    /// The rentals that something is to be posted about.
    pub(crate) fn rentals(&self) -> impl Iterator<Item = u32> {
        self.due.keys().map(|(_, event)| event.rental)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings() -> WebhookSettings {
        WebhookSettings::new("http://localhost/".parse().expect("well-formed"))
    }

    fn event(rental: u32) -> DeliveryId {
        DeliveryId {
            rental,
            sms: 0,
            copy: EventCopy::Only,
        }
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
        assert_eq!(queue.begin(at(1)), None);
        assert_eq!(queue.begin(at(2)), Some((event(2), 1)));
        assert_eq!(queue.begin(at(2)), Some((event(3), 1)));
        assert_eq!(queue.begin(at(2)), None);
    }

    #[test]
    fn a_failed_event_is_tried_five_times() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        for number in 1..=5 {
            let now = queue.next_due().expect("one is due");
            assert_eq!(now, at(15 * (u64::from(number) - 1)));
            assert_eq!(queue.begin(now), Some((event(1), number)));
            queue.end(now, event(1), WebhookOutcome::Failed, Some(&settings()));
        }
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn an_acknowledged_event_is_done_with() {
        let mut queue = WebhookQueue::default();
        queue.plan(at(0), event(1));
        queue.begin(at(0));
        queue.end(
            at(0),
            event(1),
            WebhookOutcome::Acknowledged,
            Some(&settings()),
        );
        queue.end(at(0), event(1), WebhookOutcome::Failed, Some(&settings()));
        assert_eq!(queue.next_due(), None);
    }
}
