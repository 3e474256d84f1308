//! Adds the seconds of a run up: the warm-up apart from the rest, and a row for
//! each second of the load. Where the end of the warm-up is found afterwards,
//! the seconds are kept in their written form until then, which takes about as
//! much memory as the log takes on disk.

use std::mem;

use contract::Operation;

use crate::answer::Failure;
use crate::hlog;
use crate::interval::{Interval, Stage};
use crate::record::Second;
use crate::tally::{MoneyTally, Tally};
use crate::timeline::Row;
use crate::warmup::{self, Warmup};

/// A run so far.
#[derive(Debug)]
pub struct Series {
    warmup: Warmup,
    rows: Vec<Row>,
    measured: Tally,
    warming: Tally,
    money: MoneyTally,
    kept: Vec<Kept>,
}

/// A second in its written form.
#[derive(Debug)]
struct Kept {
    second: Second,
    log: String,
}

/// A run added up.
#[derive(Clone, Debug)]
pub struct Sums {
    /// Without the warm-up, but with all rentals and all money.
    pub measured: Tally,
    /// The warm-up alone.
    pub warming: Tally,
    /// Seconds of warm-up.
    pub warmup_seconds: u32,
    /// Whether the load was steady after the warm-up, if somebody looked.
    pub steady: Option<bool>,
    /// The load, second by second.
    pub rows: Vec<Row>,
}

impl Series {
    /// Nothing yet.
    pub fn new(warmup: Warmup) -> Self {
        Self {
            warmup,
            rows: Vec::new(),
            measured: Tally::default(),
            warming: Tally::default(),
            money: MoneyTally::default(),
            kept: Vec::new(),
        }
    }

    /// Adds the next second.
    pub fn add(&mut self, interval: &Interval) {
        let load = interval.stage == Stage::Load;
        let warming = load && self.warmup.covers(interval.index);
        if load {
            self.rows.push(Row::of(interval, warming));
        }
        self.money.merge(&interval.tally.money);
        if load {
            // What was paid is read after the load.
            self.money.pass(interval.start);
        }
        if self.warmup == Warmup::Auto && load {
            self.kept.push(Kept {
                second: Second::of(interval),
                log: hlog::lines(interval, false),
            });
        } else if warming {
            self.warming.follow(&interval.tally);
            self.warming.money.unfinished.clear();
        } else {
            self.measure(&interval.tally, load);
            // All of the money is kept apart.
            self.measured.money.unfinished.clear();
        }
    }

    /// All phases count as requests, but rates and lateness are the load's.
    fn measure(&mut self, tally: &Tally, load: bool) {
        if load {
            return self.measured.follow(tally);
        }
        let rates = (self.measured.offered, self.measured.achieved);
        let lateness = mem::take(&mut self.measured.instrument.lateness);
        self.measured.follow(tally);
        (self.measured.offered, self.measured.achieved) = rates;
        self.measured.instrument.lateness = lateness;
    }

    /// What happened to the balances so far.
    pub const fn money(&self) -> &MoneyTally {
        &self.money
    }

    /// Failed requests before the load, by kind.
    pub fn failures(&self) -> impl Iterator<Item = (&Failure, &u64)> {
        Operation::ALL
            .into_iter()
            .flat_map(|operation| &self.measured.operation(operation).failures)
    }

    /// The sums, with the warm-up where it was found.
    pub fn finish(mut self) -> Sums {
        let (warmup_seconds, steady) = self.end_of_warmup();
        for kept in mem::take(&mut self.kept) {
            let mut entries = hlog::entries(kept.log.as_bytes());
            let interval = kept.second.interval(&mut entries);
            let interval = interval.expect("invariant: it was written above");
            if interval.index < warmup_seconds {
                self.warming.follow(&interval.tally);
            } else {
                self.measure(&interval.tally, true);
            }
        }
        for row in &mut self.rows {
            row.warmup = row.second < warmup_seconds;
        }
        self.measured.take_whole(&mut self.warming);
        self.measured.money = self.money;
        Sums {
            measured: self.measured,
            warming: self.warming,
            warmup_seconds,
            steady,
            rows: self.rows,
        }
    }

    fn end_of_warmup(&self) -> (u32, Option<bool>) {
        match self.warmup {
            Warmup::None => (0, None),
            Warmup::Fixed(seconds) => (seconds, None),
            Warmup::Auto => {
                // A second without answers says nothing new.
                let mut last = 0.0;
                let medians: Vec<_> = self
                    .rows
                    .iter()
                    .map(|row| {
                        last = row.median().unwrap_or(last);
                        last
                    })
                    .collect();
                let found = warmup::mser5(&medians);
                (found.values as u32, Some(found.steady))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Times;
    use contract::Moment;
    use std::time::Duration;

    /// A second of the load with so many polls of so many milliseconds.
    fn second(stage: Stage, index: u32, polls: u32, milliseconds: u64) -> Interval {
        let mut tally = Tally::default();
        for _ in 0..polls {
            let times = Times {
                intended: Moment::START,
                sent: Moment::START,
                answered: Moment::START + Duration::from_millis(milliseconds),
            };
            tally.request(Operation::CheckOtp, times, None);
            tally.offered += 1;
        }
        tally.rentals.started = 1;
        tally.rentals.peak_in_flight = u64::from(polls);
        Interval {
            stage,
            index,
            start: Moment::START,
            length: crate::interval::LENGTH,
            tally,
            cpu: None,
        }
    }

    /// Twenty slow seconds, then a hundred fast ones, and a closing phase.
    fn added(warmup: Warmup) -> Sums {
        let mut series = Series::new(warmup);
        for index in 0..120 {
            let slow = index < 20;
            // A ripple, as any server has.
            let milliseconds = if slow { 500 } else { 10 + u64::from(index % 3) };
            series.add(&second(Stage::Load, index, 30 + index, milliseconds));
        }
        series.add(&second(Stage::Closing, 0, 7, 1));
        series.finish()
    }

    #[test]
    fn the_warm_up_is_apart_however_its_end_is_known() {
        for warmup in [Warmup::Fixed(20), Warmup::Auto] {
            let sums = added(warmup);
            assert_eq!(sums.warmup_seconds, 20, "{warmup}");
            let polls = |tally: &Tally| {
                let polls = tally.operation(Operation::CheckOtp);
                (polls.requests, polls.response.greatest())
            };
            let first: u64 = (0..20).map(|index| 30 + index).sum();
            let rest: u64 = (20..120).map(|index| 30 + index).sum();
            assert_eq!(polls(&sums.warming), (first, Some(500_000)));
            assert_eq!(polls(&sums.measured), (rest + 7, Some(12_000)));
            assert_eq!(sums.measured.offered, rest, "rates are the load's");
            assert_eq!(sums.measured.rentals.started, 121, "rentals are the run's");
            assert_eq!(sums.measured.rentals.peak_in_flight, 149);
            assert_eq!(sums.rows.iter().filter(|row| row.warmup).count(), 20);
        }
        assert_eq!(added(Warmup::Auto).steady, Some(true));
    }

    #[test]
    fn without_warm_up_everything_is_measured() {
        let sums = added(Warmup::None);
        assert_eq!((sums.warmup_seconds, sums.warming.requests()), (0, 0));
        assert_eq!(
            sums.measured.requests(),
            (0..120).map(|index| 30 + index).sum::<u64>() + 7
        );
    }
}
