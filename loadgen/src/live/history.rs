//! The load so far as columns of a plot. A column is a second; when there are
//! too many, two become one, so that a run of any length takes the same memory.

use std::sync::LazyLock;

use contract::Operation;
use loadgen_core::interval::Interval;

/// Columns at most: more than a terminal is wide.
const MOST: usize = 512;

/// Ranges of latency in each factor of ten.
pub(super) const PER_DECADE: usize = 10;

/// From 1 µs to beyond an hour.
const RANGES: usize = 96;

/// The upper ends of the ranges, in microseconds.
static EDGES: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let exponents = (1..=RANGES).map(|index| index as f64 / PER_DECADE as f64);
    exponents
        .map(|exponent| 10_f64.powf(exponent).round() as u64)
        .collect()
});

/// The columns of a run.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// Seconds that a column stands for.
    span: u32,
    columns: Vec<Column>,
}

/// Some seconds of the load.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Whole seconds, or what there was of them.
    seconds: u32,
    /// How long they were.
    length_s: f64,
    answered: u64,
    pub(super) errors: u64,
    /// 99th percentile of the polls' slip in the worst of them, in microseconds.
    pub(super) slip_p99: u64,
    /// Polls by response time.
    pub(super) heat: Vec<u64>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            span: 1,
            columns: Vec::new(),
        }
    }
}

impl History {
    pub(super) fn add(&mut self, interval: &Interval) {
        let second = Column::of(interval);
        match self.columns.last_mut() {
            Some(last) if last.seconds < self.span => last.merge(&second),
            _ => self.columns.push(second),
        }
        if self.columns.len() == MOST {
            self.columns = merged(&self.columns, 2);
            self.span *= 2;
        }
    }

    /// Seconds that the columns stand for.
    pub(super) fn seconds(&self) -> u32 {
        self.columns.iter().map(|column| column.seconds).sum()
    }

    /// The columns for a plot so many cells wide: how many cells each takes, and
    /// they. `expected` seconds have room, if that is possible.
    pub(super) fn fitted(&self, cells: usize, expected: Option<u32>) -> (usize, Vec<Column>) {
        let group = self.columns.len().div_ceil(cells.max(1)).max(1);
        let columns = merged(&self.columns, group);
        let span = self.span as usize * group;
        let wanted = expected.unwrap_or(0).max(AT_FIRST) as usize / span;
        let width = cells / wanted.max(columns.len()).max(1);
        (width.max(1), columns)
    }
}

/// What a run whose length is not known has room for at first, in seconds; one
/// that is shorter leaves the rest free.
const AT_FIRST: u32 = 20;

impl Column {
    fn of(interval: &Interval) -> Self {
        let tally = &interval.tally;
        let polls = tally.operation(Operation::CheckOtp);
        Self {
            seconds: 1,
            length_s: interval.length.as_secs_f64(),
            answered: tally.requests(),
            errors: tally.failures(),
            slip_p99: polls.slip.quantile(0.99).unwrap_or(0),
            heat: polls.response.counts_up_to(&EDGES),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.length_s += other.length_s;
        self.answered += other.answered;
        self.errors += other.errors;
        self.slip_p99 = self.slip_p99.max(other.slip_p99);
        for (ours, theirs) in self.heat.iter_mut().zip(&other.heat) {
            *ours += theirs;
        }
    }

    /// Answers per second.
    pub(super) fn rate(&self) -> f64 {
        self.answered as f64 / self.length_s.max(1e-3)
    }
}

fn merged(columns: &[Column], group: usize) -> Vec<Column> {
    let groups = columns.chunks(group.max(1));
    let sums = groups.filter_map(|group| {
        let (first, rest) = group.split_first()?;
        let mut sum = first.clone();
        rest.iter().for_each(|column| sum.merge(column));
        Some(sum)
    });
    sums.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Moment;
    use loadgen_core::call::Times;
    use loadgen_core::interval::{LENGTH, Stage};
    use loadgen_core::tally::Tally;
    use std::time::Duration;

    fn second(index: u32) -> Interval {
        let mut tally = Tally::default();
        let times = Times {
            intended: Moment::START,
            sent: Moment::START,
            answered: Moment::START + Duration::from_millis(5),
        };
        tally.request(Operation::CheckOtp, times, None);
        Interval {
            stage: Stage::Load,
            index,
            start: Moment::START,
            length: LENGTH,
            tally,
            cpu: None,
        }
    }

    #[test]
    fn a_run_of_any_length_takes_the_same_memory_and_loses_nothing() {
        let mut history = History::default();
        for index in 0..5000 {
            history.add(&second(index));
        }
        assert!(history.columns.len() < MOST);
        assert_eq!(history.seconds(), 5000);
        let polls =
            |columns: &[Column]| -> u64 { columns.iter().flat_map(|column| &column.heat).sum() };
        let (width, columns) = history.fitted(80, None);
        assert_eq!((width, polls(&columns)), (1, 5000));
        assert!(columns.len() <= 80, "{}", columns.len());
        assert!(
            columns
                .iter()
                .all(|column| (column.rate() - 1.0).abs() < 1e-9)
        );
    }

    #[test]
    fn a_short_run_is_as_wide_as_there_is_room_for_its_whole_length() {
        let mut history = History::default();
        history.add(&second(0));
        assert_eq!(history.fitted(60, Some(30)).0, 2);
        assert_eq!(history.fitted(60, Some(600)).0, 1);
        assert_eq!(history.fitted(0, None).0, 1, "no room at all");
    }
}
