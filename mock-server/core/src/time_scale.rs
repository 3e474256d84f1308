//! How fast an account's time runs, as people write it.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How fast time runs: from 0, which is frozen, to a day in a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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

/// A number, or a text with a number in it, as flags and older files have it.
impl<'de> Deserialize<'de> for TimeScale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = TimeScale;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pace of time such as 60")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeScale, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, pace: f64) -> Result<TimeScale, E> {
        TimeScale::try_from(pace).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, pace: i64) -> Result<TimeScale, E> {
        self.visit_f64(pace as f64)
    }

    fn visit_u64<E: de::Error>(self, pace: u64) -> Result<TimeScale, E> {
        self.visit_f64(pace as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_number_however_it_is_written() {
        for (text, expected) in [("60", 60.0), ("0.5", 0.5), ("\"60\"", 60.0), ("0", 0.0)] {
            let read: TimeScale = serde_json::from_str(text).expect(text);
            assert_eq!(read, TimeScale(expected), "{text}");
        }
        for text in ["-1", "86401", "\"fast\"", "null"] {
            assert!(serde_json::from_str::<TimeScale>(text).is_err(), "{text}");
        }
    }
}
