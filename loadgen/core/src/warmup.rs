//! How much of the beginning of a run is warm-up. It is measured and shown like
//! the rest, but the headline figures are without it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::TimeSpan;
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::interval;

/// What counts as warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DeserializeFromStr, SerializeDisplay)]
pub enum Warmup {
    /// Nothing.
    #[default]
    None,
    /// So long, in whole seconds: an interval is warm-up or it is not.
    Fixed(u32),
    /// What [`mser5`] finds.
    Auto,
}

/// Not a warm-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a warm-up; write how long it is, like 5s, or auto to have its end found")]
pub struct WarmupError(String);

impl FromStr for Warmup {
    type Err = WarmupError;

    /// A part of a second counts as a whole one.
    fn from_str(text: &str) -> Result<Self, WarmupError> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let wrong = || WarmupError(text.to_owned());
        let span: TimeSpan = text.parse().map_err(|_| wrong())?;
        let seconds = span.0.as_nanos().div_ceil(interval::LENGTH.as_nanos());
        match u32::try_from(seconds).map_err(|_| wrong())? {
            0 => Ok(Self::None),
            seconds => Ok(Self::Fixed(seconds)),
        }
    }
}

impl fmt::Display for Warmup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("0s"),
            Self::Fixed(seconds) => TimeSpan(Duration::from_secs(u64::from(*seconds))).fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl Warmup {
    /// Whether the `index`-th second of the load is warm-up, as far as that is
    /// known while the run lasts.
    pub const fn covers(self, index: u32) -> bool {
        match self {
            Self::None | Self::Auto => false,
            Self::Fixed(seconds) => index < seconds,
        }
    }
}

/// Values in a batch.
const BATCH: usize = 5;

/// What MSER-5 says about a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// How many values at its beginning to leave out.
    pub values: usize,
    /// Whether the rest is steady. If the best place to cut is as late as it
    /// may be, the series probably never settled.
    pub steady: bool,
}

/// The marginal standard error rule over batches of five (White, 1997): leaves
/// out as many batches as make the standard error of the mean of the rest the
/// smallest, at most half of them.
///
/// With fewer than ten values, two batches, it leaves out nothing.
pub fn mser5(series: &[f64]) -> Truncation {
    let batches: Vec<f64> = series
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    let most = batches.len() / 2;
    let mut best = (f64::INFINITY, 0);
    // From the latest cut to the earliest, so that of equals the earliest wins.
    for cut in (0..=most).rev() {
        let error = marginal_error(&batches[cut..]);
        if error <= best.0 {
            best = (error, cut);
        }
    }
    Truncation {
        values: best.1 * BATCH,
        steady: batches.len() < 2 || best.1 < most,
    }
}

/// The sum of squared deviations over the square of the count.
fn marginal_error(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (count * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `slow` values that fall from 10, then `steady` ones near 1.
    fn settling(slow: usize, steady: usize) -> Vec<f64> {
        let falling = (0..slow).map(|index| 10.0 - 9.0 * index as f64 / slow as f64);
        // A ripple that has no trend.
        let flat = (0..steady).map(|index| 1.0 + 0.1 * ((index * 7 % 5) as f64 - 2.0));
        falling.chain(flat).collect()
    }

    #[test]
    fn the_cut_is_where_the_series_settles() {
        let found = mser5(&settling(15, 85));
        assert_eq!((found.values, found.steady), (15, true));
        let found = mser5(&settling(12, 48));
        assert_eq!((found.values, found.steady), (15, true), "whole batches");
    }

    #[test]
    fn nothing_is_left_out_of_a_steady_series_or_a_short_one() {
        for series in [
            settling(0, 60),
            vec![1.0; 40],
            vec![5.0, 1.0, 1.0],
            Vec::new(),
        ] {
            let found = mser5(&series);
            assert_eq!((found.values, found.steady), (0, true), "{series:?}");
        }
    }

    #[test]
    fn a_series_that_never_settles_is_called_that() {
        let rising: Vec<f64> = (0..100).map(|index| f64::from(index * index)).collect();
        let found = mser5(&rising.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!((found.values, found.steady), (50, false));
    }

    #[test]
    fn a_warm_up_is_whole_seconds_or_auto() {
        for (text, warmup, shown) in [
            ("5s", Warmup::Fixed(5), "5s"),
            ("1500ms", Warmup::Fixed(2), "2s"),
            ("0s", Warmup::None, "0s"),
            ("auto", Warmup::Auto, "auto"),
        ] {
            assert_eq!(text.parse(), Ok(warmup));
            assert_eq!(warmup.to_string(), shown);
        }
        let error = "soon".parse::<Warmup>().expect_err("no duration");
        assert!(error.to_string().contains("like 5s, or auto"), "{error}");
        assert!(Warmup::Fixed(2).covers(1) && !Warmup::Fixed(2).covers(2));
    }
}
