//! The statuses that a dialect may give a refusal, and the settings that can
//! be something else beside.

use std::str::FromStr;

use super::value::{ValueError, read_as_scalar};

/// The HTTP status of a refusal: 200 for those who refuse with a good status,
/// or 400 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(u16);

/// What no key, a malformed one and an unknown one are answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// A refusal with this status.
    Status(Status),
    /// 302 to a page to log in at, unless `Accept` names JSON; then 401.
    Redirect,
}

/// What a service is that is not in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownService {
    /// Refused with this status.
    Status(Status),
    /// A service like any other, if it looks like a slug.
    Accept,
}

/// What a poll after the end of a rental without an SMS is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// 200 with `success` false and a sentence.
    Refusal,
    /// What it was answered with before, for ever.
    Waiting,
    /// A refusal with this status.
    Status(Status),
}

read_as_scalar!(Expired, Status, Unauthorized, UnknownService);

impl Status {
    pub(super) const UNAUTHORIZED: Self = Self(401);
    pub(super) const PAYMENT_REQUIRED: Self = Self(402);
    pub(super) const NOT_FOUND: Self = Self(404);
    pub(super) const UNPROCESSABLE: Self = Self(422);
    pub(super) const UNAVAILABLE: Self = Self(503);

    /// The number.
    pub const fn code(self) -> u16 {
        self.0
    }

    fn read(text: &str) -> Option<Self> {
        let code = text.parse().ok()?;
        matches!(code, 200 | 400..=599).then_some(Self(code))
    }
}

impl Expired {
    /// The status, if it is a refusal with one; else what stands for it by default.
    pub(super) const fn status(self, default: u16) -> u16 {
        match self {
            Self::Status(status) => status.0,
            Self::Refusal | Self::Waiting => default,
        }
    }
}

impl FromStr for Status {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::read(text).ok_or_else(|| ValueError::new(text, "a status: 400 to 599, or 200"))
    }
}

impl FromStr for Unauthorized {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "redirect" => Some(Self::Redirect),
            _ => Status::read(text).map(Self::Status),
        }
        .ok_or_else(|| ValueError::new(text, "redirect, or a status: 400 to 599, or 200"))
    }
}

impl FromStr for UnknownService {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "accept" => Some(Self::Accept),
            _ => Status::read(text).map(Self::Status),
        }
        .ok_or_else(|| ValueError::new(text, "accept, or a status: 400 to 599, or 200"))
    }
}

impl FromStr for Expired {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "refusal" => Some(Self::Refusal),
            "waiting" => Some(Self::Waiting),
            _ => Status::read(text).map(Self::Status),
        }
        .ok_or_else(|| ValueError::new(text, "refusal, waiting, or a status: 400 to 599, or 200"))
    }
}
