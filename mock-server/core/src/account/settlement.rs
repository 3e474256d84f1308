//! When money moves: at the rent or at the SMS, at the end or some time after
//! it, and back again if an SMS comes late. Done when somebody looks, which
//! nobody can tell from it being done on time.
//!
//! Ordinary ends come in the order of the rents, and are found by walking along
//! the list. Everything else that is still to happen to money is on a list by
//! moment, which is empty unless the dialect or a tester's hand fills it.

use std::collections::BTreeSet;

use contract::{Cents, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::dialect::{Charge, Dialect, LateSms, Refund};
use crate::event::Event;
use crate::ledger::Ledger;
use crate::rental::{Rental, State};

/// When money moves. An account keeps to it: what was charged in one way is not
/// refunded in another.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyTerms {
    /// When a rental is charged.
    #[schemars(with = "String")]
    pub(super) charge: Charge,
    /// When it is refunded.
    #[schemars(with = "String")]
    pub(super) refund: Refund,
    /// What becomes of an SMS after the end.
    #[schemars(with = "String")]
    pub(super) late_sms: LateSms,
}

impl MoneyTerms {
    /// Those of a dialect.
    pub(crate) const fn of(dialect: &Dialect) -> Self {
        Self {
            charge: dialect.charge,
            refund: dialect.refund,
            late_sms: dialect.late_sms,
        }
    }
}

/// What is still to happen to an account's money.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Movements(
    #[schemars(with = "Vec<(u64, u32, Movement)>")] BTreeSet<(Moment, u32, Movement)>,
);

/// A movement of the price of a rental. At one moment, in this order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
enum Movement {
    /// What was reserved is charged: the SMS is there.
    Charge,
    /// What was promised is given back.
    Refund,
    /// What was never reserved is charged: the SMS came late.
    ChargeLate,
    /// What was given back, or promised, is taken back: the SMS came late.
    TakeBack,
}

impl Movements {
    fn plan(&mut self, moment: Moment, index: u32, movement: Movement) {
        self.0.insert((moment, index, movement));
    }

    /// Cancels a movement that is planned for `moment`, and says whether it was.
    fn cancel(&mut self, moment: Option<Moment>, index: u32, movement: Movement) -> bool {
        moment.is_some_and(|moment| self.0.remove(&(moment, index, movement)))
    }

    /// The rentals that they are about.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|(_, index, _)| *index)
    }

    /// The rentals stand elsewhere: each index has become what `places` says.
    pub(super) fn renumber(&mut self, places: impl Fn(u32) -> u32) {
        let movements = std::mem::take(&mut self.0).into_iter();
        let moved = movements.map(|(at, index, movement)| (at, places(index), movement));
        self.0 = moved.collect();
    }

    fn take_due(&mut self, now: Moment) -> Option<(u32, Movement)> {
        let due = self.0.first().filter(|(moment, ..)| *moment <= now)?;
        let (_, index, movement) = *due;
        self.0.pop_first();
        Some((index, movement))
    }
}

impl Account {
    /// The account's money at `now`, in its parts.
    pub(crate) fn ledger(&mut self, now: Moment) -> Ledger {
        self.settle(now);
        self.ledger
    }

    /// What all rentals cost at `now`, counted from their lines of time alone:
    /// what the ledger must have taken and kept.
    pub(crate) fn owed(&self, now: Moment) -> Cents {
        self.rentals
            .iter()
            .filter(|rental| self.keeps(rental, now))
            .map(|rental| rental.service.price)
            .chain([self.rentals.paid()])
            .sum()
    }

    /// Whether the price of a rental is taken and not given back.
    pub(super) fn keeps(&self, rental: &Rental, now: Moment) -> bool {
        let terms = self.money;
        let came = rental.sms_at().is_some_and(|arrival| arrival <= now);
        let came_late = came && !self.has_sms_in_time(rental);
        let taken_late = came_late && terms.late_sms == LateSms::Charged;
        match terms.charge {
            Charge::Sms => taken_late || (came && !came_late),
            Charge::Rent => {
                let refunded_at = self.refunded_at(rental);
                taken_late || refunded_at.is_none_or(|moment| moment > now)
            }
        }
    }

    /// When the balance shows a refund, if no late SMS prevents it.
    pub(crate) fn refunded_at(&self, rental: &Rental) -> Option<Moment> {
        let terms = self.money;
        if terms.charge == Charge::Sms || self.has_sms_in_time(rental) {
            return None;
        }
        match terms.refund {
            Refund::AtEnd => Some(self.end(rental)),
            Refund::After(delay) => Some(self.end(rental) + delay),
            Refund::None | Refund::Unseen => None,
        }
    }

    /// What happens to a rental, and when.
    pub(crate) fn events(&self, rental: &Rental) -> [(Option<Moment>, Event); 3] {
        let without_sms = !self.has_sms_in_time(rental);
        let end = self.end(rental);
        let late_charge = self.money.late_sms == LateSms::Charged;
        let prevented = rental.sms_at().filter(|_| late_charge);
        let refund = self.refunded_at(rental).filter(|moment| {
            // One that comes with the end goes without saying.
            *moment > end && prevented.is_none_or(|arrival| arrival > *moment)
        });
        [
            (rental.sms_at(), Event::SmsReceived),
            (Some(end).filter(|_| without_sms), Event::RentalExpired),
            (refund, Event::RentalRefunded),
        ]
    }

    /// Whether the history says at `now` that a rental is refunded.
    pub(crate) fn is_refunded(&self, rental: &Rental, now: Moment) -> bool {
        let shown = match self.money.refund {
            Refund::Unseen => Some(self.end(rental)),
            _ => self.refunded_at(rental),
        };
        self.state(rental, now) == State::Expired && shown.is_some_and(|moment| moment <= now)
    }

    /// Whether the SMS comes before the end.
    pub(crate) fn has_sms_in_time(&self, rental: &Rental) -> bool {
        let arrival = rental.sms_at();
        arrival.is_some_and(|arrival| arrival < self.end(rental))
    }

    /// Takes the price of the rental at `index`, or sees to it that it is there
    /// when the SMS comes.
    pub(super) fn charge(&mut self, index: u32) {
        let rental = self.rentals[index as usize];
        match self.money.charge {
            Charge::Rent => self.ledger.charge(rental.service.price),
            Charge::Sms => {
                self.ledger.reserve(rental.service.price);
                self.plan_charge(index, &rental);
            }
        }
    }

    fn plan_charge(&mut self, index: u32, rental: &Rental) {
        if let Some(arrival) = rental.sms_at().filter(|_| self.has_sms_in_time(rental)) {
            self.movements.plan(arrival, index, Movement::Charge);
        }
    }

    /// Everything that has happened to money by `now`.
    pub(super) fn settle(&mut self, now: Moment) {
        while let Some((end, index)) = self.stragglers.first().copied()
            && end <= now
        {
            self.stragglers.pop_first();
            let rental = self.rentals[index];
            if !self.ended_early.contains_key(&rental.id) {
                self.close(index as u32, &rental, end);
            }
        }
        let life = self.settings.rental_life;
        while let Some(rental) = self.rentals.get(self.settled).copied()
            && rental.created + life <= now
        {
            let index = self.settled as u32;
            self.settled += 1;
            if !self.ended_early.contains_key(&rental.id) {
                self.close(index, &rental, rental.created + life);
            }
        }
        while let Some((index, movement)) = self.movements.take_due(now) {
            self.carry_out(index, movement);
        }
    }

    /// The rental at `index` ends at `end`; if its SMS is not there by then, that
    /// is something to money.
    pub(super) fn close(&mut self, index: u32, rental: &Rental, end: Moment) {
        let late = match rental.sms_at() {
            Some(arrival) if arrival < end => return,
            late => late,
        };
        let price = rental.service.price;
        let terms = self.money;
        let late = late.filter(|_| terms.late_sms == LateSms::Charged);
        let taken_back = match (terms.charge, terms.refund) {
            (Charge::Sms, _) => {
                self.ledger.release(price);
                Some(Movement::ChargeLate)
            }
            (Charge::Rent, Refund::AtEnd) => {
                self.ledger.refund(price);
                Some(Movement::TakeBack)
            }
            (Charge::Rent, Refund::After(delay)) => {
                self.ledger.promise(price);
                self.movements.plan(end + delay, index, Movement::Refund);
                Some(Movement::TakeBack)
            }
            (Charge::Rent, Refund::None | Refund::Unseen) => None,
        };
        if let Some((arrival, movement)) = late.zip(taken_back) {
            self.movements.plan(arrival, index, movement);
        }
    }

    fn carry_out(&mut self, index: u32, movement: Movement) {
        let rental = self.rentals[index as usize];
        let price = rental.service.price;
        match movement {
            Movement::Charge => {
                self.ledger.release(price);
                self.ledger.charge(price);
            }
            Movement::ChargeLate => self.ledger.charge(price),
            Movement::Refund => {
                self.ledger.withdraw(price);
                self.ledger.refund(price);
            }
            Movement::TakeBack => {
                let promised = self.refunded_at(&rental);
                if self.movements.cancel(promised, index, Movement::Refund) {
                    self.ledger.withdraw(price);
                } else {
                    self.ledger.take_back(price);
                }
            }
        }
    }

    /// The SMS of the rental at `index` arrives at `now`, in a tester's hand, and
    /// not when it would have.
    pub(super) fn settle_early_sms(&mut self, now: Moment, index: u32, before: &Rental) {
        let drawn = before.sms_at();
        for movement in [Movement::Charge, Movement::ChargeLate, Movement::TakeBack] {
            self.movements.cancel(drawn, index, movement);
        }
        let rental = self.rentals[index as usize];
        let late = !self.has_sms_in_time(&rental);
        let terms = self.money;
        let movement = match (terms.charge, late) {
            (Charge::Sms, false) => Movement::Charge,
            (Charge::Rent, false) => return,
            _ if terms.late_sms != LateSms::Charged => return,
            (Charge::Sms, true) => Movement::ChargeLate,
            (Charge::Rent, true) => match terms.refund {
                Refund::None | Refund::Unseen => return,
                Refund::AtEnd | Refund::After(_) => Movement::TakeBack,
            },
        };
        self.movements.plan(now, index, movement);
        self.settle(now);
    }

    /// The rental at `index` ends at `now`, in a tester's hand, without its SMS.
    pub(super) fn settle_early_end(&mut self, now: Moment, index: u32, before: &Rental) {
        self.movements
            .cancel(before.sms_at(), index, Movement::Charge);
        let rental = self.rentals[index as usize];
        self.close(index, &rental, now);
        self.settle(now);
    }
}
