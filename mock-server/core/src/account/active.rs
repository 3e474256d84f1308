//! Which rentals wait for their SMS at the moment, for a service that allows
//! only so many of them.

use std::collections::BTreeSet;

use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The waiting rentals of an account, by when they wait no longer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct ActiveSet(#[schemars(with = "Vec<(u64, u32)>")] BTreeSet<(Moment, u32)>);

impl ActiveSet {
    /// How many wait at `now`.
    pub(super) fn count(&mut self, now: Moment) -> usize {
        while let Some((until, _)) = self.0.first()
            && *until <= now
        {
            self.0.pop_first();
        }
        self.0.len()
    }

    /// The rental at `index` waits `until` then.
    pub(super) fn add(&mut self, until: Moment, index: u32) {
        self.0.insert((until, index));
    }

    /// The rentals that it is about.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|(_, index)| *index)
    }

    /// The rentals stand elsewhere: each index has become what `places` says.
    pub(super) fn renumber(&mut self, places: impl Fn(u32) -> u32) {
        let waiting = std::mem::take(&mut self.0).into_iter();
        self.0 = waiting
            .map(|(until, index)| (until, places(index)))
            .collect();
    }

    /// The rental at `index` waits no longer.
    pub(super) fn remove(&mut self, index: u32) {
        self.0.retain(|(_, waiting)| *waiting != index);
    }
}
