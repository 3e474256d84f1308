//! `otplab load --find-capacity`: trials of bounded length at rates that a
//! search asks for, a table of them, and the answer.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use contract::TimeSpan;
use loadgen::interrupt::Interrupt;
use loadgen::progress::Silent;
use loadgen::recorder::Unrecorded;
use loadgen::run::{self, Job, Keys};
use loadgen_core::arrivals::{Arrivals, Process};
use loadgen_core::budget::Bounds;
use loadgen_core::capacity::{Answer, Finding, Search};
use loadgen_core::rate::{Rate, RateProfile};
use loadgen_core::record::Ending;
use loadgen_core::run::Run;
use loadgen_core::scenario::Scenario;
use loadgen_core::stop::Stop;
use loadgen_core::units;
use loadgen_core::warmup::Warmup;
use serde::Serialize;

use crate::cli::load::LoadArguments;
use crate::cli::report::Format;
use crate::command::load::threads;
use crate::command::scenario::Source;
use crate::command::seed;
use crate::command::server::{self, Server};
use crate::exit::Exit;

/// How long users start in a trial, if nobody says; the first second is warm-up.
const LENGTH: Duration = Duration::from_secs(5);

/// How long those who wait at the end of a trial may go on.
const DRAIN: Duration = Duration::from_secs(10);

/// Where a search begins if nobody says, and where it ends at the latest.
const START: f64 = 100.0;
const MOST: f64 = 200_000.0;

/// A trial, for those who read the result.
#[derive(Debug, Serialize)]
struct Trial {
    /// Users per second.
    rate: f64,
    /// Requests per second that were answered.
    achieved_rps: f64,
    finding: Finding,
    /// What was measured, or why it shows nothing.
    found: String,
}

/// The whole result.
#[derive(Debug, Serialize)]
struct Report {
    conditions: Vec<String>,
    seed: u64,
    trials: Vec<Trial>,
    #[serde(flatten)]
    answer: Answer,
    interrupted: bool,
}

/// Searches, and prints what was found.
pub(super) fn run(
    arguments: &LoadArguments,
    source: &Source,
    scenario: &Scenario,
    keys: Keys,
    bounds: Bounds,
) -> anyhow::Result<Exit> {
    if !matches!(arguments.format, Format::Text | Format::Json) {
        bail!("--find-capacity prints text or json");
    }
    let seed = scenario.seed.unwrap_or_else(seed::drawn);
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let length = arguments.duration.map_or(LENGTH, |span| span.0);
    let most = bounds.rate.map_or(MOST, Rate::per_second);
    let start = arguments.rate.map_or(START, Rate::per_second);
    let mut search = Search::new(start, most);
    let mut report = Report {
        conditions: arguments
            .find_capacity
            .iter()
            .map(ToString::to_string)
            .collect(),
        seed,
        trials: Vec::new(),
        answer: search.answer(),
        interrupted: false,
    };
    announce(&scenario.name, length, &report.conditions, seed);
    while let Some(rate) = search.next() {
        let laps = report.trials.len() as u64;
        let trial = at_rate(scenario, rate, length);
        // Each trial has accounts, and where it is ours a mock, of its own.
        let server = server::find(arguments, source, &trial, keys, seed.wrapping_add(laps))?;
        let job = Job {
            scenario: &trial,
            seed: seed.wrapping_add(laps),
            target: &server.target,
            server: &Server::to_string(&server),
            keys,
            threads: arguments.threads.unwrap_or_else(threads),
            bounds,
            client: arguments.client.into(),
            webhooks: server.listener.as_ref(),
        };
        let run = run::run(&job, &interrupt, &mut Silent, &mut Unrecorded)?;
        if run.ending == Ending::Interrupted {
            report.interrupted = true;
            break;
        }
        let trial = judged(rate, &run, arguments);
        search.record(trial.finding);
        progress(&trial);
        report.trials.push(trial);
    }
    report.answer = search.answer();
    print(&report, arguments.format)?;
    Ok(match report.answer {
        _ if report.interrupted => Exit::Interrupted,
        Answer::Capacity { .. } | Answer::AtLeast { .. } => Exit::Passed,
        Answer::Below { .. } => Exit::Findings,
        Answer::Unknown => Exit::CouldNotJudge,
    })
}

/// The scenario with this rate, for a bounded time.
fn at_rate(scenario: &Scenario, rate: f64, duration: Duration) -> Scenario {
    let process = match &scenario.arrivals {
        Arrivals::Open { process, .. } => *process,
        Arrivals::Closed(_) | Arrivals::Replay(_) => Process::Constant,
    };
    let long = duration >= Duration::from_secs(3);
    Scenario {
        arrivals: Arrivals::Open {
            profile: RateProfile::constant(Rate::of(rate)),
            process,
        },
        stop: Stop {
            duration: Some(duration),
            count: None,
            drain: scenario.stop.drain.or(Some(DRAIN)),
        },
        warmup: match scenario.warmup {
            Warmup::None if long => Warmup::Fixed(1),
            warmup => warmup,
        },
        thresholds: Vec::new(),
        ..scenario.clone()
    }
}

fn judged(rate: f64, run: &Run, arguments: &LoadArguments) -> Trial {
    let (finding, found) = Finding::of(run, &arguments.find_capacity);
    Trial {
        rate,
        achieved_rps: (run.outcome.rate(run.outcome.tally.achieved) * 10.0).round() / 10.0,
        finding,
        found,
    }
}

fn print(report: &Report, format: Format) -> anyhow::Result<()> {
    let text = match format {
        Format::Json => serde_json::to_string_pretty(report)? + "\n",
        _ => table(report),
    };
    super::report::write(&text)
}

fn table(report: &Report) -> String {
    let mut out = format!(
        "{:>12}{:>14}  {:<16}{}\n",
        "users/s",
        "requests/s",
        "",
        report.conditions.join(", ")
    );
    for trial in &report.trials {
        let (rate, achieved) = (units::digits(trial.rate), units::digits(trial.achieved_rps));
        let (finding, found) = (trial.finding.name(), &trial.found);
        writeln!(out, "{rate:>12}{achieved:>14}  {finding:<16}{found}")
            .expect("writing to a string");
    }
    let answer = match report.answer {
        Answer::Capacity { rate, missed } => format!(
            "it holds up to {} users/s, and no more at {}",
            units::digits(rate),
            units::digits(missed)
        ),
        Answer::AtLeast { rate } => format!(
            "it holds at {} users/s; what is above that was not shown, because the generator could not \
             keep up or nobody asked for more",
            units::digits(rate)
        ),
        Answer::Below { rate } => {
            format!("it does not hold even at {} users/s", units::digits(rate))
        }
        Answer::Unknown => {
            "no trial has shown anything: give it longer ones with -d, or another start with -r"
                .to_owned()
        }
    };
    out + "\n" + &answer + "\n"
}

#[expect(
    clippy::print_stderr,
    reason = "what is under way is no result, so it goes to stderr"
)]
fn announce(name: &str, length: Duration, conditions: &[String], seed: u64) {
    let (length, conditions) = (TimeSpan(length), conditions.join(" and "));
    eprintln!(
        "otplab: {name}, trials of {length} each until {conditions} does not hold, seed {seed}"
    );
}

#[expect(
    clippy::print_stderr,
    reason = "what is under way is no result, so it goes to stderr"
)]
fn progress(trial: &Trial) {
    let (rate, finding) = (units::digits(trial.rate), trial.finding.name());
    eprintln!("otplab: {rate} users/s: {finding}, {}", trial.found);
}
