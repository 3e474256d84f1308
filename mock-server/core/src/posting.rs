//! The mock's webhooks on their way: planned at the rent, begun when they are
//! due, answered. Which attempt follows is the queue's business, in [`crate::webhook`].

use std::time::Duration;

use bytes::Bytes;
use contract::body::{self, Webhook};
use contract::dice::unit;
use contract::{Moment, Stream};

use crate::deliveries::AttemptReport;
use crate::dialect::{WebhookDuplicate, WebhookOrder, WebhookSignature};
use crate::history;
use crate::mock::Mock;
use crate::register::Place;
use crate::signature;
use crate::webhook::{DeliveryId, WebhookAttempt, WebhookOutcome};

/// From an event to the same once more, where a service forgets that it was
/// acknowledged: soon enough for a test, and late enough to be no race.
const DUPLICATE_AFTER: Duration = Duration::from_secs(1);

impl Mock {
    /// When the next webhook is due; nothing needs to be done before.
    pub fn next_webhook_due(&self) -> Option<Moment> {
        self.agenda.next()
    }

    /// The next webhook to post, if one is due by `now`. Ask again until there is none.
    pub fn take_due_webhook(&mut self, now: Moment) -> Option<WebhookAttempt> {
        let now = self.advance(now);
        let place = self.agenda.due(now)?;
        self.begin_webhook(place, now)
    }

    /// Tells what became of an attempt that ended at `now`.
    pub fn webhook_answered(&mut self, now: Moment, delivery: DeliveryId, outcome: WebhookOutcome) {
        let now = self.advance(now);
        let Some(Place { account, .. }) = self.register.place(delivery.rental) else {
            return;
        };
        let owner = &mut self.accounts[account as usize];
        let local = owner.clock.local(now);
        let settings = &owner.settings;
        let retry = settings.webhook.as_ref();
        let retry = retry.map(|_| settings.dialect.webhook_retry);
        let again = owner.webhooks.end(local, delivery, outcome, retry);
        let (_, disabled) = owner.webhooks.failures();
        let number = self.deliveries.end(delivery, outcome, again);
        if self.lint.is_some() {
            self.examine_webhook(delivery, outcome, local);
        }
        if disabled {
            self.deliveries.give_up(account);
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
        self.begin_wanted(place, now, |_| true)
    }

    /// Begins the attempts that are to be answered before the account's newest
    /// rental is: those of an SMS that came with it.
    pub(crate) fn begin_before_rent_answer(
        &mut self,
        place: u32,
        now: Moment,
    ) -> Vec<WebhookAttempt> {
        let account = &self.accounts[place as usize];
        let wanted = account.settings.dialect.webhook_order == WebhookOrder::BeforeRentAnswer;
        let newest = account.rentals().last().filter(|_| wanted);
        let Some(id) = newest.map(|rental| rental.id) else {
            return Vec::new();
        };
        let begin = || self.begin_wanted(place, now, |delivery| delivery.rental == id);
        std::iter::from_fn(begin).collect()
    }

    fn begin_wanted(
        &mut self,
        place: u32,
        now: Moment,
        wanted: impl Fn(DeliveryId) -> bool,
    ) -> Option<WebhookAttempt> {
        let account = &mut self.accounts[place as usize];
        let local = account.clock.local(now);
        let begun = account.webhooks.begin(local, wanted);
        self.reschedule(place);
        let (delivery, number) = begun?;
        let body = self.webhook_body(delivery)?;
        let settings = &self.accounts[place as usize].settings;
        let headers = match &settings.dialect.webhook_signature {
            WebhookSignature::None => Vec::new(),
            WebhookSignature::Secret(secret) => {
                let seconds = history::wall_time(self.epoch, local).as_second();
                vec![
                    (signature::HEADER, signature::sign(secret, &body)),
                    (signature::TIMESTAMP_HEADER, seconds.to_string()),
                ]
            }
        };
        let (timeout, ack) = (
            settings.dialect.webhook_timeout,
            settings.dialect.webhook_ack,
        );
        let receiver = settings.webhook.clone()?;
        let url = receiver.url.to_string();
        self.deliveries.begin(place, delivery, url, (number, local));
        Some(WebhookAttempt {
            delivery,
            number,
            body,
            headers,
            receiver,
            timeout,
            ack,
        })
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

    /// Plans the post of an event, if its SMS ever comes and webhooks go anywhere.
    pub(crate) fn plan_webhook(&mut self, place: u32, delivery: DeliveryId) {
        let Some((_, rental)) = self.rental(delivery.rental) else {
            return;
        };
        let account = &self.accounts[place as usize];
        let planned = account.settings.webhook.is_some();
        let arrival = account.sms(rental, delivery.sms).map(|(at, _)| at);
        let Some(arrival) = arrival.filter(|_| planned) else {
            return;
        };
        let dialect = &account.settings.dialect;
        let due = match dialect.webhook_order {
            WebhookOrder::PollFirst | WebhookOrder::BeforeRentAnswer => arrival,
            WebhookOrder::WebhookFirst(lead) => {
                rental.created + arrival.since(rental.created).saturating_sub(lead)
            }
            WebhookOrder::Delayed(delay) => arrival + delay,
        };
        let duplicate = match dialect.webhook_duplicate {
            WebhookDuplicate::Off => None,
            WebhookDuplicate::Concurrent => Some(due),
            WebhookDuplicate::Probability(chance) => self
                .is_unlucky(place, delivery, chance)
                .then_some(due + DUPLICATE_AFTER),
        };
        let webhooks = &mut self.accounts[place as usize].webhooks;
        webhooks.plan(due, delivery);
        if let Some(moment) = duplicate {
            let again = true;
            webhooks.plan(moment, DeliveryId { again, ..delivery });
        }
        self.reschedule(place);
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
    fn webhook_body(&self, delivery: DeliveryId) -> Option<Bytes> {
        let (owner, rental) = self.rental(delivery.rental)?;
        let owner = &self.accounts[owner as usize];
        let (at, message) = owner.sms(rental, delivery.sms)?;
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
