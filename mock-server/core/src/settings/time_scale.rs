//! How fast an account's time runs, as people write it.

use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// How fast time runs: from 0, which is frozen, to a day in a second.
#[derive(Clone, Copy, Debug, PartialEq, DeserializeFromStr)]
pub struct TimeScale(pub(crate) f64);

impl TimeScale {
    /// Time stands still.
    pub const FROZEN: Self = Self(0.0);
    /// Time as it is.
    pub const REAL: Self = Self(1.0);
}

/// Not a pace of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "time runs at a pace from 0 to 86400; write 1 for real time, 60 for a minute in a second, 0 for frozen"
)]
pub struct TimeScaleError;

impl FromStr for TimeScale {
    type Err = TimeScaleError;

    fn from_str(text: &str) -> Result<Self, TimeScaleError> {
        let pace: f64 = text.parse().map_err(|_| TimeScaleError)?;
        Self::try_from(pace)
    }
}

impl TryFrom<f64> for TimeScale {
    type Error = TimeScaleError;

    fn try_from(pace: f64) -> Result<Self, TimeScaleError> {
        const DAY: f64 = 86_400.0;
        if (0.0..=DAY).contains(&pace) {
            Ok(Self(pace))
        } else {
            Err(TimeScaleError)
        }
    }
}
