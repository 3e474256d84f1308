//! `otplab serve`: the fake API until a signal.

mod choice;
mod port_file;

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use contract::TimeSpan;
use mock_server::Server;
use mock_server_core::{AccountSettings, Settings};
use tokio::signal::unix::{SignalKind, signal};

use self::choice::Choice;
use self::port_file::PortFile;
use crate::cli::serve::ServeArguments;
use crate::command::seed;
use crate::exit::Exit;

/// Serves until interrupted.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<Exit> {
    let plan = Choice::of(arguments)?.resolve(seed::drawn());
    let port_file = plan.port_file.map(PortFile::reserve).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Listened to before anybody can know that we run, so that no signal is missed.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let settings = plan.settings.clone();
        let running = plan.server.start(plan.settings)?;
        describe(&plan.server, running.address(), &settings);
        if let Some(file) = &port_file {
            file.publish(running.address().port())?;
        }
        announce(running.address())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log("stopping");
        running.stop();
        Ok(Exit::Passed)
    })
}

fn describe(server: &Server, address: SocketAddr, settings: &Settings) {
    log(&format!("listening on http://{address}"));
    if !address.ip().is_loopback() && !settings.strict_keys {
        log(
            "warning: other machines can reach this address, and any 60-character key is an account",
        );
    }
    log(&summary(server, settings));
    if settings.strict_keys && settings.accounts.is_empty() {
        log(
            "warning: no key is known, so every request is refused; add keys to the configuration file, as [accounts.KEY]",
        );
    }
}

fn summary(server: &Server, settings: &Settings) -> String {
    let AccountSettings {
        seed, sms_delay, ..
    } = &*settings.account;
    let account = &settings.account;
    let life = TimeSpan(account.rental_life);
    let faults: Vec<_> = account.faults.iter().map(ToString::to_string).collect();
    let faults = match faults.as_slice() {
        [] => "none".to_owned(),
        rules => rules.join("; "),
    };
    let webhook = account
        .webhook
        .as_ref()
        .map_or_else(|| "none".to_owned(), |webhook| webhook.url.to_string());
    let keys = match (settings.strict_keys, settings.accounts.len()) {
        (true, known) => format!("known keys {known}"),
        (false, 0) => "any 60-character key".to_owned(),
        (false, known) => {
            format!("any 60-character key, {known} of them with settings of their own")
        }
    };
    format!(
        "seed {seed}, sms delay {sms_delay}, rental life {life}, balance {} for {keys}, \
         webhook {webhook}, faults: {faults}, threads {}",
        account.balance, server.workers
    )
}

/// The one line on stdout, which a script may wait for.
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "ready http://{address}")
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}

#[expect(clippy::print_stderr, reason = "the log of a server")]
fn log(line: &str) {
    eprintln!("otplab: {line}");
}
