//! `otplab polling optimize`: the best schedule, and how to use it.

use anyhow::{Context, bail};
use contract::{Dice, TimeSpan};
use loadgen::laboratory::{Comparison, snippet};
use loadgen_core::polling::{Strategy, Webhook};
use loadgen_sim::polling::Laboratory;

use crate::cli::polling::OptimizeArguments;

/// Computes the schedule and prints it.
pub(super) fn run(arguments: &OptimizeArguments) -> anyhow::Result<()> {
    // Nothing is left to chance here.
    let dice = Dice::new(1);
    let laboratory = Laboratory::new(&arguments.delay, arguments.deadline.0, dice)?;
    let strategy = strategy(arguments)?;
    let rows = vec![laboratory.row(&strategy)?];
    let schedule = rows[0].schedule_s.clone().unwrap_or_default();
    let after = format!(
        "\nas a strategy: schedule({})\n\n-- Python\n\n{}\n-- JavaScript\n\n{}\n-- Go\n\n{}\n-- Rust\n\n{}",
        moments(&schedule, ""),
        snippet::python(&schedule),
        snippet::javascript(&schedule),
        snippet::go(&schedule),
        snippet::rust(&schedule),
    );
    let comparison = Comparison {
        law: arguments.delay.to_string(),
        deadline: arguments.deadline.0,
        seed: dice.seed(),
        // The frontier of polls alone says nothing of polls beside a webhook.
        frontier: match arguments.webhook {
            None => super::frontier(&laboratory, &rows),
            Some(_) => Vec::new(),
        },
        rows,
    };
    super::print(&comparison, arguments.format, &after)
}

/// What was asked for, in the grammar of strategies.
fn strategy(arguments: &OptimizeArguments) -> anyhow::Result<Strategy> {
    let price = match (arguments.budget, arguments.lambda) {
        (Some(budget), _) if !(1.0..=100_000.0).contains(&budget) => bail!(
            "--budget {budget}: a budget is at least one request per rental, which is the one at the deadline"
        ),
        (_, Some(lambda)) if lambda.0.is_zero() => {
            bail!("--lambda 0s: free requests would be made all the time; write for instance 1s")
        }
        (Some(budget), _) => format!("budget={budget}"),
        (None, Some(lambda)) => format!("lambda={lambda}"),
        (None, None) => bail!("one of --budget and --lambda is needed"),
    };
    let gap = arguments
        .min_gap
        .unwrap_or(TimeSpan(std::time::Duration::ZERO));
    let gap = if gap.0.is_zero() {
        String::new()
    } else {
        format!(",min_gap={gap}")
    };
    let polls = format!("optimal({price}{gap})");
    let text = match arguments.webhook {
        None => polls,
        Some(Webhook { probability, mean }) => {
            let mean = TimeSpan(std::time::Duration::from_secs_f64(mean));
            format!("webhook(fallback={polls},p={probability},mean={mean})")
        }
    };
    text.parse()
        .with_context(|| format!("failed to read {text}"))
}

/// The moments in seconds, to the millisecond.
fn moments(schedule: &[f64], before: &str) -> String {
    let moments = schedule.iter().map(|poll| {
        let millisecond = (poll * 1000.0).round() as u64;
        format!(
            "{before}{}",
            TimeSpan(std::time::Duration::from_millis(millisecond))
        )
    });
    moments.collect::<Vec<_>>().join(", ")
}
