//! What no strategy can beat: the least lag for a given number of requests.

use super::optimum::Problem;

/// A lower bound on the lag per rental.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// In seconds per rental, those without a code counted as 0.
    pub lag_per_rental: f64,
    /// The price at which it is found: seconds of lag that one more request saves.
    pub price: f64,
}

/// What the sums of a recursion may be wrong by, as a share: a few thousand
/// roundings of a double.
const ROUNDING: f64 = 1e-12;

impl Bound {
    /// The least lag of any strategy with `requests` polls per rental on average.
    ///
    /// For every price λ, E\[L\] + λ·E\[N\] ≥ J(λ), and so E\[L\] ≥ J(λ) − λ·E\[N\]: the
    /// best of these is taken. Every λ that is tried gives a bound, so that the
    /// search cannot make it wrong, only weaker.
    pub fn at(problem: &Problem, requests: f64) -> Self {
        const STEPS: u32 = 40;
        // What is left of two large numbers may be the rounding of either.
        let rounding = |price: f64| ROUNDING * (price * requests + problem.deadline());
        let bound = |price: f64| Self {
            lag_per_rental: problem.certified(price) - price * requests - rounding(price),
            price,
        };
        let least = (problem.deadline() * 1e-9).max(problem.least_price());
        let (mut low, mut high) = (least, problem.deadline() * 1e3);
        for _ in 0..STEPS {
            let middle = (low * high).sqrt();
            // J is concave in the price, and its slope is the number of requests.
            if problem.requests(middle) > requests {
                low = middle;
            } else {
                high = middle;
            }
        }
        // The price was found on a coarse table, so it is sought again nearby.
        let candidates = nearby(high, bound);
        // Under a least gap a price near nothing certifies nothing: the best one lies higher.
        let steps = if problem.least_gap() > 0.0 { 60 } else { 0 };
        let higher = (1..=steps).map(|step| bound(high * 1.5_f64.powi(step)));
        let best = std::iter::once(candidates)
            .chain(higher)
            .max_by(|a, b| a.lag_per_rental.total_cmp(&b.lag_per_rental))
            .expect("invariant: there are candidates");
        Self {
            lag_per_rental: best.lag_per_rental.max(0.0),
            ..best
        }
    }

    /// The fewest requests with which any strategy may have so low a lag per rental.
    ///
    /// E\[N\] ≥ (J(λ) − E\[L\])/λ for every price λ, and the best of these is taken.
    pub fn least_requests(problem: &Problem, lag_per_rental: f64) -> f64 {
        const STEPS: u32 = 40;
        let least = (problem.deadline() * 1e-9).max(problem.least_price());
        let (mut low, mut high) = (least, problem.deadline() * 1e3);
        for _ in 0..STEPS {
            let middle = (low * high).sqrt();
            if problem.lag_per_rental(middle) < lag_per_rental {
                low = middle;
            } else {
                high = middle;
            }
        }
        let bound = |price: f64| (problem.certified(price) - lag_per_rental) / price;
        let candidates = [0.98, 1.0, 1.02].map(|factor| bound(factor * low));
        candidates.into_iter().fold(0.0, f64::max)
    }

    /// How near a lag per rental comes to the bound: 1 is the best possible.
    pub fn efficiency(&self, lag_per_rental: f64) -> f64 {
        if lag_per_rental <= 0.0 {
            return 1.0;
        }
        (self.lag_per_rental / lag_per_rental).min(1.0)
    }
}

/// The best bound at a price near `price`, by golden sections of its logarithm:
/// as a function of that, E\[L\] + λ·E\[N\] has one top.
fn nearby(price: f64, bound: impl Fn(f64) -> Bound) -> Bound {
    const STEPS: u32 = 9;
    const SECTION: f64 = 0.618_033_988_749_895;
    let at = |place: f64| bound(price * place.exp());
    let (mut low, mut high) = (-0.1, 0.1);
    let (mut left, mut right) = (
        at(high - SECTION * (high - low)),
        at(low + SECTION * (high - low)),
    );
    for _ in 0..STEPS {
        if left.lag_per_rental > right.lag_per_rental {
            high = low + SECTION * (high - low);
            right = left;
            left = at(high - SECTION * (high - low));
        } else {
            low = high - SECTION * (high - low);
            left = right;
            right = at(low + SECTION * (high - low));
        }
    }
    if left.lag_per_rental > right.lag_per_rental {
        left
    } else {
        right
    }
}
