//! From the slices of several workers to whole seconds: a second is whole when
//! every worker has handed over its slice of it, or is done.

use std::collections::BTreeMap;

use crate::interval::Slice;
use crate::tally::Tally;

/// The seconds of a phase of which some workers' slices are missing.
#[derive(Debug)]
pub struct Gathering {
    /// How many slices each worker has handed over; `None` when it is done.
    handed_over: Vec<Option<u32>>,
    pending: BTreeMap<u32, Tally>,
}

impl Gathering {
    /// Nothing yet, of so many workers.
    pub fn of(workers: usize) -> Self {
        Self {
            handed_over: vec![Some(0); workers],
            pending: BTreeMap::new(),
        }
    }

    /// Takes a worker's next slice.
    pub fn add(&mut self, worker: usize, slice: &Slice) {
        self.handed_over[worker] = Some(slice.index + 1);
        let tally = self.pending.entry(slice.index).or_default();
        tally.merge(&slice.tally);
    }

    /// Takes what a worker had not handed over when it was done.
    pub fn end(&mut self, worker: usize, rest: &Tally) {
        let index = self.handed_over[worker].take().unwrap_or_default();
        self.pending.entry(index).or_default().merge(rest);
    }

    /// The earliest second, if it is whole.
    pub fn take(&mut self) -> Option<(u32, Tally)> {
        let (index, _) = self.pending.first_key_value()?;
        let whole = self
            .handed_over
            .iter()
            .all(|count| count.is_none_or(|count| count > *index));
        whole.then(|| self.pending.pop_first()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(index: u32, offered: u64) -> Slice {
        let mut tally = Box::<Tally>::default();
        tally.offered = offered;
        Slice { index, tally }
    }

    #[test]
    fn a_second_is_whole_when_all_have_handed_it_over_or_are_done() {
        let mut gathering = Gathering::of(2);
        gathering.add(0, &slice(0, 1));
        gathering.add(0, &slice(1, 2));
        assert!(gathering.take().is_none());
        gathering.add(1, &slice(0, 10));
        let (index, tally) = gathering.take().expect("both are there");
        assert_eq!((index, tally.offered), (0, 11));
        assert!(gathering.take().is_none());
        gathering.end(1, &slice(0, 20).tally);
        let (index, tally) = gathering.take().expect("nobody is missing");
        assert_eq!((index, tally.offered), (1, 22));
        gathering.end(0, &slice(0, 3).tally);
        assert_eq!(gathering.take().map(|(index, _)| index), Some(2));
        assert!(gathering.take().is_none());
    }
}
