//! Durations as people write them: `200ms`, `2s`, `20m`, `1h30m`.
//!
//! A number without a unit is refused: `2` might be seconds or milliseconds,
//! and a test that waits a thousand times too long is a bad way to find out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// A duration with its written form; for fields of files and for command-line flags.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    DeserializeFromStr,
    SerializeDisplay,
)]
pub struct TimeSpan(pub Duration);

/// Not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write a number with its unit, like 200ms, 2s, 20m or 1h30m")]
pub struct DurationError(String);

impl FromStr for TimeSpan {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .map(Self)
            .ok_or_else(|| DurationError(text.to_owned()))
    }
}

impl From<Duration> for TimeSpan {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        span.0
    }
}

/// Writes the shortest exact form that [`FromStr`] reads: `1m30s`, `250ms`.
impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let nanoseconds = self.0.subsec_nanos();
        if seconds == 0 && nanoseconds == 0 {
            return f.write_str("0s");
        }
        let parts = [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(nanoseconds / 1_000_000), "ms"),
            (u64::from(nanoseconds / 1000 % 1000), "us"),
            (u64::from(nanoseconds % 1000), "ns"),
        ];
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count}{unit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, milliseconds) in [
            ("200ms", 200),
            ("2s", 2000),
            ("2.5s", 2500),
            ("20m", 1_200_000),
            ("1h30m", 5_400_000),
            ("1200s", 1_200_000),
            ("0s", 0),
        ] {
            let read: TimeSpan = text.parse().expect(text);
            assert_eq!(read.0, Duration::from_millis(milliseconds), "{text}");
        }
    }

    #[test]
    fn refuses_a_number_without_unit_and_negative_times() {
        for text in ["", "2", "-2s", "2 parsecs", "s", "1e3s"] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(nanoseconds in 0_u64..10_000_000_000_000_000) {
            let span = TimeSpan(Duration::from_nanos(nanoseconds));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
