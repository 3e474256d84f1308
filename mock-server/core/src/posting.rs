//! The mock's webhooks on their way: planned at the rent, begun when they are
//! due, answered. Which attempt follows is the queue's business, in [`crate::webhook`].

use bytes::Bytes;
use contract::Moment;
use contract::body::{self, Webhook};

use crate::history;
use crate::mock::Mock;
use crate::register::Place;
use crate::webhook::{DeliveryId, WebhookAttempt, WebhookOutcome};

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
        let settings = owner.settings.webhook.as_deref();
        owner.webhooks.end(local, delivery, outcome, settings);
        self.reschedule(account);
    }

    /// Begins the account's next attempt, if one is due in its own time.
    pub(crate) fn begin_webhook(&mut self, place: u32, now: Moment) -> Option<WebhookAttempt> {
        let account = &mut self.accounts[place as usize];
        let begun = account.webhooks.begin(account.clock.local(now));
        let receiver = account.settings.webhook.clone();
        self.reschedule(place);
        let (delivery, number) = begun?;
        let body = self.webhook_body(delivery)?;
        Some(WebhookAttempt {
            delivery,
            number,
            body,
            receiver: receiver?,
        })
    }

    /// Notes on the agenda when the account's next webhook is due.
    pub(crate) fn reschedule(&mut self, place: u32) {
        let account = &mut self.accounts[place as usize];
        let due = account.webhooks.next_due();
        let due = due.map(|local| account.clock.server(local));
        self.agenda.change(place, &mut account.agenda, due);
    }

    /// Plans the post of an event, if its SMS ever comes and webhooks go anywhere.
    pub(crate) fn plan_webhook(&mut self, place: u32, delivery: DeliveryId) {
        let Some((_, rental)) = self.rental(delivery.rental) else {
            return;
        };
        let account = &self.accounts[place as usize];
        let planned = account.settings.webhook.is_some();
        let moment = account.sms(rental, delivery.sms).map(|(at, _)| at);
        if let Some(moment) = moment.filter(|_| planned) {
            let account = &mut self.accounts[place as usize];
            account.webhooks.plan(moment, delivery);
            self.reschedule(place);
        }
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
