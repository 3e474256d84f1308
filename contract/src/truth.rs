//! Ground truth, in band: how a mock tells a load generator what no client of
//! the real API can know.
//!
//! A request that carries `x-otplab-truth: 1` is answered, if the SMS is there,
//! with a header of the same name whose value is for instance
//! `delay_us=4012345 readable_us=180022`. One clock measured both, so they are
//! exact, whichever machine asks. Without the request header the answer has
//! the vendor's bytes and nothing else.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The name of the header, in the request and in the answer.
pub const HEADER: &str = "x-otplab-truth";

/// What the mock knows about an SMS that it delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// From rent to the SMS being readable.
    pub delay: Duration,
    /// From the SMS being readable to this answer leaving the mock.
    pub readable: Duration,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (delay, readable) = (self.delay.as_micros(), self.readable.as_micros());
        write!(f, "delay_us={delay} readable_us={readable}")
    }
}

/// Not a truth header of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form `delay_us=… readable_us=…`")]
pub struct TruthError;

impl FromStr for Truth {
    type Err = TruthError;

    fn from_str(text: &str) -> Result<Self, TruthError> {
        let (delay, readable) = text.split_once(' ').ok_or(TruthError)?;
        Ok(Self {
            delay: microseconds(delay, "delay_us=")?,
            readable: microseconds(readable, "readable_us=")?,
        })
    }
}

fn microseconds(text: &str, prefix: &str) -> Result<Duration, TruthError> {
    let digits = text.strip_prefix(prefix).ok_or(TruthError)?;
    let count = digits.parse().map_err(|_| TruthError)?;
    Ok(Duration::from_micros(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let truth = Truth {
            delay: Duration::from_micros(4_012_345),
            readable: Duration::from_micros(7),
        };
        assert_eq!(truth.to_string(), "delay_us=4012345 readable_us=7");
        assert_eq!(truth.to_string().parse(), Ok(truth));
        assert_eq!("readable_us=7".parse::<Truth>(), Err(TruthError));
    }
}
