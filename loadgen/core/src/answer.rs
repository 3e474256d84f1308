//! From an HTTP answer to what it means for a user. A failed request is a
//! measurement, not an error: it becomes a [`Failure`], which is counted.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::{Cents, Truth, body};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::call::Call;

/// What the server said, as far as a user cares.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Of the profile.
    Balance(Cents),
    /// Of rent.
    Rented(Rented),
    /// Of check-otp while the SMS is awaited.
    Waiting,
    /// Of check-otp once the SMS is there.
    Received {
        /// The bare code.
        code: Box<str>,
        /// When it became readable, if the server is a mock that tells.
        truth: Option<Truth>,
    },
    /// Of check-otp once the rental has ended without an SMS.
    Ended,
    /// One page of the history.
    History(Vec<Row>),
}

/// What rent gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rented {
    /// Names the rental.
    pub id: u64,
    /// The number, as digits.
    pub phone: u64,
    /// What was charged.
    pub cost: Cents,
    /// How long the rental lives.
    pub expires_in: Duration,
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Names the rental.
    pub id: u64,
    /// What was charged.
    pub cost: Cents,
    /// The bare code, once it is there.
    pub code: Option<Box<str>>,
    /// Whether the status is `completed`.
    pub completed: bool,
}

/// Why a request failed; the kinds that reports count.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub enum Failure {
    /// No connection could be opened.
    Connect,
    /// The connection was reset.
    Reset,
    /// The connection ended before the answer was complete.
    Closed,
    /// No complete answer within the request timeout.
    Timeout,
    /// The answer breaks HTTP, or is larger than any that is documented.
    Protocol,
    /// A status outside 2xx.
    Status(u16),
    /// A body that is not the documented JSON.
    Body,
    /// A history that contradicts what rent and check-otp said, or lacks the rental.
    Mismatch,
}

impl Failure {
    /// Whether a rent that failed so may have been carried out all the same.
    pub const fn may_have_charged(self) -> bool {
        !matches!(self, Self::Status(400..=499) | Self::Connect)
    }

    /// Whether the same request may well succeed a little later.
    pub const fn may_pass(self) -> bool {
        !matches!(self, Self::Status(400..=428) | Self::Connect)
    }

    /// Whether there was a complete HTTP answer, so that its latency is one.
    pub const fn was_answered(self) -> bool {
        matches!(self, Self::Status(_) | Self::Body | Self::Mismatch)
    }
}

/// The name in reports: `timeout`, `http_503`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Body => "body",
            Self::Mismatch => "mismatch",
            Self::Status(status) => return write!(f, "http_{status}"),
        })
    }
}

/// No failure has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of failure")]
pub struct UnknownFailure(String);

impl FromStr for Failure {
    type Err = UnknownFailure;

    fn from_str(name: &str) -> Result<Self, UnknownFailure> {
        let plain = [
            Self::Connect,
            Self::Reset,
            Self::Closed,
            Self::Timeout,
            Self::Protocol,
            Self::Body,
            Self::Mismatch,
        ];
        let status = || name.strip_prefix("http_")?.parse().ok().map(Self::Status);
        plain
            .into_iter()
            .find(|failure| failure.to_string() == name)
            .or_else(status)
            .ok_or_else(|| UnknownFailure(name.to_owned()))
    }
}

/// What the answer to `call` means. `truth` is the value of the mock's truth header.
///
/// # Errors
///
/// [`Failure::Status`] for a refusal, [`Failure::Body`] for anything that is
/// not the documented body.
pub fn decode(
    call: &Call,
    status: u16,
    truth: Option<&str>,
    body: &[u8],
) -> Result<Answer, Failure> {
    if !(200..300).contains(&status) {
        return Err(Failure::Status(status));
    }
    let answer = match call {
        Call::CheckOtp(_) => check_otp(body, truth),
        Call::Profile => profile(body),
        Call::Rent(_) => rent(body),
        Call::History(_) => history(body),
    };
    answer.ok_or(Failure::Body)
}

fn check_otp(bytes: &[u8], truth: Option<&str>) -> Option<Answer> {
    let body: body::CheckOtp<'_> = serde_json::from_slice(bytes).ok()?;
    match (body.success, body.sms_received) {
        (true, false) => Some(Answer::Waiting),
        (false, _) => Some(Answer::Ended),
        (true, true) => Some(Answer::Received {
            code: body.sms_code?.into(),
            truth: truth.and_then(|text| text.parse().ok()),
        }),
    }
}

fn profile(bytes: &[u8]) -> Option<Answer> {
    let body: body::Profile<'_> = serde_json::from_slice(bytes).ok()?;
    body.success.then_some(Answer::Balance(body.user.balance))
}

fn rent(bytes: &[u8]) -> Option<Answer> {
    let body: body::Rent<'_> = serde_json::from_slice(bytes).ok()?;
    let rented = Rented {
        id: body.rental.id,
        phone: body.rental.phone.parse().ok()?,
        cost: body.rental.cost,
        expires_in: Duration::from_secs(body.rental.expires_in_seconds),
    };
    body.success.then_some(Answer::Rented(rented))
}

fn history(bytes: &[u8]) -> Option<Answer> {
    let body: body::History<'_> = serde_json::from_slice(bytes).ok()?;
    let rows = body.data.into_iter().map(|row| Row {
        id: row.id,
        cost: row.cost,
        code: row.sms_code.map(Into::into),
        completed: row.status == body::status::COMPLETED,
    });
    body.success.then(|| Answer::History(rows.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(call: Call, status: u16, body: &str) -> Result<Answer, Failure> {
        decode(&call, status, None, body.as_bytes())
    }

    #[test]
    fn only_sms_received_tells_waiting_from_received() {
        let waiting = r#"{"success":true,"sms_received":false,"message":"…"}"#;
        assert_eq!(
            decoded(Call::CheckOtp(1), 200, waiting),
            Ok(Answer::Waiting)
        );
        let received =
            r#"{"success":true,"sms_received":true,"sms_code":"0042","full_message":"0042"}"#;
        assert_eq!(
            decoded(Call::CheckOtp(1), 200, received),
            Ok(Answer::Received {
                code: "0042".into(),
                truth: None
            })
        );
        let ended = r#"{"success":false,"sms_received":false,"message":"…"}"#;
        assert_eq!(decoded(Call::CheckOtp(1), 200, ended), Ok(Answer::Ended));
    }

    #[test]
    fn what_is_not_documented_is_a_failure_of_its_kind() {
        assert_eq!(decoded(Call::Profile, 503, "{}"), Err(Failure::Status(503)));
        assert_eq!(decoded(Call::Profile, 200, "<html>"), Err(Failure::Body));
        assert_eq!(
            decoded(Call::Profile, 200, r#"{"success":true}"#),
            Err(Failure::Body)
        );
        for failure in [Failure::Status(503), Failure::Reset, Failure::Mismatch] {
            assert_eq!(failure.to_string().parse(), Ok(failure));
        }
        assert_eq!(Failure::Status(503).to_string(), "http_503");
    }
}
