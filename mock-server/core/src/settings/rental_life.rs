//! How long rentals live, as people write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::TimeSpan;
use contract::duration::DurationError;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// How long rentals live: more than no time at all, and at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr, SerializeDisplay)]
pub struct RentalLife(pub(crate) Duration);

/// Not a life of a rental.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RentalLifeError {
    /// Not even a duration.
    #[error(transparent)]
    NotADuration(#[from] DurationError),
    /// Out of bounds.
    #[error("a rental lives longer than 0s and at most a year; write it like 1200s or 20m")]
    OutOfBounds,
}

/// A bound that keeps moments and `expires_in_seconds` far from overflowing.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl FromStr for RentalLife {
    type Err = RentalLifeError;

    fn from_str(text: &str) -> Result<Self, RentalLifeError> {
        let TimeSpan(life) = text.parse()?;
        if life.is_zero() || life > YEAR {
            return Err(RentalLifeError::OutOfBounds);
        }
        Ok(Self(life))
    }
}

impl fmt::Display for RentalLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TimeSpan(self.0).fmt(f)
    }
}
