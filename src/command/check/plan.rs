//! From what was typed to a plan, and to a mock if none was given.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, bail};
use contract::Cents;
use judge::target::Target;
use judge::{Plan, Spending};
use judge_core::amount::Amount;
use mock_server::{Running, Server};
use mock_server_core::{AccountSettings, Settings};

use super::Subject;
use crate::cli::check::CheckArguments;

/// What a check may spend where nobody said how much.
const MAX_SPEND: Cents = Cents(500);

/// Keys of the embedded mock's two accounts.
const EMBEDDED_KEYS: [&str; 2] = [
    "otplab-check-embedded-account-1-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "otplab-check-embedded-account-2-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// What is to be checked.
pub(super) fn subject(arguments: &CheckArguments) -> anyhow::Result<Subject> {
    let key = key(
        "--key-env",
        arguments.key_env.as_deref(),
        arguments.key.as_deref(),
    )?;
    let second_key = self::key(
        "--second-key-env",
        arguments.second_key_env.as_deref(),
        arguments.second_key.as_deref(),
    )?;
    if key.is_some() && key == second_key {
        bail!("the two keys are the same; isolation needs the key of another account");
    }
    let Some(url) = &arguments.url else {
        return embedded(arguments);
    };
    if arguments.dialect.is_some() {
        bail!("--dialect is a setting of the embedded mock; give it to the server behind the URL");
    }
    let target = Target::parse(url, &arguments.allow_host)?;
    let Some(key) = key else {
        bail!(
            "a check needs an API key; name the environment variable that holds it with --key-env"
        );
    };
    let plan = plan(arguments, (target, key, second_key));
    Ok(Subject {
        plan,
        embedded: None,
    })
}

fn plan(
    arguments: &CheckArguments,
    (target, key, second_key): (Target, String, Option<String>),
) -> Plan {
    Plan {
        target,
        key,
        second_key,
        ca_file: arguments.ca_file.clone(),
        made_up: false,
        webhook_listen: arguments.webhook_listen.map(|address| address.0),
        wait_sms: arguments.wait_sms.0,
        wait_expiry: arguments.wait_expiry,
        read_only: arguments.read_only,
        spending: match arguments.max_spend {
            Some(limit) => Spending::Limited(amount(limit)),
            None => Spending::LimitedIfReal(amount(MAX_SPEND)),
        },
    }
}

/// Cents in the judge's ten-thousandths.
pub(crate) const fn amount(Cents(cents): Cents) -> Amount {
    Amount(cents.saturating_mul(100))
}

fn embedded(arguments: &CheckArguments) -> anyhow::Result<Subject> {
    let running = start(arguments)?;
    let [key, second_key] = EMBEDDED_KEYS.map(|key| key[..60].to_owned());
    let plan = plan(
        arguments,
        (Target::at(running.address()), key, Some(second_key)),
    );
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Subject {
        plan: Plan {
            made_up: true,
            webhook_listen: plan.webhook_listen.or(Some(anywhere)),
            ..plan
        },
        embedded: Some(running),
    })
}

/// A mock whose SMS come after five seconds of its time, which is moved.
fn start(arguments: &CheckArguments) -> anyhow::Result<Running> {
    let defaults = AccountSettings::new(1);
    let dialect = match &arguments.dialect {
        Some(file) => Arc::new(file.clone().applied_to(&defaults.dialect)),
        None => Arc::clone(&defaults.dialect),
    };
    let account = AccountSettings {
        sms_delay: "5s".parse().expect("invariant: a duration is a law"),
        dialect,
        ..defaults
    };
    let running = Server::local().start(Settings::from(account));
    running.context("failed to start the embedded mock")
}

/// A key from a variable or from the command line. The key itself never appears in a message.
pub(crate) fn key(
    flag: &str,
    variable: Option<&str>,
    typed: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let (key, origin) = match (variable, typed) {
        (Some(variable), _) => {
            let Ok(key) = std::env::var(variable) else {
                bail!(
                    "{flag} {variable}: there is no such environment variable, or it is not text"
                );
            };
            (key, format!("{flag} {variable}"))
        }
        (None, Some(typed)) => (typed.to_owned(), flag.trim_end_matches("-env").to_owned()),
        (None, None) => return Ok(None),
    };
    let visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible {
        bail!("{origin}: an API key consists of visible ASCII characters, 60 of them");
    }
    Ok(Some(key))
}
