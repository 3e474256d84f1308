//! Fictional phone numbers: which one an account is given next. Every rental of
//! a server lives equally long, so numbers come free in the order in which they
//! were handed out, and a queue of ends is all the memory that takes.
//!
//! Ordinary numbers are `1<area>55501XX`, which are reserved for fiction. An
//! account that holds all 34,000 of them goes on with the rest of the 555
//! exchange, and one that holds those as well gets none.

mod area;

use std::collections::VecDeque;

use contract::dice::unit;
use contract::{Dice, Moment, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::area::AREA_CODES;

/// `1<area>5550100` to `1<area>5550199` of every area.
const FICTIONAL: u32 = AREA_CODES.len() as u32 * 100;

/// Line numbers in an exchange, less the hundred fictional ones and [`IN_SERVICE`].
const OTHER_LINES: u32 = 10_000 - 100 - IN_SERVICE.len() as u32;

/// 555 lines that reach somebody: directory assistance, and the number that
/// the North American numbering plan assigned nationally. In rising order.
const IN_SERVICE: [u32; 2] = [1212, 4334];

/// A phone number in four bytes, because a server may hold millions of rentals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Phone(u32);

impl Phone {
    /// The number with this place, if there is one.
    pub(crate) fn at(place: u32) -> Option<Self> {
        let all = AREA_CODES.len() as u32 * (100 + OTHER_LINES);
        (place < all).then_some(Self(place))
    }

    /// Its place among all.
    pub(crate) const fn place(self) -> u32 {
        self.0
    }

    /// Eleven digits, the first a 1.
    pub(crate) fn digits(self) -> String {
        let (area, line) = self.area_and_line();
        format!("1{area}555{line:04}")
    }

    fn area_and_line(self) -> (u16, u32) {
        match self.0.checked_sub(FICTIONAL) {
            None => (AREA_CODES[(self.0 / 100) as usize], 100 + self.0 % 100),
            Some(other) => (
                AREA_CODES[(other / OTHER_LINES) as usize],
                other_line(other % OTHER_LINES),
            ),
        }
    }
}

/// The line number that has `index` others before it, the excluded ones not counted.
fn other_line(index: u32) -> u32 {
    let beyond_fictional = if index < 100 { index } else { index + 100 };
    IN_SERVICE.iter().fold(beyond_fictional, |line, taken| {
        if line < *taken { line } else { line + 1 }
    })
}

/// The numbers of one account.
#[derive(Debug)]
pub(crate) struct PhoneBook {
    fictional: Cycle,
    others: Cycle,
}

impl PhoneBook {
    /// All numbers free, in the order that `account`'s dice say.
    pub(crate) fn new(dice: Dice, account: u64) -> Self {
        let others = AREA_CODES.len() as u32 * OTHER_LINES;
        Self {
            fictional: Cycle::new(Walk::new(dice, account, 0, FICTIONAL)),
            others: Cycle::new(Walk::new(dice, account, 1, others)),
        }
    }

    /// A number that no live rental has, taken until `expires_at`; `None` if there is none.
    pub(crate) fn take(&mut self, now: Moment, expires_at: Moment) -> Option<Phone> {
        if let Some(index) = self.fictional.take(now, expires_at) {
            return Some(Phone(index));
        }
        let index = self.others.take(now, expires_at)?;
        Some(Phone(FICTIONAL + index))
    }
}

/// How far the numbers of an account are handed out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPhones {
    fictional: SavedCycle,
    others: SavedCycle,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedCycle {
    handed_out: u64,
    /// When the numbers in use come free.
    ends: VecDeque<u64>,
}

impl SavedPhones {
    /// How many numbers were handed out.
    pub(crate) fn handed_out(&self) -> [u64; 2] {
        [self.fictional.handed_out, self.others.handed_out]
    }
}

impl PhoneBook {
    /// Written down.
    pub(crate) fn save(&self) -> SavedPhones {
        let save = |cycle: &Cycle| SavedCycle {
            handed_out: cycle.handed_out,
            ends: cycle.ends.iter().map(|end| end.nanoseconds()).collect(),
        };
        SavedPhones {
            fictional: save(&self.fictional),
            others: save(&self.others),
        }
    }

    /// As far as it was written down.
    pub(crate) fn restore(&mut self, saved: SavedPhones) {
        let restore = |cycle: &mut Cycle, saved: SavedCycle| {
            let ends = saved.ends.into_iter().map(Moment::from_nanoseconds);
            // More than there are cannot be in use.
            cycle.ends = ends.take(cycle.walk.size as usize).collect();
            cycle.handed_out = saved.handed_out;
        };
        restore(&mut self.fictional, saved.fictional);
        restore(&mut self.others, saved.others);
    }
}

/// Numbers handed out round and round.
#[derive(Debug)]
struct Cycle {
    walk: Walk,
    handed_out: u64,
    /// When the numbers in use come free, the earliest first.
    ends: VecDeque<Moment>,
}

impl Cycle {
    fn new(walk: Walk) -> Self {
        Self {
            walk,
            handed_out: 0,
            ends: VecDeque::new(),
        }
    }

    fn take(&mut self, now: Moment, expires_at: Moment) -> Option<u32> {
        while self.ends.front().is_some_and(|end| *end <= now) {
            self.ends.pop_front();
        }
        if self.ends.len() == self.walk.size as usize {
            return None;
        }
        let index = self.walk.place(self.handed_out);
        self.handed_out += 1;
        self.ends.push_back(expires_at);
        Some(index)
    }
}

/// A permutation of `0..size` without a table: steps of a length that shares
/// no factor with the size visit every place once per round.
#[derive(Debug)]
struct Walk {
    start: u64,
    step: u64,
    size: u32,
}

impl Walk {
    fn new(dice: Dice, account: u64, cycle: u64, size: u32) -> Self {
        let mut roll = dice.roll(account, Stream::Phone, cycle);
        let mut below = |bound: u32| (unit(&mut roll) * f64::from(bound)) as u64;
        let start = below(size);
        let mut step = below(size);
        while greatest_common_divisor(step, u64::from(size)) != 1 {
            step += 1;
        }
        Self { start, step, size }
    }

    fn place(&self, position: u64) -> u32 {
        let size = u64::from(self.size);
        ((self.start + position % size * self.step) % size) as u32
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    const LIFE: Duration = Duration::from_secs(1200);

    fn book(account: u64) -> PhoneBook {
        PhoneBook::new(Dice::new(5), account)
    }

    fn take(book: &mut PhoneBook, now: Moment) -> String {
        book.take(now, now + LIFE).expect("a free number").digits()
    }

    #[test]
    fn the_first_round_gives_every_fictional_number_once() {
        let mut book = book(1);
        let numbers: BTreeSet<_> = (0..FICTIONAL)
            .map(|_| take(&mut book, Moment::START))
            .collect();
        assert_eq!(numbers.len(), 34_000);
        assert!(numbers.iter().all(|number| number.len() == 11
            && number.starts_with('1')
            && &number[4..9] == "55501"));
    }

    #[test]
    fn with_all_fictional_numbers_live_the_rest_of_the_exchange_follows() {
        let mut book = book(1);
        for _ in 0..FICTIONAL {
            take(&mut book, Moment::START);
        }
        let others: BTreeSet<_> = (0..50_000)
            .map(|_| take(&mut book, Moment::START))
            .collect();
        assert_eq!(others.len(), 50_000);
        assert!(
            others
                .iter()
                .all(|number| &number[4..7] == "555" && &number[7..9] != "01")
        );
        let later = Moment::START + LIFE;
        assert_eq!(&take(&mut book, later)[7..9], "01", "the first came free");
    }

    #[test]
    fn the_rest_of_the_exchange_leaves_out_what_is_in_service() {
        let lines: BTreeSet<_> = (0..OTHER_LINES).map(other_line).collect();
        assert_eq!(lines.len(), 9898);
        assert_eq!(lines.last(), Some(&9999));
        for line in [100, 199, 1212, 4334] {
            assert!(!lines.contains(&line), "{line}");
        }
    }

    #[test]
    fn when_everything_is_live_there_is_none() {
        let size = 7;
        let mut cycle = Cycle::new(Walk::new(Dice::new(1), 1, 0, size));
        let end = Moment::START + LIFE;
        for _ in 0..size {
            assert!(cycle.take(Moment::START, end).is_some());
        }
        assert_eq!(cycle.take(Moment::START, end), None);
        assert!(cycle.take(end, end + LIFE).is_some());
    }

    #[test]
    fn accounts_walk_differently_and_seeds_repeat() {
        let first = |account| take(&mut book(account), Moment::START);
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
