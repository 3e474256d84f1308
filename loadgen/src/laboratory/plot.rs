//! The plane that strategies are drawn in: requests to the right, lag upwards,
//! both on a logarithmic scale, because good strategies lie on a hyperbola.

use super::Comparison;

/// The part of the plane that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// From and to.
    pub(super) requests: (f64, f64),
    /// From and to, in seconds.
    pub(super) lag: (f64, f64),
}

/// What is zero cannot be on a logarithmic scale; it is shown at this.
const LEAST: f64 = 1e-3;

impl Frame {
    pub(super) fn around(comparison: &Comparison) -> Self {
        let rows = comparison.rows.iter();
        let points = rows.map(|row| (row.requests, row.lag_mean_s));
        let all: Vec<_> = points.chain(comparison.frontier.iter().copied()).collect();
        let range = |values: Vec<f64>| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(LEAST, f64::max);
            (least.clamp(LEAST, 1e9) / 1.1, greatest * 1.1)
        };
        Self {
            requests: range(all.iter().map(|point| point.0).collect()),
            lag: range(all.iter().map(|point| point.1).collect()),
        }
    }

    /// Where a point lies, as shares of width and height; nothing outside the frame.
    pub(super) fn place(&self, (requests, lag): (f64, f64)) -> Option<(f64, f64)> {
        let share =
            |value: f64, (from, to): (f64, f64)| (value.max(LEAST) / from).ln() / (to / from).ln();
        let (x, y) = (share(requests, self.requests), share(lag, self.lag));
        ((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)).then_some((x, y))
    }

    /// 1, 2, 5, 10, … between the ends of an axis.
    pub(super) fn ticks((from, to): (f64, f64)) -> Vec<f64> {
        let decades = (-4..10).map(|exponent| 10_f64.powi(exponent));
        let all = decades.flat_map(|ten| [ten, 2.0 * ten, 5.0 * ten]);
        all.filter(|tick| (from..=to).contains(tick)).collect()
    }
}
