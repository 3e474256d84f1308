//! The bounded record of webhooks: which event went where, attempt by attempt,
//! and what came of it. When to post what is [`crate::webhook`]'s business.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Moment;

use crate::endpoint::EndpointId;
use crate::webhook::{DeliveryId, WebhookOutcome};

/// Deliveries that are remembered, and attempts of all of them; the oldest
/// deliveries go first. Some two megabytes, and twenty if every one is tried often.
const REMEMBERED: usize = 10_000;
const REMEMBERED_ATTEMPTS: usize = 100_000;

/// What an attempt looked like from where it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptReport {
    /// The receiver's status, if there was one.
    pub status: Option<u16>,
    /// Why there was none, in words.
    pub error: Option<String>,
    /// From the beginning to the answer, or to giving up on one, in real time.
    pub took: Duration,
}

/// One event, as far as it was posted.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// From 1, over the whole server.
    pub(crate) number: u64,
    /// Whose.
    pub(crate) account: u32,
    pub(crate) id: DeliveryId,
    /// Where its last attempt went.
    pub(crate) url: String,
    pub(crate) standing: Standing,
    pub(crate) attempts: Vec<Attempt>,
    /// What fault rules do to it.
    pub(crate) faults: Vec<&'static str>,
    /// When the next attempt is due, if one is, in the account's time.
    pub(crate) next: Option<Moment>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// An attempt is under way.
    Posting,
    /// The last attempt failed, and another will follow.
    Failed,
    /// The receiver took it.
    Acknowledged,
    /// The last attempt failed, and none will follow.
    GivenUp,
    /// It is to be posted once more, because a tester wants that.
    Scheduled,
    /// A fault rule has it that it is never posted.
    Dropped,
}

/// One post.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// From 1.
    pub(crate) number: u32,
    /// When it began, in the account's time.
    pub(crate) at: Moment,
    /// How it ended, if it has.
    pub(crate) outcome: Option<WebhookOutcome>,
    pub(crate) report: AttemptReport,
}

/// The latest deliveries.
#[derive(Debug, Default)]
pub(crate) struct DeliveryLog {
    entries: BTreeMap<u64, Delivery>,
    numbers: BTreeMap<DeliveryId, u64>,
    written: u64,
    /// Of all entries.
    attempts: usize,
    /// Deliveries that were forgotten to make room.
    evicted: u64,
}

impl DeliveryLog {
    /// An attempt begins; says which it is, from 1.
    pub(crate) fn begin(
        &mut self,
        (account, id): (u32, DeliveryId),
        url: String,
        at: Moment,
        (faults, least): (Vec<&'static str>, u32),
    ) -> u32 {
        let delivery = self.enter((account, id), url, faults);
        // A replay counts on; what came in a snapshot was attempted elsewhere.
        let number = delivery.attempts.last().map_or(0, |last| last.number) + 1;
        let number = number.max(least);
        (delivery.standing, delivery.next) = (Standing::Posting, None);
        delivery.attempts.push(Attempt {
            number,
            at,
            outcome: None,
            report: AttemptReport::default(),
        });
        self.attempts += 1;
        self.make_room();
        number
    }

    /// A delivery is not made, because a fault rule has it so.
    pub(crate) fn drop(
        &mut self,
        (account, id): (u32, DeliveryId),
        url: String,
        faults: Vec<&'static str>,
    ) {
        self.enter((account, id), url, faults).standing = Standing::Dropped;
        self.make_room();
    }

    /// A delivery is to be made once more, at this moment.
    pub(crate) fn schedule(&mut self, number: u64, at: Moment) {
        if let Some(delivery) = self.entries.get_mut(&number) {
            (delivery.standing, delivery.next) = (Standing::Scheduled, Some(at));
        }
    }

    fn enter(
        &mut self,
        (account, id): (u32, DeliveryId),
        url: String,
        faults: Vec<&'static str>,
    ) -> &mut Delivery {
        let written = &mut self.written;
        let number = *self.numbers.entry(id).or_insert_with(|| {
            *written += 1;
            *written
        });
        let fresh = || Delivery {
            number,
            account,
            id,
            url: String::new(),
            standing: Standing::Posting,
            attempts: Vec::new(),
            faults,
            next: None,
        };
        let delivery = self.entries.entry(number).or_insert_with(fresh);
        delivery.url = url;
        delivery
    }

    /// Forgets the oldest, but not the newest.
    fn make_room(&mut self) {
        while self.entries.len() > REMEMBERED
            || (self.attempts > REMEMBERED_ATTEMPTS && self.entries.len() > 1)
        {
            let Some((_, oldest)) = self.entries.pop_first() else {
                return;
            };
            self.numbers.remove(&oldest.id);
            self.attempts -= oldest.attempts.len();
            self.evicted += 1;
        }
    }

    /// How many were forgotten to make room.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The attempt under way looked like this.
    pub(crate) fn report(&mut self, id: DeliveryId, report: AttemptReport) {
        if let Some(attempt) = self
            .of(id)
            .and_then(|delivery| delivery.attempts.last_mut())
        {
            attempt.report = report;
        }
    }

    /// The attempt under way has ended; when another follows. Says the delivery's
    /// number, or 0 if it is remembered no more.
    pub(crate) fn end(
        &mut self,
        id: DeliveryId,
        outcome: WebhookOutcome,
        again: Option<Moment>,
    ) -> u64 {
        let Some(delivery) = self.of(id) else {
            return 0;
        };
        if let Some(attempt) = delivery.attempts.last_mut() {
            attempt.outcome = Some(outcome);
        }
        delivery.standing = match outcome {
            WebhookOutcome::Acknowledged => Standing::Acknowledged,
            _ if again.is_some() => Standing::Failed,
            _ => Standing::GivenUp,
        };
        delivery.next = again;
        delivery.number
    }

    /// Nothing is posted to an account's endpoint any more.
    pub(crate) fn give_up(&mut self, account: u32, endpoint: EndpointId) {
        for delivery in self.entries.values_mut() {
            let hopeful = matches!(delivery.standing, Standing::Failed | Standing::Scheduled);
            if delivery.account == account && delivery.id.endpoint == endpoint && hopeful {
                (delivery.standing, delivery.next) = (Standing::GivenUp, None);
            }
        }
    }

    /// The delivery with this number.
    pub(crate) fn get(&self, number: u64) -> Option<&Delivery> {
        self.entries.get(&number)
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.entries.values()
    }

    /// All about one rental.
    pub(crate) fn about(&self, rental: u32) -> impl Iterator<Item = &Delivery> {
        let (first, last) = (
            DeliveryId::drawn(rental, 0),
            DeliveryId::drawn(rental + 1, 0),
        );
        let numbers = self.numbers.range(first..last);
        numbers.filter_map(|(_, number)| self.entries.get(number))
    }

    /// Forgets what was posted for an account.
    pub(crate) fn clear(&mut self, account: u32) {
        self.entries
            .retain(|_, delivery| delivery.account != account);
        let entries = &self.entries;
        self.numbers
            .retain(|_, number| entries.contains_key(number));
        let attempts = entries.values().map(|delivery| delivery.attempts.len());
        self.attempts = attempts.sum();
    }

    fn of(&mut self, id: DeliveryId) -> Option<&mut Delivery> {
        self.entries.get_mut(self.numbers.get(&id)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(log: &mut DeliveryLog, rental: u32) -> u32 {
        let id = DeliveryId::drawn(rental, 0);
        let url = "http://localhost/".to_owned();
        log.begin((1, id), url, Moment::START, (Vec::new(), 1))
    }

    #[test]
    fn attempts_are_kept_together_and_the_oldest_delivery_goes_first() {
        let mut log = DeliveryLog::default();
        let soon = Some(Moment::START);
        assert_eq!(post(&mut log, 7), 1);
        log.end(DeliveryId::drawn(7, 0), WebhookOutcome::Failed, soon);
        assert_eq!(post(&mut log, 7), 2);
        let delivery = log.get(1).expect("it was posted");
        assert_eq!((delivery.number, delivery.attempts.len()), (1, 2));
        assert_eq!(delivery.attempts[0].outcome, Some(WebhookOutcome::Failed));
        assert_eq!(delivery.standing, Standing::Posting);
        for rental in 100..100 + REMEMBERED as u32 {
            post(&mut log, rental);
        }
        assert_eq!(log.about(7).count(), 0);
        assert_eq!(log.all().count(), REMEMBERED);
        log.clear(1);
        assert_eq!(log.all().count(), 0);
        assert_eq!(log.about(100).count(), 0);
        assert_eq!((log.attempts, log.evicted()), (0, 1));
    }

    #[test]
    fn attempts_are_bounded_too() {
        let mut log = DeliveryLog::default();
        for round in 0..150 {
            for rental in 0..1000 {
                let number = post(&mut log, rental);
                log.end(DeliveryId::drawn(rental, 0), WebhookOutcome::Failed, None);
                assert!(number == round + 1 || round >= 100);
            }
        }
        assert!(log.attempts <= REMEMBERED_ATTEMPTS);
        assert!(log.entries.len() > 500 && log.evicted() > 0);
    }
}
