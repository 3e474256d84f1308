//! The settings that count: how many requests, rentals and attempts, and how
//! far apart.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::value::{ValueError, read_as_scalar, span};

/// So many within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub count: NonZeroU32,
    /// Within how long.
    pub window: Duration,
}

impl Quota {
    /// Requests of a key in [`RateLimit::Realistic`]: what the usual framework allows.
    pub(crate) const PER_KEY: Self = Self::seconds(60, 60);
    /// Its rents: what GetAText allows.
    pub(crate) const RENTS: Self = Self::seconds(2, 1);

    const fn seconds(count: u32, seconds: u64) -> Self {
        Self {
            count: NonZeroU32::new(count).expect("invariant: not zero"),
            window: Duration::from_secs(seconds),
        }
    }
}

/// How many requests a key may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// As many as it likes.
    Off,
    /// 60 a minute and two rents a second, told with `Retry-After` and
    /// `X-RateLimit-*` headers.
    Realistic,
    /// The same, told with neither.
    Hostile,
    /// So many requests, told as in [`Self::Realistic`].
    Own(Quota),
}

/// How many rentals of a key may wait for their SMS at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveRentals {
    /// As many as it likes.
    Off,
    /// So many.
    AtMost(NonZeroU32),
}

/// When a webhook that was not acknowledged is posted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookRetry {
    /// Never.
    None,
    /// So many attempts in all, so far apart.
    Spaced {
        /// How often one event is posted at most.
        attempts: u32,
        /// From an attempt to the next.
        spacing: Duration,
    },
    /// After 60, 120 and 240 seconds.
    Plivo,
    /// After 5 seconds, doubling to 15 minutes, for 24 hours.
    Vonage,
    /// After 1, 5 and 30 minutes, 2 and 24 hours.
    Sendly,
    /// After 5 seconds, 5 and 30 minutes, 2, 5, 10 and 10 hours.
    Svix,
    /// As by default, until 50 attempts in a row have failed; then there are no
    /// more webhooks.
    DisableAfter50,
}

/// Whether a webhook comes twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WebhookDuplicate {
    /// It does not.
    Off,
    /// With this probability.
    Probability(f64),
    /// Always, both at once.
    Concurrent,
}

read_as_scalar!(ActiveRentals, RateLimit, WebhookDuplicate, WebhookRetry);

impl FromStr for RateLimit {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "off" => Some(Self::Off),
            "realistic" => Some(Self::Realistic),
            "hostile" => Some(Self::Hostile),
            _ => quota(text).map(Self::Own),
        }
        .ok_or_else(|| ValueError::new(text, "off, realistic, hostile, or a rate like 60/min"))
    }
}

fn quota(text: &str) -> Option<Quota> {
    let (count, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Quota {
        count: count.parse().ok()?,
        window: Duration::from_secs(seconds),
    })
}

impl FromStr for ActiveRentals {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "off" => Ok(Self::Off),
            _ => text
                .parse()
                .map(Self::AtMost)
                .map_err(|_| ValueError::new(text, "off, or how many, like 20")),
        }
    }
}

impl FromStr for WebhookRetry {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: &str = "none, plivo, vonage, sendly, svix, disable_after_50, or attempts and spacing like 5x15s";
        match text {
            "none" => Ok(Self::None),
            "plivo" => Ok(Self::Plivo),
            "vonage" => Ok(Self::Vonage),
            "sendly" => Ok(Self::Sendly),
            "svix" => Ok(Self::Svix),
            "disable_after_50" => Ok(Self::DisableAfter50),
            _ => spaced(text, EXPECTED),
        }
    }
}

fn spaced(text: &str, expected: &'static str) -> Result<WebhookRetry, ValueError> {
    let wrong = || ValueError::new(text, expected);
    let (attempts, spacing) = text.split_once('x').ok_or_else(wrong)?;
    let attempts: NonZeroU32 = attempts.trim().parse().map_err(|_| wrong())?;
    Ok(WebhookRetry::Spaced {
        attempts: attempts.get(),
        spacing: span(spacing.trim(), expected).map_err(|_| wrong())?,
    })
}

impl FromStr for WebhookDuplicate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "off" => Some(Self::Off),
            "concurrent" => Some(Self::Concurrent),
            _ => text
                .parse()
                .ok()
                .filter(|chance| (0.0..=1.0).contains(chance))
                .map(Self::Probability),
        }
        .ok_or_else(|| ValueError::new(text, "off, concurrent, or a probability like 0.1"))
    }
}
