//! Questions about the journal: which requests came, how many, and whether that
//! is as it should be. A question that the journal can no longer answer for
//! sure, because entries had to go, is answered with `inconclusive`.

use contract::{Moment, Operation};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::history;
use crate::journal::{Entry, Fate, What, nearest};
use crate::mock::Mock;
use crate::scope::{Scope, redacted};

/// Which requests are meant; what is left out means any.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The operation's name, such as `check_otp`; `unmatched` for requests that are none.
    #[serde(default, deserialize_with = "operation_name")]
    pub operation: Option<String>,
    /// What was answered.
    pub status: Option<u16>,
    /// What became of the answer: `answered`, `cut`, `garbage`, `closed`, `reset` or `never`.
    #[serde(default, deserialize_with = "fate_word")]
    pub fate: Option<String>,
    /// Only requests with a higher number.
    pub since: Option<u64>,
}

/// A request, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestView {
    /// From 1, over the whole server.
    pub number: u64,
    /// Whose: the first characters of the key, and a number to tell it apart.
    pub account: Option<String>,
    /// When, in the account's own time, in UTC.
    pub at: String,
    /// Method and path.
    pub request: String,
    /// Null if it is none.
    pub operation: Option<&'static str>,
    /// What was answered; null if nothing was.
    pub status: Option<u16>,
    /// What became of the answer.
    pub fate: &'static str,
    /// Of a request that is no operation: the one that comes nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// Of a request that is no operation: where the two first differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

/// How often something should have been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Times {
    /// So often.
    Exactly(u64),
    /// So often or more.
    AtLeast(u64),
    /// So often or less.
    AtMost(u64),
}

/// Whether it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Pass,
    /// No.
    Fail,
    /// The journal has lost entries that might matter.
    Inconclusive,
}

/// The answer to a question of how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    /// Whether it was as it should be.
    pub result: Answer,
    /// How many matching requests the journal holds.
    pub matched: usize,
    /// How many requests the journal has lost.
    pub evicted: u64,
    /// Where too few match: requests that come nearest, and how they differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<NearMiss>,
}

/// A request that does not match, though almost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NearMiss {
    /// It.
    #[serde(flatten)]
    pub request: RequestView,
    /// The first thing that is not as it was wanted.
    pub mismatch: String,
}

/// Characters of a key that are worth hiding in a path.
const SECRET: usize = 8;

/// Where `line` ends with the beginning of a secret, if it does.
fn cut_off(line: &str, secret: &str) -> Option<usize> {
    let lengths = (SECRET..secret.len()).rev();
    let mut begins = lengths.filter(|length| line.ends_with(&secret[..*length]));
    begins.next().map(|length| line.len() - length)
}

/// Near misses that are shown.
const SHOWN: usize = 3;

impl Mock {
    /// The latest `limit` matching requests, the newest first.
    pub fn requests(&self, scope: Scope, matcher: &Matcher, limit: usize) -> Vec<RequestView> {
        let found = self.journal.of(scope.place()).rev();
        let found = found.filter(|entry| matcher.fits(entry)).take(limit);
        found.map(|entry| self.request_view(entry)).collect()
    }

    /// Forgets the requests of an account or of all.
    pub fn forget_requests(&mut self, scope: Scope) {
        self.journal.clear(scope.place());
    }

    /// Whether matching requests came as often as they should have.
    pub fn verify(&self, scope: Scope, matcher: &Matcher, times: Times) -> Verification {
        let matched = self.matching(scope, matcher);
        let evicted = self.journal.evicted(scope.place());
        let too_few = times.wants_more_than(matched as u64);
        Verification {
            result: times.judge(matched as u64, evicted > 0),
            matched,
            evicted,
            near_misses: if too_few {
                self.near_misses(scope, matcher)
            } else {
                Vec::new()
            },
        }
    }

    /// One request.
    pub fn request(&self, scope: Scope, number: u64) -> Option<RequestView> {
        let mut entries = self.journal.of(scope.place()).rev();
        let entry = entries.find(|entry| entry.number <= number)?;
        (entry.number == number).then(|| self.request_view(entry))
    }

    /// The requests that differ from what was wanted in the fewest things; of
    /// two that differ in as many, the newer.
    fn near_misses(&self, scope: Scope, matcher: &Matcher) -> Vec<NearMiss> {
        let entries = self.journal.of(scope.place()).rev();
        let misses = entries.map(|entry| (matcher.mismatches(entry), entry));
        let mut misses: Vec<_> = misses.filter(|(what, _)| !what.is_empty()).collect();
        // Another operation is further away than anything else may be.
        let distance = |what: &[String]| (what[0].starts_with("operation"), what.len());
        misses.sort_by_key(|(what, _)| distance(what));
        let nearest = misses.first().map(|(what, _)| distance(what));
        let near = misses.into_iter();
        let near = near.take_while(|(what, _)| Some(distance(what)) == nearest);
        let shown = near.take(SHOWN).map(|(mut what, entry)| NearMiss {
            request: self.request_view(entry),
            mismatch: what.swap_remove(0),
        });
        shown.collect()
    }

    /// How many matching requests the journal holds.
    pub(crate) fn matching(&self, scope: Scope, matcher: &Matcher) -> usize {
        let entries = self.journal.of(scope.place());
        entries.filter(|entry| matcher.fits(entry)).count()
    }

    /// A stray path may be anything, also a key, or as much of one as there was room for.
    fn without_keys(&self, line: &str) -> String {
        let secrets = self
            .accounts
            .keys()
            .map(|key| (key, key.secret().trim_end()))
            .filter(|(_, secret)| secret.len() >= SECRET);
        secrets.fold(line.to_owned(), |line, (key, secret)| {
            let line = line.replace(secret, &redacted(key));
            match cut_off(&line, secret) {
                Some(begin) => format!("{}{}", &line[..begin], redacted(key)),
                None => line,
            }
        })
    }

    pub(crate) fn request_view(&self, entry: &Entry) -> RequestView {
        let owner = |place: u32| self.accounts.get_index(place as usize);
        let request = match &entry.what {
            What::Other(..) => self.without_keys(&entry.what.line()),
            what => what.line(),
        };
        let operation = entry.what.operation();
        let (nearest, difference) = match operation {
            Some(_) => (None, None),
            None => {
                let (nearest, difference) = nearest(&request);
                (Some(nearest), Some(difference))
            }
        };
        RequestView {
            number: entry.number,
            account: entry.account.and_then(owner).map(|(key, _)| redacted(key)),
            at: history::created_at(self.epoch, entry.at.max(Moment::START)),
            request,
            operation: operation.map(Operation::name),
            status: entry.status,
            fate: entry.fate.word(),
            nearest,
            difference,
        }
    }
}

/// What is called `unmatched` is a request that means no operation.
const UNMATCHED: &str = "unmatched";

/// For a field that names an operation, or is `unmatched`; anything else is an error.
///
/// # Errors
///
/// There is no such operation.
pub fn operation_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let names = Operation::ALL.map(Operation::name).into_iter();
    let names: Vec<_> = names.chain([UNMATCHED]).collect();
    one_of(deserializer, &names)
}

/// For a field that says what became of an answer.
///
/// # Errors
///
/// Nothing is called that.
pub fn fate_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    one_of(deserializer, &Fate::ALL.map(Fate::word))
}

/// A word that nothing is called would match nothing, and a test that wants no
/// such request would pass whatever came.
fn one_of<'de, D: Deserializer<'de>>(
    deserializer: D,
    words: &[&'static str],
) -> Result<Option<String>, D::Error> {
    let said = Option::<String>::deserialize(deserializer)?;
    match &said {
        Some(word) if !words.contains(&word.as_str()) => {
            let words = words.join(", ");
            Err(D::Error::custom(format!(
                "there is no {word:?}; write one of {words}"
            )))
        }
        _ => Ok(said),
    }
}

impl Matcher {
    fn fits(&self, entry: &Entry) -> bool {
        let word = || entry.what.operation().map_or(UNMATCHED, Operation::name);
        let operation = self.operation.as_deref();
        let fate = self.fate.as_deref();
        operation.is_none_or(|wanted| wanted == word())
            && (self.status).is_none_or(|status| entry.status == Some(status))
            && fate.is_none_or(|fate| fate == entry.fate.word())
            && self.since.is_none_or(|number| entry.number > number)
    }

    /// In words, everything about a request that is not as it is wanted; the
    /// operation, which says most, comes first.
    fn mismatches(&self, entry: &Entry) -> Vec<String> {
        let mut what = Vec::new();
        let mut compare = |name: &str, wanted: Option<String>, found: String| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                what.push(format!("{name} is {found}, not {wanted}"));
            }
        };
        let operation = entry.what.operation().map_or(UNMATCHED, Operation::name);
        compare("operation", self.operation.clone(), operation.to_owned());
        let status = entry.status.map(|status| status.to_string());
        let status = status.unwrap_or_else(|| "none".to_owned());
        compare(
            "status",
            self.status.map(|status| status.to_string()),
            status,
        );
        compare("fate", self.fate.clone(), entry.fate.word().to_owned());
        if let Some(since) = self.since.filter(|since| entry.number <= *since) {
            what.push(format!("number is {}, not above {since}", entry.number));
        }
        what
    }
}

impl Times {
    const fn wants_more_than(self, matched: u64) -> bool {
        match self {
            Self::Exactly(count) | Self::AtLeast(count) => matched < count,
            Self::AtMost(_) => false,
        }
    }

    const fn judge(self, matched: u64, lost: bool) -> Answer {
        // What was lost can only make the true count larger than the one at hand.
        let (passes, may_change) = match self {
            Self::Exactly(count) => (matched == count, matched <= count),
            Self::AtLeast(count) => (matched >= count, matched < count),
            Self::AtMost(count) => (matched <= count, matched <= count),
        };
        match (passes, lost && may_change) {
            (_, true) => Answer::Inconclusive,
            (true, false) => Answer::Pass,
            (false, false) => Answer::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_neither_proof_nor_alibi() {
        for (times, matched, lost, answer) in [
            (Times::Exactly(2), 2, false, Answer::Pass),
            (Times::Exactly(2), 1, false, Answer::Fail),
            (Times::Exactly(2), 2, true, Answer::Inconclusive),
            (Times::Exactly(2), 3, true, Answer::Fail),
            (Times::AtLeast(2), 2, true, Answer::Pass),
            (Times::AtLeast(2), 1, true, Answer::Inconclusive),
            (Times::AtLeast(2), 1, false, Answer::Fail),
            (Times::AtMost(2), 2, true, Answer::Inconclusive),
            (Times::AtMost(2), 3, true, Answer::Fail),
            (Times::AtMost(0), 0, false, Answer::Pass),
        ] {
            assert_eq!(
                times.judge(matched, lost),
                answer,
                "{times:?} of {matched}, lost: {lost}"
            );
        }
    }
}
