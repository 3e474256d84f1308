//! What happens, told to whoever listens, in the order in which it happened.
//! While nobody listens this costs one look at a flag.
//!
//! Most of what happens is a request or a tester's hand. An SMS or the end of a
//! rental happens by itself; each account's are kept in the order of their
//! moments, and an agenda knows when the next of all comes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use contract::Moment;
use schemars::JsonSchema;
use serde::Serialize;

use crate::agenda::Agenda;
use crate::control::ClockView;
use crate::control::reload::Reloaded;
use crate::control::rentals::DeliveryView;
use crate::event::Event;
use crate::history;
use crate::mock::Mock;
use crate::reply::json;
use crate::requests::RequestView;
use crate::scope::Scope;
use crate::sms;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// From 1, over the whole server, since somebody first listened.
    pub id: u64,
    /// What, by the names at [`What`].
    pub name: &'static str,
    /// All about it, as JSON.
    pub data: Bytes,
    account: Option<u32>,
}

/// What may happen, and what is told about it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum What {
    /// `request`: a request was decided.
    Request(RequestView),
    /// `rental.made`, `sms.received`, `rental.expired`, `rental.refunded`.
    Rental(RentalHappened),
    /// `webhook.posted`: an attempt has ended.
    Delivery(DeliveryView),
    /// `clock.changed`: the clock was advanced, or runs at another pace.
    Clock(ClockView),
    /// `account.reset`: the account is fresh again.
    Reset(ResetHappened),
    /// `config.reloaded`, `config.refused`: the configuration file was read again.
    Config(Reloaded),
}

/// What is told about a rental.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RentalHappened {
    /// Whose: the first characters of the key, and a number to tell it apart.
    pub account: String,
    /// When, in the account's own time, in UTC.
    pub at: String,
    /// Which.
    pub rental_id: u32,
    /// Its number.
    pub phone: String,
    /// The slug.
    pub service: String,
    /// Of an SMS: its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Of an SMS: the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is told about a reset.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ResetHappened {
    /// Which account.
    pub account: String,
}

/// What is to be told.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    listening: bool,
    told: u64,
    queue: Vec<Happening>,
    /// When something of an account happens by itself, in the server's time.
    agenda: Agenda,
    upcoming: BTreeMap<u32, Upcoming>,
}

/// What happens to an account by itself, in its own time.
#[derive(Debug, Default)]
struct Upcoming {
    events: BTreeSet<(Moment, Event, u32)>,
    noted: Option<Moment>,
}

impl Happening {
    /// Whether it is about something in this scope.
    pub fn concerns(&self, scope: Scope) -> bool {
        scope.place().is_none() || scope.place() == self.account
    }
}

impl Mock {
    /// From now on somebody listens, or nobody does.
    pub fn listen(&mut self, now: Moment, listening: bool) {
        let now = self.advance(now);
        if self.feed.listening == listening {
            return;
        }
        let told = self.feed.told;
        self.feed = Feed {
            listening,
            told,
            ..Feed::default()
        };
        for place in self.places(Scope::Server) {
            self.foresee(place, now);
        }
    }

    /// When something happens next by itself.
    pub fn next_happening(&self) -> Option<Moment> {
        self.feed.agenda.next()
    }

    /// All that has happened by `now` and was not taken yet.
    pub fn take_happenings(&mut self, now: Moment) -> Vec<Happening> {
        let now = self.advance(now);
        self.tell_due(now);
        std::mem::take(&mut self.feed.queue)
    }

    /// Whether anybody listens.
    pub(crate) const fn is_heard(&self) -> bool {
        self.feed.listening
    }

    /// Something has happened; what is due before comes first.
    #[cold]
    pub(crate) fn tell(
        &mut self,
        now: Moment,
        account: Option<u32>,
        name: &'static str,
        what: &What,
    ) {
        self.tell_due(now);
        self.push(account, name, what);
    }

    /// The newest request in the journal was decided just now.
    #[cold]
    pub(crate) fn tell_request(&mut self, now: Moment) {
        let Some(entry) = self.journal.of(None).next_back() else {
            return;
        };
        let (account, view) = (entry.account, self.request_view(entry));
        self.tell(now, account, "request", &What::Request(view));
    }

    /// Something has happened to a rental just now.
    #[cold]
    pub(crate) fn tell_rental(&mut self, now: Moment, place: u32, id: u32, name: &'static str) {
        self.tell_due(now);
        let local = self.accounts[place as usize].clock.local(now);
        self.push_rental(place, (local, id), name);
    }

    /// A rental was made just now.
    #[cold]
    pub(crate) fn tell_made(&mut self, place: u32, id: u32) {
        let now = self.advance(Moment::START);
        self.tell_rental(now, place, id, "rental.made");
        self.foresee_rental(place, id);
    }

    /// A clock was moved, or runs at another pace.
    #[cold]
    pub(crate) fn tell_clock(&mut self, now: Moment, place: u32) {
        let view = self.clock_view(place, now);
        self.tell(now, Some(place), "clock.changed", &What::Clock(view));
    }

    /// An attempt has ended.
    #[cold]
    pub(crate) fn tell_delivery(&mut self, now: Moment, place: u32, number: u64) {
        if let Some(view) = self.delivery(Scope::Server, number) {
            self.tell(now, Some(place), "webhook.posted", &What::Delivery(view));
        }
    }

    /// An account is fresh again.
    #[cold]
    pub(crate) fn tell_reset(&mut self, now: Moment, place: u32) {
        let account = self.name(place);
        let what = What::Reset(ResetHappened { account });
        self.tell(now, Some(place), "account.reset", &what);
        self.foresee(place, now);
    }

    /// What is to happen to the rentals of an account, from scratch.
    pub(crate) fn foresee(&mut self, place: u32, now: Moment) {
        if !self.feed.listening {
            return;
        }
        let account = &self.accounts[place as usize];
        let local = account.clock.local(now);
        let to_come = account.timeline().filter(|(moment, ..)| *moment > local);
        self.feed.upcoming.entry(place).or_default().events = to_come.collect();
        self.note_upcoming(place);
    }

    /// What is to happen to a rental that was made just now.
    #[cold]
    pub(crate) fn foresee_rental(&mut self, place: u32, id: u32) {
        let Some((_, rental)) = self.rental(id) else {
            return;
        };
        let account = &self.accounts[place as usize];
        let second = account.sms(rental, sms::FIRST + 1);
        let second = second.map(|(at, _)| (at, Event::SmsReceived, id));
        let newest = account.fate(rental).chain(second);
        let newest: Vec<_> = newest.collect();
        self.feed
            .upcoming
            .entry(place)
            .or_default()
            .events
            .extend(newest);
        self.note_upcoming(place);
    }

    /// Notes on the agenda when something happens to the account by itself next.
    pub(crate) fn note_upcoming(&mut self, place: u32) {
        let clock = &self.accounts[place as usize].clock;
        let upcoming = self.feed.upcoming.entry(place).or_default();
        let next = upcoming.events.first();
        let next = next.map(|(moment, ..)| clock.server(*moment));
        self.feed.agenda.change(place, &mut upcoming.noted, next);
    }

    fn tell_due(&mut self, now: Moment) {
        while let Some(place) = self.feed.agenda.due(now) {
            let local = self.accounts[place as usize].clock.local(now);
            let upcoming = self.feed.upcoming.entry(place).or_default();
            let due = upcoming.events.first().copied();
            let Some((moment, event, id)) = due.filter(|(moment, ..)| *moment <= local) else {
                // Rounding: the clocks disagree by a nanosecond about when it is due.
                return;
            };
            upcoming.events.pop_first();
            self.push_rental(place, (moment, id), event.name());
            self.note_upcoming(place);
        }
    }

    fn push_rental(&mut self, place: u32, (at, id): (Moment, u32), name: &'static str) {
        let Some((_, rental)) = self.rental(id) else {
            return;
        };
        let message = self.accounts[place as usize].shown(rental, at);
        let arrived = name == Event::SmsReceived.name();
        let what = What::Rental(RentalHappened {
            account: self.name(place),
            at: history::created_at(self.epoch, at),
            rental_id: id,
            phone: rental.phone.digits(),
            service: self.catalogue.names(rental).slug.to_owned(),
            code: arrived.then(|| message.code.clone().into_owned()),
            text: arrived.then(|| message.text.into_owned()),
        });
        self.push(Some(place), name, &what);
    }

    fn push(&mut self, account: Option<u32>, name: &'static str, what: &What) {
        let feed = &mut self.feed;
        feed.told += 1;
        feed.queue.push(Happening {
            id: feed.told,
            name,
            data: json(what),
            account,
        });
    }
}
