//! An account written down, and read back: all that is needed to go on from
//! where it stands, but for its key. Nothing read is believed before it is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Dice, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Account;
use super::active::ActiveSet;
use super::settlement::{MoneyTerms, Movements};
use crate::catalogue::Catalogue;
use crate::clock::AccountClock;
use crate::fault::{ActiveRule, FaultRecord, FaultRule, RuleId};
use crate::idempotency::{IdempotencyRecord, SavedAnswer};
use crate::ledger::Ledger;
use crate::outbox::{Outbox, SavedOutbox};
use crate::person::Person;
use crate::phone::{PhoneBook, SavedPhones};
use crate::rate_limit::RateRecord;
use crate::rental::SavedRental;
use crate::settings::{AccountPatch, AccountSettings};
use crate::sms::{SavedSms, SmsBook};

/// An account, written down. Moments are nanoseconds of its own time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedAccount {
    /// The first characters of its key, and a number to tell it apart.
    pub(crate) account: String,
    /// How it behaves.
    pub(crate) settings: AccountPatch,
    /// Whether that was said of this account, so that it outlives a reset.
    pub(crate) has_own_settings: bool,
    /// What its chance is counted from.
    seed: u64,
    now: u64,
    pace: f64,
    money: Money,
    /// When it moves, which need not be what the dialect says by now.
    money_terms: MoneyTerms,
    phones: SavedPhones,
    rentals: Vec<SavedRental>,
    sms: Vec<SavedSms>,
    /// Rentals that a tester's hand ended, and when.
    ended_early: Vec<(u32, u64)>,
    /// How many rentals are settled in the order in which they were made.
    settled: usize,
    /// What else is still to happen to money: when, to which rental, and what.
    movements: Movements,
    /// The rentals that wait for their SMS, if they are limited.
    active: ActiveSet,
    /// The SMS that a poll has shown, if each is shown once.
    shown: BTreeSet<(u32, u32)>,
    rate: RateRecord,
    /// What was answered to rents with an `Idempotency-Key`, the oldest first.
    idempotency: Vec<SavedAnswer>,
    /// Ends and places of those that will be settled in the order of their ends.
    stragglers: Vec<(u64, usize)>,
    /// Up to which id rentals have lived how many nanoseconds.
    former_lives: Vec<(u32, u64)>,
    faults: Vec<SavedRule>,
    rules_made: u32,
    faults_preferred: u64,
    pub(crate) webhooks: SavedOutbox,
}

/// Money, in cents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Money {
    opening: i64,
    charged: i64,
    refunded: i64,
    reserved: i64,
    promised: i64,
}

/// A fault rule with what it has seen.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedRule {
    #[schemars(with = "String")]
    id: RuleId,
    #[schemars(with = "String")]
    rule: FaultRule,
    since: u64,
    seen: u64,
    fired: u64,
}

/// More cents than anybody has, and few enough to be added up.
const MUCH: u64 = 1 << 53;

/// Why something written down cannot be gone on with.
pub(crate) type Flaw = &'static str;

impl Account {
    /// Written down as it is at `now`, under this name.
    pub(crate) fn save(&self, account: String, now: Moment, catalogue: &Catalogue) -> SavedAccount {
        let nanoseconds = |moment: Moment| moment.nanoseconds();
        let early = self.ended_early.iter();
        let stragglers = self.stragglers.iter();
        let lives = self.former_lives.iter();
        SavedAccount {
            account,
            settings: AccountPatch::of(&self.settings),
            has_own_settings: false,
            seed: self.dice.seed(),
            now: nanoseconds(self.clock.local(now)),
            pace: self.clock.pace(),
            money: Money {
                opening: self.ledger.opening.0,
                charged: self.ledger.charged.0,
                refunded: self.ledger.refunded.0,
                reserved: self.ledger.reserved.0,
                promised: self.ledger.promised.0,
            },
            money_terms: self.money,
            phones: self.phones.save(),
            rentals: self
                .rentals
                .iter()
                .map(|rental| rental.save(catalogue))
                .collect(),
            sms: self.sms.save(),
            ended_early: early.map(|(id, at)| (*id, nanoseconds(*at))).collect(),
            settled: self.settled,
            movements: self.movements.clone(),
            active: self.active.clone(),
            shown: self.shown.clone(),
            rate: self.rate.clone(),
            idempotency: self.idempotency.save(),
            stragglers: stragglers
                .map(|(at, index)| (nanoseconds(*at), *index))
                .collect(),
            former_lives: lives
                .map(|(id, life)| (*id, life.as_nanos() as u64))
                .collect(),
            faults: self.faults.rules.iter().map(SavedRule::of).collect(),
            rules_made: self.faults.made,
            faults_preferred: self.faults.preferred,
            webhooks: self.webhooks.save(),
        }
    }

    /// The account of `key` as it was written down, going on at `now` of the
    /// server's time. What was said says nothing about is as in `others`.
    pub(crate) fn restore(
        saved: SavedAccount,
        key: &ApiKey,
        (others, catalogue): (&AccountSettings, &mut Catalogue),
        now: Moment,
    ) -> Result<Self, Flaw> {
        Self::counted(&saved)?;
        let others = AccountSettings {
            webhook: None,
            ..others.clone()
        };
        let settings = Arc::new(saved.settings.brought_to(&others));
        let moment = Moment::from_nanoseconds;
        let mut account = Self::open(key, settings, now);
        account.dice = Dice::new(saved.seed);
        account.person = Person::invent(account.dice, account.number);
        account.phones = PhoneBook::new(account.dice, account.number);
        account.phones.restore(saved.phones);
        account.clock = AccountClock::going_on(now, moment(saved.now), saved.pace)
            .ok_or("a clock runs at a pace from 0 to 86400")?;
        account.faults = FaultRecord {
            rules: Vec::new(),
            preferred: saved.faults_preferred,
            made: saved.rules_made,
        }
        .with(saved.faults);
        let webhook = account.settings.webhook.as_ref();
        account.webhooks = Outbox::restore(saved.webhooks, webhook);
        account.ledger = Ledger {
            opening: Cents(saved.money.opening),
            charged: Cents(saved.money.charged),
            refunded: Cents(saved.money.refunded),
            reserved: Cents(saved.money.reserved),
            promised: Cents(saved.money.promised),
        };
        let restore = |rental: SavedRental| rental.restore(catalogue);
        let rentals: Option<_> = saved.rentals.into_iter().map(restore).collect();
        account.rentals =
            rentals.ok_or("a rental is of a service, a number or a code that there is not")?;
        account.sms = SmsBook::restore(saved.sms);
        let early = saved.ended_early.into_iter();
        account.ended_early = early.map(|(id, at)| (id, moment(at))).collect();
        account.settled = saved.settled;
        account.movements = saved.movements;
        account.active = saved.active;
        account.shown = saved.shown;
        account.money = saved.money_terms;
        account.rate = saved.rate;
        account.idempotency = IdempotencyRecord::restore(saved.idempotency)
            .ok_or("an answer to repeat is none, or there are too many")?;
        let stragglers = saved.stragglers.into_iter();
        account.stragglers = stragglers.map(|(at, index)| (moment(at), index)).collect();
        let lives = saved.former_lives.into_iter();
        account.former_lives = lives
            .map(|(id, life)| (id, Duration::from_nanos(life)))
            .collect();
        account.checked()
    }

    /// Whether counts in it can go on counting.
    fn counted(saved: &SavedAccount) -> Result<(), Flaw> {
        let rules = saved.faults.iter();
        let seen = rules.flat_map(|rule| [rule.seen, rule.fired]);
        let sms = saved.sms.iter().map(SavedSms::number).map(u64::from);
        let others = [saved.faults_preferred, saved.rules_made.into()];
        let counts = seen
            .chain(sms)
            .chain(others)
            .chain(saved.phones.handed_out());
        let mut high = counts.filter(|count| *count > u64::from(u32::MAX >> 2));
        high.next()
            .map_or(Ok(()), |_| Err("nobody has counted that far"))
    }

    /// Whether everything in it refers to something in it, and the money agrees.
    fn checked(mut self) -> Result<Self, Flaw> {
        let ids: BTreeMap<_, _> = self
            .rentals
            .iter()
            .zip(0..)
            .map(|(rental, index)| (rental.id, index))
            .collect();
        if ids.values().copied().ne(0..self.rentals.len()) {
            return Err("rentals stand in the order of their ids");
        }
        let known = |id: u32| ids.contains_key(&id);
        if !(self.ended_early.keys().copied().all(known)
            && self.sms.rentals().all(known)
            && self.webhooks.rentals().all(known))
        {
            return Err("something is about a rental that is not there");
        }
        let indexes: BTreeSet<_> = self.stragglers.iter().map(|(_, index)| *index).collect();
        let beyond = |index: &usize| *index >= self.rentals.len();
        let moved = self.movements.indexes().map(|index| index as usize);
        let indexes: Vec<_> = indexes.into_iter().chain(moved).collect();
        if self.settled > self.rentals.len() || indexes.iter().any(beyond) {
            return Err("more rentals are settled than there are");
        }
        let Ledger {
            opening,
            charged,
            refunded,
            reserved,
            promised,
        } = self.ledger;
        if [opening, charged, refunded, reserved, promised]
            .iter()
            .any(|sum| sum.0.unsigned_abs() > MUCH)
        {
            return Err("nobody has that much money");
        }
        let now = self.clock.local(Moment::START);
        let owed = self.owed(now);
        let ledger = self.ledger(now);
        if ledger.balance() != ledger.opening - owed {
            return Err("the money does not agree with the rentals");
        }
        Ok(self)
    }
}

impl SavedRule {
    /// Written down.
    pub(crate) fn of(active: &ActiveRule) -> Self {
        Self {
            id: active.id,
            rule: (*active.rule).clone(),
            since: active.since.nanoseconds(),
            seen: active.seen,
            fired: active.fired,
        }
    }
}

impl FaultRecord {
    /// The same, with rules that were written down.
    pub(crate) fn with(mut self, rules: Vec<SavedRule>) -> Self {
        for saved in rules {
            self.put(ActiveRule {
                id: saved.id,
                rule: Arc::new(saved.rule),
                since: Moment::from_nanoseconds(saved.since),
                seen: saved.seen,
                fired: saved.fired,
            });
        }
        self
    }
}
