//! Two servers' answers to the same script, field by field. What has to differ,
//! like ids and codes, counts by its type only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::evidence::{Evidence, Who};
use crate::reading::{Body, id_text, shown};
use crate::story::{Call, Case, Operation, Story};

/// Fields whose values are each server's own.
const FREE: [&str; 14] = [
    "id",
    "rental_id",
    "phone",
    "phone_number",
    "name",
    "email",
    "balance",
    "cost",
    "full_message",
    "raw_text",
    "created_at",
    "timestamp",
    "total_records",
    "sms_code",
];

/// The field that says which row of a history comes first.
const ORDER: &str = "order of data";

/// What a server was seen to answer: by request, by field, each value or type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Likeness {
    fields: BTreeMap<(String, String), BTreeSet<String>>,
}

/// One field that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The request.
    pub asked: String,
    /// The field, as a path; the status and the content type are fields as well.
    pub field: String,
    /// What the first server was seen to answer.
    pub first: String,
    /// What the second was.
    pub second: String,
}

impl Likeness {
    /// Of what was seen.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        let story = Story::of(evidence);
        let mut likeness = Self::default();
        for call in story
            .calls
            .iter()
            .filter(|call| call.status != 0 && call.status != 429)
        {
            likeness.take(&story, call);
        }
        for event in &evidence.events {
            likeness.body("webhook", &Body::read(&event.body));
        }
        likeness
    }

    fn take(&mut self, story: &Story<'_>, call: &Call<'_>) {
        let asked = asked(story, call);
        self.add(&asked, "status", call.status.to_string());
        let answer = call.exchange.answer.as_ref().ok();
        let media = answer
            .and_then(|answer| answer.header("content-type"))
            .unwrap_or("none");
        self.add(
            &asked,
            "content type",
            media.split(';').next().unwrap_or(media).to_owned(),
        );
        self.body(&asked, &call.body);
        self.rows(story, call);
        let ids: Vec<_> = call
            .rows()
            .filter_map(|row| row.get("id")?.as_i64())
            .collect();
        if let (Some(first), Some(last)) = (ids.first(), ids.last())
            && first != last
        {
            let order = if first > last {
                "the newest first"
            } else {
                "the oldest first"
            };
            self.add(&asked, ORDER, order.to_owned());
        }
    }

    /// Rows by the state of their rental, because which states a page shows is a matter of time.
    fn rows(&mut self, story: &Story<'_>, call: &Call<'_>) {
        for row in call.rows() {
            let id = row.get("id").and_then(id_text);
            let Some(rental) = id.and_then(|id| story.rental(&id)) else {
                continue;
            };
            let waits = |poll: &Call<'_>| {
                poll.index > call.index && poll.case() == Case::Waiting && poll.succeeded()
            };
            let ended = Story::may_have_ended(rental, call.sent());
            let state = match story.received(rental) {
                Some(poll) if poll.index < call.index => "completed",
                _ if ended => "ended",
                _ if story.polls(rental).any(waits) => "waiting",
                _ => continue,
            };
            for (name, value) in row {
                self.value(&format!("a row of a {state} rental"), name, name, value);
            }
        }
    }

    fn body(&mut self, asked: &str, body: &Body) {
        self.add(asked, "body", body.name().to_owned());
        for (name, value) in body
            .object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "data")
        {
            self.value(asked, name, name, value);
        }
    }

    fn value(&mut self, asked: &str, path: &str, name: &str, value: &Value) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    self.value(asked, &format!("{path}.{name}"), name, value);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.value(asked, &format!("{path}[]"), name, value);
                }
            }
            value if FREE.contains(&name) => self.add(asked, path, kind(value).to_owned()),
            value => self.add(asked, path, shown(value)),
        }
    }

    fn add(&mut self, asked: &str, field: &str, value: String) {
        let key = (asked.to_owned(), field.to_owned());
        self.fields.entry(key).or_default().insert(value);
    }

    /// Every field that is not the same, of requests that both were asked.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        self.compared(other, |first, second| first != second)
    }

    /// The same for a second server that was not asked everything: what it
    /// answered and the first never did.
    #[must_use]
    pub fn contradictions(&self, unfinished: &Self) -> Vec<Difference> {
        self.compared(unfinished, |first, second| !second.is_subset(first))
    }

    fn compared(
        &self,
        other: &Self,
        differ: impl Fn(&BTreeSet<String>, &BTreeSet<String>) -> bool,
    ) -> Vec<Difference> {
        let requests = |likeness: &Self| {
            likeness
                .fields
                .keys()
                .map(|(asked, _)| asked.clone())
                .collect::<BTreeSet<_>>()
        };
        let both: BTreeSet<_> = requests(self)
            .intersection(&requests(other))
            .cloned()
            .collect();
        let keys: BTreeSet<_> = self.fields.keys().chain(other.fields.keys()).collect();
        let nothing = BTreeSet::new();
        let differing = keys
            .into_iter()
            .filter(|(asked, _)| both.contains(asked))
            .filter_map(|key| {
                let first = self.fields.get(key).unwrap_or(&nothing);
                let second = other.fields.get(key).unwrap_or(&nothing);
                // One row has no order.
                let unknown = key.1 == ORDER && (first.is_empty() || second.is_empty());
                (differ(first, second) && !unknown).then(|| Difference {
                    asked: key.0.clone(),
                    field: key.1.clone(),
                    first: listed(first),
                    second: listed(second),
                })
            });
        differing.collect()
    }

    /// How many requests of different kinds there were.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.fields
            .keys()
            .map(|(asked, _)| asked)
            .collect::<BTreeSet<_>>()
            .len()
    }
}

fn listed(values: &BTreeSet<String>) -> String {
    match values.len() {
        0 => "nothing".to_owned(),
        _ => values.iter().cloned().collect::<Vec<_>>().join(" or "),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(text) if text.len() == 1 => "a string of one character",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A request without what is the server's own: ids of rentals, and the prices that decide a number's type.
fn asked(story: &Story<'_>, call: &Call<'_>) -> String {
    let who = match call.who() {
        Who::First => String::new(),
        Who::Second => " with the other key".to_owned(),
        Who::Nobody => " without a key".to_owned(),
        Who::Stranger => " with a made-up key".to_owned(),
        Who::OtherScheme(scheme) => format!(" with {scheme}"),
    };
    let target = match &call.operation {
        Operation::CheckOtp(id) => match story.rental(id) {
            Some(rental) if rental.who == call.who() => {
                let ended = Story::may_have_ended(rental, call.sent());
                let completed = story
                    .received(rental)
                    .is_some_and(|poll| poll.index <= call.index);
                let state = match (completed, ended) {
                    (true, true) => "of an ended rental with its code",
                    (false, true) => "of an ended rental",
                    (true, false) => "of a rental with its code",
                    (false, false) => "of a waiting rental",
                };
                format!("check-otp {state}")
            }
            Some(_) => "check-otp of another key's rental".to_owned(),
            None if call.who() == Who::Nobody => "check-otp".to_owned(),
            None => format!("check-otp/{id}"),
        },
        Operation::History(query) if query.is_empty() => "history".to_owned(),
        Operation::History(query) => format!("history?{query}"),
        Operation::Profile => "profile".to_owned(),
        Operation::Rent(_) => {
            let media = call.exchange.content_type.as_deref().unwrap_or_default();
            format!(
                "rent {} {media}",
                String::from_utf8_lossy(&call.exchange.body)
            )
        }
        Operation::Other(path) => path.clone(),
    };
    format!("{} {target}{who}", call.exchange.method)
}
