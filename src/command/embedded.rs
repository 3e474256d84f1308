//! The mock that lives as long as a load run, set up by the scenario's `[mock]` section.

use std::sync::Arc;

use anyhow::Context;
use contract::{Law, document};
use mock_server::limits::ConnectionCount;
use mock_server::{Limits, Running, Server};
use mock_server_core::{Settings, SettingsFile, WebhookSettings};
use serde::Deserialize;

use crate::command::scenario::Source;

/// The mock's part of a scenario; the rest is the generator's to complain about.
#[derive(Deserialize)]
struct MockPart {
    #[serde(default)]
    mock: SettingsFile,
}

/// Starts a mock on a free loopback port. Its webhooks go to `hook`, if there is one,
/// whatever the scenario says.
pub(crate) fn start(
    source: &Source,
    sms_delay: Option<Law>,
    seed: u64,
    hook: Option<&str>,
) -> anyhow::Result<Running> {
    let mut settings = settings(source, sms_delay, seed)?;
    if let Some(hook) = hook {
        let webhook = Arc::new(WebhookSettings {
            truth: true,
            ..WebhookSettings::new(hook.parse()?)
        });
        let accounts = settings.accounts.values_mut();
        for account in accounts.chain([&mut settings.account]) {
            let account = Arc::make_mut(account);
            account.webhook = Some(Arc::clone(&webhook));
        }
    }
    // One worker: the generator runs on the same machine and needs the rest of it.
    // The scenario says how many connections there are.
    let limits = Limits {
        connections: ConnectionCount::MAX,
        ..Limits::DEFAULT
    };
    let server = Server {
        limits,
        ..Server::local()
    };
    server
        .start(settings)
        .context("failed to start the embedded mock")
}

/// What the scenario says of the mock, with the run's seed unless it says otherwise.
pub(crate) fn settings(
    source: &Source,
    sms_delay: Option<Law>,
    seed: u64,
) -> anyhow::Result<Settings> {
    let part: MockPart = document::parse(&source.origin, &source.text)?;
    let typed = SettingsFile {
        sms_delay,
        ..SettingsFile::default()
    };
    let mock = typed.or(part.mock);
    mock.check_keys().with_context(|| source.origin.clone())?;
    Ok(mock.resolve(seed))
}
