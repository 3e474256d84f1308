//! A deterministic schedule and its exact figures: no simulation, no grid.

use contract::Law;
use loadgen_core::polling::Webhook;

use super::webhook;

/// The moments at which a client asks, in seconds from the rent; the last one is
/// the deadline.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    polls: Vec<f64>,
}

/// Not a schedule.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// No end, so that nothing can be said of those that never arrive.
    #[error("a deadline is longer than 0 s and finite; write it like 120s")]
    Deadline,
    /// Not a moment between the rent and the deadline, or not after the one before.
    #[error("polls are in order, from 0 s to the deadline of {deadline} s; {poll} s is not")]
    Order {
        /// The one that is out of order.
        poll: f64,
        /// The end.
        deadline: f64,
    },
}

/// What a schedule costs and gives under a law. Times are seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Mean number of polls of a rental, delivered or not.
    pub requests: f64,
    /// The probability of a code by the deadline.
    pub delivered: f64,
    /// Mean lag of the delivered; 0 if none is.
    pub lag_mean: f64,
    /// Half of the delivered are found within this lag.
    pub lag_p50: f64,
    /// 95 % are.
    pub lag_p95: f64,
    /// 99 % are.
    pub lag_p99: f64,
}

impl Figures {
    /// The mean lag per rental, those without a code counted as 0: what
    /// J and the bound are made of.
    pub fn lag_per_rental(&self) -> f64 {
        self.lag_mean * self.delivered
    }
}

impl Schedule {
    /// Polls at these moments and at `deadline`, which may be among them.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] unless `0 ≤ polls[0] < polls[1] < … ≤ deadline < ∞`.
    pub fn new(mut polls: Vec<f64>, deadline: f64) -> Result<Self, ScheduleError> {
        if !(deadline > 0.0 && deadline.is_finite()) {
            return Err(ScheduleError::Deadline);
        }
        let mut previous = f64::NEG_INFINITY;
        for &poll in &polls {
            let within = (0.0..=deadline).contains(&poll) && poll > previous;
            if !within {
                return Err(ScheduleError::Order { poll, deadline });
            }
            previous = poll;
        }
        if previous < deadline {
            polls.push(deadline);
        }
        Ok(Self { polls })
    }

    /// The moments, in seconds from the rent.
    pub fn polls(&self) -> &[f64] {
        &self.polls
    }

    /// The moments themselves.
    pub fn into_polls(self) -> Vec<f64> {
        self.polls
    }

    /// The last of them.
    pub fn deadline(&self) -> f64 {
        self.polls[self.polls.len() - 1]
    }

    /// What the schedule costs and gives when codes arrive by `law`.
    pub fn figures(&self, law: &Law) -> Figures {
        self.figures_beside(law, None)
    }

    /// The same, where polls are a fallback for a webhook.
    pub fn figures_beside(&self, law: &Law, webhook: Option<Webhook>) -> Figures {
        let delivered = law.cdf(self.deadline());
        let (requests, lag) = match webhook {
            Some(webhook) => webhook::means(self, law, webhook),
            None => self.means(law),
        };
        let percentile = |p| match delivered > 0.0 {
            true => self.lag_percentile(law, webhook, p),
            false => 0.0,
        };
        Figures {
            requests,
            delivered,
            lag_mean: if delivered > 0.0 {
                lag / delivered
            } else {
                0.0
            },
            lag_p50: percentile(0.5),
            lag_p95: percentile(0.95),
            lag_p99: percentile(0.99),
        }
    }

    /// Mean requests and mean lag, both per rental.
    ///
    /// The first poll is always sent and each later one if the one before found
    /// nothing: E\[N\] = 1 + Σₖ S(tₖ) over all but the last. Between two polls
    /// the client learns of a code with S(tₖ)·(tₖ₊₁ − tₖ) seconds of waiting
    /// minus those in which there was none: E\[L\] = Σₖ (H(tₖ₊₁) − H(tₖ) − F(tₖ)(tₖ₊₁ − tₖ)),
    /// with H = ∫F, t₀ = 0 and F(t₀) = 0.
    pub(crate) fn means(&self, law: &Law) -> (f64, f64) {
        let (mut requests, mut lag) = (0.0, 0.0);
        let (mut before, mut integral) = (0.0, 0.0);
        let (mut happened, mut waiting) = (0.0, 1.0);
        for &poll in &self.polls {
            let reached = law.cdf_integral(poll);
            requests += waiting;
            lag += reached - integral - happened * (poll - before);
            (before, integral) = (poll, reached);
            (happened, waiting) = (law.cdf(poll), law.survival(poll));
        }
        (requests, lag.max(0.0))
    }

    /// The probability that a delivered code is found later than `lag` after it
    /// was readable: Σₖ \[F((tₖ − lag)⁻) − F(tₖ₋₁)\]⁺ / F(T), with F(t₀) = 0.
    /// The limit from the left matters where the law has atoms.
    pub fn lag_exceeds(&self, law: &Law, lag: f64) -> f64 {
        let mut happened = 0.0;
        let mut later = 0.0;
        for &poll in &self.polls {
            later += (law.cdf_before(poll - lag) - happened).max(0.0);
            happened = law.cdf(poll);
        }
        later / happened
    }

    /// The smallest lag within which a share `p` of the delivered is found.
    fn lag_percentile(&self, law: &Law, webhook: Option<Webhook>, p: f64) -> f64 {
        const STEPS: u32 = 60;
        // A code is still unknown if no poll found it and no push told it.
        let exceeds = |lag| {
            let silence = webhook.map_or(1.0, |webhook| webhook::silence(webhook, lag));
            self.lag_exceeds(law, lag) * silence
        };
        let starts = std::iter::once(&0.0).chain(&self.polls);
        let gaps = starts.zip(&self.polls).map(|(from, to)| to - from);
        let (mut low, mut high) = (0.0, gaps.fold(0.0, f64::max));
        if exceeds(low) <= 1.0 - p {
            return low;
        }
        for _ in 0..STEPS {
            let middle = f64::midpoint(low, high);
            if exceeds(middle) > 1.0 - p {
                low = middle;
            } else {
                high = middle;
            }
            if high - low < 1e-9 * high {
                break;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_schedule_is_refused() {
        for (polls, deadline) in [
            (vec![1.0], 0.0),
            (vec![1.0], f64::INFINITY),
            (vec![2.0, 1.0], 5.0),
            (vec![1.0, 1.0], 5.0),
            (vec![-1.0], 5.0),
            (vec![6.0], 5.0),
            (vec![f64::NAN], 5.0),
        ] {
            assert!(Schedule::new(polls.clone(), deadline).is_err(), "{polls:?}");
        }
        let schedule = Schedule::new(vec![0.0, 5.0], 5.0).expect("in order");
        assert_eq!(schedule.polls(), [0.0, 5.0]);
    }

    #[test]
    fn an_atom_is_found_by_the_poll_at_its_moment() {
        let law = "0.5*2s + 0.5*4s".parse().expect("a law");
        let schedule = Schedule::new(vec![2.0, 3.0], 6.0).expect("in order");
        let figures = schedule.figures(&law);
        assert_eq!(figures.requests, 1.0 + 0.5 + 0.5);
        assert_eq!(figures.lag_mean, 1.0);
        assert_eq!((figures.lag_p50, figures.lag_p99.round()), (0.0, 2.0));
    }

    #[test]
    fn what_never_comes_costs_all_polls_and_has_no_lag() {
        let law = "never".parse().expect("a law");
        let schedule = Schedule::new(vec![1.0, 2.0, 3.0], 4.0).expect("in order");
        let figures = schedule.figures(&law);
        assert_eq!((figures.requests, figures.lag_mean), (4.0, 0.0));
    }
}
