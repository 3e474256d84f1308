//! What is remembered of one account's client, and the rules about the order and
//! the pace of its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Moment, Operation, TimeSpan};

use super::finding::Findings;
use super::rule::Rule;
use crate::journal::{Entry, Fate, What};

/// No service that says anything about polling allows less.
const QUICK: Duration = Duration::from_secs(1);

/// Polls in a row that make too fast: one may follow a webhook, to read it back.
const QUICK_POLLS: usize = 4;

/// Polls after the first that said that nothing follows.
const POLLS_AFTER: usize = 2;

/// Failures in a row that show at what pace somebody tries again.
const FAILURES: usize = 5;

/// A pause that need not grow any more.
const LONG: Duration = Duration::from_secs(10);

/// The same refused request in a row.
const REFUSALS: usize = 3;

/// Polls of a rental in a row on new connections.
const CONNECTIONS: usize = 5;

/// A rent so soon after one whose outcome is unknown is the same one again.
const SAME_RENT: Duration = Duration::from_secs(60);

/// Rentals, and kinds of requests, that are remembered; the oldest go first.
const REMEMBERED: usize = 10_000;

/// One request and what the mock knows about it.
pub(super) struct Seen<'a> {
    pub(super) entry: &'a Entry,
    /// Whether its account's time runs; otherwise pauses mean nothing.
    pub(super) timed: bool,
    pub(super) retry_after: Option<Duration>,
    /// Whether it is its connection's first.
    pub(super) fresh_connection: bool,
    /// Whether its connection ends with the answer.
    pub(super) closes: bool,
    /// The same for the same body.
    pub(super) content: u64,
    /// Its `Idempotency-Key`, where that means anything.
    pub(super) key: Option<&'a str>,
    /// Whether it polls a rental from which nothing more is to come.
    pub(super) over: bool,
    /// The rental that it made.
    pub(super) made: Option<u32>,
}

/// One account's client.
#[derive(Debug, Default)]
pub(super) struct Customer {
    polled: BTreeMap<u32, Polled>,
    lines: BTreeMap<(Option<Operation>, u32), Line>,
    refused: Refused,
    /// A rent that may have been carried out unknown to the client, and its key.
    unknown: Option<(Entry, Option<Box<str>>)>,
    looked_at_history: Option<Moment>,
    /// By rental: when its webhook was taken.
    taken: BTreeMap<u32, Moment>,
    /// By rental: the request that made it.
    pub(super) made: BTreeMap<u32, Entry>,
}

/// The polls of one rental.
#[derive(Debug, Default)]
struct Polled {
    quick: Vec<Entry>,
    over: Vec<Entry>,
    fresh: Vec<Entry>,
    /// Whether its last connection was ended by the server.
    closed: bool,
    /// The last that was answered.
    looked: Option<Moment>,
}

/// Requests for the same thing.
#[derive(Debug, Default)]
struct Line {
    failed: Vec<Entry>,
    owed: Option<(Entry, Duration)>,
}

/// The same request, refused in a row.
#[derive(Debug, Default)]
struct Refused {
    content: u64,
    entries: Vec<Entry>,
}

impl Customer {
    /// Judges a request, and remembers it.
    pub(super) fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let entry = seen.entry;
        let succeeded = entry.status.is_some_and(|status| status < 300) && is_whole(entry);
        if let Some(rental) = seen.made {
            bound(&mut self.made);
            self.made.insert(rental, entry.clone());
        }
        match entry.what {
            What::Poll(rental) => {
                bound(&mut self.polled);
                let polled = self.polled.entry(rental).or_default();
                polled.see(seen, rental, findings);
            }
            What::Plain(Operation::Rent) => self.see_rent(seen, findings),
            What::Plain(Operation::History) if succeeded => {
                self.looked_at_history = Some(entry.at);
                self.unknown = None;
            }
            _ => {}
        }
        bound(&mut self.lines);
        let line = self.lines.entry(name(entry)).or_default();
        line.see(seen, findings);
        if !seen.over {
            self.refused.see(seen, findings);
        }
    }

    /// A webhook about a rental was taken.
    pub(super) fn acknowledged(&mut self, rental: u32, at: Moment) {
        bound(&mut self.taken);
        self.taken.insert(rental, at);
    }

    /// When a rental's webhook was taken.
    pub(super) fn taken(&self, rental: u32) -> Option<Moment> {
        self.taken.get(&rental).copied()
    }

    /// When somebody last asked for a rental and was answered.
    pub(super) fn last_look(&self, rental: u32) -> Option<Moment> {
        let polled = self.polled.get(&rental).and_then(|polled| polled.looked);
        let history = self.looked_at_history.filter(|at| {
            let rent = self.made.get(&rental);
            rent.is_some_and(|rent| rent.at <= *at)
        });
        polled.max(history)
    }

    fn see_rent(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let entry = seen.entry;
        if let Some((before, key)) = self.unknown.take() {
            let soon = entry.at.since(before.at) <= SAME_RENT;
            let safe = seen.key.is_some() && seen.key == key.as_deref();
            if soon && !safe {
                let pause = TimeSpan(entry.at.since(before.at));
                let what = || format!("request {} came {pause} after it", entry.number);
                let proof = [before, entry.clone()];
                findings.add((Rule::UnsafeRetryOfRent, entry.account, 0), what, &proof);
            }
        }
        let unclear = match entry.status {
            Some(408 | 500 | 502 | 504) | None => true,
            Some(status) => !is_whole(entry) || (status >= 300 && seen.made.is_some()),
        };
        self.unknown = unclear.then(|| (entry.clone(), seen.key.map(Box::from)));
    }
}

impl Polled {
    fn see(&mut self, seen: &Seen<'_>, rental: u32, findings: &mut Findings) {
        let entry = seen.entry;
        let subject = |rule| (rule, entry.account, rental);
        let answered = is_whole(entry) && entry.status.is_some_and(|status| status < 300);
        let quick = self.quick.last();
        let quick = quick.is_some_and(|last| entry.at.since(last.at) < QUICK);
        if !quick || !seen.timed {
            self.quick.clear();
        }
        if answered {
            self.quick.push(entry.clone());
        } else {
            self.quick.clear();
        }
        if self.quick.len() >= QUICK_POLLS {
            findings.add(
                subject(Rule::PollTooFast),
                || paces(&self.quick),
                &self.quick,
            );
            self.quick.remove(0);
        }
        if seen.over && tells(entry) {
            self.over.push(entry.clone());
        }
        if self.over.len() > POLLS_AFTER {
            let what = || format!("request {} had said so", self.over[0].number);
            findings.add(subject(Rule::PollAfterTerminal), what, &self.over);
            self.over.pop();
        }
        if !seen.fresh_connection || self.closed {
            self.fresh.clear();
        }
        if seen.fresh_connection {
            self.fresh.push(entry.clone());
        }
        self.closed = seen.closes;
        if self.fresh.len() >= CONNECTIONS {
            let what = || format!("{CONNECTIONS} polls on as many connections");
            findings.add(subject(Rule::ConnectionPerRequest), what, &self.fresh);
            self.fresh.remove(0);
        }
        if answered {
            self.looked = Some(entry.at);
        }
    }
}

impl Line {
    fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let entry = seen.entry;
        let subject = |rule| (rule, entry.account, name(entry).1);
        let mut honoured = false;
        if let Some((before, wait)) = self.owed.take()
            && seen.timed
        {
            let pause = entry.at.since(before.at);
            // A clock that is scaled is not exact to the nanosecond.
            honoured = pause >= wait.mul_f64(0.98);
            if !honoured {
                let what = || format!("{} instead of {}", TimeSpan(pause), TimeSpan(wait));
                let proof = [before, entry.clone()];
                findings.add(subject(Rule::RetryAfterIgnored), what, &proof);
            }
        }
        self.owed = seen.retry_after.map(|wait| (entry.clone(), wait));
        let failed = entry
            .status
            .is_none_or(|status| status == 429 || status >= 500);
        let last = self.failed.last();
        let polite = last.is_some_and(|last| entry.at.since(last.at) >= LONG);
        if honoured || polite || !failed || !seen.timed {
            self.failed.clear();
        }
        if failed {
            self.failed.push(entry.clone());
        }
        if self.failed.len() >= FAILURES {
            if !grows(&self.failed) {
                findings.add(
                    subject(Rule::NoBackoff),
                    || paces(&self.failed),
                    &self.failed,
                );
            }
            self.failed.remove(0);
        }
    }
}

impl Refused {
    fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let entry = seen.entry;
        let refused = matches!(entry.status, Some(status @ 400..=499) if !may_pass(status));
        let same = self.content == seen.content
            && self
                .entries
                .last()
                .is_some_and(|last| last.what == entry.what);
        if !refused || !same {
            self.entries.clear();
        }
        if refused {
            self.content = seen.content;
            self.entries.push(entry.clone());
        }
        if self.entries.len() >= REFUSALS {
            let status = entry.status.unwrap_or_default();
            let what = || format!("{REFUSALS} times {status}");
            let subject = (Rule::ErrorStatusUnhandled, entry.account, name(entry).1);
            findings.add(subject, what, &self.entries);
            self.entries.remove(0);
        }
    }
}

/// Refusals that another try may well change.
const fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429)
}

/// Whether the client has seen that the rental is over.
fn tells(entry: &Entry) -> bool {
    is_whole(entry)
        && entry
            .status
            .is_some_and(|status| status < 500 && status != 429)
}

fn is_whole(entry: &Entry) -> bool {
    entry.fate == Fate::Answered
}

fn name(entry: &Entry) -> (Option<Operation>, u32) {
    let rental = match entry.what {
        What::Poll(rental) => rental,
        _ => 0,
    };
    (entry.what.operation(), rental)
}

fn pauses(entries: &[Entry]) -> Vec<Duration> {
    let pairs = entries.windows(2);
    pairs.map(|pair| pair[1].at.since(pair[0].at)).collect()
}

/// Whether the later pauses are longer; of two each, since jitter may shorten one.
fn grows(entries: &[Entry]) -> bool {
    let pauses = pauses(entries);
    let (early, late) = pauses.split_at(pauses.len() / 2);
    let (early, late) = (early.iter().max(), late.iter().max());
    early
        .zip(late)
        .is_none_or(|(early, late)| *late > early.mul_f64(1.1))
}

fn paces(entries: &[Entry]) -> String {
    let pauses = pauses(entries).into_iter();
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
