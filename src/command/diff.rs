//! `otplab diff`: two servers' answers to the same script.

use std::io::Write;

use anyhow::{Context, bail};
use contract::Cents;
use judge::Plan;
use judge::target::Target;
use judge_core::amount::Amount;
use judge_core::difference::Likeness;
use judge_core::redact::Redactor;
use loadgen::interrupt::Interrupt;

use crate::cli::diff::DiffArguments;
use crate::command::check::{self, interrupted};
use crate::exit::Exit;

/// Asks both the same and compares.
pub(crate) fn run(arguments: &DiffArguments) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::listen().context("failed to watch for Ctrl-C")?;
    let first = plan(arguments, &arguments.first)?;
    let second = plan(arguments, &arguments.second)?;
    let mut likenesses = Vec::new();
    for plan in [&first, &second] {
        let checked = judge::check(plan, interrupted(interrupt.clone()))?;
        if checked.interrupted {
            return Ok(Exit::Interrupted);
        }
        likenesses.push(Likeness::of(&checked.evidence));
    }
    let differences = likenesses[0].differences(&likenesses[1]);
    let secrets: Vec<_> = first
        .second_key
        .iter()
        .chain([&first.key])
        .cloned()
        .collect();
    let redactor = Redactor::new(&secrets);
    let mut out = String::new();
    for difference in &differences {
        out += &format!(
            "{}: {}: {} | {}\n",
            difference.asked, difference.field, difference.first, difference.second
        );
    }
    out += &match differences.len() {
        0 => format!("the same: {} kinds of requests\n", likenesses[0].requests()),
        count => format!(
            "{count} differences between {} | {}\n",
            first.target, second.target
        ),
    };
    let mut stdout = std::io::stdout();
    let text = redactor.redacted(&out);
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("failed to print the differences")?;
    Ok(if differences.is_empty() {
        Exit::Passed
    } else {
        Exit::Findings
    })
}

fn plan(arguments: &DiffArguments, url: &str) -> anyhow::Result<Plan> {
    let Some(key) = check::key("--key-env", Some(&arguments.key_env), None)? else {
        bail!("a comparison needs an API key: --key-env");
    };
    let Cents(cents) = arguments.max_spend;
    Ok(Plan {
        target: Target::parse(url, &arguments.allow_host)?,
        key,
        second_key: check::key(
            "--second-key-env",
            arguments.second_key_env.as_deref(),
            None,
        )?,
        made_up: true,
        webhook_listen: None,
        wait_sms: arguments.wait_sms.0,
        read_only: arguments.read_only,
        max_spend: Some(Amount(cents * 100)),
    })
}
