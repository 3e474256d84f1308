//! What a law says about chance: how likely the event has happened by a time,
//! and everything that polling mathematics needs to know of that. Closed forms,
//! no sampling and no grids. Times are seconds.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc;

use super::{Component, Law, Shape};

impl Law {
    /// The probability that the event has happened by `time`, at that moment included.
    pub fn cdf(&self, time: f64) -> f64 {
        self.sum(|shape| shape.cdf(time))
    }

    /// The probability that the event has happened before `time`, at that moment
    /// excluded. It differs from [`Self::cdf`] where the law has an atom.
    pub fn cdf_before(&self, time: f64) -> f64 {
        self.sum(|shape| shape.cdf_before(time))
    }

    /// The probability that the event has not happened by `time`; precise where
    /// it is small, unlike one minus [`Self::cdf`].
    pub fn survival(&self, time: f64) -> f64 {
        self.sum(|shape| shape.survival(time))
    }

    /// ∫₀ᵗ [`Self::cdf`], in seconds.
    pub fn cdf_integral(&self, time: f64) -> f64 {
        self.sum(|shape| shape.cdf_integral(time))
    }

    /// The density at `time`, per second, of what is not in an atom.
    pub fn density(&self, time: f64) -> f64 {
        self.sum(|shape| shape.density(time))
    }

    /// The first time by which the event has happened with probability `p`;
    /// `None` if it never gets that likely.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        const STEPS: u32 = 200;
        if self.cdf(0.0) >= p {
            return Some(0.0);
        }
        // Far beyond any deadline, so that only what never comes is not reached.
        const END: f64 = 1e15;
        if self.cdf(END) < p {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while self.cdf(high) < p {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..STEPS {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if self.cdf(middle) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// The single moments that have a probability of their own, in order.
    pub fn atoms(&self) -> Vec<f64> {
        self.moments(Shape::atoms)
    }

    /// The moments where the density begins, ends or jumps, in order.
    pub fn corners(&self) -> Vec<f64> {
        self.moments(Shape::corners)
    }

    fn sum(&self, part: impl Fn(&Shape) -> f64) -> f64 {
        let parts = self.components.iter();
        parts
            .map(|Component { weight, shape }| weight * part(shape))
            .sum()
    }

    fn moments(&self, of: impl Fn(&Shape) -> Vec<f64>) -> Vec<f64> {
        let possible = self.components.iter().filter(|part| part.weight > 0.0);
        let mut moments: Vec<_> = possible.flat_map(|part| of(&part.shape)).collect();
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        moments
    }
}

impl Shape {
    fn cdf(&self, time: f64) -> f64 {
        match self {
            Self::Never => 0.0,
            Self::Shifted(shift, law) => law.cdf(time - shift.as_secs_f64()),
            _ if time < 0.0 => 0.0,
            _ => match self.atom() {
                Some(atom) => f64::from(atom <= time),
                None => self.continuous_cdf(time),
            },
        }
    }

    fn cdf_before(&self, time: f64) -> f64 {
        match self {
            Self::Shifted(shift, law) => law.cdf_before(time - shift.as_secs_f64()),
            _ => match self.atom() {
                Some(atom) => f64::from(atom < time),
                None => self.cdf(time),
            },
        }
    }

    fn survival(&self, time: f64) -> f64 {
        match self {
            Self::Shifted(shift, law) => law.survival(time - shift.as_secs_f64()),
            Self::Exponential(mean) if time > 0.0 && !mean.is_zero() => {
                (-time / mean.as_secs_f64()).exp()
            }
            Self::LogNormal(..) if time > 0.0 && self.atom().is_none() => {
                normal(-self.standardised(time))
            }
            _ => 1.0 - self.cdf(time),
        }
    }

    fn cdf_integral(&self, time: f64) -> f64 {
        if time <= 0.0 {
            return 0.0;
        }
        if let Some(atom) = self.atom() {
            return (time - atom).max(0.0);
        }
        match self {
            Self::Never | Self::Fixed(_) => 0.0,
            Self::Shifted(shift, law) => law.cdf_integral(time - shift.as_secs_f64()),
            Self::Uniform(low, high) => {
                let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
                let within = (time.min(high) - low).max(0.0);
                within * within / (2.0 * (high - low)) + (time - high).max(0.0)
            }
            Self::Exponential(mean) => {
                let mean = mean.as_secs_f64();
                time + mean * (-time / mean).exp_m1()
            }
            // ∫F = t·F(t) − E[D; D ≤ t], and the partial mean of a log-normal law
            // is its mean times Φ(z − σ).
            Self::LogNormal(median, sigma) => {
                let z = self.standardised(time);
                let mean = median.as_secs_f64() * (sigma * sigma / 2.0).exp();
                time * normal(z) - mean * normal(z - sigma)
            }
        }
    }

    fn density(&self, time: f64) -> f64 {
        if time < 0.0 || self.atom().is_some() {
            return 0.0;
        }
        match self {
            Self::Never | Self::Fixed(_) => 0.0,
            Self::Shifted(shift, law) => law.density(time - shift.as_secs_f64()),
            Self::Uniform(low, high) => {
                let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
                f64::from((low..high).contains(&time)) / (high - low)
            }
            Self::Exponential(mean) => {
                let rate = 1.0 / mean.as_secs_f64();
                rate * (-rate * time).exp()
            }
            Self::LogNormal(_, sigma) => {
                if time == 0.0 {
                    return 0.0;
                }
                let z = self.standardised(time);
                (-z * z / 2.0).exp() / (time * sigma * (2.0 * PI).sqrt())
            }
        }
    }

    fn continuous_cdf(&self, time: f64) -> f64 {
        match self {
            Self::Uniform(low, high) => {
                let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
                ((time - low) / (high - low)).clamp(0.0, 1.0)
            }
            Self::Exponential(mean) => -(-time / mean.as_secs_f64()).exp_m1(),
            Self::LogNormal(..) if time > 0.0 => normal(self.standardised(time)),
            _ => 0.0,
        }
    }

    /// The one moment at which all of it happens, if there is one.
    fn atom(&self) -> Option<f64> {
        match self {
            Self::Fixed(delay) => Some(delay.as_secs_f64()),
            Self::Uniform(low, high) if low == high => Some(low.as_secs_f64()),
            Self::Exponential(mean) if mean.is_zero() => Some(0.0),
            Self::LogNormal(median, sigma) if median.is_zero() || *sigma == 0.0 => {
                Some(median.as_secs_f64())
            }
            _ => None,
        }
    }

    /// Of a log-normal law: how many standard deviations of the logarithm `time`
    /// lies above the median.
    fn standardised(&self, time: f64) -> f64 {
        match self {
            Self::LogNormal(median, sigma) => (time / median.as_secs_f64()).ln() / sigma,
            _ => f64::NAN,
        }
    }

    fn atoms(&self) -> Vec<f64> {
        match self {
            Self::Shifted(shift, law) => later(*shift, law.atoms()),
            _ => self.atom().into_iter().collect(),
        }
    }

    fn corners(&self) -> Vec<f64> {
        match self {
            _ if self.atom().is_some() => Vec::new(),
            Self::Uniform(low, high) => vec![low.as_secs_f64(), high.as_secs_f64()],
            Self::Exponential(_) => vec![0.0],
            Self::Shifted(shift, law) => later(*shift, law.corners()),
            _ => Vec::new(),
        }
    }
}

fn later(shift: std::time::Duration, moments: Vec<f64>) -> Vec<f64> {
    let shift = shift.as_secs_f64();
    moments.into_iter().map(|moment| moment + shift).collect()
}

/// Φ, the distribution function of the standard normal law.
fn normal(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAWS: [&str; 12] = [
        "2s",
        "0s",
        "uniform(1s,5s)",
        "uniform(3s,3s)",
        "exp(5s)",
        "lognormal(12s,0.8)",
        "lognormal(4s,0)",
        "never",
        "shifted(7s,exp(2s))",
        "0.9*lognormal(12s,0.8) + 0.1*never",
        "0.3*2s + 0.5*uniform(1s,5s) + 0.2*never",
        "retry_steps",
    ];

    fn law() -> impl Strategy<Value = Law> {
        prop::sample::select(LAWS.to_vec()).prop_map(|law| law.parse().expect(law))
    }

    #[test]
    fn known_values() {
        let law: Law = "lognormal(12s,0.8)".parse().expect("a law");
        assert!((law.cdf(12.0) - 0.5).abs() < 1e-15);
        // Φ(1), from any table of the normal law.
        let above = 12.0 * 0.8_f64.exp();
        assert!((law.cdf(above) - 0.841_344_746_068_542_9).abs() < 1e-10);
        let exponential: Law = "exp(5s)".parse().expect("a law");
        assert!((exponential.survival(50.0) - (-10.0_f64).exp()).abs() < 1e-18);
        assert_eq!(
            exponential.quantile(1.0 - (-1.0_f64).exp()).map(f64::round),
            Some(5.0)
        );
        let late: Law = "0.9*2s + 0.1*never".parse().expect("a law");
        assert_eq!(late.quantile(0.95), None);
        assert_eq!((late.cdf(2.0), late.cdf_before(2.0)), (0.9, 0.0));
        assert_eq!(late.atoms(), [2.0]);
    }

    proptest! {
        #[test]
        fn the_integral_is_that_of_the_distribution(law in law(), time in 0.0..100.0_f64) {
            const STEPS: u32 = 20_000;
            let step = time / f64::from(STEPS);
            let midpoints = (0..STEPS).map(|index| (f64::from(index) + 0.5) * step);
            let sum: f64 = midpoints.map(|middle| law.cdf(middle) * step).sum();
            let error = (sum - law.cdf_integral(time)).abs();
            prop_assert!(error < 1.01 * step + 1e-6, "{law} at {time}: {error}");
        }

        #[test]
        fn what_has_not_happened_is_the_rest(law in law(), time in 0.0..100.0_f64) {
            prop_assert!((law.cdf(time) + law.survival(time) - 1.0).abs() < 1e-12);
            prop_assert!(law.cdf_before(time) <= law.cdf(time));
        }

        #[test]
        fn a_quantile_is_the_first_time_with_its_probability(law in law(), p in 0.001..0.999_f64) {
            if let Some(time) = law.quantile(p) {
                prop_assert!(law.cdf(time) >= p - 1e-12);
                prop_assert!(time == 0.0 || law.cdf(time * (1.0 - 1e-9)) <= p + 1e-8, "{law} {p} {time}");
            } else {
                prop_assert!(law.cdf(1e12) < p);
            }
        }

        #[test]
        fn the_density_is_the_slope(law in law(), time in 0.5..60.0_f64) {
            let width = 1e-5;
            let near = |moment: &f64| (moment - time).abs() < 2.0 * width;
            if !law.atoms().iter().chain(&law.corners()).any(near) {
                let slope = (law.cdf(time + width) - law.cdf(time - width)) / (2.0 * width);
                prop_assert!((slope - law.density(time)).abs() < 1e-5, "{law} at {time}");
            }
        }
    }
}
