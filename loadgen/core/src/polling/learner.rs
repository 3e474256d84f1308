//! What `adaptive` makes of what it has seen: when codes tend to arrive, from
//! nothing but its own polls, and from that when to ask.
//!
//! A poll tells that a code arrived between it and the one before, or not yet.
//! Time since the rent is cut into cells that grow with it; a rental puts one
//! arrival into the cells between two polls, and the time that it waited into
//! the cells before. Arrivals over time waited is the hazard (the life table of
//! the actuaries), and polls at a density of √(h/2λ) are the square-root rule.

use std::sync::Arc;
use std::time::Duration;

/// Cells until the last bound; a cell is a fifth of its time wide.
const CELLS: usize = 72;

/// The first cell ends here, in seconds.
const FIRST: f64 = 0.1;

/// How much further each cell reaches than the one before.
const GROWTH: f64 = 1.2;

/// Before anything was seen, polls are this far apart, in seconds.
const BEFOREHAND: f64 = 3.0;

/// How many rentals the gap beforehand is worth.
const DOUBT: f64 = 2.0;

/// Polls of a timetable at most.
const MOST_POLLS: usize = 10_000;

/// What has been seen of the delay.
#[derive(Clone, Debug)]
pub struct Learner {
    /// In seconds of lag that a request is worth.
    price: f64,
    /// Arrivals by cell; one that may fall into several is spread over them.
    arrivals: Vec<f64>,
    /// Seconds waited by cell.
    waited: Vec<f64>,
    seen: u64,
    /// When to work the timetable out again: after so many rentals.
    again: u64,
    timetable: Option<Arc<[Duration]>>,
}

impl Learner {
    /// Nothing seen yet, and a request worth `price` seconds of lag.
    pub fn new(price: f64) -> Self {
        Self {
            price,
            arrivals: vec![0.0; CELLS],
            waited: vec![0.0; CELLS],
            seen: 0,
            again: 0,
            timetable: None,
        }
    }

    /// A rental was waited for until the poll at `asked`; its code arrived after
    /// `nothing_at`, the poll before, or if it did not, not at all.
    pub fn saw(&mut self, nothing_at: Duration, asked: Duration, arrived: bool) {
        let (from, to) = (nothing_at.as_secs_f64(), asked.as_secs_f64());
        let mut low = 0.0;
        for cell in 0..CELLS {
            let high = end(cell);
            self.waited[cell] += (from.min(high) - low).max(0.0);
            let shared = (to.min(high) - from.max(low)).max(0.0);
            if shared > 0.0 {
                // Where in the gap it arrived nobody knows: on average in its middle.
                let part = if arrived { 0.5 } else { 1.0 };
                self.waited[cell] += part * shared;
                self.arrivals[cell] += f64::from(u8::from(arrived)) * shared / (to - from);
            }
            low = high;
        }
        self.seen += 1;
    }

    /// When to ask, up to `deadline`. It changes only after an eighth more has
    /// been seen, so that working it out costs next to nothing per rental.
    pub fn timetable(&mut self, deadline: Duration) -> Arc<[Duration]> {
        if let Some(timetable) = &self.timetable
            && self.seen < self.again
        {
            return Arc::clone(timetable);
        }
        self.again = self.seen + (self.seen / 8).max(1);
        let timetable: Arc<[Duration]> = self.worked_out(deadline.as_secs_f64()).into();
        self.timetable = Some(Arc::clone(&timetable));
        timetable
    }

    /// Polls wherever ∫√(h/2λ) passes a whole number.
    fn worked_out(&self, deadline: f64) -> Vec<Duration> {
        let mut polls = Vec::new();
        let (mut low, mut sum) = (0.0, 0.0);
        for cell in 0..CELLS {
            let high = end(cell).min(deadline);
            let density = (self.hazard(cell) / (2.0 * self.price)).sqrt();
            let after = sum + density * (high - low);
            let mut whole = sum.floor() + 1.0;
            while whole <= after && polls.len() < MOST_POLLS {
                polls.push(Duration::from_secs_f64(low + (whole - sum) / density));
                whole += 1.0;
            }
            if high >= deadline {
                break;
            }
            (low, sum) = (high, after);
        }
        polls
    }

    /// Arrivals per second of waiting, drawn towards what gives the gap beforehand.
    fn hazard(&self, cell: usize) -> f64 {
        let width = end(cell) - cell.checked_sub(1).map_or(0.0, end);
        let beforehand = 2.0 * self.price / (BEFOREHAND * BEFOREHAND);
        let doubt = DOUBT * width;
        (self.arrivals[cell] + doubt * beforehand) / (self.waited[cell] + doubt)
    }
}

/// The end of a cell, in seconds. The last one reaches beyond any deadline.
fn end(cell: usize) -> f64 {
    if cell + 1 >= CELLS {
        return f64::INFINITY;
    }
    // 0.1 s · 1.2⁷⁰ is ten hours.
    FIRST * GROWTH.powi(i32::try_from(cell).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beforehand_it_polls_at_a_fixed_gap() {
        let timetable = Learner::new(1.0).timetable(Duration::from_secs(20));
        let polls: Vec<_> = timetable.iter().map(Duration::as_secs_f64).collect();
        assert_eq!(polls.len(), 6);
        for (index, poll) in (1..).zip(polls) {
            assert!(
                (poll - BEFOREHAND * f64::from(index)).abs() < 1e-6,
                "{poll}"
            );
        }
    }

    #[test]
    fn it_asks_when_codes_have_come() {
        let mut learner = Learner::new(0.5);
        let seconds = Duration::from_secs_f64;
        for _ in 0..500 {
            learner.saw(seconds(19.0), seconds(21.0), true);
        }
        let timetable = learner.timetable(Duration::from_secs(60));
        let before = timetable.iter().filter(|poll| **poll < seconds(15.0));
        assert!(before.count() <= 2, "{timetable:?}");
        let there = |poll: &&Duration| (seconds(18.0)..seconds(24.0)).contains(*poll);
        assert!(timetable.iter().filter(there).count() >= 2, "{timetable:?}");
    }
}
