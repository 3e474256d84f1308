//! What a user does when a request fails: whether it tries again, after what
//! pause, and whether it heeds what the server says about that. A policy is
//! data; the fleet goes by it, and nothing here waits.
//!
//! ```text
//! none
//! attempts(4,backoff(200ms,x2,cap=5s,jitter=full))
//! attempts(3,fixed(1s),on=429+5xx+timeout,retry_after=ignore,rent=yes)
//! none(retry_after=honour)
//! ```
//!
//! Rent is not repeated unless `rent=yes` says so: a rent that failed may have
//! been carried out all the same, and then each repetition rents once more.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::expression::{Argument, ExpressionError, Sum, Term, Word};
use contract::{Dice, Stream, dice};
use serde_with::DeserializeFromStr;

use crate::answer::Failure;
use crate::call::Call;
use crate::polling::Strategy;

/// What a user does when a request fails.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr)]
pub struct Retry {
    text: String,
    /// Requests made for one answer, the first included.
    attempts: u8,
    /// How pauses develop; `None` where there are none.
    pauses: Option<Strategy>,
    causes: Vec<Cause>,
    rent: bool,
    honour: bool,
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// 5 for 500 to 599.
    Class(u16),
    /// A status, or no answer of this kind.
    Kind(Failure),
}

/// Not a retry policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a retry policy, {0}; there are none and attempts(4,backoff(200ms,x2,cap=5s,jitter=full)), the \
     latter with on=429+5xx+timeout, retry_after=honour or ignore, and rent=yes or no"
)]
pub struct RetryError(#[from] ExpressionError);

/// Attempts at most: whoever wants more wants a polling strategy.
const MOST_ATTEMPTS: u8 = 100;

/// What a `Retry-After` that gives a date or makes no sense counts as: no clock
/// is read here, and too long is safer than too short.
const UNREADABLE: Duration = Duration::from_secs(60);

/// No server is believed beyond this.
const LONGEST: u64 = 3600;

impl Retry {
    /// Nothing is tried again, and `Retry-After` is not heeded.
    pub fn none() -> Self {
        Self {
            text: "none".to_owned(),
            attempts: 1,
            pauses: None,
            causes: Vec::new(),
            rent: false,
            honour: false,
        }
    }

    /// Whether a request that has been made `made` times and has failed so is
    /// to be made again.
    pub fn again(&self, call: &Call, failure: Failure, made: u8) -> bool {
        let repeatable = self.rent || !matches!(call, Call::Rent(_));
        made < self.attempts && repeatable && self.causes.iter().any(|cause| cause.is(failure))
    }

    /// Whether users wait as long as the server says in `Retry-After`.
    pub const fn honours(&self) -> bool {
        self.honour
    }

    /// The pause after attempt number `made`, from 1, of the request number
    /// `request` of a user.
    pub fn pause(&self, made: u8, dice: Dice, user: u64, request: u32) -> Duration {
        let roll = |beat: u32| {
            let index = u64::from(request) << 8 | u64::from(beat & 0xff);
            dice::unit(&mut dice.roll(user, Stream::Retry, index))
        };
        let pauses = self.pauses.as_ref();
        pauses.map_or(Duration::ZERO, |pauses| {
            pauses.pause(u32::from(made), &mut |beat| roll(beat))
        })
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::none()
    }
}

impl Cause {
    fn is(self, failure: Failure) -> bool {
        match (self, failure) {
            (Self::Class(class), Failure::Status(status)) => status / 100 == class,
            (Self::Class(_), _) => false,
            (Self::Kind(kind), failure) => kind == failure,
        }
    }

    fn named(word: Word<'_>) -> Result<Self, ExpressionError> {
        let kind = match word.text {
            "5xx" => return Ok(Self::Class(5)),
            "4xx" => return Ok(Self::Class(4)),
            "connect" => Failure::Connect,
            "reset" => Failure::Reset,
            "closed" => Failure::Closed,
            "timeout" => Failure::Timeout,
            "protocol" => Failure::Protocol,
            "body" => Failure::Body,
            digits => match digits.parse() {
                Ok(status @ 300..=599) => Failure::Status(status),
                _ => {
                    return Err(word.error(
                        "on is a sum of statuses like 429, 4xx, 5xx, connect, reset, closed, \
                         timeout, protocol and body",
                    ));
                }
            },
        };
        Ok(Self::Kind(kind))
    }
}

/// How long a server asks to wait with the text of its `Retry-After`.
pub fn retry_after(text: &str) -> Duration {
    match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds.min(LONGEST)),
        Err(_) => UNREADABLE,
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Retry {
    type Err = RetryError;

    fn from_str(text: &str) -> Result<Self, RetryError> {
        let sum = Sum::parse(text)?;
        let policy = Self::from_term(sum.single()?)?;
        Ok(Self {
            text: text.trim().to_owned(),
            ..policy
        })
    }
}

impl Retry {
    fn from_term(term: &Term<'_>) -> Result<Self, ExpressionError> {
        let usage = || {
            term.word
                .error("write it like attempts(4,backoff(200ms,x2,cap=5s))")
        };
        let arguments = term.arguments.as_deref().unwrap_or_default();
        let (named, plain): (Vec<_>, Vec<_>) = arguments
            .iter()
            .partition(|argument| argument.name.is_some());
        let mut policy = match (term.word.text, plain.as_slice()) {
            ("none", []) => Self::none(),
            ("attempts", [attempts, pause]) => Self {
                attempts: count(attempts.value.word()?)?,
                pauses: Some(pauses(pause.value.single()?)?),
                causes: vec![Cause::Kind(Failure::Status(429)), Cause::Class(5)],
                honour: true,
                ..Self::none()
            },
            ("none" | "attempts", _) => return Err(usage()),
            (name, _) => {
                return Err(term.word.error(format!("{name:?} is not a known policy")));
            }
        };
        for argument in named {
            policy.read(argument, term.word.text == "attempts")?;
        }
        Ok(policy)
    }

    fn read(&mut self, argument: &Argument<'_>, repeats: bool) -> Result<(), ExpressionError> {
        let Some(name) = argument.name else {
            return Ok(());
        };
        match name.text {
            "retry_after" => {
                self.honour = choice(argument.value.word()?, "honour", "ignore")?;
            }
            "rent" if repeats => self.rent = choice(argument.value.word()?, "yes", "no")?,
            "on" if repeats => self.causes = causes(&argument.value)?,
            _ if repeats => {
                return Err(name.error("the options are on, retry_after and rent"));
            }
            _ => return Err(name.error("the only option of none is retry_after")),
        }
        Ok(())
    }
}

/// Of the polling strategies, those that say nothing but how gaps develop.
fn pauses(term: &Term<'_>) -> Result<Strategy, ExpressionError> {
    match term.word.text {
        "fixed" | "backoff" => Strategy::from_term(term),
        _ => Err(term.word.error("pauses are fixed(1s) or backoff(200ms,x2)")),
    }
}

fn causes(sum: &Sum<'_>) -> Result<Vec<Cause>, ExpressionError> {
    let causes =
        sum.products
            .iter()
            .map(|product| match (product.weight, &product.term.arguments) {
                (None, None) => Cause::named(product.term.word),
                _ => Err(product.term.word.error("expected a plain name here")),
            });
    causes.collect()
}

fn count(word: Word<'_>) -> Result<u8, ExpressionError> {
    word.text
        .parse()
        .ok()
        .filter(|count| (2..=MOST_ATTEMPTS).contains(count))
        .ok_or_else(|| word.error("attempts are 2 to 100, the first included"))
}

fn choice(word: Word<'_>, yes: &str, no: &str) -> Result<bool, ExpressionError> {
    match word.text {
        text if text == yes => Ok(true),
        text if text == no => Ok(false),
        _ => Err(word.error(format!("this is {yes} or {no}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Service;

    fn policy(text: &str) -> Retry {
        text.parse().expect(text)
    }

    #[test]
    fn a_policy_says_what_is_tried_again_and_how_often() {
        let policy = policy("attempts(3,fixed(1s),on=429+5xx+timeout)");
        let poll = Call::CheckOtp(1);
        for (failure, again) in [
            (Failure::Status(429), true),
            (Failure::Status(503), true),
            (Failure::Timeout, true),
            (Failure::Status(404), false),
            (Failure::Reset, false),
        ] {
            assert_eq!(policy.again(&poll, failure, 1), again, "{failure}");
        }
        assert!(policy.again(&poll, Failure::Timeout, 2));
        assert!(!policy.again(&poll, Failure::Timeout, 3));
        assert!(policy.honours());
        assert!(!Retry::none().again(&poll, Failure::Timeout, 1));
    }

    #[test]
    fn rent_is_repeated_only_where_that_is_asked_for() {
        let rent = Call::Rent(Service::find("whatsapp").expect("in the table"));
        let failure = Failure::Status(503);
        assert!(!policy("attempts(3,fixed(1s))").again(&rent, failure, 1));
        assert!(policy("attempts(3,fixed(1s),rent=yes)").again(&rent, failure, 1));
    }

    #[test]
    fn pauses_grow_and_jitter_as_written() {
        let pauses = |text: &str, request| {
            let policy = policy(text);
            [1, 2, 3, 4].map(|made| policy.pause(made, Dice::new(2), 7, request).as_millis())
        };
        assert_eq!(
            pauses("attempts(9,backoff(200ms,x2,cap=1s))", 0),
            [200, 400, 800, 1000]
        );
        let jitter = "attempts(9,backoff(200ms,x2,cap=1s,jitter=full))";
        assert_eq!(pauses(jitter, 0), pauses(jitter, 0));
        assert_ne!(
            pauses(jitter, 0),
            pauses(jitter, 1),
            "each request has dice of its own"
        );
        assert!(pauses(jitter, 3)[0] <= 200);
    }

    #[test]
    fn retry_after_is_seconds_or_a_long_time() {
        for (text, seconds) in [("2", 2), (" 120 ", 120), ("99999999", 3600), ("0", 0)] {
            assert_eq!(retry_after(text).as_secs(), seconds, "{text}");
        }
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT").as_secs(), 60);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, message) in [
            ("always", "at character 1: \"always\" is not a known policy"),
            ("attempts(3)", "at character 1: write it like attempts(4,"),
            (
                "attempts(1,fixed(1s))",
                "at character 10: attempts are 2 to 100",
            ),
            (
                "attempts(3,1s)",
                "at character 12: pauses are fixed(1s) or backoff",
            ),
            (
                "attempts(3,fixed(1s),on=often)",
                "at character 25: on is a sum of statuses",
            ),
            (
                "attempts(3,fixed(1s),rent=maybe)",
                "at character 27: this is yes or no",
            ),
            (
                "attempts(3,fixed(1s),jitter=full)",
                "at character 22: the options are on,",
            ),
            ("none(rent=yes)", "at character 6: the only option of none"),
        ] {
            let error = text.parse::<Retry>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
