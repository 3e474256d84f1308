//! The fleet's part that takes webhooks: who waits for one, what it means for a
//! customer who is between two polls, and what is counted.

use std::time::Duration;

use contract::Moment;

use super::{Fleet, Kind, Role};
use crate::answer::{Answer, Failure};
use crate::call::{Call, Order, UserId};
use crate::webhook::{Arrival, Pushed};

/// When all users are done, a webhook that has to come may take this long, before
/// it counts as lost.
const PATIENCE: Duration = Duration::from_secs(2);

impl Fleet {
    /// A webhook has arrived. What came to one listener is handed to the fleets of
    /// all shards; whose customer it is not for, knows nothing of it.
    pub fn handle_webhook(&mut self, now: Moment, pushed: Pushed) {
        self.cut(now);
        let arrival = self.postbox.arrive(pushed);
        // By the fleet whose customer it is for, which is here as long as one is
        // to come; other fleets may be done.
        self.tally.webhooks.received += u64::from(arrival != Arrival::Unclaimed);
        match arrival {
            Arrival::For(user, pushed) => self.deliver(user, &pushed, now),
            Arrival::Late => self.tally.webhooks.late += 1,
            Arrival::Duplicate => self.tally.webhooks.duplicates += 1,
            Arrival::Other | Arrival::Unclaimed => {}
        }
    }

    /// A post has arrived that is not the documented webhook.
    pub fn handle_unreadable_webhook(&mut self, now: Moment) {
        self.cut(now);
        self.tally.webhooks.unreadable += u64::from(self.is_first);
    }

    /// The rental that an answer is about, if its customer counts on a webhook.
    pub(super) fn with_webhook(
        &self,
        order: &Order,
        outcome: &Result<Answer, Failure>,
    ) -> Option<u64> {
        let (Call::Rent(_), Ok(Answer::Rented(rented))) = (order.call, outcome) else {
            return None;
        };
        let Role::Customer(crowd) = &self.plan.role else {
            return None;
        };
        let place = self.user(order.user)?.place;
        let polling = &crowd.population(place).plan.polling;
        polling.webhook().map(|_| rented.id)
    }

    /// From now on a user waits for the webhook of its rental.
    pub(super) fn await_webhook(&mut self, id: UserId, rental: u64, now: Moment) {
        let Some(Some(user)) = self.users.get_mut(id.0 as usize) else {
            return;
        };
        user.awaits = Some(rental);
        if let Some((pushed, again)) = self.postbox.claim(rental, id) {
            self.tally.webhooks.received += 1 + again;
            self.tally.webhooks.early += 1;
            self.tally.webhooks.duplicates += again;
            self.deliver(id, &pushed, now);
        }
    }

    /// A user who knows its code from a poll waits for no webhook any more.
    pub(super) fn note_code(&mut self, id: UserId) {
        let Some(Some(user)) = self.users.get_mut(id.0 as usize) else {
            return;
        };
        if let (Some(rental), Kind::Customer(customer)) = (user.awaits, &user.kind)
            && customer.knows_code()
        {
            user.awaits = None;
            self.postbox.miss(rental);
        }
    }

    /// Until when to wait for webhooks after the last user.
    pub(super) fn lingers(&mut self, now: Moment) -> Option<Moment> {
        if self.postbox.missing() == 0 {
            return None;
        }
        let until = *self.lingers_until.get_or_insert(now + PATIENCE);
        (until > now).then_some(until)
    }

    fn deliver(&mut self, id: UserId, pushed: &Pushed, now: Moment) {
        self.learn_from_webhook(id, now);
        let Some(Some(user)) = self.users.get_mut(id.0 as usize) else {
            return;
        };
        user.awaits = None;
        let Kind::Customer(customer) = &mut user.kind else {
            return;
        };
        let timer = user.timer.take();
        self.tally.webhooks.used += 1;
        customer.pushed(now, pushed, timer.is_none(), &mut self.tally);
        if let Some(at) = timer {
            user.has_turn = false;
            *self.cancelled.entry((at, id)).or_default() += 1;
            self.ask(id, Call::History(1), now, now);
        }
    }

    /// The next timer that is for something.
    pub(super) fn next_timer(&mut self) -> Option<(Moment, UserId)> {
        loop {
            let timer = self.timers.first()?;
            if !self.forget_cancelled(timer) {
                return Some(timer);
            }
            self.timers.pop();
        }
    }

    /// Whether a timer was cancelled; if so, that has been noted for one like it.
    fn forget_cancelled(&mut self, timer: (Moment, UserId)) -> bool {
        if self.cancelled.is_empty() {
            return false;
        }
        match self.cancelled.get_mut(&timer) {
            None => return false,
            Some(1) => {
                self.cancelled.remove(&timer);
            }
            Some(count) => *count -= 1,
        }
        true
    }
}
