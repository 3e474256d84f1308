//! Strategies side by side, each against the bound.

use std::time::Duration;

use contract::{Dice, Law};
use loadgen_core::polling::Strategy;
use serde::Serialize;

use super::bound::Bound;
use super::estimate::{self, Estimate};
use super::optimum::Problem;
use super::settle::{LabError, settle};
use super::walk;
use super::webhook::WebhookProblem;

/// One strategy under a law. Lags are those of delivered rentals, in seconds;
/// the bound is shown on the same footing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// As it was written.
    pub strategy: String,
    /// Mean number of polls of a rental, delivered or not.
    pub requests: f64,
    /// Mean number of polls of a rental that gets its code.
    pub requests_delivered: f64,
    /// Mean number of polls of a rental that does not, by the deadline.
    pub requests_never: f64,
    /// The probability of a code by the deadline.
    pub delivered: f64,
    /// Mean lag.
    pub lag_mean_s: f64,
    /// Half are found within this.
    pub lag_p50_s: f64,
    /// 95 % are.
    pub lag_p95_s: f64,
    /// 99 % are.
    pub lag_p99_s: f64,
    /// No strategy with as many requests has a lower mean lag.
    pub bound_s: f64,
    /// Bound over mean lag: 1 is the best possible.
    pub efficiency: f64,
    /// Requests beyond those with which the same mean lag may be had.
    pub wasted: f64,
    /// Whether these are exact figures, and not estimates.
    pub exact: bool,
    /// The standard error of the mean lag, where it is estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub se: Option<f64>,
    /// The standard error of the requests, where they are estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub se_requests: Option<f64>,
    /// The standard errors of the other figures, where they are estimated.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,
    /// The polls, for what is a plain schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_s: Option<Vec<f64>>,
}

/// Standard errors of estimated figures. That of the efficiency counts those of
/// lag and requests as if they always fell together, so it is rather too large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Errors {
    pub se_requests_never: f64,
    pub se_lag_p50: f64,
    pub se_lag_p95: f64,
    pub se_lag_p99: f64,
    pub se_efficiency: f64,
}

/// A law, a deadline, and all chance.
#[derive(Clone, Debug)]
pub struct Laboratory {
    problem: Problem,
    deadline: Duration,
    dice: Dice,
}

impl Laboratory {
    /// Codes arrive by `law` and are given up after `deadline`.
    ///
    /// # Errors
    ///
    /// [`LabError`] for a deadline of nothing.
    pub fn new(law: &Law, deadline: Duration, dice: Dice) -> Result<Self, LabError> {
        Ok(Self {
            problem: Problem::new(law, deadline.as_secs_f64(), 0.0)?,
            deadline,
            dice,
        })
    }

    /// The law of the delay.
    pub const fn law(&self) -> &Law {
        self.problem.law()
    }

    /// What a strategy costs and gives.
    ///
    /// # Errors
    ///
    /// [`LabError`] for a strategy that does not fit the law.
    pub fn row(&self, strategy: &Strategy) -> Result<Row, LabError> {
        let law = self.law();
        let settled = settle(strategy, law, self.deadline)?;
        let (estimate, schedule_s) = if settled.is_random() {
            let estimate = estimate::estimate(&settled, law, self.deadline, self.dice)?;
            (estimate, None)
        } else {
            let schedule = walk::schedule(&settled, self.deadline, self.dice, 0)?;
            let figures = schedule.figures_beside(law, settled.webhook());
            let exact = Estimate {
                figures,
                requests_never: schedule.polls().len() as f64,
                requests_error: 0.0,
                lag_error: 0.0,
                percentile_errors: [0.0; 3],
                never_error: 0.0,
            };
            (exact, Some(schedule.into_polls()))
        };
        let least = self.least(
            &settled,
            estimate.figures.requests,
            estimate.figures.lag_per_rental(),
        )?;
        Ok(row(strategy, estimate, schedule_s, least))
    }

    /// The frontier: requests, and the least mean lag of delivered rentals with
    /// them, from few requests to many. Points between lie on straight lines.
    pub fn frontier(&self, from: f64, to: f64, points: u32) -> Vec<(f64, f64)> {
        let delivered = self.law().cdf(self.problem.deadline());
        let from = from.max(1.0);
        let ratio = (to / from).max(1.0).ln() / f64::from(points.max(2) - 1);
        let at = |index: u32| {
            let requests = from * (ratio * f64::from(index)).exp();
            let bound = Bound::at(&self.problem, requests).lag_per_rental;
            (
                requests,
                if delivered > 0.0 {
                    bound / delivered
                } else {
                    0.0
                },
            )
        };
        (0..points).map(at).collect()
    }

    fn least(&self, strategy: &Strategy, requests: f64, lag: f64) -> Result<Least, LabError> {
        let gap = strategy.least_gap().as_secs_f64();
        if let Some(webhook) = strategy.webhook() {
            let problem = WebhookProblem::new(self.law(), self.problem.deadline(), gap, webhook);
            let (bound, price) = problem.bound(requests);
            let requests = problem.least_requests(lag);
            return Ok(Least {
                bound,
                price,
                requests,
            });
        }
        let own;
        let problem = if gap > 0.0 {
            own = Problem::new(self.law(), self.problem.deadline(), gap)?;
            &own
        } else {
            &self.problem
        };
        let bound = Bound::at(problem, requests);
        Ok(Least {
            bound: bound.lag_per_rental,
            price: bound.price,
            requests: Bound::least_requests(problem, lag),
        })
    }
}

/// The least lag per rental for so many requests, what one more would save, and
/// the fewest requests for such a lag.
struct Least {
    bound: f64,
    price: f64,
    requests: f64,
}

fn row(
    strategy: &Strategy,
    estimate: Estimate,
    schedule_s: Option<Vec<f64>>,
    Least {
        bound,
        price,
        requests: least_requests,
    }: Least,
) -> Row {
    let exact = schedule_s.is_some();
    let Estimate {
        figures,
        requests_never,
        requests_error,
        lag_error,
        percentile_errors,
        never_error,
    } = estimate;
    let delivered = figures.delivered;
    let share = |per_rental: f64| match delivered > 0.0 {
        true => per_rental / delivered,
        false => 0.0,
    };
    let lag = figures.lag_per_rental();
    let efficiency = match lag > 0.0 {
        true => (bound / lag).min(1.0),
        false => 1.0,
    };
    let [se_lag_p50, se_lag_p95, se_lag_p99] = percentile_errors;
    // Of the bound's error, as of the lag's, the share is what counts.
    let of_lag = lag_error / figures.lag_mean.max(f64::MIN_POSITIVE);
    let of_bound = price * requests_error / bound.max(f64::MIN_POSITIVE);
    let errors = Errors {
        se_requests_never: never_error,
        se_lag_p50,
        se_lag_p95,
        se_lag_p99,
        se_efficiency: efficiency * (of_lag + of_bound),
    };
    Row {
        strategy: strategy.to_string(),
        requests: figures.requests,
        requests_delivered: share(figures.requests - (1.0 - delivered) * requests_never),
        requests_never,
        delivered,
        lag_mean_s: figures.lag_mean,
        lag_p50_s: figures.lag_p50,
        lag_p95_s: figures.lag_p95,
        lag_p99_s: figures.lag_p99,
        bound_s: share(bound),
        efficiency,
        wasted: (figures.requests - least_requests).max(0.0),
        exact,
        se: (!exact).then_some(lag_error),
        se_requests: (!exact).then_some(requests_error),
        errors: (!exact).then_some(errors),
        schedule_s,
    }
}
