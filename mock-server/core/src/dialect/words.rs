//! What the history calls the states of a rental. Only `completed` is
//! documented; vendors have many other words.

use std::fmt;
use std::str::FromStr;

use contract::body::status;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::ValueError;
use crate::rental::State;

/// One word for each state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct StatusWords {
    /// It waits for its SMS.
    pub pending: Box<str>,
    /// The SMS is there.
    pub completed: Box<str>,
    /// It ended without one.
    pub expired: Box<str>,
    /// It ended without one and the money is back. Without this word it is
    /// still called expired.
    pub refunded: Option<Box<str>>,
}

/// The words that have a name of their own: `name`, `pending`, `completed`,
/// `expired` and perhaps `refunded`.
const NAMED: [(&str, &str, &str, &str, Option<&str>); 4] = [
    (
        "default",
        status::PENDING,
        status::COMPLETED,
        status::EXPIRED,
        None,
    ),
    (
        "refunded",
        "pending",
        "completed",
        "expired",
        Some("refunded"),
    ),
    ("five_sim", "PENDING", "RECEIVED", "TIMEOUT", None),
    (
        "getatext",
        "active",
        "completed",
        "timed_out",
        Some("refunded"),
    ),
];

const EXPECTED: &str = "default, refunded, five_sim, getatext, or three or four words in the \
                        order pending/completed/expired/refunded";

impl Default for StatusWords {
    fn default() -> Self {
        "default".parse().expect("invariant: these words are named")
    }
}

impl FromStr for StatusWords {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Some((_, pending, completed, expired, refunded)) =
            NAMED.into_iter().find(|(name, ..)| *name == text)
        {
            return Ok(Self::of(pending, completed, expired, refunded));
        }
        let words: Vec<_> = text.split('/').map(str::trim).collect();
        match words.as_slice() {
            words if words.contains(&"") => Err(ValueError::new(text, EXPECTED)),
            [pending, completed, expired] => Ok(Self::of(pending, completed, expired, None)),
            [pending, completed, expired, refunded] => {
                Ok(Self::of(pending, completed, expired, Some(refunded)))
            }
            _ => Err(ValueError::new(text, EXPECTED)),
        }
    }
}

impl StatusWords {
    fn of(pending: &str, completed: &str, expired: &str, refunded: Option<&str>) -> Self {
        Self {
            pending: pending.into(),
            completed: completed.into(),
            expired: expired.into(),
            refunded: refunded.map(Into::into),
        }
    }
}

impl StatusWords {
    /// The word for a rental in this state, whose price is back or not.
    pub(crate) fn word(&self, state: State, refunded: bool) -> &str {
        match (state, &self.refunded) {
            (State::Pending, _) => &self.pending,
            (State::Completed, _) => &self.completed,
            (State::Expired, Some(word)) if refunded => word,
            (State::Expired, _) => &self.expired,
        }
    }
}

impl<'de> Deserialize<'de> for StatusWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// As a table: a word may be anything, also with a slash in it.
impl Serialize for StatusWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// A text or a table.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = StatusWords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a table of words")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StatusWords, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StatusWords, A::Error> {
        StatusWords::deserialize(MapAccessDeserializer::new(map))
    }
}
