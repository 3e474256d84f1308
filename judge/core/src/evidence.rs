//! What was seen: raw HTTP exchanges and raw webhooks, with the moments at
//! which they happened. Nothing here knows what any of it means.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What must not be shown: all keys that were sent, made-up ones included.
    pub secrets: Vec<String>,
    /// Requests and their answers, in the order in which they were sent.
    pub exchanges: Vec<Exchange>,
    /// What the webhook listener received.
    pub events: Vec<Event>,
    /// Rentals that were ended before their time, and when.
    pub ended_by_hand: BTreeMap<String, Duration>,
    /// Statuses of rents that were made to lack something, by the setting of a
    /// dialect that says it. They are no exchanges: a server does not do that by itself.
    pub lacking: BTreeMap<&'static str, u16>,
    /// When it began, in seconds since 1970, if the server's clock is comparable with that.
    pub began: Option<f64>,
    /// What there was to judge with.
    pub given: Given,
}

/// What there was to judge with, so that a clause can say why it was not judged.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Whether it is a capture: nothing was sent by us.
    pub capture: bool,
    /// Whether numbers might be rented.
    pub rents: bool,
    /// Whether renting ended because of the spending limit.
    pub limit_reached: bool,
    /// Whether there was a second key.
    pub second_key: bool,
    /// Whether there was a webhook listener.
    pub webhooks: bool,
    /// Whether the listener's address was certainly set at the server.
    pub webhooks_set: bool,
    /// Lengths of the keys that the user gave.
    pub key_lengths: Vec<usize>,
    /// How far apart polls were.
    pub poll_interval: Option<Duration>,
    /// Why it ended early, if it did.
    pub ended_early: Option<String>,
}

/// With which key a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The first key.
    First,
    /// The second key, of another account.
    Second,
    /// None.
    Nobody,
    /// A made-up key.
    Stranger,
    /// The first key, but not as the documentation has it: how, in words.
    OtherScheme(&'static str),
}

/// A request and what became of it. Times count from the beginning, by the
/// server's clock where that was moved.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// With which key.
    pub who: Who,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The content type of the body, if it has one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was sent.
    pub sent: Duration,
    /// When the answer was there.
    pub answered: Duration,
    /// The answer, or why there was none.
    pub answer: Result<Answer, String>,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, which is lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A request that reached the webhook listener.
#[derive(Clone, Debug)]
pub struct Event {
    /// The method.
    pub method: String,
    /// The path.
    pub target: String,
    /// Headers with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The earliest moment at which it can have come …
    pub earliest: Duration,
    /// … and the latest: they differ while the server's clock is moved.
    pub latest: Duration,
}
