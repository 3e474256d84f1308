//! What one API key owns: a person, money, numbers and rentals. It enforces
//! that money and rentals agree; it knows no requests.

mod active;
mod hand;
mod list;
pub(crate) mod saved;
mod settlement;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Dice, Moment, Problem};

use self::active::ActiveSet;
pub(crate) use self::list::RentalList;
use self::settlement::{MoneyTerms, Movements};
use crate::catalogue::Offer;
use crate::clock::AccountClock;
use crate::dialect::{ActiveRentals, LateSms, RepeatRead};
use crate::event::Event;
use crate::fault::{FaultRecord, SmsPlan};
use crate::idempotency::IdempotencyRecord;
use crate::ledger::Ledger;
use crate::outbox::Outbox;
use crate::person::Person;
use crate::phone::PhoneBook;
use crate::rate_limit::RateRecord;
use crate::rental::{Rental, State, Terms};
use crate::settings::AccountSettings;
use crate::sms::{self, Message, SmsBook};

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
    /// What it has used of its rate limits.
    pub(crate) rate: RateRecord,
    /// What its idempotency keys were used for.
    pub(crate) idempotency: IdempotencyRecord,
    /// Where webhooks go, and what is to be posted.
    pub(crate) webhooks: Outbox,
    /// When the server has to look after the webhooks, as its agenda has it.
    pub(crate) agenda: Option<Moment>,
    /// Whether it is only here because places are never given up.
    pub(crate) forgotten: bool,
    ledger: Ledger,
    phones: PhoneBook,
    /// In the order in which they were made, and so also in that of their
    /// ordinary ends.
    rentals: RentalList,
    /// All SMS that were not drawn with their rentals.
    sms: SmsBook,
    /// By id: when those ended that a tester's hand ended early. They are settled
    /// in the ledger from then on.
    ended_early: BTreeMap<u32, Moment>,
    /// How many of the rentals have come to their ordinary ends and are settled in
    /// the ledger.
    settled: usize,
    /// By end: rentals that were not settled when the life of rentals changed.
    stragglers: BTreeSet<(Moment, usize)>,
    /// How long the rentals below each id live, where that is not as it is now.
    former_lives: Vec<(u32, Duration)>,
    /// When money moves; the same for all its rentals.
    money: MoneyTerms,
    /// What else is still to happen to money.
    movements: Movements,
    /// The rentals that wait for their SMS, if they are limited.
    active: ActiveSet,
    /// The SMS that a poll has shown, by rental and number, if each is shown once.
    shown: BTreeSet<(u32, u32)>,
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
            rate: RateRecord::default(),
            idempotency: IdempotencyRecord::default(),
            webhooks: Outbox::of(settings.webhook.as_ref()),
            agenda: None,
            forgotten: false,
            ledger: Ledger::new(settings.balance),
            money: MoneyTerms::of(&settings.dialect),
            settings,
            phones: PhoneBook::new(dice, number),
            rentals: RentalList::default(),
            sms: SmsBook::default(),
            ended_early: BTreeMap::new(),
            settled: 0,
            stragglers: BTreeSet::new(),
            former_lives: Vec::new(),
            movements: Movements::default(),
            active: ActiveSet::default(),
            shown: BTreeSet::new(),
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
        offer: Offer,
        id: u32,
        sms: SmsPlan,
    ) -> Result<Rental, Problem> {
        self.settle(now);
        let settings = Arc::clone(&self.settings);
        let terms = Terms {
            dice: self.dice,
            sms_delay: &settings.sms_delay,
            life: settings.rental_life,
            keeps_late_sms: self.money.late_sms != LateSms::Dropped,
        };
        if let ActiveRentals::AtMost(most) = settings.dialect.active_rentals
            && self.active.count(now) >= most.get() as usize
        {
            return Err(Problem::TooManyRentals);
        }
        if !self.ledger.affords(offer.service.price) {
            return Err(Problem::InsufficientBalance);
        }
        let phone = self
            .phones
            .take(now, now + terms.life)
            .ok_or(Problem::NoNumbers)?;
        let number = (self.number, self.rentals.made() as u64);
        let rental = Rental::decide(terms, number, (id, offer, phone), (now, sms.later));
        let second = sms
            .second_after
            .and_then(|after| rental.second_sms(terms, number, after));
        if let Some(second) = second {
            self.sms.write_next(id, second);
        }
        let index = self.rentals.len() as u32;
        self.rentals.push(rental);
        self.charge(index);
        if settings.dialect.active_rentals != ActiveRentals::Off {
            let end = self.end(&rental);
            let until = rental.sms_at().unwrap_or(end).min(end);
            self.active.add(until, index);
        }
        Ok(rental)
    }

    /// Behaves otherwise from `now` on. Another seed, and another idea of when
    /// money moves, need an account that has made no rental: they decide from the
    /// beginning, or not before the next.
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
            self.money = MoneyTerms::of(&settings.dialect);
        }
        if let Some(balance) = balance {
            self.ledger.opening += balance - self.ledger.balance();
        }
        if settings.rental_life != self.settings.rental_life {
            self.keep_ends();
        }
        let limited =
            |settings: &AccountSettings| settings.dialect.active_rentals != ActiveRentals::Off;
        let from_now_on = limited(&settings) && !limited(&self.settings);
        self.webhooks.follow(settings.webhook.as_ref());
        self.settings = settings;
        if from_now_on {
            self.find_active(now);
        }
    }

    /// The rentals that wait at `now` count for a limit that there was not when they were made.
    fn find_active(&mut self, now: Moment) {
        let mut active = ActiveSet::default();
        for (rental, index) in self.rentals.iter().zip(0..) {
            if self.state(rental, now) == State::Pending {
                let end = self.end(rental);
                active.add(rental.sms_at().unwrap_or(end).min(end), index);
            }
        }
        self.active = active;
    }

    /// The rentals that are there keep their ends, whatever becomes of the life of rentals.
    fn keep_ends(&mut self) {
        let open = (self.settled..).zip(&self.rentals[self.settled..]);
        let open = open.map(|(index, rental)| (rental.created + self.life(rental), index));
        let open: Vec<_> = open.collect();
        self.stragglers.extend(open);
        self.settled = self.rentals.len();
        let below = self.rentals.last().map(|rental| rental.id + 1);
        let former = below.map(|below| (below, self.settings.rental_life));
        self.former_lives.extend(former);
    }

    /// Money left at `now`.
    pub(crate) fn balance(&mut self, now: Moment) -> Cents {
        self.settle(now);
        self.ledger.balance()
    }

    /// What a rental of this account shows at `now`: its newest SMS, or its first
    /// if that is what is repeated.
    pub(crate) fn shown(&self, rental: &Rental, now: Moment) -> Message<'_> {
        let written = match self.settings.dialect.repeat_read {
            RepeatRead::First => self.sms.get(rental.id, sms::FIRST),
            RepeatRead::Latest | RepeatRead::Once => {
                self.sms.latest(rental.id, now).map(|(_, sms)| sms)
            }
        };
        written.map_or_else(|| rental.message(), Message::from)
    }

    /// Whether a poll at `now` that would show the rental's newest SMS is the first
    /// that does; if so, it is noted.
    #[cold]
    pub(crate) fn shows_first_time(&mut self, rental: &Rental, now: Moment) -> bool {
        let latest = self.sms.latest(rental.id, now);
        let number = latest.map_or(sms::FIRST, |(number, _)| number);
        self.shown.insert((rental.id, number))
    }

    /// When a rental's SMS with this number arrives, and what it says; `None` if
    /// there is none, or it never comes.
    pub(crate) fn sms(&self, rental: &Rental, number: u32) -> Option<(Moment, Message<'_>)> {
        let (at, message) = match self.sms.get(rental.id, number) {
            Some(written) => (written.at, written.into()),
            None if number == sms::FIRST => (rental.sms_at()?, rental.message()),
            None => return None,
        };
        (at != Moment::NEVER).then_some((at, message))
    }

    /// Whether another SMS of this rental is still to come after `now`.
    pub(crate) fn expects_sms(&self, rental: &Rental, now: Moment) -> bool {
        self.sms.follows(rental.id, now)
    }

    /// All SMS that follow the first of their rental, by the rental's id, and when.
    pub(crate) fn following_sms(&self) -> impl Iterator<Item = (u32, Moment)> {
        self.sms.following()
    }

    /// All that ever happens to its rentals by itself.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = (Moment, Event, u32)> {
        let first = self.rentals.iter().flat_map(|rental| self.fate(rental));
        let following = self.sms.following();
        first.chain(following.map(|(rental, at)| (at, Event::SmsReceived, rental)))
    }

    /// What happens to a rental by itself, but for SMS after the first.
    pub(crate) fn fate(&self, rental: &Rental) -> impl Iterator<Item = (Moment, Event, u32)> {
        let (id, events) = (rental.id, self.events(rental).into_iter());
        events.filter_map(move |(moment, event)| Some((moment?, event, id)))
    }

    /// Where a rental of this account stands at `now`.
    pub(crate) fn state(&self, rental: &Rental, now: Moment) -> State {
        rental.state(now, self.end(rental))
    }

    /// When a rental of this account ends, or ended.
    pub(crate) fn end(&self, rental: &Rental) -> Moment {
        let early = self.ended_early.get(&rental.id);
        early.map_or_else(|| rental.created + self.life(rental), |end| *end)
    }

    /// How long a rental lives: as it was when it was made.
    fn life(&self, rental: &Rental) -> Duration {
        let mut former = self.former_lives.iter();
        let former = former.find(|(below, _)| rental.id < *below);
        former.map_or(self.settings.rental_life, |(_, life)| *life)
    }

    /// All rentals, the oldest first.
    pub(crate) const fn rentals(&self) -> &RentalList {
        &self.rentals
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
                let refused = account.rent(now, service.into(), id as u32, sms).is_err();
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
            ..SmsPlan::ORDINARY
        })
    }
}
