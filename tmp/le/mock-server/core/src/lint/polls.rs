//! The polls of one rental, and the rules about them.

use std::time::Duration;

use contract::Moment;

use super::customer::{Seen, paces};
use super::finding::Findings;
use super::past::Past;
use super::rule::Rule;

/// No service that says anything about polling allows less.
const QUICK: Duration = Duration::from_secs(1);

/// Polls in a row that make too fast: one may follow a webhook, to read it back.
const QUICK_POLLS: usize = 4;

/// Polls that may be answered with the end: the one that learns it, and one to read it back.
const LAST_POLLS: usize = 2;

/// Polls of a rental in a row on new connections.
const CONNECTIONS: usize = 5;

/// Pools of clients close what was idle for longer; the most impatient known waits for 4 s.
const IDLE: Duration = Duration::from_millis(3500);

/// The polls of one rental.
#[derive(Debug, Default)]
pub(super) struct Polls {
    quick: Vec<Past>,
    over: Vec<Past>,
    fresh: Vec<Past>,
    /// How many were answered.
    pub(super) answered: u32,
    /// When the last of these came, in the account's time.
    pub(super) looked: Option<Moment>,
}

impl Polls {
    /// Judges a poll, and remembers it.
    pub(super) fn see(&mut self, seen: &Seen<'_>, rental: u32, findings: &mut Findings) {
        self.see_pace(seen, rental, findings);
        self.see_end(seen, rental, findings);
        self.see_connection(seen, rental, findings);
        if seen.past.succeeded() {
            self.answered = self.answered.saturating_add(1);
            self.looked = Some(seen.past.entry.at);
        }
    }

    fn see_pace(&mut self, seen: &Seen<'_>, rental: u32, findings: &mut Findings) {
        let (past, pace) = (&seen.past, seen.pace);
        let quick = self.quick.last().is_some_and(|last| {
            let pause = pace.between(last.at, past.at);
            last.is_known_to(past) && pause.is_some_and(|pause| pause + pace.timer() < QUICK)
        });
        if !quick || !past.succeeded() {
            self.quick.clear();
        }
        if past.succeeded() {
            self.quick.push(past.clone());
        }
        if self.quick.len() >= QUICK_POLLS {
            let subject = (Rule::PollTooFast, past.entry.account, rental);
            findings.add(subject, || paces(&self.quick), &self.quick);
            self.quick.remove(0);
        }
    }

    fn see_end(&mut self, seen: &Seen<'_>, rental: u32, findings: &mut Findings) {
        let past = &seen.past;
        let status = past.entry.status;
        let tells = past.readable && status.is_some_and(|status| status < 500 && status != 429);
        if !seen.over {
            self.over.clear();
        } else if tells && self.over.first().is_none_or(|told| told.is_known_to(past)) {
            self.over.push(past.clone());
        }
        // Whoever is posted an event, and twice the same, may look each time.
        if self.over.len() > LAST_POLLS + seen.posts {
            let subject = (Rule::PollAfterTerminal, past.entry.account, rental);
            let told = self.over[0].entry.number;
            findings.add(
                subject,
                || format!("request {told} had said so"),
                &self.over,
            );
            self.over.pop();
        }
    }

    fn see_connection(&mut self, seen: &Seen<'_>, rental: u32, findings: &mut Findings) {
        let past = &seen.past;
        let fresh = past.connection.is_some_and(|connection| connection.first);
        let needless = self.fresh.last().is_some_and(|last| {
            let closed = seen.closed.is_some_and(|closed| closed >= last.at);
            !closed && last.is_known_to(past) && past.at.since(last.left) <= IDLE
        });
        if !fresh || !needless || !past.succeeded() {
            self.fresh.clear();
        }
        if fresh && past.succeeded() {
            self.fresh.push(past.clone());
        }
        if self.fresh.len() >= CONNECTIONS {
            let subject = (Rule::ConnectionPerRequest, past.entry.account, rental);
            let what = || format!("{CONNECTIONS} polls on as many connections");
            findings.add(subject, what, &self.fresh);
            self.fresh.remove(0);
        }
    }
}
