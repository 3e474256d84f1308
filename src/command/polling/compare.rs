//! `otplab polling compare`: strategies side by side.

use contract::Dice;
use loadgen::laboratory::Comparison;
use loadgen_core::polling::Strategy;
use loadgen_sim::polling::{LabError, Laboratory};

use crate::cli::polling::CompareArguments;

/// What is compared when nobody says: what people use, what is advised, and the best.
const USUAL: [&str; 15] = [
    "fixed(1s)",
    "fixed(3s)",
    "fixed(5s)",
    "fixed(10s)",
    "backoff(1s,x2,cap=60s)",
    "backoff(1s,x1.5,cap=10s)",
    "backoff(1s,x2,cap=5s)",
    "backoff(5s,x1.5,cap=45s)",
    "backoff(1s,x2,cap=10s,jitter=full)",
    "backoff(1s,x2,cap=10s,jitter=equal)",
    "backoff(1s,x2,cap=10s,jitter=decorrelated)",
    "quantile(10)",
    "hazard(lambda=1s)",
    "optimal(lambda=1s)",
    "optimal(budget=4)",
];

/// Computes the rows and prints them.
pub(super) fn run(arguments: &CompareArguments) -> anyhow::Result<()> {
    let laboratory = Laboratory::new(
        &arguments.delay,
        arguments.deadline.0,
        Dice::new(arguments.seed),
    )?;
    let mut rows = Vec::new();
    for strategy in &arguments.strategy {
        rows.push(laboratory.row(strategy)?);
    }
    if rows.is_empty() {
        for strategy in USUAL {
            let strategy: Strategy = strategy.parse().expect("invariant: tested to parse");
            match laboratory.row(&strategy) {
                Ok(row) => rows.push(row),
                // Of those that were not asked for, what does not fit the law is left out.
                Err(LabError::Atoms(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let comparison = Comparison {
        law: arguments.delay.to_string(),
        deadline: arguments.deadline.0,
        seed: arguments.seed,
        frontier: super::frontier(&laboratory, &rows),
        rows,
    };
    super::print(&comparison, arguments.format, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_strategies_are_strategies() {
        for text in USUAL {
            assert!(text.parse::<Strategy>().is_ok(), "{text}");
        }
    }
}
