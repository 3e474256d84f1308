//! Where the judging of single clauses is written down.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::clause::{Clause, Severity};
use crate::evidence::{Answer, Exchange};
use crate::reading::{shortened, shown};
use crate::story::{ALIASES, Call};

/// One breach of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of a MUST, or of what SHOULD be.
    pub severity: Severity,
    /// What was asked.
    pub asked: String,
    /// What came back.
    pub came: String,
    /// What would have been right.
    pub right: String,
    /// The place of the exchange in the evidence, if one shows it.
    pub exchange: Option<usize>,
}

/// What was found out about one clause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// How often it was looked at.
    pub(crate) judged: usize,
    pub(crate) findings: Vec<Finding>,
    /// What a MAY, or the loose part of another clause, turned out to be.
    pub(crate) records: Vec<String>,
    /// Why it could not be judged, if there is more to say than what it needs.
    pub(crate) reason: Option<String>,
}

/// All clauses.
#[derive(Debug, Default)]
pub(crate) struct Docket {
    entries: BTreeMap<&'static str, Entry>,
}

/// The JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Object,
    Array,
}

impl Kind {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "a JSON string",
            Self::Integer => "a JSON integer",
            Self::Number => "a JSON number",
            Self::Object => "a JSON object",
            Self::Array => "a JSON array",
        }
    }
}

/// A documented field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) clause: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What a finding is about: an exchange, or something that only has words.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) asked: String,
    pub(crate) exchange: Option<usize>,
}

impl Place {
    pub(crate) fn words(asked: impl Into<String>) -> Self {
        Self {
            asked: asked.into(),
            exchange: None,
        }
    }
}

impl From<&Call<'_>> for Place {
    fn from(call: &Call<'_>) -> Self {
        Self {
            asked: asked(call.exchange),
            exchange: Some(call.index),
        }
    }
}

/// A request in a line.
pub(crate) fn asked(exchange: &Exchange) -> String {
    let mut line = format!("{} {}", exchange.method, exchange.target);
    if !exchange.body.is_empty() {
        let body = String::from_utf8_lossy(&exchange.body);
        line = format!("{line} {}", shortened(&body, 60));
    }
    line
}

/// An answer in a line.
pub(crate) fn came(exchange: &Exchange) -> String {
    match &exchange.answer {
        Ok(Answer { status, body, .. }) if body.is_empty() => format!("{status} without a body"),
        Ok(Answer { status, body, .. }) => {
            let body = String::from_utf8_lossy(body);
            format!("{status} {}", shortened(&body, 160))
        }
        Err(failure) => format!("no answer: {failure}"),
    }
}

impl Docket {
    pub(crate) fn entry(&mut self, clause: &str) -> &mut Entry {
        self.entries.entry(Clause::of(clause).id).or_default()
    }

    pub(crate) fn get(&self, clause: &str) -> Option<&Entry> {
        self.entries.get(clause)
    }

    /// The clause was looked at and is all right so far.
    pub(crate) fn hold(&mut self, clause: &str) {
        self.entry(clause).judged += 1;
    }

    /// The clause was looked at; if it is broken, `finding` says how: what came
    /// and what would have been right.
    pub(crate) fn check(
        &mut self,
        (clause, severity): (&str, Severity),
        holds: bool,
        place: impl Into<Place>,
        finding: impl FnOnce() -> (String, String),
    ) -> bool {
        self.hold(clause);
        if !holds {
            let place = place.into();
            let (came, right) = finding();
            self.entry(clause).findings.push(Finding {
                severity,
                asked: place.asked,
                came,
                right,
                exchange: place.exchange,
            });
        }
        holds
    }

    /// A MUST.
    pub(crate) fn must(
        &mut self,
        clause: &str,
        holds: bool,
        place: impl Into<Place>,
        finding: impl FnOnce() -> (String, String),
    ) -> bool {
        self.check((clause, Severity::Must), holds, place, finding)
    }

    /// A SHOULD.
    pub(crate) fn should(
        &mut self,
        clause: &str,
        holds: bool,
        place: impl Into<Place>,
        finding: impl FnOnce() -> (String, String),
    ) -> bool {
        self.check((clause, Severity::Should), holds, place, finding)
    }

    /// Something that is neither right nor wrong; each different one once.
    pub(crate) fn record(&mut self, clause: &str, what: impl Into<String>) {
        let (entry, what) = (self.entry(clause), what.into());
        entry.judged += 1;
        if !entry.records.contains(&what) {
            entry.records.push(what);
        }
    }

    /// Why a clause could not be judged.
    pub(crate) fn excuse(&mut self, clause: &str, reason: impl Into<String>) {
        self.entry(clause).reason = Some(reason.into());
    }

    /// A documented field of an object: its value, if it is there with its type.
    /// A wrong name is X2's, whatever is missing or has another type also B6's,
    /// and money of another type also X3's.
    pub(crate) fn field<'v>(
        &mut self,
        object: &'v Map<String, Value>,
        field: Field,
        place: &Place,
    ) -> Option<&'v Value> {
        let Field { clause, name, kind } = field;
        let value = match (object.get(name), alias(object, name)) {
            (Some(value), _) => {
                self.named(name);
                value
            }
            (None, Some((alias, value))) => {
                let finding = || {
                    let came = format!("the field {alias:?} and no {name:?}");
                    (came, format!("the field {name:?}, as it is named here"))
                };
                self.must("X2", false, place.clone(), finding);
                self.must("B6", false, place.clone(), finding);
                value
            }
            (None, None) => {
                let finding = || {
                    (
                        format!("no field {name:?}"),
                        format!("{name:?}, {}", kind.name()),
                    )
                };
                self.must(clause, false, place.clone(), finding);
                self.must("B6", false, place.clone(), finding);
                return None;
            }
        };
        let holds = kind.is(value);
        let finding = || {
            (
                format!("{name:?}: {}", shown(value)),
                format!("{name:?}, {}", kind.name()),
            )
        };
        self.must(clause, holds, place.clone(), finding);
        self.must("B6", holds, place.clone(), finding);
        if matches!(name, "cost" | "balance") {
            self.must("X3", holds, place.clone(), finding);
        }
        holds.then_some(value)
    }

    /// A field that others spell otherwise has its right name.
    fn named(&mut self, name: &str) {
        if ALIASES.iter().any(|group| group.contains(&name)) {
            self.hold("X2");
        }
    }
}

/// A field under the name that another endpoint has for it.
fn alias<'v>(object: &'v Map<String, Value>, name: &str) -> Option<(&'static str, &'v Value)> {
    let group = ALIASES.iter().find(|group| group.contains(&name))?;
    group
        .iter()
        .find_map(|alias| object.get(*alias).map(|value| (*alias, value)))
}
