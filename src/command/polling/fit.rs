//! `otplab polling fit`: the law of the delay, from what was seen of it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use contract::{Dice, Law, TimeSpan};
use loadgen::directory;
use loadgen_core::run::Run;
use loadgen_core::scenario::Overrides;
use loadgen_core::tally::RentalTally;
use loadgen_sim::polling::fit::{self, Curve, Fit, Observation};
use loadgen_sim::polling::{Schedule, settle, walk};

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

/// What a run saw of its codes, by population where these are told apart.
fn of_run(run: &Run, scenario: &str) -> Vec<Observation> {
    let tally = &run.outcome.tally;
    let parts: Vec<_> = match tally.populations() {
        [] => vec![&tally.rentals],
        populations => populations.iter().map(|one| &one.rentals).collect(),
    };
    let plans = plans(scenario).unwrap_or_default();
    let parts = parts.into_iter().zip(0..);
    let seen = parts.map(|(rentals, index)| of_rentals(rentals, plans.get(index)));
    seen.flatten().collect()
}

/// How customers of a population asked, and how long they and their rentals lasted.
struct Waiting {
    /// Their polls, in seconds, if all asked at the same ones.
    polls: Vec<f64>,
    /// Seconds that rentals live.
    life: f64,
    /// Seconds that customers waited at least before they gave up.
    wait: f64,
}

/// The delays that the mock told, within a hundredth of themselves; where it told
/// none, the polls between which codes arrived; and the rentals without a code.
fn of_rentals(rentals: &RentalTally, waiting: Option<&Waiting>) -> Vec<Observation> {
    let told = rentals.sms_delay.count() > 0;
    let times = match told {
        true => &rentals.sms_delay,
        false => &rentals.time_to_code,
    };
    let mut edges = vec![0_u64];
    while let Some(last) = edges.last().copied()
        && last < 3_600_000_000
    {
        edges.push((last + last / 100).max(last + 100));
    }
    let second = |microseconds: u64| microseconds as f64 / 1e6;
    let counts = times.counts_up_to(&edges[1..]);
    let mut observations: Vec<_> = counts
        .iter()
        .zip(edges.windows(2))
        .filter(|(count, _)| **count > 0)
        .map(|(count, edge)| {
            let (low, by) = (second(edge[0]), second(edge[1]));
            let after = match told {
                true => low,
                false => waiting.map_or(0.0, |waiting| waiting.nothing_at(low)),
            };
            let count = *count as f64;
            Observation { after, by, count }
        })
        .collect();
    // Where the scenario cannot be read, nobody says how long they were waited
    // for: longer than all that arrived.
    let latest = second(times.greatest().unwrap_or_default());
    let (life, wait) = waiting.map_or((latest, latest), |waiting| (waiting.life, waiting.wait));
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

impl Waiting {
    /// The poll before the one that brought a code after `time`, at which there was
    /// none; 0 if nobody knows.
    fn nothing_at(&self, time: f64) -> f64 {
        let found = self.polls.partition_point(|poll| *poll <= time);
        let before = found.checked_sub(2).map(|index| self.polls[index]);
        before.unwrap_or(0.0)
    }
}

/// What the scenario says of waiting, by population. Customers whom the end of the
/// run cut short had the drain time.
fn plans(scenario: &str) -> Option<Vec<Waiting>> {
    let source = Source::kept(scenario);
    let mut read = source.read(Overrides::default()).ok()?;
    let settings = embedded::settings(&source, None, 0).ok()?;
    let life = settings.account.rental_life;
    let drain = read.stop.drain.unwrap_or(Duration::MAX);
    let law = &settings.account.sms_delay;
    let plans = read.customers.plans_mut().map(|plan| {
        let deadline = plan.give_up.unwrap_or(life);
        let settled = settle(&plan.polling, law, deadline).ok();
        let settled = settled.filter(|strategy| !strategy.is_random());
        let schedule =
            settled.and_then(|strategy| walk::schedule(&strategy, deadline, Dice::new(0), 0).ok());
        Waiting {
            polls: schedule.map(Schedule::into_polls).unwrap_or_default(),
            life: life.as_secs_f64(),
            wait: deadline.min(life).min(drain).as_secs_f64(),
        }
    });
    Some(plans.collect())
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
    out += &curves(observations, &law);
    out += &format!(
        "\n  farthest from what was seen: {:.1} points\n",
        100.0 * fits[0].distance
    );
    out += &format!(
        "\ntry it: otplab polling optimize --delay '{}' --deadline 120s --budget 4\n",
        fits[0].law
    );
    Ok(out)
}

/// What was seen, without a family, beside the law that was fitted.
fn curves(observations: &[Observation], law: &Law) -> String {
    let seen = Curve::of(observations);
    let arrived = observations.iter().filter(|seen| seen.by.is_finite());
    let latest = arrived.map(|seen| seen.by).fold(0.0, f64::max);
    let most = law.cdf(latest).max(seen.by(latest).1);
    let mut out =
        String::from("\n  arrived by       seen (Turnbull)   fitted   # fitted, [ ] seen\n");
    for step in 1..=12 {
        let share = match step {
            12 => 0.99,
            _ => f64::from(step) / 12.0,
        };
        let Some(moment) = law.quantile(share * most) else {
            continue;
        };
        let (fitted, (low, high)) = (law.cdf(moment), seen.by(moment));
        out += &format!(
            "  {moment:>9.3} s   {:>5.1}% to {:>5.1}%  {:>6.1}%  {}\n",
            100.0 * low,
            100.0 * high,
            100.0 * fitted,
            bar(fitted, low, high)
        );
    }
    out
}

/// A bar of `fitted`, and where between `low` and `high` it should end.
fn bar(fitted: f64, low: f64, high: f64) -> String {
    const WIDTH: f64 = 40.0;
    let place = |share: f64| (WIDTH * share).round() as usize;
    let mut cells = vec![' '; place(1.0) + 2];
    cells[..place(fitted)].fill('#');
    cells[place(low)] = '[';
    cells[place(high).max(place(low) + 1)] = ']';
    let cells: String = cells.into_iter().collect();
    cells.trim_end().to_owned()
}
