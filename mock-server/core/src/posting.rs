//! The mock's webhooks on their way: planned at the rent, begun when they are
//! due, answered. Which attempt follows is the queue's business, in [`crate::queue`].

use std::time::Duration;

use bytes::Bytes;
use contract::body::{self, Webhook};
use contract::dice::unit;
use contract::{Moment, Stream, Truth, truth};

use crate::deliveries::AttemptReport;
use crate::dialect::{Dialect, WebhookDuplicate, WebhookOrder, WebhookSignature};
use crate::fault::{WebhookFault, WebhookPlan};
use crate::history;
use crate::mock::Mock;
use crate::outbox::Begun;
use crate::queue::Pending;
use crate::register::Place;
use crate::settings::WebhookSettings;
use crate::signature::{self, STANDARD_HEADERS};
use crate::webhook::{CopyOf, DeliveryId, WebhookAttempt, WebhookOutcome};

/// Posts of all accounts under way at one moment at most, but for those that a rent
/// or an advance waits for: each is a socket.
const CONCURRENT_POSTS: usize = 256;

/// How old the timestamp is where a fault rule makes it so. Receivers tolerate five
/// minutes.
const STALE_SECONDS: i64 = 3600;

/// What one post brings beside its body.
type Headers = Vec<(&'static str, String)>;

impl Mock {
    /// When the next webhook is due; nothing needs to be done before. Nothing is while
    /// as many are under way as may be.
    pub fn next_webhook_due(&self) -> Option<Moment> {
        self.agenda.next().filter(|_| self.may_post())
    }

    /// The next webhook to post, if one is due by `now`. Ask again until there is none.
    pub fn take_due_webhook(&mut self, now: Moment) -> Option<WebhookAttempt> {
        let now = self.advance(now);
        while self.may_post() {
            let place = self.agenda.due(now)?;
            let attempt = self.begin_webhook(place, now);
            if attempt.is_some() || self.agenda.due(now) == Some(place) {
                // Rounding: the clocks disagree by a nanosecond about when it is due.
                return attempt;
            }
        }
        None
    }

    const fn may_post(&self) -> bool {
        self.posts_under_way < CONCURRENT_POSTS
    }

    /// What is still to be posted, of all accounts.
    pub fn pending_webhooks(&mut self, now: Moment) -> Pending {
        let now = self.advance(now);
        let mut all = Pending::default();
        for account in self.accounts.values() {
            all += account.webhooks.pending(account.clock.local(now));
        }
        all
    }

    /// Tells what became of an attempt that ended at `now`.
    pub fn webhook_answered(&mut self, now: Moment, delivery: DeliveryId, outcome: WebhookOutcome) {
        let now = self.advance(now);
        self.posts_under_way = self.posts_under_way.saturating_sub(1);
        let Some(Place { account, .. }) = self.register.place(delivery.rental) else {
            return;
        };
        let owner = &mut self.accounts[account as usize];
        let local = owner.clock.local(now);
        let retry = owner.settings.dialect.webhook_retry;
        let followed = owner.webhooks.end(local, delivery, outcome, retry);
        let number = self.deliveries.end(delivery, outcome, followed.again);
        if self.lint.is_some() {
            self.examine_webhook(delivery, outcome, local);
        }
        if followed.disabled {
            self.deliveries.give_up(account, delivery.endpoint);
        }
        self.reschedule(account);
        if self.is_heard() {
            self.tell_delivery(now, account, number);
        }
    }

    /// Tells what an attempt looked like whose outcome is told next.
    pub fn webhook_reported(&mut self, delivery: DeliveryId, report: AttemptReport) {
        self.deliveries.report(delivery, report);
    }

    /// Begins the account's next attempt, if one is due in its own time.
    pub(crate) fn begin_webhook(&mut self, place: u32, now: Moment) -> Option<WebhookAttempt> {
        let begin = |mock: &mut Self, local| {
            let account = &mut mock.accounts[place as usize];
            account.webhooks.begin(local)
        };
        self.begin_one(place, now, begin)
    }

    /// Begins the attempts that are to be answered before the account's newest
    /// rental is: those of an SMS that came with it, or that a fault rule wants there.
    pub(crate) fn begin_before_rent_answer(
        &mut self,
        place: u32,
        now: Moment,
    ) -> Vec<WebhookAttempt> {
        let account = &self.accounts[place as usize];
        let wanted = account.settings.dialect.webhook_order == WebhookOrder::BeforeRentAnswer;
        let newest = account.rentals().last().map(|rental| rental.id);
        let newest = newest.filter(|id| wanted || account.webhooks.plan_of(*id).early);
        let Some(id) = newest else {
            return Vec::new();
        };
        let begin = |mock: &mut Self, local| {
            let account = &mut mock.accounts[place as usize];
            account.webhooks.begin_about(local, id)
        };
        std::iter::from_fn(|| self.begin_one(place, now, begin)).collect()
    }

    /// Begins one that is to be made; what fault rules drop is only noted.
    fn begin_one(
        &mut self,
        place: u32,
        now: Moment,
        mut begin: impl FnMut(&mut Self, Moment) -> Option<Begun>,
    ) -> Option<WebhookAttempt> {
        let local = self.accounts[place as usize].clock.local(now);
        loop {
            let begun = begin(self, local);
            self.reschedule(place);
            let begun = begun?;
            let body = self.webhook_body(begun.delivery, begun.plan);
            match body.filter(|_| !begun.plan.dropped) {
                Some(body) => return Some(self.attempt(place, local, begun, body)),
                None => self.leave_out(place, &begun),
            }
        }
    }

    fn attempt(&mut self, place: u32, local: Moment, begun: Begun, body: Bytes) -> WebhookAttempt {
        let headers = self.headers(local, &begun, &body);
        let Begun {
            delivery,
            receiver,
            plan,
            number,
            ..
        } = begun;
        let url = receiver.url.to_string();
        let number = self
            .deliveries
            .begin((place, delivery), url, local, (plan.names(), number));
        self.posts_under_way += 1;
        let dialect = &self.accounts[place as usize].settings.dialect;
        WebhookAttempt {
            delivery,
            number,
            body,
            headers,
            receiver,
            timeout: dialect.webhook_timeout,
            ack: dialect.webhook_ack,
        }
    }

    /// What is not posted: a fault rule has it so, or what it was about is gone.
    fn leave_out(&mut self, place: u32, begun: &Begun) {
        let delivery = begun.delivery;
        self.accounts[place as usize].webhooks.drop(delivery);
        self.reschedule(place);
        if begun.plan.dropped {
            let url = begun.receiver.url.to_string();
            self.deliveries
                .drop((place, delivery), url, begun.plan.names());
        }
    }

    fn headers(&self, local: Moment, begun: &Begun, body: &[u8]) -> Headers {
        let mut headers = Headers::new();
        let Some((owner, rental)) = self.rental(begun.delivery.rental) else {
            return headers;
        };
        let account = &self.accounts[owner as usize];
        let now = history::wall_time(self.epoch, local).as_second();
        let stale = i64::from(begun.plan.stale_timestamp) * STALE_SECONDS;
        let bad = begun.plan.bad_signature;
        signed(
            (&begun.receiver, &account.settings.dialect),
            (&begun.delivery, now - stale, body),
            bad,
            &mut headers,
        );
        if begun.receiver.truth
            && let Some((at, _)) = account.sms(rental, begun.delivery.sms)
        {
            let truth = Truth {
                delay: at.since(rental.created),
                readable: local.since(at),
            };
            headers.push((truth::HEADER, truth.to_string()));
        }
        headers
    }

    /// Notes on the agenda when the account's next webhook is due.
    pub(crate) fn reschedule(&mut self, place: u32) {
        let account = &mut self.accounts[place as usize];
        let due = account.webhooks.next_due();
        let due = due.map(|local| account.clock.server(local));
        self.agenda.change(place, &mut account.agenda, due);
        if self.is_heard() {
            self.note_upcoming(place);
        }
    }

    /// Plans the posts of an event, if its SMS ever comes and webhooks go anywhere.
    pub(crate) fn plan_webhook(&mut self, place: u32, event: DeliveryId) {
        let Some((_, rental)) = self.rental(event.rental) else {
            return;
        };
        let account = &self.accounts[place as usize];
        let arrival = account.sms(rental, event.sms).map(|(at, _)| at);
        let Some(arrival) = arrival else {
            return;
        };
        let plan = account.webhooks.plan_of(event.rental);
        let due = match account.settings.dialect.webhook_order {
            _ if plan.early => rental.created,
            WebhookOrder::PollFirst | WebhookOrder::BeforeRentAnswer => arrival,
            WebhookOrder::WebhookFirst(lead) => {
                rental.created + arrival.since(rental.created).saturating_sub(lead)
            }
            WebhookOrder::Delayed(delay) => arrival + delay,
        };
        let due = due + plan.later;
        let again = [
            (CopyOf::Dialect, self.again_by_dialect(place, event)),
            (CopyOf::Webhook, plan.again_after),
        ];
        let webhooks = &mut self.accounts[place as usize].webhooks;
        webhooks.plan(due, event);
        for (copy, after) in again {
            // A copy of a copy is one too many.
            let after = after.filter(|_| event.copy == CopyOf::Original);
            if let Some(after) = after {
                webhooks.plan(due + after, event.copied(copy));
            }
        }
        self.reschedule(place);
    }

    /// How long after an event the dialect posts it again, if it does.
    fn again_by_dialect(&self, place: u32, event: DeliveryId) -> Option<Duration> {
        let dialect = &self.accounts[place as usize].settings.dialect;
        match dialect.webhook_duplicate {
            WebhookDuplicate::Off => None,
            WebhookDuplicate::Concurrent => Some(Duration::ZERO),
            WebhookDuplicate::Probability(chance) => self
                .is_unlucky(place, event, chance)
                .then_some(WebhookFault::AGAIN_AFTER),
        }
    }

    /// Whether an event is one of those that are posted twice.
    fn is_unlucky(&self, place: u32, delivery: DeliveryId, chance: f64) -> bool {
        let account = &self.accounts[place as usize];
        let rental = self.place(delivery.rental);
        let rental = rental.map_or(0, |place| account.rentals().number(place.index as usize));
        let index = u64::from(delivery.sms) << 32 | rental as u64;
        let stream = Stream::WebhookDuplicate;
        unit(&mut account.dice.roll(account.number, stream, index)) < chance
    }

    /// A function of the SMS alone, and therefore the same at every attempt.
    fn webhook_body(&self, delivery: DeliveryId, plan: WebhookPlan) -> Option<Bytes> {
        let (owner, rental) = self.rental(delivery.rental)?;
        let owner = &self.accounts[owner as usize];
        let (at, message) = owner.sms(rental, delivery.sms)?;
        // What comes before its SMS does not say when that will be.
        let at = if plan.early { rental.created } else { at };
        let dialect = &owner.settings.dialect;
        Some(dialect.json(&Webhook {
            event: body::SMS_RECEIVED.into(),
            timestamp: dialect.stamp(history::wall_time(self.epoch, at)),
            rental_id: u64::from(rental.id),
            phone: rental.phone.digits().into(),
            service_slug: self.catalogue.names(rental).slug.into(),
            raw_text: message.text,
            sms_code: message.code,
        }))
    }
}

/// Adds the headers of a signature, if the endpoint or the dialect wants one.
fn signed(
    (receiver, dialect): (&WebhookSettings, &Dialect),
    (delivery, seconds, body): (&DeliveryId, i64, &[u8]),
    bad: bool,
    headers: &mut Headers,
) {
    // A wrong signature is the right one of other bytes.
    let body: &[u8] = if bad { b"" } else { body };
    let secret = match (&receiver.secret, &dialect.webhook_signature) {
        (Some(secret), _) | (None, WebhookSignature::Standard(secret)) => secret,
        (None, WebhookSignature::None) => return,
        (None, WebhookSignature::Secret(secret)) => {
            let signature = signature::sign(secret, body);
            headers.push((signature::HEADER, signature));
            headers.push((signature::TIMESTAMP_HEADER, seconds.to_string()));
            return;
        }
    };
    let id = delivery.message();
    let signature = secret.sign(&id, seconds, body);
    let values = [id, seconds.to_string(), signature];
    headers.extend(STANDARD_HEADERS.into_iter().zip(values));
}
