//! The families of laws that are fitted: an exponential or lognormal law, the
//! same later by a shift, and a mixture of two lognormal ones. Each may be
//! defective: the last parameter is then the share that never arrives.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc;

use super::Observation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Exponential,
    LogNormal,
    ShiftedExponential,
    ShiftedLogNormal,
    TwoLogNormals,
}

/// A parameter's place on the whole line of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) name: &'static str,
    range: Range,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Range {
    /// More than this.
    Above(f64),
    /// Between nothing and this.
    Below(f64),
}

/// A part of a mixture that were narrower would stand on a single delay, which is
/// as likely as one pleases and says nothing.
const NARROW: f64 = 0.03;

impl Place {
    const fn above(name: &'static str, least: f64) -> Self {
        let range = Range::Above(least);
        Self { name, range }
    }

    const fn below(name: &'static str, most: f64) -> Self {
        let range = Range::Below(most);
        Self { name, range }
    }

    /// The parameter at this place.
    pub(super) fn value(&self, at: f64) -> f64 {
        match self.range {
            Range::Above(least) => least + at.clamp(-300.0, 300.0).exp(),
            Range::Below(most) => most / (1.0 + (-at).exp()),
        }
    }
}

impl Family {
    pub(super) const ALL: [Self; 5] = [
        Self::LogNormal,
        Self::Exponential,
        Self::ShiftedLogNormal,
        Self::ShiftedExponential,
        Self::TwoLogNormals,
    ];

    /// Its parameters, in order.
    pub(super) fn places(self, observations: &[Observation], censored: bool) -> Vec<Place> {
        // All of it before the first arrival would leave that no probability.
        let first = observations.iter().map(|seen| seen.by);
        let shift = Place::below("shift_s", 0.98 * first.fold(f64::INFINITY, f64::min));
        let (median, sigma) = (Place::above("median_s", 0.0), Place::above("sigma", 0.0));
        let mean = Place::above("mean_s", 0.0);
        let mut places = match self {
            Self::Exponential => vec![mean],
            Self::LogNormal => vec![median, sigma],
            Self::ShiftedExponential => vec![mean, shift],
            Self::ShiftedLogNormal => vec![median, sigma, shift],
            Self::TwoLogNormals => vec![
                median,
                Place::above("sigma", NARROW),
                Place::above("second_median_s", 0.0),
                Place::above("second_sigma", NARROW),
                Place::below("second", 1.0),
            ],
        };
        if censored {
            places.push(Place::below("never", 1.0));
        }
        places
    }

    /// Codes that it takes at least.
    pub(super) const fn least(self) -> f64 {
        match self {
            Self::Exponential | Self::LogNormal => 0.0,
            Self::ShiftedExponential | Self::ShiftedLogNormal => 30.0,
            Self::TwoLogNormals => 60.0,
        }
    }

    /// Parameters beside the share that never arrives.
    const fn count(self) -> usize {
        match self {
            Self::Exponential => 1,
            Self::LogNormal | Self::ShiftedExponential => 2,
            Self::ShiftedLogNormal => 3,
            Self::TwoLogNormals => 5,
        }
    }

    fn lost(self, values: &[f64]) -> f64 {
        values.get(self.count()).copied().unwrap_or(0.0)
    }

    /// The probability of being later than `time`, or never.
    pub(super) fn survival(self, values: &[f64], time: f64) -> f64 {
        let lost = self.lost(values);
        let of_those_that_arrive = match self {
            Self::Exponential => exponential(values[0], time),
            Self::LogNormal => lognormal(values[0], values[1], time),
            Self::ShiftedExponential => exponential(values[0], time - values[1]),
            Self::ShiftedLogNormal => lognormal(values[0], values[1], time - values[2]),
            Self::TwoLogNormals => {
                (1.0 - values[4]) * lognormal(values[0], values[1], time)
                    + values[4] * lognormal(values[2], values[3], time)
            }
        };
        (1.0 - lost) * of_those_that_arrive + lost
    }

    /// In the grammar of laws.
    pub(super) fn law(self, values: &[f64]) -> String {
        let exponential = |mean: f64| format!("exp({})", seconds(mean));
        let lognormal = |median: f64, sigma: f64| {
            format!("lognormal({},{:.4})", seconds(median), sigma.min(10.0))
        };
        let shifted = |by: f64, law: String| format!("shifted({},{law})", seconds(by));
        let parts = match self {
            Self::Exponential => vec![(1.0, exponential(values[0]))],
            Self::LogNormal => vec![(1.0, lognormal(values[0], values[1]))],
            Self::ShiftedExponential => vec![(1.0, shifted(values[1], exponential(values[0])))],
            Self::ShiftedLogNormal => {
                vec![(1.0, shifted(values[2], lognormal(values[0], values[1])))]
            }
            Self::TwoLogNormals => vec![
                (1.0 - values[4], lognormal(values[0], values[1])),
                (values[4], lognormal(values[2], values[3])),
            ],
        };
        sum(&parts, self.lost(values))
    }

    /// Where to begin: moments of the logarithms, and the share that was not seen.
    /// A mixture has several hills, so it begins at several places.
    pub(super) fn starts(self, observations: &[Observation], censored: bool) -> Vec<Vec<f64>> {
        let seen = observations.iter().filter(|seen| seen.by.is_finite());
        let middle = |seen: &Observation| f64::midpoint(seen.after, seen.by).max(1e-6).ln();
        let count: f64 = seen.clone().map(|seen| seen.count).sum();
        let sum: f64 = seen.clone().map(|seen| seen.count * middle(seen)).sum();
        let mean = sum / count;
        let squares = seen.map(|seen| seen.count * (middle(seen) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt().max(0.05);
        let sigma = deviation.ln();
        let two = |apart: f64, share: f64| {
            let narrow = sigma - 0.5;
            let (low, high) = (mean - apart * deviation, mean + apart * deviation);
            vec![low, narrow, high, narrow, share]
        };
        let mut starts = match self {
            Self::Exponential => vec![vec![mean + 0.5]],
            Self::LogNormal => vec![vec![mean, sigma]],
            Self::ShiftedExponential => vec![vec![mean, 0.0], vec![mean + 0.5, -3.0]],
            Self::ShiftedLogNormal => vec![vec![mean - 0.3, sigma, 0.0], vec![mean, sigma, -3.0]],
            Self::TwoLogNormals => vec![two(0.7, 0.0), two(1.5, -2.0)],
        };
        if censored {
            let total: f64 = observations.iter().map(|seen| seen.count).sum();
            let lost = ((total - count) / total).clamp(0.001, 0.999);
            for start in &mut starts {
                start.push((lost / (1.0 - lost)).ln());
            }
        }
        starts
    }
}

fn exponential(mean: f64, time: f64) -> f64 {
    (-time.max(0.0) / mean).exp()
}

fn lognormal(median: f64, sigma: f64, time: f64) -> f64 {
    if time <= 0.0 {
        return 1.0;
    }
    erfc((time / median).ln() / sigma / SQRT_2) / 2.0
}

/// A time as laws have it.
pub(super) fn seconds(seconds: f64) -> String {
    let text = format!("{seconds:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}s")
}

/// A sum of laws whose weights add up to one, of which a share never arrives.
pub(super) fn sum(parts: &[(f64, String)], lost: f64) -> String {
    const UNITS: f64 = 1e6;
    let lost = (lost * UNITS).round();
    if let ([(_, only)], true) = (parts, lost <= 0.0) {
        return only.clone();
    }
    // The last weight is what the rounded ones before it leave.
    let mut left = UNITS - lost;
    let mut texts = Vec::new();
    for (index, (weight, law)) in parts.iter().enumerate() {
        let share = match index + 1 == parts.len() {
            true => left,
            false => (weight * (UNITS - lost)).round().min(left),
        };
        left -= share;
        texts.push(format!("{:.6}*{law}", share / UNITS));
    }
    if lost > 0.0 {
        texts.push(format!("{:.6}*never", lost / UNITS));
    }
    texts.join(" + ")
}
