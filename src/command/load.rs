//! `otplab load`: a scenario against a server, or against a mock that lives as
//! long as the run.

use anyhow::{Context, bail};
use contract::Cents;
use loadgen::client::Client;
use loadgen::directory::Writer;
use loadgen::interrupt::Interrupt;
use loadgen::live::Shared;
use loadgen::live::lines::Lines;
use loadgen::live::palette::Palette;
use loadgen::live::screen::{self, Screen};
use loadgen::live::state::State;
use loadgen::progress::{Display, Silent};
use loadgen::recorder::{Both, Recorder, Unrecorded};
use loadgen::run::{self, Job, Keys};
use loadgen_core::arrivals::Arrivals;
use loadgen_core::budget::Bounds;
use loadgen_core::record::Ending;
use loadgen_core::run::Run;
use loadgen_core::scenario::{Overrides, Scenario};
use loadgen_core::validity::Grade;

use crate::cli::load::{HttpClient, LoadArguments};
use crate::command::scenario::Source;
use crate::command::seed;
use crate::command::server::{self, Server};
use crate::command::{capacity, embedded, report, strategy};
use crate::exit::Exit;

/// Runs a scenario and judges it.
pub(crate) fn run(arguments: &LoadArguments) -> anyhow::Result<Exit> {
    let source = Source::find(&arguments.scenario)?;
    let mut scenario = source.read(overrides(arguments))?;
    recording(&mut scenario)?;
    let keys = keys(arguments)?;
    let bounds = bounds(arguments)?;
    if !arguments.find_capacity.is_empty() {
        return capacity::run(arguments, &source, &scenario, keys, bounds);
    }
    let seed = scenario.seed.unwrap_or_else(seed::drawn);
    // What is planned is planned for the mock of the scenario, whatever server it is for.
    let settings = embedded::settings(&source, arguments.sms_delay.clone(), seed)?;
    strategy::prepare(&mut scenario, &settings)?;
    let as_run = as_run(arguments, &source, seed, keys);
    // Before anything is written: a target that is refused may hold a password.
    let server = server::find(arguments, &source, &scenario, keys, seed)?;
    // A directory that cannot be made is better known before the run than after.
    let directory = arguments.output.as_deref();
    let mut writer = directory
        .map(|path| Writer::create(path, &as_run))
        .transpose()?;
    // Each connection is an open file. If the limit stays too low, the report says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let job = Job {
        scenario: &scenario,
        seed,
        target: &server.target,
        server: &server.to_string(),
        keys,
        threads: arguments.threads.unwrap_or_else(threads),
        bounds,
        client: arguments.client.into(),
        webhooks: server.listener.as_ref(),
    };
    if !arguments.quiet {
        announce(&scenario, &server, seed);
    }
    let mut shared = Shared::new(State::new(scenario.stop));
    let mut display = display(arguments.quiet, &shared, &interrupt);
    let mut unrecorded = Unrecorded;
    let recorder: &mut dyn Recorder = match &mut writer {
        Some(writer) => writer,
        None => &mut unrecorded,
    };
    let mut both = Both(recorder, &mut shared);
    let run = run::run(&job, &interrupt, &mut *display, &mut both)?;
    // The terminal is given back before anything is printed on it.
    drop(display);
    report::print(arguments.format, &run, &as_run)?;
    if let Some(writer) = writer {
        writer.finish(&run, &as_run)?;
    }
    exit(&run, arguments.allow_invalid)
}

/// The scenario for those who read the results: as it was read, below what was
/// typed beside it, and without keys.
fn as_run(arguments: &LoadArguments, source: &Source, seed: u64, keys: Keys) -> String {
    let key = match keys {
        Keys::Given(key) => Some(key),
        Keys::MadeUp => None,
    };
    let mut typed = format!("otplab load {}", arguments.scenario);
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            typed += &format!(" {flag} '{value}'");
        }
    };
    add("-c", arguments.concurrency.map(|users| users.to_string()));
    add("-r", arguments.rate.map(|rate| rate.to_string()));
    add(
        "--arrivals",
        arguments.arrivals.as_ref().map(ToString::to_string),
    );
    add("-d", arguments.duration.map(|span| span.to_string()));
    add("-n", arguments.count.map(|count| count.to_string()));
    add(
        "--connections",
        arguments.connections.map(|count| count.to_string()),
    );
    add("--poll", arguments.poll.as_ref().map(ToString::to_string));
    add("--retry", arguments.retry.as_ref().map(ToString::to_string));
    add(
        "--max-rentals",
        arguments.max_rentals.map(|count| count.to_string()),
    );
    add(
        "--max-spend",
        arguments.max_spend.map(|amount| amount.to_string()),
    );
    add(
        "--max-rate",
        arguments.max_rate.map(|rate| rate.to_string()),
    );
    add(
        "--sms-delay",
        arguments.sms_delay.as_ref().map(ToString::to_string),
    );
    add(
        "--warmup",
        arguments.warmup.map(|warmup| warmup.to_string()),
    );
    add(
        "--threads",
        arguments.threads.map(|count| count.to_string()),
    );
    add("--target", arguments.target.clone());
    add(
        "--webhook-listen",
        arguments
            .webhook_listen
            .map(|address| address.0.to_string()),
    );
    for threshold in &arguments.threshold {
        add("--threshold", Some(threshold.to_string()));
    }
    // A comment ends with its line, whatever was typed.
    let typed = typed.replace(['\n', '\r'], " ");
    source.without_keys(&format!("# {typed} --seed {seed}\n\n"), key)
}

fn overrides(arguments: &LoadArguments) -> Overrides {
    Overrides {
        users: arguments.concurrency,
        rate: arguments.rate,
        arrivals: arguments.arrivals.clone(),
        duration: arguments.duration.map(|span| span.0),
        count: arguments.count,
        connections: arguments.connections,
        polling: arguments.poll.clone(),
        retry: arguments.retry.clone(),
        thresholds: arguments.threshold.clone(),
        warmup: arguments.warmup,
        seed: arguments.seed,
        accounts: (arguments.key_env.is_some() || arguments.key_file.is_some()).then_some(1),
    }
}

/// Recorded arrivals are in a file of their own, beside where otplab runs.
pub(crate) fn recording(scenario: &mut Scenario) -> anyhow::Result<()> {
    if let Arrivals::Replay(recording) = &mut scenario.arrivals {
        let file = recording.file.clone();
        let text = std::fs::read_to_string(&file);
        recording.read(&text.with_context(|| format!("failed to read {file}"))?)?;
    }
    Ok(())
}

fn bounds(arguments: &LoadArguments) -> anyhow::Result<Bounds> {
    let bounds = Bounds {
        rentals: arguments.max_rentals,
        spend: arguments.max_spend,
        rate: arguments.max_rate,
    };
    if bounds.rate.is_some_and(|rate| rate.per_second() <= 0.0) {
        bail!("--max-rate 0/s lets nobody ask anything; write for instance 5/s");
    }
    if bounds.spend.is_some_and(|amount| amount < Cents::ZERO) {
        bail!("--max-spend is not less than nothing; write for instance 5.00");
    }
    Ok(bounds)
}

/// The key itself never appears in a message, only where it is.
fn keys(arguments: &LoadArguments) -> anyhow::Result<Keys> {
    if let Some(file) = &arguments.key_file {
        let name = file.display();
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("--key-file: failed to read {name}"))?;
        let key = text.trim().parse();
        let key = key.with_context(|| format!("--key-file {name}"))?;
        return Ok(Keys::Given(key));
    }
    let Some(variable) = &arguments.key_env else {
        return Ok(Keys::MadeUp);
    };
    let Ok(key) = std::env::var(variable) else {
        bail!("--key-env {variable}: there is no such environment variable, or it is not text");
    };
    let key = key
        .parse()
        .with_context(|| format!("--key-env {variable}"))?;
    Ok(Keys::Given(key))
}

/// A screen on a terminal, lines elsewhere, nothing for those who want none.
fn display(quiet: bool, shared: &Shared, interrupt: &Interrupt) -> Box<dyn Display> {
    if quiet {
        return Box::new(Silent);
    }
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let palette = match no_colour {
        true => Palette::plain(),
        false => Palette::colours(),
    };
    if screen::is_possible()
        && let Ok(screen) = Screen::open(shared.clone(), interrupt.clone(), palette)
    {
        return Box::new(screen);
    }
    Box::new(Lines::new(shared.clone(), std::io::stderr()))
}

/// Half the machine: the other half is the server's, or the system's.
pub(super) fn threads() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores / 2).unwrap_or(u32::MAX).max(1)
}

#[expect(
    clippy::print_stderr,
    reason = "what is running is no result, so it goes to stderr"
)]
fn announce(scenario: &Scenario, server: &Server, seed: u64) {
    eprintln!("otplab: {} against {server}, seed {seed}", scenario.name);
}

pub(super) fn exit(run: &Run, allow_invalid: bool) -> anyhow::Result<Exit> {
    if run.ending == Ending::Interrupted {
        return Ok(Exit::Interrupted);
    }
    let warmup = run.outcome.warmup.as_ref();
    if run.outcome.tally.offered == 0 {
        match warmup {
            Some(part) if part.tally.offered > 0 => bail!(
                "nothing was measured: the warm-up of {}s took the whole run; make it shorter, or the run longer",
                part.seconds
            ),
            _ => bail!("nothing was measured: no user started before the run ended"),
        }
    }
    if run.validity.grade == Grade::Invalid && !allow_invalid {
        let invalid = run
            .validity
            .complaints()
            .find(|check| check.grade == Grade::Invalid);
        let (name, found) = invalid.map_or(("", ""), |check| (check.name, check.found.as_str()));
        bail!(
            "the measurement is invalid ({name}: {found}); the report says what to change, and \
             --allow-invalid goes by the thresholds all the same"
        );
    }
    Ok(if run.passed() {
        Exit::Passed
    } else {
        Exit::Findings
    })
}

impl From<HttpClient> for Client {
    fn from(client: HttpClient) -> Self {
        match client {
            HttpClient::Lean => Self::Lean,
            HttpClient::Hyper => Self::Hyper,
        }
    }
}
