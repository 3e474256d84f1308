//! What a mock counts, for whoever draws curves of it. Not the journal, which
//! knows each request but forgets the oldest: these only ever grow, or say how
//! much of something there is now. Nothing here tells accounts apart.

use std::fmt;

use contract::{Moment, Operation};

use crate::account::Account;
use crate::mock::Mock;
use crate::rental::{Rental, State};

/// Everything at one moment, or at most a few steps of a [`Census`] apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Requests that came, by operation (`None`: those that are none) and status
    /// (`None`: those that got no answer); only what did come.
    pub requests: Vec<(Option<Operation>, Option<u16>, u64)>,
    /// Requests that the journal holds.
    pub journal_entries: u64,
    /// What they take.
    pub journal_bytes: u64,
    /// Requests that had to go from the journal, which resets do not undo.
    pub journal_evicted: u64,
    /// Keys that were used.
    pub accounts: u64,
    /// Rentals that were ever made.
    pub rentals_made: u64,
    /// Rentals that wait for their SMS.
    pub pending: u64,
    /// Rentals whose SMS came.
    pub completed: u64,
    /// Rentals that ended without an SMS.
    pub expired: u64,
    /// SMS that arrived, second ones too.
    pub sms_delivered: u64,
}

/// What is counted because it could not be found out later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    requests: Requests,
    pub(crate) evicted: u64,
    /// SMS of rentals that were forgotten in a reset, less those of rentals that a
    /// snapshot brought, which did not arrive here.
    forgotten_sms: i64,
}

/// One more than the largest status.
const STATUSES: usize = 600;

/// A cell for each operation, or none, and each status, or none, which is 0: a
/// request costs an addition and no search (`benches/mock.rs`).
#[derive(Clone)]
struct Requests(Box<[[u64; STATUSES]; Operation::ALL.len() + 1]>);

impl Default for Requests {
    fn default() -> Self {
        Self(Box::new([[0; STATUSES]; Operation::ALL.len() + 1]))
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.some()).finish()
    }
}

impl Requests {
    fn some(&self) -> impl Iterator<Item = (Option<Operation>, Option<u16>, u64)> {
        let operations = Operation::ALL.into_iter().map(Some).chain([None]);
        let rows = operations.zip(self.0.iter());
        rows.flat_map(|(operation, row)| {
            let cells = row.iter().enumerate().filter(|(_, count)| **count > 0);
            cells.map(move |(status, count)| {
                let status = (status > 0).then_some(status as u16);
                (operation, status, *count)
            })
        })
    }
}

impl Counts {
    /// One request more.
    pub(crate) fn request(&mut self, operation: Option<Operation>, status: Option<u16>) {
        let row = operation.map_or(Operation::ALL.len(), |operation| operation as usize);
        let status = usize::from(status.unwrap_or_default());
        if let Some(cell) = self.requests.0[row].get_mut(status) {
            *cell += 1;
        }
    }

    /// An account's rentals are about to be forgotten at `now`, in its own time.
    pub(crate) fn forget(&mut self, account: &Account, now: Moment) {
        self.forgotten_sms += sms_delivered(account, now);
    }

    /// An account came at `now`, in its own time, with rentals that were made before.
    pub(crate) fn restore(&mut self, account: &Account, now: Moment) {
        self.forgotten_sms -= sms_delivered(account, now);
    }
}

/// A count of all rentals that is made in steps, so that no request has to wait
/// for the whole of it: with a million rentals that is some thirty milliseconds,
/// and a step half a one.
#[derive(Debug, Default)]
pub struct Census {
    place: usize,
    index: usize,
    /// What was forgotten when it began: whatever is forgotten on the way was
    /// counted, or is missing until the next time.
    forgotten_sms: Option<i64>,
    pending: u64,
    completed: u64,
    expired: u64,
    following_sms: u64,
}

/// Rentals that a step of a census looks at.
const STEP: usize = 20_000;

impl Census {
    /// Looks at the next `most` rentals or fewer of an account; says how many.
    fn count(&mut self, account: &Account, now: Moment, most: usize) -> usize {
        let rest = account.rentals().get(self.index..).unwrap_or_default();
        let some = &rest[..rest.len().min(most)];
        for rental in some {
            *match account.state(rental, now) {
                State::Pending => &mut self.pending,
                State::Completed => &mut self.completed,
                State::Expired => &mut self.expired,
            } += 1;
        }
        self.index += some.len();
        if some.len() == rest.len() {
            let following = account.following_sms();
            self.following_sms += following.filter(|(_, at)| *at <= now).count() as u64;
            self.place += 1;
            self.index = 0;
        }
        some.len()
    }
}

impl Mock {
    /// Everything that is counted, once the census is through; `None` means that it
    /// has a step more to go.
    pub fn figures(&mut self, now: Moment, census: &mut Census) -> Option<Figures> {
        let now = self.advance(now);
        let counts = &self.journal.counts;
        let forgotten_sms = *census.forgotten_sms.get_or_insert(counts.forgotten_sms);
        let mut left = STEP;
        while let Some((_, account)) = self.accounts.get_index(census.place) {
            let counted = census.count(account, account.clock.local(now), left);
            // An account is some work, too, however little it has rented.
            left = left.saturating_sub(counted.max(1));
            if left == 0 {
                return None;
            }
        }
        let delivered = census.completed + census.following_sms;
        Some(Figures {
            requests: counts.requests.some().collect(),
            journal_entries: self.journal.len() as u64,
            journal_bytes: self.journal.bytes() as u64,
            journal_evicted: counts.evicted,
            accounts: self.accounts.len() as u64,
            rentals_made: self.rentals_made(),
            pending: census.pending,
            completed: census.completed,
            expired: census.expired,
            sms_delivered: delivered.saturating_add_signed(forgotten_sms),
        })
    }
}

fn sms_delivered(account: &Account, now: Moment) -> i64 {
    let first = account.rentals().iter().filter_map(Rental::sms_at);
    let following = account.following_sms().map(|(_, arrival)| arrival);
    let delivered = first.chain(following).filter(|arrival| *arrival <= now);
    delivered.count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_cell_of_its_own() {
        let mut counts = Counts::default();
        for (operation, status) in [
            (None, Some(404)),
            (Some(Operation::Rent), None),
            (Some(Operation::Rent), Some(599)),
            (Some(Operation::Rent), Some(599)),
            (Some(Operation::Profile), Some(200)),
        ] {
            counts.request(operation, status);
        }
        let counted: Vec<_> = counts.requests.some().collect();
        assert_eq!(
            counted,
            [
                (Some(Operation::Profile), Some(200), 1),
                (Some(Operation::Rent), None, 1),
                (Some(Operation::Rent), Some(599), 2),
                (None, Some(404), 1),
            ]
        );
    }
}
