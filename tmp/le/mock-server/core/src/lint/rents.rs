//! The rules about rents: one that is sent again although the first may have
//! been carried out, and what it asks for.

use std::time::Duration;

use contract::TimeSpan;

use super::customer::Seen;
use super::finding::Findings;
use super::past::Past;
use super::rule::Rule;

/// A rent so soon after one whose outcome is unknown is the same one again.
const SAME_RENT: Duration = Duration::from_secs(60);

/// The rents of one account.
#[derive(Debug, Default)]
pub(super) struct Rents {
    /// One that may have been carried out unknown to the client.
    unknown: Option<Unknown>,
}

#[derive(Debug)]
struct Unknown {
    past: Past,
    content: u64,
    key: Option<Box<str>>,
}

impl Rents {
    /// Somebody looked at the history or the balance, and knows now.
    pub(super) fn known(&mut self) {
        self.unknown = None;
    }

    /// Judges a rent, and remembers it.
    pub(super) fn see(&mut self, seen: &Seen<'_>, findings: &mut Findings) {
        let past = &seen.past;
        let before = self
            .unknown
            .take_if(|unknown| unknown.past.is_known_to(past));
        if let Some(Unknown {
            past: before,
            content,
            key,
        }) = before
        {
            let pause = past.entry.at.since(before.entry.at);
            let safe = seen.key.is_some() && seen.key == key.as_deref();
            if pause <= SAME_RENT && content == seen.content && !safe {
                let subject = (Rule::UnsafeRetryOfRent, past.entry.account, 0);
                let number = past.entry.number;
                let what = || format!("request {number} came {} after it", TimeSpan(pause));
                findings.add(subject, what, &[before, past.clone()]);
            }
        }
        let unclear = match past.entry.status {
            Some(408 | 500 | 502 | 504) | None => true,
            Some(status) => status < 300 && !past.readable,
        };
        if unclear {
            self.unknown = Some(Unknown {
                past: past.clone(),
                content: seen.content,
                key: seen.key.map(Box::from),
            });
        }
        if let Some(name) = &seen.undocumented {
            let subject = (Rule::UndocumentedParameter, past.entry.account, 0);
            let what = || format!("it was {name:?}");
            findings.add(subject, what, std::slice::from_ref(past));
        }
    }
}
