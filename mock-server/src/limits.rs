//! How much a client may ask of the server's shell. What the API itself refuses
//! is the mock's business.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::TimeSpan;
use contract::duration::DurationError;
use serde::Deserialize;
use serde_with::DeserializeFromStr;

/// A whole number from `LEAST` to `MOST`: in files a number, in flags its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct Within<const LEAST: u64, const MOST: u64>(u64);

/// Bytes of a request's head. A request of a plain client has some two hundred.
pub type HeadBytes = Within<512, 1_048_576>;

/// Bytes of a request's body. A multipart form with one short field, the largest
/// sensible one, has some two hundred.
pub type BodyBytes = Within<1, 67_108_864>;

/// Connections at one moment.
pub type ConnectionCount = Within<1, 1_000_000>;

/// Out of bounds, or no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is a whole number from {least} to {most}; write it like {}", least.max(&1024))]
pub struct WithinError {
    least: u64,
    most: u64,
}

impl<const LEAST: u64, const MOST: u64> Within<LEAST, MOST> {
    /// The largest of them.
    pub const MAX: Self = Self(MOST);

    const ERROR: WithinError = WithinError {
        least: LEAST,
        most: MOST,
    };

    /// `number`, or the bound that it is beyond.
    pub const fn nearest(number: u64) -> Self {
        if number < LEAST {
            Self(LEAST)
        } else if number > MOST {
            Self(MOST)
        } else {
            Self(number)
        }
    }

    /// The number.
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

impl<const LEAST: u64, const MOST: u64> TryFrom<u64> for Within<LEAST, MOST> {
    type Error = WithinError;

    fn try_from(number: u64) -> Result<Self, WithinError> {
        if (LEAST..=MOST).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Self::ERROR)
        }
    }
}

impl<const LEAST: u64, const MOST: u64> FromStr for Within<LEAST, MOST> {
    type Err = WithinError;

    fn from_str(text: &str) -> Result<Self, WithinError> {
        text.parse::<u64>().map_err(|_| Self::ERROR)?.try_into()
    }
}

impl<const LEAST: u64, const MOST: u64> fmt::Display for Within<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A longer head is answered with 431.
    pub head: HeadBytes,
    /// A longer body is answered with 413.
    pub body: BodyBytes,
    /// One connection more, on the same port, is answered with 503.
    pub connections: ConnectionCount,
    /// From a request's first byte to its last; then the connection is closed. A
    /// connection without a request may stay for ever.
    pub arrival_time: ArrivalTime,
}

impl Limits {
    /// A good deal more than any client of this API needs.
    pub const DEFAULT: Self = Self {
        head: HeadBytes::nearest(16 * 1024),
        body: BodyBytes::nearest(64 * 1024),
        connections: ConnectionCount::nearest(10_000),
        arrival_time: ArrivalTime::DEFAULT,
    };
}

/// How long a request may take to arrive: from a millisecond to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr)]
pub struct ArrivalTime(Duration);

/// Not a time in which a request could arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalTimeError {
    /// Not even a duration.
    #[error(transparent)]
    NotADuration(#[from] DurationError),
    /// Out of bounds.
    #[error("a request has from 1ms to a day to arrive; write it like 30s")]
    OutOfBounds,
}

impl ArrivalTime {
    /// hyper's own default for the head of a request.
    pub const DEFAULT: Self = Self(Duration::from_secs(30));

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<Duration> for ArrivalTime {
    type Error = ArrivalTimeError;

    fn try_from(duration: Duration) -> Result<Self, ArrivalTimeError> {
        const SHORTEST: Duration = Duration::from_millis(1);
        const LONGEST: Duration = Duration::from_secs(24 * 3600);
        if (SHORTEST..=LONGEST).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(ArrivalTimeError::OutOfBounds)
        }
    }
}

impl FromStr for ArrivalTime {
    type Err = ArrivalTimeError;

    fn from_str(text: &str) -> Result<Self, ArrivalTimeError> {
        let TimeSpan(duration) = text.parse()?;
        duration.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_told_what_would_be_in_them() {
        for text in ["0", "511", "1048577", "64KiB", "-1", "1e4", ""] {
            let error = text.parse::<HeadBytes>().expect_err(text);
            assert_eq!(
                error.to_string(),
                "it is a whole number from 512 to 1048576; write it like 1024"
            );
        }
        assert_eq!("512".parse(), Ok(HeadBytes::nearest(0)));
        assert_eq!("1048576".parse(), Ok(HeadBytes::MAX));
        for text in ["0s", "999us", "25h"] {
            let error = text.parse::<ArrivalTime>().expect_err(text);
            assert_eq!(error, ArrivalTimeError::OutOfBounds, "{text}");
        }
        assert_eq!("30s".parse(), Ok(ArrivalTime::DEFAULT));
        assert!("30".parse::<ArrivalTime>().is_err());
    }
}
