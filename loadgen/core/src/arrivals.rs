//! When users start. The plan is counted from the seed, not drawn along the
//! way: any slice of it can be computed without the others.
//!
//! Closed arrivals keep a number of users going: a slot starts its next user
//! when the last one is done. Open arrivals follow a rate, whatever the server
//! does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use contract::{Dice, Moment, Stream, dice};
use rand_distr::{Distribution, Poisson};

use crate::rate::RateProfile;

/// When users start.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// A fixed number of users at any time.
    Closed {
        /// How many.
        users: u32,
        /// The first users start spread over this time.
        ramp: Duration,
    },
    /// A rate of starts.
    Open {
        /// The rate over time.
        profile: RateProfile,
        /// How starts are spread around that rate.
        process: Process,
    },
}

/// How the starts of an open arrival process are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Evenly.
    #[default]
    Constant,
    /// At random and independently, as strangers do.
    Poisson,
}

/// One worker's part of a plan: every `of`-th user (or slot), from `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many shards there are.
    pub of: u32,
}

impl Shard {
    /// The whole plan in one piece.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    const fn owns(self, number: u64) -> bool {
        number % self.of as u64 == self.index as u64
    }
}

/// The start of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When the user's first request is meant to be sent.
    pub at: Moment,
    /// The user's number in the whole plan, from 0.
    pub index: u64,
    /// What to hand back when the user is done.
    pub slot: u32,
}

/// The arrivals of one shard, in order.
#[derive(Debug)]
pub enum Cursor {
    /// See [`Arrivals::Closed`].
    Closed(Slots),
    /// See [`Arrivals::Open`].
    Open(Starts),
}

impl Cursor {
    /// The arrivals of `shard`, counted from `start`; of the whole plan's users
    /// only the first `count`, if that is given.
    pub fn new(
        arrivals: &Arrivals,
        count: Option<u64>,
        shard: Shard,
        dice: Dice,
        start: Moment,
    ) -> Self {
        let count = count.unwrap_or(u64::MAX);
        match arrivals {
            Arrivals::Closed { users, ramp } => {
                Self::Closed(Slots::new(*users, *ramp, count, shard, start))
            }
            Arrivals::Open { profile, process } => Self::Open(Starts {
                profile: profile.clone(),
                process: *process,
                count,
                shard,
                dice,
                start,
                index: 0,
                cell: Cell::default(),
                ahead: None,
            }),
        }
    }

    /// The next arrival, without taking it. For closed arrivals it is the next
    /// of the slots that are free.
    pub fn peek(&mut self) -> Option<Arrival> {
        match self {
            Self::Closed(slots) => slots.peek(),
            Self::Open(starts) => starts.peek(),
        }
    }

    /// Takes what [`Self::peek`] shows.
    pub fn take(&mut self) {
        match self {
            Self::Closed(slots) => slots.take(),
            Self::Open(starts) => starts.ahead = None,
        }
    }

    /// A user is done and its slot may start the next one at `at`.
    pub fn freed(&mut self, slot: u32, at: Moment) {
        if let Self::Closed(slots) = self {
            slots.free(slot, at);
        }
    }
}

/// The slots of closed arrivals. Slot s starts users s, s + n, s + 2n, …, so
/// that which slot is faster changes nobody's number.
#[derive(Debug)]
pub struct Slots {
    users: u32,
    count: u64,
    shard: Shard,
    free: BinaryHeap<Reverse<(Moment, u32)>>,
    /// How many users each slot of this shard has started.
    rounds: Vec<u64>,
}

impl Slots {
    fn new(users: u32, ramp: Duration, count: u64, shard: Shard, start: Moment) -> Self {
        let mut slots = Self {
            users,
            count,
            shard,
            rounds: vec![0; users.div_ceil(shard.of) as usize],
            free: BinaryHeap::new(),
        };
        for slot in (0..users).filter(|slot| shard.owns(u64::from(*slot))) {
            let offset = ramp.mul_f64(f64::from(slot) / f64::from(users));
            slots.free(slot, start + offset);
        }
        slots
    }

    /// The number of the next user of `slot`.
    fn index(&self, slot: u32) -> u64 {
        let round = self.rounds[(slot / self.shard.of) as usize];
        u64::from(slot) + round * u64::from(self.users)
    }

    fn free(&mut self, slot: u32, at: Moment) {
        if self.index(slot) < self.count {
            self.free.push(Reverse((at, slot)));
        }
    }

    fn peek(&self) -> Option<Arrival> {
        let Reverse((at, slot)) = *self.free.peek()?;
        let index = self.index(slot);
        Some(Arrival { at, index, slot })
    }

    fn take(&mut self) {
        if let Some(Reverse((_, slot))) = self.free.pop() {
            self.rounds[(slot / self.shard.of) as usize] += 1;
        }
    }
}

/// The starts of open arrivals.
#[derive(Debug)]
pub struct Starts {
    profile: RateProfile,
    process: Process,
    count: u64,
    shard: Shard,
    dice: Dice,
    start: Moment,
    /// Of the next arrival in the whole plan.
    index: u64,
    cell: Cell,
    ahead: Option<Arrival>,
}

/// Poisson arrivals are drawn in cells of this many expected ones, each with
/// dice of its own, so that no cell depends on those before it.
const CELL: f64 = 64.0;

/// The arrivals of one cell that are still to come.
#[derive(Debug, Default)]
struct Cell {
    /// Number of the cell after this one.
    next: u64,
    /// In expected arrivals since the start; latest first.
    positions: Vec<f64>,
}

impl Starts {
    fn peek(&mut self) -> Option<Arrival> {
        while self.ahead.is_none() && self.index < self.count {
            let expected = self.position();
            let index = self.index;
            let at = self.start + self.profile.instant(expected)?;
            self.index += 1;
            if self.shard.owns(index) {
                self.ahead = Some(Arrival { at, index, slot: 0 });
            }
        }
        self.ahead
    }

    /// Where the next arrival lies, in arrivals expected before it.
    fn position(&mut self) -> f64 {
        match self.process {
            Process::Constant => self.index as f64,
            Process::Poisson => loop {
                if let Some(position) = self.cell.positions.pop() {
                    return position;
                }
                self.cell.fill(self.dice);
            },
        }
    }
}

impl Cell {
    /// A Poisson process on a stretch is a Poisson number of independent uniform points.
    fn fill(&mut self, dice: Dice) {
        let mut roll = dice.roll(0, Stream::Arrival, self.next);
        let law = Poisson::new(CELL).expect("the mean is positive and finite");
        let count = law.sample(&mut roll) as usize;
        let begin = self.next as f64 * CELL;
        self.positions
            .extend((0..count).map(|_| begin + CELL * dice::unit(&mut roll)));
        self.positions.sort_by(|a, b| b.total_cmp(a));
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(process: Process) -> Arrivals {
        Arrivals::Open {
            profile: RateProfile::constant("1000/s".parse().expect("a rate")),
            process,
        }
    }

    fn taken(arrivals: &Arrivals, shard: Shard, count: usize) -> Vec<Arrival> {
        let mut cursor = Cursor::new(arrivals, None, shard, Dice::new(8), Moment::START);
        std::iter::from_fn(|| {
            let arrival = cursor.peek();
            cursor.take();
            arrival
        })
        .take(count)
        .collect()
    }

    #[test]
    fn shards_together_are_the_whole_plan() {
        for arrivals in [open(Process::Constant), open(Process::Poisson)] {
            let whole = taken(&arrivals, Shard::WHOLE, 300);
            let mut joined: Vec<_> = (0..3)
                .flat_map(|index| taken(&arrivals, Shard { index, of: 3 }, 100))
                .collect();
            joined.sort_by_key(|arrival| arrival.index);
            assert_eq!(joined, whole);
        }
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let arrivals = taken(&open(Process::Poisson), Shard::WHOLE, 20_001);
        let gaps = arrivals
            .windows(2)
            .map(|pair| pair[1].at.since(pair[0].at).as_secs_f64());
        let (sum, squares) = gaps.fold((0.0, 0.0), |(sum, squares), gap| {
            (sum + gap, squares + gap * gap)
        });
        let mean = sum / 20_000.0;
        let variation = (squares / 20_000.0 - mean * mean).sqrt() / mean;
        assert!((mean * 1000.0 - 1.0).abs() < 0.03, "mean gap {mean}");
        assert!(
            (variation - 1.0).abs() < 0.03,
            "coefficient of variation {variation}"
        );
    }

    #[test]
    fn a_slot_keeps_its_numbers_however_fast_it_is() {
        let closed = Arrivals::Closed {
            users: 4,
            ramp: Duration::from_secs(4),
        };
        let shard = Shard { index: 1, of: 2 };
        let mut cursor = Cursor::new(&closed, Some(6), shard, Dice::new(0), Moment::START);
        let first = cursor.peek().expect("slot 1");
        assert_eq!(
            (first.index, first.slot, first.at.since_start().as_secs()),
            (1, 1, 1)
        );
        cursor.take();
        cursor.freed(1, first.at);
        assert_eq!(cursor.peek().map(|arrival| arrival.index), Some(5));
        cursor.take();
        assert_eq!(cursor.peek().map(|arrival| arrival.index), Some(3));
        cursor.take();
        cursor.freed(1, first.at);
        cursor.freed(3, first.at);
        assert_eq!(cursor.peek(), None, "users 7 and 9 are beyond the count");
    }
}
