//! `otplab polling fit`: the law of the delay, from what was seen of it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use contract::{Law, TimeSpan};
use loadgen::directory;
use loadgen_core::run::Run;
use loadgen_core::scenario::Overrides;
use loadgen_sim::polling::fit::{self, Fit, Observation};

use crate::cli::polling::{FitArguments, FitFormat};
use crate::command::embedded;
use crate::command::scenario::Source;

/// Reads, estimates and prints.
pub(super) fn run(arguments: &FitArguments) -> anyhow::Result<()> {
    let path = &arguments.file;
    let observations = if path.is_dir() {
        let (run, scenario) = directory::open(path)?;
        of_run(&run, &scenario)
    } else {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("failed to read {}", path.display()))?;
        of_text(path, &text)?
    };
    let fits = fit::fit(&observations).with_context(|| path.display().to_string())?;
    let text = match arguments.format {
        FitFormat::Text => text(&observations, &fits)?,
        FitFormat::Json => {
            serde_json::to_string_pretty(&fits).context("failed to write JSON")? + "\n"
        }
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("failed to print the result")
}

/// The delays that a run's mock told, within a hundredth of themselves, and the
/// rentals without a code.
fn of_run(run: &Run, scenario: &str) -> Vec<Observation> {
    let rentals = &run.outcome.tally.rentals;
    let mut edges = vec![0_u64];
    while let Some(last) = edges.last().copied()
        && last < 3_600_000_000
    {
        edges.push((last + last / 100).max(last + 100));
    }
    let counts = rentals.sms_delay.counts_up_to(&edges[1..]);
    let second = |microseconds: u64| microseconds as f64 / 1e6;
    let mut observations: Vec<_> = counts
        .iter()
        .zip(edges.windows(2))
        .filter(|(count, _)| **count > 0)
        .map(|(count, edge)| Observation {
            after: second(edge[0]),
            by: second(edge[1]),
            count: *count as f64,
        })
        .collect();
    // Where the scenario cannot be read, nobody says how long they were waited
    // for: longer than all that arrived.
    let latest = rentals.sms_delay.greatest().unwrap_or_default();
    let (life, wait) = waits(scenario).unwrap_or_else(|| (second(latest), second(latest)));
    for (after, count) in [(life, rentals.expired), (wait, rentals.abandoned)] {
        if count > 0 {
            observations.push(Observation {
                after,
                by: f64::INFINITY,
                count: count as f64,
            });
        }
    }
    observations
}

/// How long, in seconds, rentals live at the server, and customers wait at least
/// before they give up: for that long there was no code. Customers whom the end
/// of the run cut short had the drain time.
fn waits(scenario: &str) -> Option<(f64, f64)> {
    let source = Source::kept(scenario);
    let mut read = source.read(Overrides::default()).ok()?;
    let settings = embedded::settings(&source, None, 0).ok()?;
    let life = settings.account.rental_life;
    let drain = read.stop.drain.unwrap_or(Duration::MAX);
    let plans = read.customers.plans_mut();
    let wait = plans
        .map(|plan| plan.give_up.unwrap_or(life))
        .fold(life.min(drain), Duration::min);
    Some((life.as_secs_f64(), wait.as_secs_f64()))
}

/// One observation a line: a delay, or after and by with a comma between.
fn of_text(path: &Path, text: &str) -> anyhow::Result<Vec<Observation>> {
    let mut observations = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let heading = number == 1 && line.starts_with(|first: char| first.is_ascii_alphabetic());
        if line.is_empty() || line.starts_with('#') || (heading && line != "never") {
            continue;
        }
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let read = match fields.as_slice() {
            [delay] => time(delay).map(|delay| match delay.is_finite() {
                true => (delay, delay),
                // Nobody says how long was waited: longer than all that arrived.
                false => (0.0, f64::INFINITY),
            }),
            [after, by] => time(after).zip(time(by)),
            _ => None,
        };
        let sensible = read.filter(|(after, by)| *after >= 0.0 && after.is_finite() && by >= after);
        let Some((after, by)) = sensible else {
            bail!(
                "{}:{number}: {line:?} is no observation; write a delay in seconds like 4.2, or never, \
                 or two times like 3,6 for a code that arrived after 3 s and by 6 s, and 60,never for \
                 one that had not by 60 s",
                path.display()
            );
        };
        observations.push(Observation {
            after,
            by,
            count: 1.0,
        });
    }
    if observations.is_empty() {
        bail!(
            "{}: there are no observations in it; write one delay in seconds a line, or after,by",
            path.display()
        );
    }
    let arrived = observations.iter().filter(|seen| seen.by.is_finite());
    let latest = arrived.map(|seen| seen.by).fold(0.0, f64::max);
    for seen in &mut observations {
        if seen.by.is_infinite() && seen.after == 0.0 {
            seen.after = latest;
        }
    }
    Ok(observations)
}

/// Seconds, or a duration with its unit; infinite for what never comes.
fn time(text: &str) -> Option<f64> {
    if matches!(text, "never" | "inf" | "") {
        return Some(f64::INFINITY);
    }
    let plain = text
        .parse()
        .ok()
        .filter(|seconds: &f64| seconds.is_finite());
    plain.or_else(|| Some(text.parse::<TimeSpan>().ok()?.0.as_secs_f64()))
}

fn text(observations: &[Observation], fits: &[Fit]) -> anyhow::Result<String> {
    let count =
        |seen: &mut dyn Iterator<Item = &Observation>| seen.map(|seen| seen.count).sum::<f64>();
    let total = count(&mut observations.iter());
    let arrived = count(&mut observations.iter().filter(|seen| seen.by.is_finite()));
    let mut out = format!("{total} observations, {arrived} with a code\n\n");
    for (place, fit) in fits.iter().enumerate() {
        let beside = match place {
            0 => String::new(),
            _ => format!("   (AIC {:.1} worse)", fit.aic - fits[0].aic),
        };
        out += &format!(
            "{}{}{beside}\n",
            if place == 0 { "law      " } else { "beside   " },
            fit.law
        );
    }
    for parameter in &fits[0].parameters {
        out += &format!(
            "  {:<10} {:.4}   95 % confidence: {:.4} to {:.4}\n",
            parameter.name, parameter.value, parameter.low, parameter.high
        );
    }
    let law: Law = fits[0]
        .law
        .parse()
        .context("failed to read the fitted law")?;
    out += "\n  arrived by       seen           fitted\n";
    for share in [
        0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
    ] {
        let fitted_share = share * arrived / total;
        let Some(moment) = law.quantile(fitted_share) else {
            continue;
        };
        // A code that arrived between two polls may have arrived before or after.
        let surely = count(&mut observations.iter().filter(|seen| seen.by <= moment)) / total;
        let perhaps = count(
            &mut observations
                .iter()
                .filter(|seen| seen.after < moment && seen.by.is_finite()),
        ) / total;
        let bar = "#".repeat((40.0 * fitted_share).round() as usize);
        out += &format!(
            "  {moment:>9.3} s  {:>5.1}% to {:>5.1}%  {:>5.1}%  {bar}\n",
            100.0 * surely,
            100.0 * perhaps.max(surely),
            100.0 * fitted_share
        );
    }
    out += &format!(
        "\ntry it: otplab polling optimize --delay '{}' --deadline 120s --budget 4\n",
        fits[0].law
    );
    Ok(out)
}
