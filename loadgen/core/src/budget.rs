//! Bounds on what a run may do to a server, whatever its scenario asks for:
//! rentals, money, and requests per second. They hold across all workers: a
//! rent takes from an account that all share, and each worker has its part of
//! the rate to itself.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use contract::{Cents, Moment, Service};

use crate::arrivals::Shard;
use crate::rate::Rate;

/// The bounds; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Rents, answered or not.
    pub rentals: Option<u64>,
    /// What all rents may cost together. What is refunded is not given back.
    pub spend: Option<Cents>,
    /// Requests per second, of all kinds.
    pub rate: Option<Rate>,
}

impl Bounds {
    /// What a server beyond this machine may be asked for if nobody says more.
    pub fn foreign() -> Self {
        Self {
            rentals: Some(10),
            spend: Some(Cents(500)),
            rate: Some("5/s".parse().expect("invariant: this is a rate")),
        }
    }

    /// These, and where they say nothing, `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            rentals: self.rentals.or(others.rentals),
            spend: self.spend.or(others.spend),
            rate: self.rate.or(others.rate),
        }
    }
}

/// What is left of the bounds, shared by all workers of a run.
#[derive(Debug, Default)]
pub struct Budget {
    bounds: Bounds,
    /// Whether `Retry-After` is heeded by everybody.
    polite: bool,
    /// Rents that were made.
    rented: AtomicU64,
    /// What they cost, or may cost, in cents.
    spent: AtomicI64,
    /// The highest price seen, in cents.
    dearest: AtomicI64,
}

/// What a rent has taken from a budget until its price is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved(Cents);

impl Budget {
    /// All of `bounds`. A polite run heeds every `Retry-After`.
    pub fn new(bounds: Bounds, polite: bool) -> Self {
        Self {
            bounds,
            polite,
            ..Self::default()
        }
    }

    /// The bounds.
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether `Retry-After` is heeded by everybody.
    pub const fn is_polite(&self) -> bool {
        self.polite
    }

    /// Takes one rental of `service` from the budget; `None` if there is not
    /// enough left. Its price is taken to be the list's, or the highest seen,
    /// so the spending can go beyond its bound only by as many rents as are
    /// under way when a higher price is seen for the first time.
    pub fn take(&self, service: &Service) -> Option<Reserved> {
        let price = service.price.0.max(self.dearest.load(Ordering::Relaxed));
        if let Some(most) = self.bounds.rentals {
            let one_more = |rented| (rented < most).then_some(rented + 1);
            let took = self
                .rented
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
            took.ok()?;
        }
        if let Some(most) = self.bounds.spend {
            let more = |spent: i64| (spent + price <= most.0).then_some(spent + price);
            let took = self
                .spent
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
            if took.is_err() {
                if self.bounds.rentals.is_some() {
                    self.rented.fetch_sub(1, Ordering::Relaxed);
                }
                return None;
            }
        }
        Some(Reserved(Cents(price)))
    }

    /// The rent has cost `cost`.
    pub fn settle(&self, reserved: Reserved, cost: Cents) {
        self.dearest.fetch_max(cost.0, Ordering::Relaxed);
        self.spent
            .fetch_add(cost.0 - reserved.0.0, Ordering::Relaxed);
    }

    /// The rent has certainly cost nothing.
    pub fn give_back(&self, reserved: Reserved) {
        self.settle(reserved, Cents::ZERO);
    }

    /// One worker's part of the rate.
    pub fn pace(&self, shard: Shard) -> Option<Pacemaker> {
        let rate = self.bounds.rate?.per_second() / f64::from(shard.of);
        let gap = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        Some(Pacemaker {
            gap,
            // So that the workers do not send in step.
            next: Moment::START + gap / shard.of.max(1) * shard.index,
        })
    }
}

/// Gives requests their turns, one every so often; turns that nobody took are lost.
#[derive(Clone, Copy, Debug)]
pub struct Pacemaker {
    gap: Duration,
    next: Moment,
}

impl Pacemaker {
    /// The next free turn, not before `due` and not before `now`; it is taken.
    pub fn turn(&mut self, due: Moment, now: Moment) -> Moment {
        let turn = self.next.max(due).max(now);
        self.next = turn + self.gap;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whatsapp() -> &'static Service {
        Service::find("whatsapp").expect("in the table")
    }

    #[test]
    fn rentals_hold_across_all_workers() {
        let bounds = Bounds {
            rentals: Some(1000),
            ..Bounds::default()
        };
        let budget = Budget::new(bounds, false);
        let took: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..600).filter_map(|_| budget.take(whatsapp())).count()))
                .collect();
            let counts = workers.into_iter().map(|worker| worker.join());
            counts.map(|count| count.expect("no panic")).sum()
        });
        assert_eq!(took, 1000);
    }

    #[test]
    fn money_is_reserved_until_its_price_is_known() {
        let bounds = Bounds {
            spend: Some(Cents(500)),
            ..Bounds::default()
        };
        let budget = Budget::new(bounds, false);
        // $1.44 each: three fit.
        let taken: Vec<_> = std::iter::from_fn(|| budget.take(whatsapp())).collect();
        assert_eq!(taken.len(), 3);
        budget.give_back(taken[0]);
        let again = budget.take(whatsapp()).expect("one was refused");
        budget.settle(taken[1], Cents(20));
        budget.settle(again, Cents(20));
        // 184 are gone; now that 300 was seen, every rent may cost that.
        budget.settle(taken[2], Cents(300));
        assert_eq!(budget.take(whatsapp()), None);
    }

    #[test]
    fn nothing_is_bounded_unless_somebody_says_so() {
        let budget = Budget::default();
        assert!((0..10_000).all(|_| budget.take(whatsapp()).is_some()));
        assert!(budget.pace(Shard::WHOLE).is_none());
    }

    #[test]
    fn the_rates_of_all_workers_add_up() {
        let bounds = Bounds {
            rate: Some("10/s".parse().expect("a rate")),
            ..Bounds::default()
        };
        let budget = Budget::new(bounds, false);
        let second = Moment::from(Duration::from_secs(1));
        let turns: usize = (0..4)
            .map(|index| {
                let mut pace = budget.pace(Shard { index, of: 4 }).expect("a rate");
                let turns = std::iter::from_fn(|| Some(pace.turn(Moment::START, Moment::START)));
                turns.take_while(|turn| *turn < second).count()
            })
            .sum();
        assert_eq!(turns, 10);
        let mut pace = budget.pace(Shard::WHOLE).expect("a rate");
        assert_eq!(pace.turn(second, second), second, "an unused turn is lost");
        let next = pace.turn(Moment::START, second);
        assert_eq!(next.since(second), Duration::from_millis(100));
    }
}
