//! `otplab load`: a scenario against a server, or against a mock that lives as
//! long as the run.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use loadgen::client::Client;
use loadgen::interrupt::Interrupt;
use loadgen::progress::Bar;
use loadgen::report::{self, Title};
use loadgen::run::{self, Job, Keys, Run};
use loadgen::target::Target;
use loadgen_core::result::RunResult;
use loadgen_core::scenario::{Overrides, Scenario};
use mock_server::Running;

use crate::cli::load::{Format, HttpClient, LoadArguments};
use crate::command::embedded;
use crate::command::scenario::Source;
use crate::command::seed;
use crate::exit::Exit;

/// Runs a scenario and judges it.
pub(crate) fn run(arguments: &LoadArguments) -> anyhow::Result<Exit> {
    let source = Source::find(&arguments.scenario)?;
    let scenario = source.read(overrides(arguments))?;
    let keys = keys(arguments)?;
    let seed = scenario.seed.unwrap_or_else(seed::drawn);
    if let Some(directory) = &arguments.output {
        // A directory that cannot be made is better known before the run than after.
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to make the directory {}", directory.display()))?;
    }
    let server = server(arguments, &source, seed)?;
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let job = Job {
        scenario: &scenario,
        seed,
        target: &server.target,
        keys,
        threads: arguments.threads.unwrap_or_else(threads),
        client: match arguments.client {
            HttpClient::Lean => Client::Lean,
            HttpClient::Hyper => Client::Hyper,
        },
    };
    announce(&scenario, &server, seed);
    let mut bar = Bar::new(scenario.stop.duration, scenario.stop.count);
    let run = run::run(&job, &interrupt, &mut bar)?;
    let words = server.to_string();
    let title = Title {
        scenario: &scenario.name,
        seed,
        target: &words,
    };
    publish(arguments, title, &server.target, &run)?;
    exit(&run)
}

/// The server to load, and the mock behind it if it is ours.
struct Server {
    target: Target,
    embedded: Option<Running>,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.embedded {
            Some(_) => write!(f, "an embedded mock on {}", self.target),
            None => write!(f, "{}", self.target),
        }
    }
}

fn server(arguments: &LoadArguments, source: &Source, seed: u64) -> anyhow::Result<Server> {
    let Some(url) = &arguments.target else {
        let embedded = embedded::start(source, arguments.sms_delay.clone(), seed)?;
        let target = Target::parse(&format!("http://{}", embedded.address()), &[])?;
        return Ok(Server {
            target,
            embedded: Some(embedded),
        });
    };
    if arguments.sms_delay.is_some() {
        bail!(
            "--sms-delay is a setting of the embedded mock; give it to the server behind --target"
        );
    }
    Ok(Server {
        target: Target::parse(url, &arguments.allow_host)?,
        embedded: None,
    })
}

fn overrides(arguments: &LoadArguments) -> Overrides {
    Overrides {
        users: arguments.concurrency,
        rate: arguments.rate,
        duration: arguments.duration.map(|span| span.0),
        count: arguments.count,
        connections: arguments.connections,
        polling: arguments.poll.clone(),
        thresholds: arguments.threshold.clone(),
        seed: arguments.seed,
        accounts: arguments.key_env.is_some().then_some(1),
    }
}

/// The key itself never appears in a message, only the name of its variable.
fn keys(arguments: &LoadArguments) -> anyhow::Result<Keys> {
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

/// Half the machine: the other half is the server's, or the system's.
fn threads() -> u32 {
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

/// Prints the result, and writes it where it was asked for.
fn publish(
    arguments: &LoadArguments,
    title: Title<'_>,
    target: &Target,
    run: &Run,
) -> anyhow::Result<()> {
    let result = RunResult::new(
        title.scenario,
        title.seed,
        &target.to_string(),
        run.interrupted,
        &run.outcome,
        run.verdicts.clone(),
    );
    let json = serde_json::to_string_pretty(&result).context("failed to write the result")? + "\n";
    let mut out = anstream::stdout();
    let printed = match arguments.format {
        Format::Json => out.write_all(json.as_bytes()),
        Format::Text => out.write_all(report::text(title, run).as_bytes()),
    };
    printed
        .and_then(|()| out.flush())
        .context("failed to print the result")?;
    arguments
        .output
        .as_deref()
        .map_or(Ok(()), |directory| write_result(directory, &json))
}

fn write_result(directory: &Path, json: &str) -> anyhow::Result<()> {
    let path = directory.join("result.json");
    // Renamed into place, so that nobody ever reads half a result.
    let unfinished = directory.join(".result.json.unfinished");
    fs::write(&unfinished, json)
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| format!("failed to write {}", path.display()))
}

fn exit(run: &Run) -> anyhow::Result<Exit> {
    if run.interrupted {
        return Ok(Exit::Interrupted);
    }
    if run.outcome.tally.offered == 0 {
        bail!("nothing was measured: no user started before the run ended");
    }
    let passed = run.verdicts.iter().all(|verdict| verdict.passed);
    Ok(if passed { Exit::Passed } else { Exit::Findings })
}
