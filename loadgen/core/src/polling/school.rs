//! Who learns from whom, where a fleet's customers follow `adaptive`.
//!
//! A slot of closed arrivals is one client program, which serves one customer
//! after the other and learns from its own only. Of open arrivals, where there
//! are no slots, the customers of an account learn together. Neither depends on
//! how many worker threads share the work, as long as their number divides that
//! of the accounts. The populations of a crowd never learn from each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::learner::Learner;
use crate::place::Place;

/// Whose experience: a population's, and of it a slot's or an account's.
pub(crate) type Desk = (Place, u32);

/// All learners of a fleet.
#[derive(Debug, Default)]
pub(crate) struct School {
    learners: BTreeMap<Desk, Learner>,
}

impl School {
    /// Who sits at `desk`, to whom a request is worth `price` seconds of lag.
    pub(crate) fn learner(&mut self, desk: Desk, price: f64) -> &mut Learner {
        let fresh = || Learner::new(price);
        self.learners.entry(desk).or_insert_with(fresh)
    }
}

/// What one customer was taught, and what it has found out so far.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    /// When to ask.
    pub(crate) timetable: Arc<[Duration]>,
    /// The latest poll that was answered "not yet".
    pub(crate) nothing_at: Duration,
}
