//! `otplab check`: a server against the clauses of the contract.

mod plan;
mod reports;

use anyhow::{Context, bail};
use judge::report::Told;
use judge::{Checked, Plan};
use judge_core::clause::Clause;
use judge_core::verdict::{Choice, Judgement, Outcome};
use loadgen::interrupt::{Interrupt, Urgency};
use mock_server::Running;

use crate::cli::check::CheckArguments;
use crate::exit::Exit;

/// Checks a server and reports.
pub(crate) fn run(arguments: &CheckArguments) -> anyhow::Result<Exit> {
    let choice = choice(arguments)?;
    reports::prepare(arguments)?;
    let subject = plan::subject(arguments)?;
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let checked = judge::check(&subject.plan, interrupted(interrupt))?;
    let judgement = judge_core::judge(&checked.evidence, &choice);
    report(arguments, &subject, &checked, &judgement)?;
    Ok(exit(&checked, &judgement))
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

fn report(
    arguments: &CheckArguments,
    subject: &Subject,
    checked: &Checked,
    judgement: &Judgement,
) -> anyhow::Result<()> {
    let spent = &checked.spent;
    let spent = match spent.rentals {
        0 => "nothing rented".to_owned(),
        1 => format!("${} spent on 1 rental", spent.amount),
        rentals => format!("${} spent on {rentals} rentals", spent.amount),
    };
    let told = Told {
        server: &subject.to_string(),
        judgement,
        spent: &spent,
        took: checked.took,
        ended_early: checked.interrupted.then_some("interrupted"),
    };
    reports::write(arguments, &told)
}

fn exit(checked: &Checked, judgement: &Judgement) -> Exit {
    match judgement.outcome() {
        _ if checked.interrupted => Exit::Interrupted,
        Outcome::Held => Exit::Passed,
        Outcome::Broken => Exit::Findings,
        Outcome::NotJudged => Exit::CouldNotJudge,
    }
}

/// Returns at the first Ctrl-C.
async fn interrupted(interrupt: Interrupt) {
    // The watch is another thread's; looking ten times a second costs nothing.
    while interrupt.urgency() == Urgency::None {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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
