//! What is remembered of one account's client.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Moment, Operation, TimeSpan};

use super::finding::Findings;
use super::line::Line;
use super::past::{Pace, Past};
use super::polls::Polls;
use super::refused::Refused;
use super::rents::Rents;
use crate::clock::AccountClock;
use crate::journal::{Entry, What};

/// Rentals, and kinds of requests, that are remembered; the oldest go first.
const REMEMBERED: usize = 10_000;

/// A rent whose answer takes longer may find nobody who waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// One request and what the mock knows about it.
pub(super) struct Seen<'a> {
    pub(super) past: Past,
    /// How its account's time runs; the client knows since when.
    pub(super) pace: Pace,
    pub(super) retry_after: Option<Duration>,
    /// When the server last ended a connection of this client.
    pub(super) closed: Option<Moment>,
    /// The same for the same body under the same key.
    pub(super) content: u64,
    /// Its `Idempotency-Key`, where that means anything.
    pub(super) key: Option<&'a str>,
    /// Whether it polls a rental from which nothing more is to come.
    pub(super) over: bool,
    /// Whether it was refused for a reason that does not pass.
    pub(super) refused_for_good: bool,
    /// How often events about its rental were posted.
    pub(super) posts: usize,
    /// The first parameter of a rent that no documentation names.
    pub(super) undocumented: Option<String>,
    /// The rental that it made.
    pub(super) made: Option<u32>,
}

/// One account's client.
#[derive(Debug, Default)]
pub(super) struct Customer {
    polls: BTreeMap<u32, Polls>,
    lines: BTreeMap<(Option<Operation>, u32), Line>,
    refused: Refused,
    rents: Rents,
    /// The clock by which its requests were seen, and since when.
    clock: Option<(AccountClock, Moment)>,
    closed: Option<Moment>,
    looked_at_history: Option<Moment>,
    /// By rental: when its webhook was first taken, and whether one proved that it was true.
    taken: BTreeMap<u32, (Moment, bool)>,
    /// By rental: the request that made it, if its answer said so.
    pub(super) made: BTreeMap<u32, Past>,
}

impl Customer {
    /// Judges a request that was seen by `clock`, and remembers it.
    pub(super) fn see(
        &mut self,
        seen: Seen<'_>,
        clock: Option<AccountClock>,
        findings: &mut Findings,
    ) {
        let seen = &Seen {
            pace: clock.map_or(Pace::REAL, |clock| self.pace(clock, seen.past.at)),
            closed: self.closed,
            ..seen
        };
        let past = &seen.past;
        let told = past.succeeded() && past.left.since(past.at) <= PATIENCE;
        if let Some(rental) = seen.made.filter(|_| told) {
            bound(&mut self.made);
            self.made.insert(rental, past.clone());
        }
        match past.entry.what {
            What::Poll(rental) => {
                bound(&mut self.polls);
                let polls = self.polls.entry(rental).or_default();
                polls.see(seen, rental, findings);
            }
            What::Plain(Operation::Rent) => self.rents.see(seen, findings),
            What::Plain(Operation::History) if past.succeeded() => {
                self.looked_at_history = Some(past.entry.at);
                self.rents.known();
            }
            What::Plain(Operation::Profile) if past.succeeded() => self.rents.known(),
            _ => {}
        }
        if past.entry.what.operation().is_some() {
            bound(&mut self.lines);
            let line = self.lines.entry(name(&past.entry)).or_default();
            line.see(seen, findings);
            self.refused.see(seen, findings);
        }
        if past.closes {
            self.closed = Some(past.at);
        }
    }

    fn pace(&mut self, clock: AccountClock, now: Moment) -> Pace {
        let since = match self.clock {
            Some((known, since)) if known == clock => since,
            Some(_) => now,
            // What came before is not remembered either.
            None => Moment::START,
        };
        self.clock = Some((clock, since));
        let pace = clock.pace();
        Pace { pace, since }
    }

    /// A webhook about a rental was taken; whether its signature proves that it is true.
    pub(super) fn acknowledged(&mut self, rental: u32, at: Moment, proven: bool) {
        bound(&mut self.taken);
        let (_, known) = self.taken.entry(rental).or_insert((at, proven));
        *known |= proven;
    }

    /// When a rental's webhook was first taken, and whether one proved that it was true.
    pub(super) fn taken(&self, rental: u32) -> Option<(Moment, bool)> {
        self.taken.get(&rental).copied()
    }

    /// How many polls of a rental were answered.
    pub(super) fn polls(&self, rental: u32) -> u32 {
        self.polls.get(&rental).map_or(0, |polls| polls.answered)
    }

    /// When somebody last polled a rental and was answered.
    pub(super) fn last_poll(&self, rental: u32) -> Option<Moment> {
        self.polls.get(&rental).and_then(|polls| polls.looked)
    }

    /// When somebody last looked at the history, if that was after this rent.
    pub(super) fn last_history(&self, rent: &Past) -> Option<Moment> {
        self.looked_at_history.filter(|at| rent.entry.at <= *at)
    }
}

/// What a request asks for: the operation, and of which rental, or 0.
pub(super) const fn name(entry: &Entry) -> (Option<Operation>, u32) {
    let rental = match entry.what {
        What::Poll(rental) => rental,
        _ => 0,
    };
    (entry.what.operation(), rental)
}

/// From each answer to the next request, in the account's time.
pub(super) fn pauses(entries: &[Past], pace: Pace) -> Vec<Duration> {
    let pairs = entries.windows(2);
    pairs
        .filter_map(|pair| pace.between(pair[0].left, pair[1].at))
        .collect()
}

/// From request to request, in words.
pub(super) fn paces(entries: &[Past]) -> String {
    let pairs = entries.windows(2);
    let pauses = pairs.map(|pair| pair[1].entry.at.since(pair[0].entry.at));
    let pauses: Vec<_> = pauses
        .map(|pause| TimeSpan(Duration::from_millis(pause.as_millis() as u64)).to_string())
        .collect();
    format!("pauses of {}", pauses.join(", "))
}

fn bound<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    if map.len() >= REMEMBERED {
        map.pop_first();
    }
}
