//! The mock in a tester's hands: its clocks, its money and its memory. What a
//! control request looks like on the wire is the shell's business.
//!
//! Everything here is about one account or about all of them, and touches no other.

pub mod accounts;
mod endpoints;
pub mod faults;
mod instant;
pub mod reload;
pub mod rentals;
pub mod snapshot;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Moment};
use schemars::JsonSchema;
use serde::Serialize;

pub use self::endpoints::{EndpointError, EndpointMade, EndpointView, WrittenEndpoint};
pub use self::instant::{ClockError, Instant, InstantError};
pub use self::reload::Reloaded;
pub use crate::event::Event;
use crate::fault::FaultRecord;
use crate::history;
use crate::mock::Mock;
use crate::scope::redacted;
pub use crate::scope::{AccountPlace, Scope};
use crate::time_scale::TimeScale;
use crate::webhook::{WebhookAttempt, WebhookOutcome};

/// What time it is for an account.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClockView {
    /// The first characters of its key, and a number to tell it apart.
    pub account: String,
    /// Its date and time, in UTC.
    pub now: String,
    /// How fast it runs: 1 is real time, 0 is frozen.
    pub pace: f64,
}

/// An account's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LedgerView {
    /// The first characters of its key, and a number to tell it apart.
    pub account: String,
    /// At first.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub opening: Cents,
    /// Taken for rentals.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub charged: Cents,
    /// Given back.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub refunded: Cents,
    /// Not taken yet, but kept for rentals that are charged at their SMS.
    #[serde(with = "contract::money::decimal", skip_serializing_if = "is_zero")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub reserved: Cents,
    /// Not given back yet, but sure to be, where refunds take their time.
    #[serde(with = "contract::money::decimal", skip_serializing_if = "is_zero")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub pending_refunds: Cents,
    /// Left; a debt if an SMS came late and its refund was spent.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub balance: Cents,
    /// Whether the parts add up, and agree with what the rentals say.
    pub conserved: bool,
}

fn is_zero(amount: &Cents) -> bool {
    *amount == Cents::ZERO
}

/// Something that happened while a clock was advanced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fired {
    /// The first characters of the account's key, and a number to tell it apart.
    pub account: String,
    /// When, in the account's own time, in UTC.
    pub at: String,
    /// What.
    pub event: Event,
    /// About which rental, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rental_id: Option<u32>,
    /// Of a webhook: which attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Of a webhook: whether the receiver took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    #[serde(skip)]
    moment: Moment,
}

/// An advance of clocks that is under way: time goes from event to event, and
/// stands still while a webhook is posted.
#[derive(Debug)]
pub struct Advance {
    /// Accounts that are still to be moved, and to where from where.
    ahead: VecDeque<(u32, Moment, Moment)>,
    fired: Vec<Fired>,
}

/// What an advance needs next.
#[derive(Debug)]
pub enum Step {
    /// Post this, tell the mock, and tell the advance.
    Post(WebhookAttempt),
    /// Somebody else is posting for this account; ask again when that is answered.
    Wait,
    /// Nothing: the clocks have arrived.
    Done,
}

impl Mock {
    /// The account of `key`, which need not have been here before; `None` if only
    /// certain keys are known and this is none of them.
    pub fn scope(&mut self, now: Moment, key: ApiKey) -> Option<Scope> {
        self.advance(now);
        self.admit(key).map(AccountPlace).map(Scope::Account)
    }

    /// Forgets rentals, money, counts and requests of an account or of all: each is as
    /// fresh as at its first use, with the same numbers and codes to come.
    /// What was pending for it never happens, and fault rules that were added
    /// are gone.
    pub fn reset(&mut self, now: Moment, scope: Scope) {
        let now = self.advance(now);
        if scope == Scope::Server {
            self.server_rules = FaultRecord::default();
        }
        for place in self.places(scope) {
            self.lint_farewell(place, now);
            let mut fresh = self.fresh_account(place, now);
            let account = &mut self.accounts[place as usize];
            let local = account.clock.local(now);
            self.journal.counts.forget(account, local);
            let agenda = account.agenda;
            fresh.webhooks.adopt(&account.webhooks);
            *account = fresh;
            account.agenda = agenda;
            self.reschedule(place);
            self.journal.clear(Some(place));
            self.deliveries.clear(place);
            if self.is_heard() {
                self.tell_reset(now, place);
            }
        }
        if scope == Scope::Server {
            self.journal.clear(None);
        }
    }

    /// Lets time run at another pace from now on.
    pub fn set_pace(&mut self, now: Moment, scope: Scope, TimeScale(pace): TimeScale) {
        let now = self.advance(now);
        if scope == Scope::Server {
            Arc::make_mut(&mut self.settings.account).time_scale = pace;
        }
        for place in self.places(scope) {
            self.account_mut(place).1.clock.set_pace(now, pace);
            self.reschedule(place);
            if self.is_heard() {
                self.tell_clock(now, place);
            }
        }
    }

    /// What time it is.
    pub fn clocks(&mut self, now: Moment, scope: Scope) -> Vec<ClockView> {
        let now = self.advance(now);
        let places = self.places(scope);
        let views = places.into_iter().map(|place| self.clock_view(place, now));
        views.collect()
    }

    pub(crate) fn clock_view(&self, place: u32, now: Moment) -> ClockView {
        let clock = &self.accounts[place as usize].clock;
        ClockView {
            account: self.name(place),
            now: history::created_at(self.epoch, clock.local(now)),
            pace: clock.pace(),
        }
    }

    /// How the money stands.
    pub fn ledgers(&mut self, now: Moment, scope: Scope) -> Vec<LedgerView> {
        let now = self.advance(now);
        self.places(scope)
            .into_iter()
            .map(|place| self.ledger_view(place, now))
            .collect()
    }

    fn ledger_view(&mut self, place: u32, now: Moment) -> LedgerView {
        let owner = self.accounts.get_index_mut(place as usize);
        let (key, account) = owner.expect("invariant: places are of accounts");
        let local = account.clock.local(now);
        let ledger = account.ledger(local);
        LedgerView {
            account: redacted(key),
            opening: ledger.opening,
            charged: ledger.charged,
            refunded: ledger.refunded,
            reserved: ledger.reserved,
            pending_refunds: ledger.promised,
            balance: ledger.balance(),
            conserved: ledger.balance() == ledger.opening - account.owed(local),
        }
    }

    /// Begins to move clocks forward by `duration`, which [`Self::step`] carries out.
    pub fn begin_advance(&mut self, now: Moment, scope: Scope, duration: Duration) -> Advance {
        let now = self.advance(now);
        let places = self.places(scope);
        let ahead = places.into_iter().map(|place| {
            let from = self.account_mut(place).1.clock.local(now);
            (place, from, from + duration)
        });
        Advance {
            ahead: ahead.collect(),
            fired: Vec::new(),
        }
    }

    /// Moves time to the next event of the advance.
    pub fn step(&mut self, now: Moment, advance: &mut Advance) -> Step {
        let now = self.advance(now);
        while let Some((place, from, target)) = advance.ahead.front().copied() {
            let (_, account) = self.account_mut(place);
            if let Some(due) = account.webhooks.next_due().filter(|due| *due <= target) {
                account.clock.jump(now, due);
                if let Some(attempt) = self.begin_webhook(place, now) {
                    let (moment, id) = (due.max(from), attempt.delivery.rental);
                    advance.fired.push(Fired {
                        attempt: Some(attempt.number),
                        acknowledged: Some(false),
                        ..self.fired(place, moment, Some(id), Event::WebhookPosted)
                    });
                    return Step::Post(attempt);
                }
                // It was dropped, or is held back for a while.
                if self.account_mut(place).1.webhooks.next_due() != Some(due) {
                    continue;
                }
            }
            let (_, account) = self.account_mut(place);
            if account.webhooks.is_posting() {
                return Step::Wait;
            }
            account.clock.jump(now, target);
            self.reschedule(place);
            self.happened(place, from, target, &mut advance.fired);
            if self.is_heard() {
                self.tell_clock(now, place);
            }
            advance.ahead.pop_front();
        }
        Step::Done
    }

    /// What the rentals of an account did after `from` and up to `target`.
    fn happened(&mut self, place: u32, from: Moment, target: Moment, fired: &mut Vec<Fired>) {
        let within = |moment: Moment| from < moment && moment <= target;
        let account = &self.accounts[place as usize];
        let of_rentals = account.timeline();
        let of_rentals = of_rentals.map(|(moment, event, id)| (moment, Some(id), event));
        let windows = account.rate.ends(account.settings.dialect.rate_limit);
        let windows = windows.map(|end| (end, None, Event::RateWindowReset));
        let events: Vec<_> = of_rentals
            .chain(windows)
            .filter(|(moment, ..)| within(*moment))
            .collect();
        for (moment, id, event) in events {
            let event = self.fired(place, moment, id, event);
            fired.push(event);
        }
    }

    fn fired(&mut self, place: u32, moment: Moment, rental_id: Option<u32>, event: Event) -> Fired {
        let epoch = self.epoch;
        Fired {
            account: redacted(self.account_mut(place).0),
            at: history::created_at(epoch, moment),
            rental_id,
            event,
            attempt: None,
            acknowledged: None,
            moment,
        }
    }

    /// The accounts of a scope.
    pub(crate) fn places(&self, scope: Scope) -> Vec<u32> {
        let Some(place) = scope.place() else {
            let accounts = self.accounts.values().zip(0..);
            let known = accounts.filter(|(account, _)| !account.forgotten);
            return known.map(|(_, place)| place).collect();
        };
        vec![place]
    }
}

impl Advance {
    /// What became of the attempt of the last [`Step::Post`].
    pub fn posted(&mut self, outcome: WebhookOutcome) {
        if let Some(posted) = self.fired.last_mut() {
            posted.acknowledged = Some(outcome == WebhookOutcome::Acknowledged);
        }
    }

    /// Everything that happened, in the order of its moments.
    pub fn finish(mut self) -> Vec<Fired> {
        self.fired.sort_by_key(|fired| (fired.moment, fired.event));
        self.fired
    }
}
