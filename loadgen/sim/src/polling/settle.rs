//! Working out what a strategy leaves to be planned: quantiles, the square-root
//! rule, and the optimum.

use std::time::Duration;

use contract::Law;
use loadgen_core::polling::{Planned, Strategy};

use super::grid::Grid;
use super::optimum::{OptimumError, Problem};
use super::schedule::ScheduleError;
use super::webhook::WebhookProblem;

/// What the laboratory cannot do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabError {
    /// A deadline that is none.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// No price, budget or gap.
    #[error(transparent)]
    Optimum(#[from] OptimumError),
    /// Polls without end.
    #[error("{0} asks more than a million times before the deadline; write longer gaps")]
    TooMany(String),
    /// The square-root rule needs a density.
    #[error(
        "{0} needs a delay law with a density, and this one has single moments with a probability \
         of their own; use optimal instead"
    )]
    Atoms(String),
}

/// Cells for ∫√h.
const CELLS: usize = 20_000;

/// The strategy as a schedule, if it is one that has to be planned; else itself.
///
/// It is planned for the law that it names, and for `law` if it names none.
///
/// # Errors
///
/// [`LabError`] where there is no such plan.
pub fn settle(strategy: &Strategy, law: &Law, deadline: Duration) -> Result<Strategy, LabError> {
    let Some((planned, own_law)) = strategy.planned() else {
        return Ok(strategy.clone());
    };
    let law = own_law.unwrap_or(law);
    let seconds = deadline.as_secs_f64();
    let gap = strategy.least_gap().as_secs_f64();
    let problem = || Problem::new(law, seconds, gap);
    let polls = match (planned, strategy.webhook()) {
        (Planned::Quantile(count), _) => quantiles(law, seconds, count),
        (Planned::Hazard(price), _) => {
            if law.atoms().iter().any(|atom| *atom <= seconds) {
                return Err(LabError::Atoms(strategy.to_string()));
            }
            problem()?;
            square_root(law, seconds, price)
        }
        (Planned::OptimalAtPrice(price), None) => problem()?.optimum(price)?.schedule.into_polls(),
        (Planned::OptimalWithin(budget), None) => problem()?.optimum_within(budget)?.into_polls(),
        (Planned::OptimalAtPrice(price), Some(webhook)) => {
            problem()?;
            WebhookProblem::new(law, seconds, gap, webhook).optimum(price)
        }
        (Planned::OptimalWithin(budget), Some(webhook)) => {
            problem()?;
            WebhookProblem::new(law, seconds, gap, webhook).optimum_within(budget)
        }
    };
    let offsets: Vec<_> = polls.into_iter().map(Duration::from_secs_f64).collect();
    Ok(strategy.settled(&offsets))
}

/// tₖ = F⁻¹(k·F(T)/n).
fn quantiles(law: &Law, deadline: f64, count: u32) -> Vec<f64> {
    let delivered = law.cdf(deadline);
    let share = |k: u32| delivered * f64::from(k) / f64::from(count);
    let mut polls: Vec<_> = (1..count).filter_map(|k| law.quantile(share(k))).collect();
    polls.retain(|poll| *poll < deadline);
    polls.dedup();
    polls
}

/// ∫₀^tₖ √h = k·√(2λ): the optimum where polls are frequent.
fn square_root(law: &Law, deadline: f64, price: f64) -> Vec<f64> {
    const MOST_POLLS: usize = 1_000_000;
    let step = (2.0 * price).sqrt();
    let mut polls = Vec::new();
    let mut sum = 0.0;
    let times = Grid::moments(law, deadline, CELLS);
    for cell in times.windows(2) {
        let (from, width) = (cell[0], cell[1] - cell[0]);
        let middle = from + width / 2.0;
        let survival = law.survival(middle);
        if survival <= 0.0 {
            break;
        }
        let density = (law.density(middle) / survival).sqrt();
        let after = sum + density * width;
        while (polls.len() + 1) as f64 * step <= after && polls.len() < MOST_POLLS {
            let due = (polls.len() + 1) as f64 * step;
            polls.push((from + (due - sum) / density).min(deadline));
        }
        sum = after;
    }
    polls.retain(|poll| *poll < deadline);
    polls
}
