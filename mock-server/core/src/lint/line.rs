//! Requests for the same thing one after another, and the rules about those that
//! follow a failure.

use std::time::Duration;

use contract::TimeSpan;

use super::customer::{Seen, name, paces, pauses};
use super::finding::Findings;
use super::past::{Pace, Past};
use super::rule::Rule;
use crate::journal::Fate;

/// Failures in a row that show at what pace somebody tries again.
const FAILURES: usize = 6;

/// A pause that need not grow any more.
const LONG: Duration = Duration::from_secs(10);

/// Pauses in which nobody waits for anything.
const NONE: Duration = Duration::from_millis(50);

/// Pauses that differ by less are the same; chance makes five of them alike once in a thousand.
const ALIKE: f64 = 1.25;

/// Requests for the same thing.
#[derive(Debug, Default)]
pub(super) struct Line {
    failed: Vec<Past>,
    owed: Option<(Past, Duration)>,
}

impl Line {
    /// Judges a request, and remembers it.
    pub(super) fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let honoured = self.see_wait(seen, findings);
        let past = &seen.past;
        let status = past.entry.status;
        // Whoever is never answered waits by a clock of their own.
        let failed = status.map_or(past.entry.fate != Fate::Never, |status| {
            status == 429 || status >= 500
        });
        let follows = self.failed.last().is_some_and(|last| {
            let pause = seen.pace.between(last.left, past.at);
            last.is_known_to(past) && pause.is_some_and(|pause| pause < LONG)
        });
        if honoured || !follows || !failed {
            self.failed.clear();
        }
        // Judged once: who began to wait longer may stay at what is long for them.
        if failed && self.failed.len() < FAILURES {
            self.failed.push(past.clone());
            if self.failed.len() == FAILURES && is_steady(&self.failed, seen.pace) {
                let subject = (Rule::NoBackoff, past.entry.account, name(&past.entry).1);
                findings.add(subject, || paces(&self.failed), &self.failed);
            }
        } else if failed {
            self.failed[FAILURES - 1] = past.clone();
        }
    }

    /// Whether the request has waited as long as it was told to, if it was.
    fn see_wait(&mut self, seen: &Seen<'_>, findings: &mut Findings) -> bool {
        let (past, pace) = (&seen.past, seen.pace);
        let told = self.owed.take_if(|(before, _)| before.is_known_to(past));
        if let Some(wait) = seen.retry_after {
            self.owed = Some((past.clone(), wait));
        }
        let Some((before, wait)) = told else {
            return false;
        };
        let Some(pause) = pace.between(before.left, past.at) else {
            return true;
        };
        let honoured = pause + pace.timer() >= wait;
        if !honoured {
            let subject = (
                Rule::RetryAfterIgnored,
                past.entry.account,
                name(&past.entry).1,
            );
            let what = || {
                let pause = Duration::from_millis(pause.as_millis() as u64);
                format!("{} instead of {}", TimeSpan(pause), TimeSpan(wait))
            };
            findings.add(subject, what, &[before, past.clone()]);
        }
        honoured
    }
}

/// Whether pauses neither grow nor differ by chance.
fn is_steady(entries: &[Past], pace: Pace) -> bool {
    let pauses = pauses(entries, pace);
    let (Some(least), Some(most)) = (pauses.iter().min(), pauses.iter().max()) else {
        return false;
    };
    let grows = pauses.is_sorted_by(|one, next| one.mul_f64(ALIKE) <= *next);
    let alike = *most <= least.mul_f64(ALIKE) + pace.timer();
    !grows && (alike || *most <= NONE + pace.timer())
}
