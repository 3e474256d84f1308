//! `otplab diff`: two servers' answers to the same script.

use std::io::Write;

use anyhow::{Context, bail};
use judge::target::Target;
use judge::{Plan, Spending};
use judge_core::difference::{Difference, Likeness};
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
    let (mut likenesses, mut end) = (Vec::new(), End::Done);
    for plan in [&first, &second] {
        let checked = judge::check(plan, interrupted(interrupt.clone()))?;
        likenesses.push(Likeness::of(&checked.evidence));
        end = match (checked.interrupted, checked.failed) {
            (true, _) => End::Interrupted,
            (false, Some(reason)) => End::Failed(reason),
            (false, None) => continue,
        };
        break;
    }
    let differences = match (&likenesses[..], &end) {
        ([first, second], End::Done) => first.differences(second),
        ([first, unfinished], _) => first.contradictions(unfinished),
        _ => Vec::new(),
    };
    let asked: Vec<_> = likenesses.iter().map(Likeness::requests).collect();
    let summary = match (&end, differences.len()) {
        (End::Done, 0) => format!("the same: {} kinds of requests", asked[0]),
        (End::Done, count) => {
            format!(
                "{count} differences between {} | {}",
                first.target, second.target
            )
        }
        (_, count) => {
            let compared = asked.get(1).copied().unwrap_or_default();
            format!("{count} differences in {compared} kinds of requests, and then it ended early")
        }
    };
    let secrets = [&first, &second].map(|plan| [Some(plan.key.clone()), plan.second_key.clone()]);
    let secrets: Vec<_> = secrets.into_iter().flatten().flatten().collect();
    print(&Redactor::new(&secrets).redacted(&told(&differences, &summary)))?;
    match end {
        End::Interrupted => Ok(Exit::Interrupted),
        End::Failed(reason) => bail!(reason),
        End::Done if differences.is_empty() => Ok(Exit::Passed),
        End::Done => Ok(Exit::Findings),
    }
}

/// How the asking ended.
enum End {
    Done,
    Interrupted,
    Failed(String),
}

fn told(differences: &[Difference], summary: &str) -> String {
    let mut out = String::new();
    for difference in differences {
        out += &format!(
            "{}: {}: {} | {}\n",
            difference.asked, difference.field, difference.first, difference.second
        );
    }
    out + summary + "\n"
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("failed to print the differences")
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
        spending: Spending::Limited(check::amount(arguments.max_spend)),
    })
}
