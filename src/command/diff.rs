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
    let keys = [
        ("--key-env", Some(&arguments.key_env)),
        ("--second-key-env", arguments.second_key_env.as_ref()),
    ];
    let keys_b = [
        ("--key-env-b", arguments.key_env_b.as_ref()),
        ("--second-key-env-b", arguments.second_key_env_b.as_ref()),
    ];
    let first = plan(arguments, &arguments.first, keys)?;
    let second = [0, 1].map(|place| match keys_b[place].1 {
        Some(_) => keys_b[place],
        None => keys[place],
    });
    let second = plan(arguments, &arguments.second, second)?;
    let mut likenesses = Vec::new();
    for plan in [&first, &second] {
        let checked = judge::check(plan, interrupted(interrupt.clone()))?;
        if checked.interrupted {
            return Ok(Exit::Interrupted);
        }
        if let Some(reason) = checked.failed {
            bail!(reason);
        }
        likenesses.push(Likeness::of(&checked.evidence));
    }
    let differences = likenesses[0].differences(&likenesses[1]);
    let secrets = [&first, &second].map(|plan| [Some(plan.key.clone()), plan.second_key.clone()]);
    let secrets: Vec<_> = secrets.into_iter().flatten().flatten().collect();
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

/// The flags that name a server's two keys, and the variables.
type Keys<'a> = [(&'static str, Option<&'a String>); 2];

fn plan(arguments: &DiffArguments, url: &str, keys: Keys<'_>) -> anyhow::Result<Plan> {
    let key = |(flag, variable): (&str, Option<&String>)| {
        check::key(flag, variable.map(String::as_str), None)
    };
    let [first, second] = keys;
    let (Some(key), second_key) = (key(first)?, key(second)?) else {
        bail!("a comparison needs an API key: --key-env");
    };
    if second_key.as_ref() == Some(&key) {
        bail!("the two keys for {url} are the same; isolation needs the key of another account");
    }
    let Cents(cents) = arguments.max_spend;
    Ok(Plan {
        target: Target::parse(url, &arguments.allow_host)?,
        key,
        second_key,
        ca_file: arguments.ca_file.clone(),
        made_up: true,
        webhook_listen: arguments.webhook_listen.map(|address| address.0),
        wait_sms: arguments.wait_sms.0,
        wait_expiry: false,
        read_only: arguments.read_only,
        max_spend: Some(Amount(cents * 100)),
    })
}
