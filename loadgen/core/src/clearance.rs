//! When a request that is due may really be sent: not while its account was
//! told to wait, and not faster than the run may ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::Moment;

use crate::arrivals::Shard;
use crate::budget::{Budget, Pacemaker};

/// What one worker may do, and when.
#[derive(Debug)]
pub(crate) struct Clearance {
    pub(crate) budget: Arc<Budget>,
    pace: Option<Pacemaker>,
    /// Until when accounts were told to wait; those that no longer are may linger.
    told: BTreeMap<u32, Moment>,
}

impl Clearance {
    /// One worker's part of a budget.
    pub(crate) fn new(budget: Arc<Budget>, shard: Shard) -> Self {
        Self {
            pace: budget.pace(shard),
            budget,
            told: BTreeMap::new(),
        }
    }

    /// An account was told to wait.
    pub(crate) fn hold(&mut self, account: u32, until: Moment) {
        let told = self.told.entry(account).or_default();
        *told = until.max(*told);
    }

    /// When a request that is due at `due` may be sent. One that `has_turn` has
    /// waited for its turn already, which it keeps unless it was told to wait.
    pub(crate) fn turn(
        &mut self,
        account: u32,
        due: Moment,
        now: Moment,
        has_turn: bool,
    ) -> Moment {
        let told = match self.told.get(&account) {
            Some(told) if *told > now => *told,
            Some(_) => {
                self.told.remove(&account);
                now
            }
            None => now,
        };
        match &mut self.pace {
            Some(pace) if !has_turn || told > now => pace.turn(due.max(told), now),
            _ => told,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Bounds;
    use std::time::Duration;

    fn at(milliseconds: u64) -> Moment {
        Moment::from(Duration::from_millis(milliseconds))
    }

    #[test]
    fn an_account_that_was_told_to_wait_waits_and_others_do_not() {
        let mut clearance = Clearance::new(Arc::default(), Shard::WHOLE);
        clearance.hold(3, at(500));
        clearance.hold(3, at(400));
        assert_eq!(clearance.turn(3, at(100), at(100), false), at(500));
        assert_eq!(clearance.turn(4, at(100), at(100), false), at(100));
        assert_eq!(clearance.turn(3, at(500), at(500), true), at(500));
    }

    #[test]
    fn a_turn_that_was_given_is_kept() {
        let bounds = Bounds {
            rate: Some("10/s".parse().expect("a rate")),
            ..Bounds::default()
        };
        let budget = Arc::new(Budget::new(bounds, false));
        let mut clearance = Clearance::new(budget, Shard::WHOLE);
        assert_eq!(clearance.turn(0, at(0), at(0), false), at(0));
        assert_eq!(clearance.turn(0, at(0), at(0), false), at(100));
        assert_eq!(clearance.turn(0, at(0), at(0), false), at(200));
        assert_eq!(clearance.turn(0, at(100), at(100), true), at(100));
        clearance.hold(0, at(1000));
        let turn = clearance.turn(0, at(200), at(200), true);
        assert_eq!(turn, at(1000), "told to wait in the meantime");
    }
}
