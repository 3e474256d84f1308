//! Rents that are sent again under the same key: the first answer is repeated
//! for a day of the account's own time, and no second number is rented. Which
//! answers are worth it is decided where they are made.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use contract::{Moment, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reply::Reply;

/// How long a key is remembered (CLAUSES part 2).
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// Keys that an account has at most; the oldest is forgotten first. Some
/// megabytes, and far more than any client would send again.
const KEYS: usize = 10_000;

/// Characters of a key at most: what the services that take one allow.
const LONGEST_KEY: usize = 255;

/// What an account's keys were used for.
#[derive(Debug, Default)]
pub(crate) struct IdempotencyRecord {
    answers: BTreeMap<Box<str>, Answered>,
    /// The keys in the order of their use.
    order: VecDeque<(Moment, Box<str>)>,
}

#[derive(Debug)]
struct Answered {
    /// What was asked for.
    service: Box<str>,
    answer: Result<Reply, Problem>,
}

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    New,
    /// This was answered to the same request.
    Answered(Result<Reply, Problem>),
    /// It was used for another request.
    Other,
}

/// The header of an answer that is repeated, and its value, as the service calls
/// it that made such keys known.
pub(crate) const REPEATED: (&str, &str) = ("idempotent-replayed", "true");

/// The key in a header, if there is one.
///
/// # Errors
///
/// [`Problem::BadIdempotencyKey`]
pub(crate) fn read(header: Option<&str>) -> Result<Option<&str>, Problem> {
    let usable = |key: &str| !key.is_empty() && key.len() <= LONGEST_KEY;
    match header {
        Some(key) if !usable(key) => Err(Problem::BadIdempotencyKey),
        key => Ok(key),
    }
}

impl IdempotencyRecord {
    /// What is known about `key` at `now`, for a rent of `service`.
    pub(crate) fn look_up(&mut self, now: Moment, key: &str, service: &str) -> Known {
        self.forget_until(now);
        match self.answers.get(key) {
            None => Known::New,
            Some(answered) if *answered.service == *service => {
                Known::Answered(answered.answer.clone())
            }
            Some(_) => Known::Other,
        }
    }

    /// Remembers what was answered under a new key.
    pub(crate) fn remember(
        &mut self,
        now: Moment,
        (key, service): (&str, &str),
        answer: &Result<Reply, Problem>,
    ) {
        if self.order.len() >= KEYS {
            self.forget_oldest();
        }
        let answered = Answered {
            service: service.into(),
            answer: answer.clone(),
        };
        self.answers.insert(key.into(), answered);
        self.order.push_back((now, key.into()));
    }

    fn forget_until(&mut self, now: Moment) {
        while let Some((used, _)) = self.order.front()
            && *used + MEMORY <= now
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.answers.remove(&key);
        }
    }
}

/// What was answered under a key, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedAnswer {
    key: String,
    service: String,
    /// When it was used, in nanoseconds of the account's time.
    at: u64,
    answer: Saved,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Saved {
    /// A number was rented.
    Rented { status: u16, body: String },
    /// None was.
    Refused(Reason),
}

/// Why a number may not be rented that was asked for as it should be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    InsufficientBalance,
    NoNumbers,
    TooManyRentals,
}

impl IdempotencyRecord {
    /// Written down, the oldest first.
    pub(crate) fn save(&self) -> Vec<SavedAnswer> {
        let keys = self.order.iter();
        keys.filter_map(|(at, key)| {
            let Answered { service, answer } = self.answers.get(key)?;
            Some(SavedAnswer {
                key: key.to_string(),
                service: service.to_string(),
                at: at.nanoseconds(),
                answer: Saved::of(answer)?,
            })
        })
        .collect()
    }

    /// As it was written down; `None` if no mock has written it.
    pub(crate) fn restore(saved: Vec<SavedAnswer>) -> Option<Self> {
        let mut record = Self::default();
        for SavedAnswer {
            key,
            service,
            at,
            answer,
        } in saved
        {
            let at = Moment::from_nanoseconds(at);
            let in_order = record.order.back().is_none_or(|(before, _)| *before <= at);
            let fits = read(Some(&key)).is_ok() && record.order.len() < KEYS && in_order;
            if !fits || record.answers.contains_key(key.as_str()) {
                return None;
            }
            record.remember(at, (&key, &service), &answer.read()?);
        }
        Some(record)
    }
}

impl Saved {
    fn of(answer: &Result<Reply, Problem>) -> Option<Self> {
        match answer {
            Ok(reply) => Some(Self::Rented {
                status: reply.status,
                body: String::from_utf8(reply.body.to_vec()).ok()?,
            }),
            Err(Problem::InsufficientBalance) => Some(Self::Refused(Reason::InsufficientBalance)),
            Err(Problem::NoNumbers) => Some(Self::Refused(Reason::NoNumbers)),
            Err(Problem::TooManyRentals) => Some(Self::Refused(Reason::TooManyRentals)),
            Err(_) => None,
        }
    }

    fn read(self) -> Option<Result<Reply, Problem>> {
        match self {
            Self::Rented { status, body } => matches!(status, 200 | 201).then(|| {
                let reply = Reply::success(body.into(), Moment::START);
                Ok(Reply { status, ..reply })
            }),
            Self::Refused(Reason::InsufficientBalance) => Some(Err(Problem::InsufficientBalance)),
            Self::Refused(Reason::NoNumbers) => Some(Err(Problem::NoNumbers)),
            Self::Refused(Reason::TooManyRentals) => Some(Err(Problem::TooManyRentals)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn reply(text: &'static str) -> Result<Reply, Problem> {
        let body = Bytes::from_static(text.as_bytes());
        Ok(Reply::success(body, Moment::START))
    }

    #[test]
    fn a_key_is_remembered_for_a_day_with_what_it_was_used_for() {
        let mut record = IdempotencyRecord::default();
        let end = Moment::START + MEMORY;
        let before = Moment::START + (MEMORY - Duration::from_nanos(1));
        assert_eq!(record.look_up(Moment::START, "a", "google"), Known::New);
        record.remember(Moment::START, ("a", "google"), &reply("one"));
        let known = Known::Answered(reply("one"));
        assert_eq!(record.look_up(before, "a", "google"), known);
        assert_eq!(record.look_up(before, "a", "telegram"), Known::Other);
        assert_eq!(record.look_up(before, "b", "google"), Known::New);
        assert_eq!(record.look_up(end, "a", "google"), Known::New);
        assert!(record.answers.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut record = IdempotencyRecord::default();
        for number in 0..=KEYS {
            record.remember(Moment::START, (&number.to_string(), "google"), &reply("x"));
        }
        assert_eq!(record.answers.len(), KEYS);
        assert_eq!(record.look_up(Moment::START, "0", "google"), Known::New);
    }
}
