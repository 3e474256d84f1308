//! `otplab serve`: the fake API until a signal.

mod choice;
mod open_files;
mod port_file;

use std::future::pending;
use std::io::Write;

use anyhow::Context;
use contract::TimeSpan;
use mock_server::limits::ConnectionCount;
use mock_server::{Running, Server};
use mock_server_core::queue::Pending;
use mock_server_core::{AccountSettings, Settings};
use tokio::signal::unix::{SignalKind, signal};

use self::choice::Choice;
use self::port_file::PortFile;
use crate::cli::serve::ServeArguments;
use crate::command::seed;
use crate::exit::Exit;

/// Serves until interrupted.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<Exit> {
    let mut plan = Choice::of(arguments)?.resolve(seed::drawn());
    let port_file = plan.port_file.map(PortFile::reserve).transpose()?;
    let wanted = plan.server.limits.connections;
    let room = open_files::make_room(wanted);
    plan.server.limits.connections = room;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Listened to before anybody can know that we run, so that no signal is missed.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let settings = plan.settings.clone();
        let running = plan.server.start(plan.settings)?;
        describe(&plan.server, &running, &settings);
        if room != wanted {
            log(&tight(wanted, room));
        }
        if let Some(file) = &port_file {
            file.publish(running.address().port())?;
        }
        announce(&running)?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = complain_when_crowded(&running, room) => {}
        }
        log("stopping");
        left(running.stop().webhooks);
        Ok(Exit::Passed)
    })
}

/// What was not delivered, if anything was not.
fn left(webhooks: Pending) {
    let Pending {
        scheduled,
        overdue,
        posting,
    } = webhooks;
    if overdue + posting > 0 {
        log(&format!(
            "warning: {overdue} webhooks were due and could not be posted in time, and {posting} \
             were not answered in time"
        ));
    }
    if scheduled > 0 {
        log(&format!(
            "{scheduled} webhooks were to be posted later and were not"
        ));
    }
}

/// Once, and not for every connection; how many there were is in the metrics.
async fn complain_when_crowded(running: &Running, room: ConnectionCount) {
    running.crowded().await;
    log(&format!(
        "warning: a connection was refused, because there are {room}; more are possible with \
         --max-connections"
    ));
    pending::<()>().await;
}

fn tight(wanted: ConnectionCount, room: ConnectionCount) -> String {
    format!(
        "warning: the system's limit of open files leaves room for {room} connections and not \
         {wanted}; raise it with `ulimit -Hn`, or ask for fewer with --max-connections"
    )
}

fn describe(server: &Server, running: &Running, settings: &Settings) {
    let address = running.address();
    log(&format!("listening on http://{address}"));
    if let Some(address) = running.admin_address() {
        log(&format!("control API and metrics on http://{address}"));
    }
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
         webhook {webhook}, faults: {faults}, threads {}, connections up to {}",
        account.balance, server.workers, server.limits.connections
    )
}

/// The one line on stdout, which a script may wait for; a second one if the
/// control API has a port of its own.
fn announce(running: &Running) -> anyhow::Result<()> {
    let admin = running.admin_address();
    let admin = admin.map_or_else(String::new, |address| format!("admin http://{address}\n"));
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "ready http://{}\n{admin}", running.address())
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}

#[expect(clippy::print_stderr, reason = "the log of a server")]
fn log(line: &str) {
    eprintln!("otplab: {line}");
}
