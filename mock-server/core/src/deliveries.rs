//! The bounded record of webhooks: which event went where, attempt by attempt,
//! and what came of it. When to post what is [`crate::webhook`]'s business.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Moment;

use crate::webhook::{DeliveryId, WebhookOutcome};

/// Deliveries that are remembered; the oldest go first. Some two megabytes.
const REMEMBERED: usize = 10_000;

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
}

impl DeliveryLog {
    /// An attempt begins.
    pub(crate) fn begin(
        &mut self,
        account: u32,
        id: DeliveryId,
        url: String,
        (number, at): (u32, Moment),
    ) {
        let attempt = Attempt {
            number,
            at,
            outcome: None,
            report: AttemptReport::default(),
        };
        let standing = Standing::Posting;
        if let Some(delivery) = self.of(id) {
            delivery.attempts.push(attempt);
            (delivery.url, delivery.standing) = (url, standing);
            return;
        }
        if self.entries.len() >= REMEMBERED
            && let Some((_, oldest)) = self.entries.pop_first()
        {
            self.numbers.remove(&oldest.id);
        }
        self.written += 1;
        self.numbers.insert(id, self.written);
        let delivery = Delivery {
            number: self.written,
            account,
            id,
            url,
            standing,
            attempts: vec![attempt],
        };
        self.entries.insert(self.written, delivery);
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

    /// The attempt under way has ended; whether another will follow. Says the
    /// delivery's number, or 0 if it is remembered no more.
    pub(crate) fn end(&mut self, id: DeliveryId, outcome: WebhookOutcome, again: bool) -> u64 {
        let Some(delivery) = self.of(id) else {
            return 0;
        };
        if let Some(attempt) = delivery.attempts.last_mut() {
            attempt.outcome = Some(outcome);
        }
        delivery.standing = match outcome {
            WebhookOutcome::Acknowledged => Standing::Acknowledged,
            _ if again => Standing::Failed,
            _ => Standing::GivenUp,
        };
        delivery.number
    }

    /// Nothing is posted for an account any more.
    pub(crate) fn give_up(&mut self, account: u32) {
        let deliveries = self.entries.values_mut();
        let hopeful = deliveries.filter(|delivery| {
            delivery.account == account && delivery.standing == Standing::Failed
        });
        hopeful.for_each(|delivery| delivery.standing = Standing::GivenUp);
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
    }

    fn of(&mut self, id: DeliveryId) -> Option<&mut Delivery> {
        self.entries.get_mut(self.numbers.get(&id)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(log: &mut DeliveryLog, rental: u32, number: u32) {
        let id = DeliveryId::drawn(rental, 0);
        log.begin(
            1,
            id,
            "http://localhost/".to_owned(),
            (number, Moment::START),
        );
    }

    #[test]
    fn attempts_are_kept_together_and_the_oldest_delivery_goes_first() {
        let mut log = DeliveryLog::default();
        post(&mut log, 7, 1);
        log.end(DeliveryId::drawn(7, 0), WebhookOutcome::Failed, true);
        post(&mut log, 7, 2);
        let delivery = log.get(1).expect("it was posted");
        assert_eq!((delivery.number, delivery.attempts.len()), (1, 2));
        assert_eq!(delivery.attempts[0].outcome, Some(WebhookOutcome::Failed));
        assert_eq!(delivery.standing, Standing::Posting);
        for rental in 100..100 + REMEMBERED as u32 {
            post(&mut log, rental, 1);
        }
        assert_eq!(log.about(7).count(), 0);
        assert_eq!(log.all().count(), REMEMBERED);
        log.clear(1);
        assert_eq!(log.all().count(), 0);
        assert_eq!(log.about(100).count(), 0);
    }
}
