//! `otplab check`: a server against the clauses of the contract.

mod baseline;
mod crash;
mod plan;
mod reports;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use contract::openapi::{self, Answers};
use judge::Plan;
use judge::report::Told;
use judge_core::clause::Clause;
use judge_core::evidence::Evidence;
use judge_core::verdict::{Choice, Outcome};
use judge_core::{dialect, har};
use loadgen::interrupt::{Interrupt, Urgency};
use mock_server::Running;

pub(crate) use self::plan::{amount, key};
use crate::cli::check::CheckArguments;
use crate::exit::Exit;

/// Checks a server and reports.
pub(crate) fn run(arguments: &CheckArguments) -> anyhow::Result<Exit> {
    if arguments.openapi {
        let document = openapi::document(&Answers::default());
        reports::print(&openapi::text(&document))?;
        return Ok(Exit::Passed);
    }
    let choice = choice(arguments)?;
    reports::prepare(arguments)?;
    let baseline = baseline::read(arguments)?;
    crash::watch(arguments);
    let seen = match &arguments.capture {
        Some(path) => recorded(path)?,
        None => live(arguments)?,
    };
    let mut judgement = judge_core::judge(&seen.evidence, &choice);
    if let Some(baseline) = baseline::settle(arguments, baseline, &judgement)? {
        baseline.apply(&mut judgement);
    }
    let told = Told {
        server: &seen.server,
        judgement: &judgement,
        spent: &seen.spent,
        took: seen.took,
        ended_early: seen.evidence.given.ended_early.as_deref(),
    };
    reports::write(arguments, &told)?;
    if !seen.evidence.exchanges.is_empty() {
        let dialect = dialect::measure(&seen.evidence).text(&seen.server);
        reports::write_dialect(arguments, &dialect)?;
    }
    Ok(match (judgement.outcome(), seen.failed) {
        _ if seen.interrupted => Exit::Interrupted,
        (Outcome::Broken, _) => Exit::Findings,
        (_, Some(reason)) => bail!(reason),
        (Outcome::Held, None) => Exit::Passed,
        (Outcome::NotJudged, None) => Exit::CouldNotJudge,
    })
}

/// What there is to judge, and what the reports say about how it was come by.
struct Seen {
    evidence: Evidence,
    server: String,
    spent: String,
    took: Duration,
    interrupted: bool,
    /// Why it could not be finished, if it could not.
    failed: Option<String>,
}

/// Evidence of nothing, and why.
fn nothing(reason: &str) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.given.ended_early = Some(reason.to_owned());
    evidence
}

fn recorded(path: &Path) -> anyhow::Result<Seen> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    Ok(Seen {
        evidence: har::evidence(&text).with_context(|| shown.clone())?,
        server: shown,
        spent: "nothing sent".to_owned(),
        took: Duration::ZERO,
        interrupted: false,
        failed: None,
    })
}

fn live(arguments: &CheckArguments) -> anyhow::Result<Seen> {
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let subject = plan::subject(arguments)?;
    let checked = match judge::check(&subject.plan, interrupted(interrupt)) {
        Ok(checked) => checked,
        // The reports are written all the same.
        Err(error) => {
            let reason = error.to_string();
            return Ok(Seen {
                evidence: nothing(&reason),
                server: subject.to_string(),
                spent: "nothing rented".to_owned(),
                took: Duration::ZERO,
                interrupted: false,
                failed: Some(reason),
            });
        }
    };
    let spent = match checked.spent.rentals {
        0 => "nothing rented".to_owned(),
        1 => format!("${} spent on 1 rental", checked.spent.amount),
        rentals => format!("${} spent on {rentals} rentals", checked.spent.amount),
    };
    Ok(Seen {
        evidence: checked.evidence,
        server: subject.to_string(),
        spent,
        took: checked.took,
        interrupted: checked.interrupted,
        failed: checked.failed,
    })
}

/// A server to check, and the mock behind it if it is ours.
struct Subject {
    plan: Plan,
    embedded: Option<Running>,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.embedded {
            Some(_) => write!(f, "the embedded mock on {}", self.plan.target),
            None => write!(f, "{}", self.plan.target),
        }
    }
}

/// Returns at the first Ctrl-C.
pub(crate) async fn interrupted(interrupt: Interrupt) {
    // The watch is another thread's; looking ten times a second costs nothing.
    while interrupt.urgency() == Urgency::None {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn choice(arguments: &CheckArguments) -> anyhow::Result<Choice> {
    let read = |flag: &str, ids: &[String]| -> anyhow::Result<_> {
        ids.iter()
            .map(|id| match Clause::find(id.trim()) {
                Some(clause) => Ok(clause.id),
                None => {
                    bail!("{flag} {id}: there is no such clause; they are named like A1, R11 or X3")
                }
            })
            .collect()
    };
    Ok(Choice {
        only: read("--only", &arguments.only)?,
        skip: read("--skip", &arguments.skip)?,
        strict: arguments.strict,
    })
}
