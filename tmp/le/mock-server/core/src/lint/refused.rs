//! The same request, refused and sent again unchanged.

use std::time::Duration;

use super::customer::{Seen, name};
use super::finding::Findings;
use super::past::Past;
use super::rule::Rule;

/// The same refused request in a row.
const REFUSALS: usize = 3;

/// The same where no account is known: several tests may try one wrong key.
const STRANGE_REFUSALS: usize = 10;

/// Whoever waits longer may have reason to hope.
const SOON: Duration = Duration::from_secs(60);

/// The same request, refused in a row.
#[derive(Debug, Default)]
pub(super) struct Refused {
    content: u64,
    entries: Vec<Past>,
}

impl Refused {
    /// Judges a request, and remembers it.
    pub(super) fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let past = &seen.past;
        let refused = seen.refused_for_good && !seen.over;
        let again = self.content == seen.content
            && self.entries.last().is_some_and(|last| {
                let pause = seen.pace.between(last.left, past.at);
                last.entry.what == past.entry.what
                    && last.is_known_to(past)
                    && pause.is_none_or(|pause| pause <= SOON)
            });
        if !refused || !again {
            self.entries.clear();
        }
        if refused {
            self.content = seen.content;
            self.entries.push(past.clone());
        }
        let refusals = match past.entry.account {
            Some(_) => REFUSALS,
            None => STRANGE_REFUSALS,
        };
        if self.entries.len() >= refusals {
            let status = past.entry.status.unwrap_or_default();
            let what = || format!("{refusals} times {status}");
            let subject = (
                Rule::ErrorStatusUnhandled,
                past.entry.account,
                name(&past.entry).1,
            );
            findings.add(subject, what, &self.entries);
            self.entries.remove(0);
        }
    }
}
