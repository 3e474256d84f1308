//! What one API key owns: a person, money, numbers and rentals. It enforces
//! that money and rentals agree; it knows no requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{ApiKey, Cents, Dice, Moment, Problem, Service};

use crate::clock::AccountClock;
use crate::fault::{FaultRecord, SmsPlan};
use crate::ledger::Ledger;
use crate::person::Person;
use crate::phone::PhoneBook;
use crate::rental::{Rental, State, Terms};
use crate::settings::AccountSettings;
use crate::webhook::WebhookQueue;

/// The tenant of the mock. Nothing of one account depends on another.
#[derive(Debug)]
pub(crate) struct Account {
    /// How it behaves.
    pub(crate) settings: Arc<AccountSettings>,
    /// Its chances, with its own seed.
    pub(crate) dice: Dice,
    /// What its dice are counted by.
    pub(crate) number: u64,
    /// Who it belongs to.
    pub(crate) person: Person,
    /// What the fault rules have seen of its requests.
    pub(crate) faults: FaultRecord,
    /// Its own time, in which all of the following happens.
    pub(crate) clock: AccountClock,
    /// Events to be posted.
    pub(crate) webhooks: WebhookQueue,
    /// When the server has to look after the webhooks, as its agenda has it.
    pub(crate) agenda: Option<Moment>,
    /// Whether it is only here because places are never given up.
    pub(crate) forgotten: bool,
    ledger: Ledger,
    phones: PhoneBook,
    /// In the order in which they were made, and so also in that of their ends.
    rentals: Vec<Rental>,
    /// By id: those that a fault gives a second SMS, as they are from it on.
    with_second_sms: BTreeMap<u32, Rental>,
    /// How many of the rentals have ended and are settled in the ledger.
    settled: usize,
}

impl Account {
    /// The account of `key`, fresh at `now` of the server's time.
    pub(crate) fn open(key: &ApiKey, settings: Arc<AccountSettings>, now: Moment) -> Self {
        let (dice, number) = (Dice::new(settings.seed), key.account());
        Self {
            dice,
            number,
            person: Person::invent(dice, number),
            faults: FaultRecord::begin(now, &settings.faults),
            clock: AccountClock::starting(now, settings.time_scale),
            webhooks: WebhookQueue::default(),
            agenda: None,
            forgotten: false,
            ledger: Ledger::new(settings.balance),
            settings,
            phones: PhoneBook::new(dice, number),
            rentals: Vec::new(),
            with_second_sms: BTreeMap::new(),
            settled: 0,
        }
    }

    /// Rents a number under the name `id` and charges for it; `sms` is what
    /// fault rules have in mind for it.
    ///
    /// # Errors
    ///
    /// Too little money, or no number left; then nothing has changed.
    pub(crate) fn rent(
        &mut self,
        now: Moment,
        service: &'static Service,
        id: u32,
        sms: SmsPlan,
    ) -> Result<Rental, Problem> {
        self.settle(now);
        let settings = Arc::clone(&self.settings);
        let terms = Terms {
            dice: self.dice,
            sms_delay: &settings.sms_delay,
            life: settings.rental_life,
        };
        if !self.ledger.affords(service.price) {
            return Err(Problem::InsufficientBalance);
        }
        let phone = self
            .phones
            .take(now, now + terms.life)
            .ok_or(Problem::NoNumbers)?;
        let number = (self.number, self.rentals.len() as u64);
        let rental = Rental::decide(terms, number, (id, service, phone), (now, sms.later));
        let second = sms
            .second_after
            .and_then(|after| rental.with_second_sms(terms, number, after));
        self.with_second_sms
            .extend(second.map(|second| (id, second)));
        self.ledger.charge(service.price);
        self.rentals.push(rental);
        Ok(rental)
    }

    /// Behaves otherwise from `now` on. Another seed needs an account that has
    /// made no rental: it decides from the beginning, or not before the next.
    pub(crate) fn change(
        &mut self,
        now: Moment,
        settings: Arc<AccountSettings>,
        balance: Option<Cents>,
    ) {
        self.settle(now);
        if self.rentals.is_empty() {
            self.dice = Dice::new(settings.seed);
            self.person = Person::invent(self.dice, self.number);
            self.phones = PhoneBook::new(self.dice, self.number);
        }
        if let Some(balance) = balance {
            self.ledger.opening += balance - self.ledger.balance();
        }
        self.settings = settings;
    }

    /// Money left at `now`.
    pub(crate) fn balance(&mut self, now: Moment) -> Cents {
        self.settle(now);
        self.ledger.balance()
    }

    /// A rental of this account as it is from its second SMS on, if it has one.
    pub(crate) fn with_second_sms(&self, id: u32) -> Option<&Rental> {
        self.with_second_sms.get(&id)
    }

    /// All rentals with a second SMS, as they are from it on.
    pub(crate) fn second_sms(&self) -> impl Iterator<Item = &Rental> {
        self.with_second_sms.values()
    }

    /// A rental of this account with the code that it shows at `now`.
    pub(crate) fn shown<'a>(&'a self, rental: &'a Rental, now: Moment) -> &'a Rental {
        self.with_second_sms(rental.id)
            .filter(|second| second.sms_at() <= Some(now))
            .unwrap_or(rental)
    }

    /// The account's money at `now`, in its parts.
    pub(crate) fn ledger(&mut self, now: Moment) -> Ledger {
        self.settle(now);
        self.ledger
    }

    /// The price of all rentals that have not ended without an SMS at `now`,
    /// counted from their states alone: what the ledger must have taken.
    pub(crate) fn owed(&self, now: Moment) -> Cents {
        let rentals = self.rentals.iter();
        let kept = rentals.filter(|rental| self.state(rental, now) != State::Expired);
        kept.map(|rental| rental.service.price).sum()
    }

    /// Where a rental of this account stands at `now`.
    pub(crate) fn state(&self, rental: &Rental, now: Moment) -> State {
        rental.state(now, self.settings.rental_life)
    }

    /// All rentals, the oldest first.
    pub(crate) fn rentals(&self) -> &[Rental] {
        &self.rentals
    }

    /// Refunds what has ended without an SMS. Done when somebody looks, which
    /// nobody can tell from it being done on time.
    fn settle(&mut self, now: Moment) {
        let life = self.settings.rental_life;
        while let Some(rental) = self.rentals.get(self.settled)
            && rental.created + life <= now
        {
            if rental.sms_at().is_none() {
                self.ledger.refund(rental.service.price);
            }
            self.settled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::service::SERVICES;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn opening_less_charges_plus_refunds_is_the_balance(
            steps in proptest::collection::vec((0_u64..900, 0..SERVICES.len(), plan()), 1..120),
            opening in 0_i64..20_000,
            seed: u64,
        ) {
            let settings = AccountSettings {
                sms_delay: "0.5*uniform(0s,1300s) + 0.5*never".parse().expect("a law"),
                balance: Cents(opening),
                ..AccountSettings::new(seed)
            };
            let key = ApiKey::made_up(Dice::new(seed), 0);
            let mut account = Account::open(&key, Arc::new(settings), Moment::START);
            let mut now = Moment::START;
            for (id, (seconds, service, sms)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(seconds);
                let before = account.balance(now);
                let service = &SERVICES[service];
                let refused = account.rent(now, service, id as u32, sms).is_err();
                prop_assert_eq!(refused, before < service.price);
                prop_assert_eq!(account.balance(now), Cents(opening) - account.owed(now));
                prop_assert!(account.balance(now) >= Cents::ZERO);
            }
        }
    }

    /// Whatever fault rules may do to an SMS.
    fn plan() -> impl Strategy<Value = SmsPlan> {
        let seconds = || (0..1300_u64).prop_map(Duration::from_secs);
        let later = prop_oneof![Just(None), seconds().prop_map(Some)];
        let second_after = proptest::option::of(seconds());
        (later, any::<bool>(), second_after).prop_map(|(later, duplicated, second_after)| SmsPlan {
            later,
            duplicated,
            second_after,
        })
    }
}
