//! When users start. The plan is counted from the seed, not drawn along the
//! way: any slice of it can be computed without the others.
//!
//! Closed arrivals keep a number of users going: a slot starts its next user
//! when the last one is done. Open arrivals follow a rate, whatever the server
//! does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use contract::{Dice, Moment};

use crate::curve::Curve;
use crate::poisson::Points;
use crate::rate::RateProfile;
use crate::recording::Recording;

/// When users start.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// A number of users at any time. Where it falls, users finish, and their
    /// slots start nobody until it has risen again.
    Closed(Curve),
    /// A rate of starts.
    Open {
        /// The rate over time.
        profile: RateProfile,
        /// How starts are spread around that rate.
        process: Process,
    },
    /// Starts that were recorded.
    Replay(Recording),
}

impl Arrivals {
    /// The same number of users at any time.
    pub fn users(users: u32) -> Self {
        Self::Closed(Curve::constant(f64::from(users)))
    }

    /// Whether users start whatever the server does.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Closed(_))
    }

    /// The most users of closed arrivals.
    pub fn slots(&self) -> Option<u32> {
        match self {
            Self::Closed(curve) => Some(curve.greatest().ceil() as u32),
            Self::Open { .. } | Self::Replay(_) => None,
        }
    }

    /// When user number `index` starts, counted from the beginning, and how many
    /// start before a moment; `None` for closed arrivals, where the server
    /// decides that too.
    pub fn schedule(&self, dice: Dice) -> Option<Schedule> {
        let source = match self {
            Self::Closed(_) => return None,
            Self::Open { profile, process } => Source::Rate(
                profile.clone(),
                match process {
                    Process::Constant => None,
                    Process::Poisson => Some(Points::new(dice)),
                },
            ),
            Self::Replay(recording) => Source::Recording(recording.clone()),
        };
        Some(Schedule(source))
    }
}

/// The starts of open arrivals. Any of them can be asked for without the others.
#[derive(Clone, Debug)]
pub struct Schedule(Source);

#[derive(Clone, Debug)]
enum Source {
    Rate(RateProfile, Option<Points>),
    Recording(Recording),
}

impl Schedule {
    /// When user number `index` starts after the beginning; `None` if it never does.
    pub fn instant(&mut self, index: u64) -> Option<Duration> {
        match &mut self.0 {
            Source::Rate(profile, None) => profile.instant(index as f64),
            Source::Rate(profile, Some(points)) => profile.instant(points.point(index)),
            Source::Recording(recording) => recording.instant(index),
        }
    }

    /// How many users start before `at`.
    pub fn before(&mut self, at: Duration) -> u64 {
        let near = match &self.0 {
            Source::Rate(profile, None) => profile.expected(at).ceil() as u64,
            Source::Rate(profile, Some(points)) => points.before(profile.expected(at)),
            Source::Recording(recording) => return recording.before(at),
        };
        // Instants are whole nanoseconds, so the next one or two may be on the
        // other side of `at`.
        let mut count = near;
        while count > 0 && self.instant(count - 1).is_none_or(|last| last >= at) {
            count -= 1;
        }
        while self.instant(count).is_some_and(|next| next < at) {
            count += 1;
        }
        count
    }
}

/// How the starts of an open arrival process are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
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
        match arrivals.schedule(dice) {
            None => Self::Closed(Slots::new(arrivals, count, shard, start)),
            Some(schedule) => Self::Open(Starts {
                schedule,
                count,
                shard,
                start,
                index: u64::from(shard.index),
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
    /// How many slots may start somebody, over time.
    level: Curve,
    start: Moment,
    users: u32,
    count: u64,
    shard: Shard,
    free: BinaryHeap<Reverse<(Moment, u32)>>,
    /// How many users each slot of this shard has started.
    rounds: Vec<u64>,
}

impl Slots {
    fn new(arrivals: &Arrivals, count: u64, shard: Shard, start: Moment) -> Self {
        let users = arrivals.slots().unwrap_or(0);
        let level = match arrivals {
            Arrivals::Closed(level) => level.clone(),
            Arrivals::Open { .. } | Arrivals::Replay(_) => Curve::default(),
        };
        let mut slots = Self {
            level,
            start,
            users,
            count,
            shard,
            rounds: vec![0; users.div_ceil(shard.of) as usize],
            free: BinaryHeap::new(),
        };
        for slot in (0..users).filter(|slot| shard.owns(u64::from(*slot))) {
            slots.free(slot, start);
        }
        slots
    }

    /// The number of the next user of `slot`.
    fn index(&self, slot: u32) -> u64 {
        let round = self.rounds[(slot / self.shard.of) as usize];
        u64::from(slot) + round * u64::from(self.users)
    }

    fn free(&mut self, slot: u32, at: Moment) {
        let level = f64::from(slot);
        if self.index(slot) < self.count
            && let Some(offset) = self.level.above(level, at.since(self.start))
        {
            // At the end of time there is no further one to add to.
            let at = at.max(self.start + offset);
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

/// The starts of one shard of open arrivals, one after the other.
#[derive(Debug)]
pub struct Starts {
    schedule: Schedule,
    count: u64,
    shard: Shard,
    start: Moment,
    /// Of the next arrival of this shard in the whole plan.
    index: u64,
    ahead: Option<Arrival>,
}

impl Starts {
    fn peek(&mut self) -> Option<Arrival> {
        if self.ahead.is_none() && self.index < self.count {
            let index = self.index;
            let at = self.start + self.schedule.instant(index)?;
            self.index += u64::from(self.shard.of);
            self.ahead = Some(Arrival { at, index, slot: 0 });
        }
        self.ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn a_slot_keeps_its_numbers_however_fast_it_is() {
        let closed = Arrivals::Closed(Curve::through(0.0, [(4.0, Duration::from_secs(4))]));
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

    #[test]
    fn slots_beyond_the_number_of_users_wait_until_it_rises_again() {
        let second = Duration::from_secs(1);
        let stages = [(2.0, second * 2), (1.0, second * 2), (2.0, second * 2)];
        let closed = Arrivals::Closed(Curve::through(0.0, stages));
        assert_eq!(closed.slots(), Some(2));
        let mut cursor = Cursor::new(&closed, None, Shard::WHOLE, Dice::new(0), Moment::START);
        let mut starts = Vec::new();
        // Each user takes a second and a half.
        while let Some(arrival) = cursor
            .peek()
            .filter(|next| next.at < Moment::from(second * 6))
        {
            cursor.take();
            starts.push((arrival.slot, arrival.at.since_start().as_millis()));
            cursor.freed(arrival.slot, arrival.at + second * 3 / 2);
        }
        let of = |slot| {
            let starts = starts.iter().filter(move |(other, _)| *other == slot);
            starts.map(|(_, at)| *at).collect::<Vec<_>>()
        };
        assert_eq!(of(0), [0, 1500, 3000, 4500]);
        assert_eq!(
            of(1),
            [1000, 2500, 4000, 5500],
            "two users until the fourth second"
        );
    }

    fn shape() -> impl Strategy<Value = Arrivals> {
        let stages = prop::collection::vec((0_u32..300, 0_u64..5), 1..5);
        (stages, any::<bool>()).prop_map(|(stages, poisson)| {
            let stages = stages.into_iter();
            let stages = stages.map(|(to, lasts)| (f64::from(to), Duration::from_secs(lasts)));
            Arrivals::Open {
                profile: RateProfile::along(Curve::through(10.0, stages)),
                process: if poisson {
                    Process::Poisson
                } else {
                    Process::Constant
                },
            }
        })
    }

    proptest! {
        #[test]
        fn counts_and_instants_and_slices_of_a_plan_agree(
            shape in shape(),
            seed in 0_u64..100,
            milliseconds in 0_u64..20_000,
            of in 1_u32..5,
        ) {
            let (dice, at) = (Dice::new(seed), Duration::from_millis(milliseconds));
            let count = shape.schedule(dice).expect("open").before(at);
            let mut slices = 0;
            for index in 0..of {
                let mut cursor = Cursor::new(&shape, None, Shard { index, of }, dice, Moment::START);
                while let Some(arrival) = cursor.peek().filter(|next| next.at < Moment::from(at)) {
                    let mut afresh = shape.schedule(dice).expect("open");
                    prop_assert_eq!(afresh.instant(arrival.index), Some(arrival.at.since_start()));
                    prop_assert_eq!(arrival.index % u64::from(of), u64::from(index));
                    cursor.take();
                    slices += 1;
                }
            }
            prop_assert_eq!(count, slices);
        }

        #[test]
        fn as_many_arrive_as_the_rate_adds_up_to(shape in shape(), seed in 0_u64..100) {
            let at = Duration::from_secs(20);
            let Arrivals::Open { profile, process } = &shape else { unreachable!() };
            let expected = profile.expected(at);
            let count = shape.schedule(Dice::new(seed)).expect("open").before(at) as f64;
            // Six standard deviations of a Poisson number.
            let off = if *process == Process::Poisson { 6.0 * expected.sqrt() } else { 0.0 };
            prop_assert!((count - expected).abs() <= off + 1.0, "{count} of {expected}");
        }
    }
}
