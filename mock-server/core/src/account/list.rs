//! An account's rentals in the order in which they were made. A server keeps
//! them all. A simulation, which knows that nobody will ask for one again, lets
//! it go as soon as its money does not move any more.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use contract::{Cents, Moment};

use super::Account;
use crate::rental::Rental;

/// The rentals that are kept, and what is left of the others.
#[derive(Debug, Default)]
pub(crate) struct RentalList {
    kept: Vec<Rental>,
    /// Which of all each of the kept ones was; empty until one is let go.
    numbers: Vec<u32>,
    /// How many were let go, and what they cost.
    gone: u32,
    paid: Cents,
    /// Kept, though nobody asks for them: their ids.
    idle: Vec<u32>,
    /// How many of the idle ones had to stay the last time somebody looked.
    stayed: usize,
}

/// So few are not worth looking through.
const FEW: usize = 4;

impl RentalList {
    /// How many were ever made.
    pub(crate) fn made(&self) -> usize {
        self.kept.len() + self.gone as usize
    }

    /// Which of all that were made the one at `index` is, from 0.
    pub(crate) fn number(&self, index: usize) -> usize {
        self.numbers
            .get(index)
            .map_or(index, |number| *number as usize)
    }

    /// Where the rental with this id is.
    pub(crate) fn position(&self, id: u32) -> Option<usize> {
        self.kept.binary_search_by_key(&id, |rental| rental.id).ok()
    }

    /// What those cost that were let go.
    pub(crate) const fn paid(&self) -> Cents {
        self.paid
    }

    pub(super) fn push(&mut self, rental: Rental) {
        if self.gone > 0 {
            self.numbers.push(self.made() as u32);
        }
        self.kept.push(rental);
    }
}

impl Deref for RentalList {
    type Target = [Rental];

    fn deref(&self) -> &[Rental] {
        &self.kept
    }
}

impl DerefMut for RentalList {
    fn deref_mut(&mut self) -> &mut [Rental] {
        &mut self.kept
    }
}

impl<'a> IntoIterator for &'a RentalList {
    type Item = &'a Rental;
    type IntoIter = std::slice::Iter<'a, Rental>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

impl FromIterator<Rental> for RentalList {
    fn from_iter<I: IntoIterator<Item = Rental>>(rentals: I) -> Self {
        Self {
            kept: rentals.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl Account {
    /// Nobody asks for the rental with this id any more. Says whether so many are
    /// idle that it is time to [`Self::let_go`].
    pub(crate) fn dismiss(&mut self, id: u32) -> bool {
        let list = &mut self.rentals;
        list.idle.push(id);
        list.idle.len() - list.stayed >= FEW.max(list.kept.len() / 2)
    }

    /// Lets go of the idle rentals to which nothing can happen any more; their ids.
    pub(crate) fn let_go(&mut self, now: Moment) -> Vec<u32> {
        self.settle(now);
        self.active.count(now);
        let mut idle = std::mem::take(&mut self.rentals.idle);
        idle.sort_unstable();
        idle.dedup();
        let moving = self.movements.indexes();
        let moving: BTreeSet<_> = moving.chain(self.active.indexes()).collect();
        let mentioned = self.webhooks.rentals().chain(self.sms.rentals());
        let mentioned: BTreeSet<_> = mentioned.collect();
        let (gone, stayed): (Vec<_>, Vec<_>) = idle.into_iter().partition(|id| {
            let index = self.rentals.position(*id);
            !mentioned.contains(id)
                && index.is_none_or(|index| {
                    !moving.contains(&(index as u32)) && self.is_over(index, now)
                })
        });
        self.rentals.stayed = stayed.len();
        self.rentals.idle = stayed;
        self.remove(&gone, now);
        gone
    }

    /// Whether nothing more happens to the rental at `index` and its price, but
    /// for what is planned.
    fn is_over(&self, index: usize, now: Moment) -> bool {
        let rental = &self.rentals[index];
        let by_hand = !(self.stragglers.is_empty() && self.former_lives.is_empty());
        let arrived = rental.sms_at().is_some_and(|arrival| arrival <= now);
        let in_time = arrived && self.has_sms_in_time(rental);
        let ended = index < self.settled && rental.sms_at().is_none_or(|arrival| arrival <= now);
        !by_hand && (in_time || ended)
    }

    /// Takes these out of the list; what is left stands elsewhere from then on.
    fn remove(&mut self, gone: &[u32], now: Moment) {
        let left = |id: u32| gone.binary_search(&id).is_err();
        let kept: Vec<_> = (0..self.rentals.len())
            .filter(|index| left(self.rentals[*index].id))
            .collect();
        let paid = self.rentals.iter().filter(|rental| !left(rental.id));
        let paid = paid.filter(|rental| self.keeps(rental, now));
        let paid: Cents = paid.map(|rental| rental.service.price).sum();
        let numbers = kept.iter().map(|index| self.rentals.number(*index) as u32);
        let numbers: Vec<_> = numbers.collect();
        let places = |index: u32| {
            let place = kept.binary_search(&(index as usize));
            place.expect("invariant: what moves is kept") as u32
        };
        self.movements.renumber(places);
        self.active.renumber(places);
        self.settled = kept.partition_point(|index| *index < self.settled);
        let list = &mut self.rentals;
        list.gone += (list.kept.len() - kept.len()) as u32;
        list.paid += paid;
        list.numbers = numbers;
        list.kept.retain(|rental| left(rental.id));
        list.kept.shrink_to(2 * list.kept.len());
        for id in gone {
            self.ended_early.remove(id);
            let shown = self.shown.range((*id, 0)..=(*id, u32::MAX));
            let shown: Vec<_> = shown.copied().collect();
            shown.iter().for_each(|one| {
                self.shown.remove(one);
            });
        }
    }
}
