//! The mock: from a moment and a request to a reply. It owns everything and
//! waits for nothing; the time it knows is the time it was last told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::body::{self, CheckOtp, HistoryRow, Profile, Rent, User, Webhook};
use contract::{ApiKey, Moment, Problem, Route, RouteError, Truth};
use indexmap::IndexMap;
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::account::Account;
use crate::agenda::Agenda;
use crate::deliveries::{AttemptReport, DeliveryLog};
use crate::fault::{self, FaultRecord, PreferenceError, SmsPlan, Verdict};
use crate::feed::Feed;
use crate::history::{self, Page};
use crate::journal::Journal;
use crate::register::{Place, Register};
use crate::rent_body;
use crate::rental::{Rental, State};
use crate::reply::{Delivery, Reply, json};
use crate::request::Request;
use crate::settings::Settings;
use crate::sms::{self, Message};
use crate::webhook::{DeliveryId, EventCopy, WebhookAttempt, WebhookOutcome};

/// A whole fake API, all accounts included.
#[derive(Debug)]
pub struct Mock {
    pub(crate) settings: Settings,
    /// What the wall clock showed at [`Moment::START`].
    pub(crate) epoch: Timestamp,
    /// The latest moment that anybody told us. Time given by two threads may
    /// arrive out of order; it must not run backwards for an account.
    now: Moment,
    pub(crate) accounts: IndexMap<ApiKey, Account, FxBuildHasher>,
    pub(crate) register: Register,
    /// When which account has a webhook due, in the server's time.
    agenda: Agenda,
    pub(crate) journal: Journal,
    pub(crate) deliveries: DeliveryLog,
    pub(crate) feed: Feed,
    /// Rules that testers gave to every account, present and to come.
    pub(crate) server_rules: FaultRecord,
    /// The answer to almost every poll, encoded once.
    waiting: Bytes,
}

impl Mock {
    /// An API without any accounts, whose run began when the wall clock showed `epoch`.
    pub fn new(settings: Settings, epoch: Timestamp) -> Self {
        Self {
            journal: Journal::new(settings.journal_max),
            settings,
            epoch,
            now: Moment::START,
            accounts: IndexMap::default(),
            register: Register::default(),
            agenda: Agenda::default(),
            deliveries: DeliveryLog::default(),
            feed: Feed::default(),
            server_rules: FaultRecord::default(),
            waiting: json(&CheckOtp::waiting()),
        }
    }

    /// Answers `request`, which arrived at `now`.
    pub fn handle(&mut self, now: Moment, request: &Request<'_>) -> Reply {
        let now = self.advance(now);
        let mut owner = (None, now);
        let reply = self
            .answer(now, request, &mut owner)
            .unwrap_or_else(|problem| Reply::refusal(problem, now));
        self.journal.record(owner, request, &reply);
        if self.is_heard() {
            self.tell_request(now);
        }
        reply
    }

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
        let again = owner.webhooks.end(local, delivery, outcome, settings);
        let number = self.deliveries.end(delivery, outcome, again);
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
        let account = &mut self.accounts[place as usize];
        let local = account.clock.local(now);
        let begun = account.webhooks.begin(local);
        let receiver = account.settings.webhook.clone();
        self.reschedule(place);
        let (delivery, number) = begun?;
        let body = self.webhook_body(delivery)?;
        let receiver = receiver?;
        let url = receiver.url.to_string();
        self.deliveries.begin(place, delivery, url, (number, local));
        Some(WebhookAttempt {
            delivery,
            number,
            body,
            receiver,
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

    pub(crate) fn advance(&mut self, now: Moment) -> Moment {
        self.now = self.now.max(now);
        self.now
    }

    /// Route, account, faults, operation, in this order: a request that means
    /// no operation or has no valid key is refused before any rule sees it.
    ///
    /// As soon as it is known whose the request is, `owner` says so, and when it
    /// came in that account's own time.
    fn answer(
        &mut self,
        now: Moment,
        request: &Request<'_>,
        owner: &mut (Option<u32>, Moment),
    ) -> Result<Reply, Problem> {
        let route = match find_route(request) {
            Ok(route) => route,
            // A stray request is in the journal as its sender's, but opens no account.
            Err(problem) => {
                owner.0 = self.known_account(request.auth);
                return Err(problem);
            }
        };
        let account = self.account(request.auth)?;
        let local = self.accounts[account as usize].clock.local(now);
        *owner = (Some(account), local);
        let verdict = match self.judge(local, account, &route, request.prefer) {
            Ok(verdict) => verdict,
            Err(error) => return Ok(Reply::not_preferable(&error, now)),
        };
        let latency = verdict.latency.unwrap_or_default();
        let at = now + latency;
        let times = Times {
            now: local,
            at,
            latency,
        };
        let reply = if verdict.prevents_operation() {
            Reply::nothing(Delivery::Never)
        } else {
            self.carry_out(account, &route, request, (times, verdict.sms))
                .unwrap_or_else(|problem| Reply::refusal(problem, at))
        };
        Ok(self.befallen(reply, at, account, &verdict))
    }

    /// What is left of `reply` after what the fault rules do to it.
    fn befallen(&self, reply: Reply, at: Moment, account: u32, verdict: &Verdict) -> Reply {
        if verdict.latency.is_none() {
            return Reply::nothing(Delivery::Never);
        }
        let Some((effect, strike)) = verdict.effect() else {
            return reply;
        };
        let account = &self.accounts[account as usize];
        effect.befall(reply, at, || strike.data((account.dice, account.number)))
    }

    /// The place of the account that owns the key in a header.
    fn account(&mut self, auth: Option<&[u8]>) -> Result<u32, Problem> {
        let key = ApiKey::from_bytes(auth.ok_or(Problem::MissingKey)?)
            .map_err(|_| Problem::InvalidKey)?;
        self.admit(key).ok_or(Problem::UnknownKey)
    }

    /// The place of the key's account, which is opened at its first use; `None`
    /// if only certain keys are known and this is none of them.
    pub(crate) fn admit(&mut self, key: ApiKey) -> Option<u32> {
        match self.accounts.get_index_of(&key) {
            Some(place) if !self.accounts[place].forgotten => Some(place as u32),
            _ => self.open(key),
        }
    }

    /// The place of the account that owns the key in a header, if it was here before.
    #[cold]
    fn known_account(&self, auth: Option<&[u8]>) -> Option<u32> {
        let key = ApiKey::from_bytes(auth?).ok()?;
        self.accounts.get_index_of(&key).map(|place| place as u32)
    }

    #[cold]
    fn open(&mut self, key: ApiKey) -> Option<u32> {
        let settings = Arc::clone(self.settings.of(&key)?);
        let mut account = Account::open(&key, settings, self.now);
        self.give_server_rules(&mut account);
        Some(self.accounts.insert_full(key, account).0 as u32)
    }

    /// The account at `place` as it would be opened now.
    pub(crate) fn fresh_account(&self, place: u32, now: Moment) -> Account {
        let owner = self.accounts.get_index(place as usize);
        let (key, account) = owner.expect("invariant: places are of accounts");
        let settings = self.settings.of(key).unwrap_or(&account.settings);
        let mut fresh = Account::open(key, Arc::clone(settings), now);
        self.give_server_rules(&mut fresh);
        fresh
    }

    /// The account at `place`, with its key.
    pub(crate) fn account_mut(&mut self, place: u32) -> (&ApiKey, &mut Account) {
        let owner = self.accounts.get_index_mut(place as usize);
        owner.expect("invariant: places are of accounts")
    }

    fn judge(
        &mut self,
        now: Moment,
        place: u32,
        route: &Route<'_>,
        prefer: Option<&str>,
    ) -> Result<Verdict, PreferenceError> {
        let account = &mut self.accounts[place as usize];
        if account.faults.rules.is_empty() && prefer.is_none() {
            return Ok(Verdict::HARMLESS);
        }
        let operation = route.operation();
        let preferred = match prefer {
            Some(header) => fault::preferred(header, operation)?,
            None => None,
        };
        let dice = (account.dice, account.number);
        let request = (operation, now);
        let preferred = preferred.as_ref();
        Ok(Verdict::reach(
            preferred,
            &mut account.faults,
            dice,
            request,
        ))
    }

    fn carry_out(
        &mut self,
        account: u32,
        route: &Route<'_>,
        request: &Request<'_>,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        match *route {
            Route::CheckOtp(id) => self.check_otp(account, id, request, times),
            Route::Rent => self.rent(account, request, (times, sms)),
            Route::Profile => Ok(self.profile(account, times)),
            Route::History => Ok(self.history(account, request, times)),
        }
    }

    fn check_otp(
        &self,
        account: u32,
        id: &str,
        request: &Request<'_>,
        times: Times,
    ) -> Result<Reply, Problem> {
        let (owner, rental) = Register::id(id)
            .and_then(|id| self.rental(id))
            .ok_or(Problem::NoSuchRental)?;
        if owner != account {
            return Err(Problem::NoSuchRental);
        }
        let owner = &self.accounts[owner as usize];
        let body = match owner.state(rental, times.now) {
            State::Pending => self.waiting.clone(),
            State::Completed => received(&owner.shown(rental, times.now)),
            State::Expired => json(&CheckOtp::expired()),
        };
        let truth = request.truth.then(|| truth(rental, times)).flatten();
        Ok(Reply {
            truth,
            ..Reply::success(body, times.at)
        })
    }

    fn rent(
        &mut self,
        place: u32,
        request: &Request<'_>,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        let service = rent_body::service(request.content_type, request.body)?;
        let id = self.register.next_id();
        let account = &mut self.accounts[place as usize];
        let rental = account.rent(times.now, service, id, sms)?;
        let index = account.rentals().len() as u32 - 1;
        self.register.enter(Place {
            account: place,
            index,
        });
        let copies = if sms.duplicated { 2 } else { 1 };
        for copy in [EventCopy::Only, EventCopy::Again].into_iter().take(copies) {
            self.plan_webhook(
                place,
                DeliveryId {
                    rental: id,
                    sms: sms::FIRST,
                    copy,
                },
            );
        }
        if sms.second_after.is_some() {
            let copy = EventCopy::Only;
            self.plan_webhook(
                place,
                DeliveryId {
                    rental: id,
                    sms: sms::FIRST + 1,
                    copy,
                },
            );
        }
        if self.is_heard() {
            self.tell_rental(self.now, place, id, "rental.made");
            self.foresee_rental(place, id);
        }
        let life = self.accounts[place as usize].settings.rental_life;
        Ok(Reply::success(rented(&rental, life), times.at))
    }

    /// Plans an event, if its SMS ever comes and somebody receives it.
    pub(crate) fn plan_webhook(&mut self, place: u32, delivery: DeliveryId) {
        let Some((_, rental)) = self.rental(delivery.rental) else {
            return;
        };
        let account = &self.accounts[place as usize];
        let planned = account.settings.webhook.is_some();
        let moment = account.sms(rental, delivery.sms).map(|(at, _)| at);
        if let Some(moment) = moment.filter(|_| planned) {
            self.accounts[place as usize]
                .webhooks
                .plan(moment, delivery);
            self.reschedule(place);
        }
    }

    fn profile(&mut self, account: u32, times: Times) -> Reply {
        let account = &mut self.accounts[account as usize];
        let balance = account.balance(times.now);
        let body = json(&Profile {
            success: true,
            user: User {
                name: account.person.name.as_str().into(),
                email: account.person.email.as_str().into(),
                balance,
            },
        });
        Reply::success(body, times.at)
    }

    fn history(&self, account: u32, request: &Request<'_>, times: Times) -> Reply {
        let account = &self.accounts[account as usize];
        let describe = |rental: &Rental| -> HistoryRow<'static> {
            let state = account.state(rental, times.now);
            let code = (state == State::Completed)
                .then(|| account.shown(rental, times.now).code.into_owned());
            history::row(rental, (state, code), self.epoch)
        };
        let page = Page::from_query(request.query).of(account.rentals(), describe);
        Reply::success(json(&page), times.at)
    }

    /// The rental with this id, and the account that it belongs to. A rental
    /// that was forgotten in a reset keeps its id, but is found no more.
    pub(crate) fn rental(&self, id: u32) -> Option<(u32, &Rental)> {
        let Place { account, index } = self.register.place(id)?;
        let rental = self.accounts[account as usize]
            .rentals()
            .get(index as usize)?;
        (rental.id == id).then_some((account, rental))
    }

    /// Where the rental with this id is, if it was not forgotten.
    pub(crate) fn place(&self, id: u32) -> Option<Place> {
        self.rental(id)?;
        self.register.place(id)
    }

    /// A function of the rental alone, and therefore the same at every attempt.
    fn webhook_body(&self, delivery: DeliveryId) -> Option<Bytes> {
        let (owner, rental) = self.rental(delivery.rental)?;
        let (at, message) = self.accounts[owner as usize].sms(rental, delivery.sms)?;
        Some(json(&Webhook {
            event: body::SMS_RECEIVED.into(),
            timestamp: history::wall_time(self.epoch, at).as_second(),
            rental_id: u64::from(rental.id),
            phone: rental.phone.digits().into(),
            service_slug: rental.service.slug.into(),
            raw_text: message.text,
            sms_code: message.code,
        }))
    }
}

/// When a request came, in its account's time, and when its answer leaves, in
/// the server's.
#[derive(Clone, Copy)]
struct Times {
    now: Moment,
    at: Moment,
    /// From the one to the other.
    latency: Duration,
}

fn find_route<'a>(request: &Request<'a>) -> Result<Route<'a>, Problem> {
    Route::find(request.method, request.path).map_err(|error| match error {
        RouteError::NoSuchPath => Problem::NoSuchPath,
        RouteError::WrongMethod(operation) => Problem::WrongMethod(operation),
    })
}

fn rented(rental: &Rental, life: Duration) -> Bytes {
    json(&Rent {
        success: true,
        message: body::RENTED.into(),
        rental: body::Rental {
            id: u64::from(rental.id),
            phone: rental.phone.digits().into(),
            service: rental.service.rent_name.into(),
            cost: rental.service.price,
            // Rounded up, because a life of half a second is not one of none.
            expires_in_seconds: life.as_millis().div_ceil(1000) as u64,
        },
    })
}

fn received(message: &Message<'_>) -> Bytes {
    json(&CheckOtp::received(&*message.code, &*message.text))
}

/// What only the mock can know, once the SMS is there.
fn truth(rental: &Rental, times: Times) -> Option<Truth> {
    let arrival = rental.sms_at().filter(|arrival| *arrival <= times.now)?;
    Some(Truth {
        delay: arrival.since(rental.created),
        readable: times.now.since(arrival) + times.latency,
    })
}
