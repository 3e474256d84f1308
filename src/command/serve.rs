//! `otplab serve`: the fake API until a signal.

mod around;
mod choice;
mod lint;
mod listening;
mod log;
mod open_files;
mod port_file;
mod watch;

use std::future::pending;
use std::io::Write;

use anyhow::Context;
use contract::TimeSpan;
use mock_server::limits::ConnectionCount;
use mock_server::{Happenings, Running, Server};
use mock_server_core::queue::Pending;
use mock_server_core::{AccountSettings, Settings};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use self::around::Around;
pub(crate) use self::choice::ServeFile as File;
use self::choice::{Choice, Plan};
use self::log::Log;
use self::port_file::PortFile;
use self::watch::Watch;
use crate::cli::serve::ServeArguments;
use crate::cli::serve::logging::LogLevel;
use crate::command::seed;
use crate::exit::Exit;

/// Serves until interrupted.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<Exit> {
    let choice = Choice::of(arguments)?;
    let plan = choice.clone().resolve(seed::drawn());
    let log = plan.log;
    let watch = choice
        .is_watched()
        .then(|| Watch::new(arguments, choice, plan.settings.clone()));
    serve(plan, watch).or_else(|error| {
        log.error("failed", &format!("{error:#}"));
        Ok(Exit::CouldNotJudge)
    })
}

fn serve(mut plan: Plan, mut watch: Option<Watch>) -> anyhow::Result<Exit> {
    let log = plan.log;
    plan.reports.prepare(plan.settings.lint, log)?;
    let port_file = plan.port_file.take().map(PortFile::reserve).transpose()?;
    let wanted = plan.server.limits.connections;
    let room = open_files::make_room(wanted);
    plan.server.limits.connections = room;
    plan.server.tls = plan.listening.certificate()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Listened to before anybody can know that we run, so that no signal is missed.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let settings = plan.settings.clone();
        let running = plan.server.start(plan.settings)?;
        let happenings = log.says(LogLevel::Debug).then(|| running.happenings());
        describe(&plan.server, &running, &settings, log);
        if room != wanted {
            tight(wanted, room, log);
        }
        if let Some(file) = &port_file {
            file.publish(port(&running)?)?;
        }
        announce(&running)?;
        let mut around = Around::start(&plan.command, &url(&running))?;
        tokio::select! {
            _ = interrupt.recv() => around.end(SignalKind::interrupt()).await,
            _ = terminate.recv() => around.end(SignalKind::terminate()).await,
            () = complain_when_crowded(&running, room, log) => {}
            () = tell(happenings.as_ref(), log) => {}
            () = look_after(watch.as_mut(), (&plan.server, &running), log) => {}
            () = around.ended() => {}
        }
        log.info("stopping", "stopping", json!({}));
        let stopped = running.stop();
        left(stopped.webhooks, log);
        Ok(around.verdict(plan.reports.end(&stopped.lint, log)?))
    })
}

/// The configuration file, if that is asked for.
async fn look_after(watch: Option<&mut Watch>, server: (&Server, &Running), log: Log) {
    match watch {
        Some(watch) => watch.run(server, log).await,
        None => pending().await,
    }
}

/// What was not delivered, if anything was not.
fn left(webhooks: Pending, log: Log) {
    let Pending {
        scheduled,
        overdue,
        posting,
    } = webhooks;
    let fields = json!({ "scheduled": scheduled, "overdue": overdue, "posting": posting });
    if overdue + posting > 0 {
        let words = format!(
            "{overdue} webhooks were due and could not be posted in time, and {posting} were not \
             answered in time; {scheduled} were to be posted later"
        );
        log.warn("webhooks_left", &words, fields);
    } else if scheduled > 0 {
        let words = format!("{scheduled} webhooks were to be posted later");
        log.info("webhooks_left", &words, fields);
    }
}

/// Everything that happens, if that is asked for.
async fn tell(happenings: Option<&Happenings>, log: Log) {
    let Some(happenings) = happenings else {
        return pending().await;
    };
    loop {
        let (happened, lost) = happenings.next().await;
        if lost > 0 {
            let words = format!("{lost} lines of the log are lost, because there are too many");
            log.warn("lagged", &words, json!({ "lost": lost }));
        }
        // What becomes of the configuration is said anyway.
        let of_mock = |name: &str| !name.starts_with("config.");
        for happening in happened.iter().filter(|what| of_mock(what.name)) {
            log.debug(happening.name, &happening.data);
        }
    }
}

/// Once, and not for every connection; how many there were is in the metrics.
async fn complain_when_crowded(running: &Running, room: ConnectionCount, log: Log) {
    running.crowded().await;
    let words = format!(
        "a connection was refused, because there are {room}; more are possible with \
         --max-connections"
    );
    log.warn("crowded", &words, json!({ "connections": room.number() }));
    pending::<()>().await;
}

fn tight(wanted: ConnectionCount, room: ConnectionCount, log: Log) {
    let words = format!(
        "the system's limit of open files leaves room for {room} connections and not \
         {wanted}; raise it with `ulimit -Hn`, or ask for fewer with --max-connections"
    );
    let fields = json!({ "connections": room.number(), "wanted": wanted.number() });
    log.warn("open_files", &words, fields);
}

/// The port that a script is to learn.
fn port(running: &Running) -> anyhow::Result<u16> {
    let address = running.places().iter().find_map(|place| place.address());
    let address = address.context("--port-file needs a --listen with a port")?;
    Ok(address.port())
}

/// Where a command finds the server.
fn url(running: &Running) -> String {
    let places = running.places();
    let place = places.iter().find(|place| place.address().is_some());
    place
        .or_else(|| places.first())
        .map_or_else(String::new, |place| running.url(place))
}

fn describe(server: &Server, running: &Running, settings: &Settings, log: Log) {
    for place in running.places() {
        let url = running.url(place);
        let words = format!("listening on {url}");
        log.info("listening", &words, json!({ "url": url }));
    }
    if let Some(place) = running.admin_place() {
        let url = running.url(place);
        let words = format!("control API and metrics on {url}");
        log.info("control_listening", &words, json!({ "url": url }));
    }
    let addresses = running.places().iter().filter_map(|place| place.address());
    if addresses
        .into_iter()
        .any(|address| !address.ip().is_loopback())
        && !settings.strict_keys
    {
        let words = "other machines can reach this address, and any 60-character key is an account";
        log.warn("reachable", words, json!({}));
    }
    summarize(server, settings, log);
    if settings.strict_keys && settings.accounts.is_empty() {
        let words = "no key is known, so every request is refused; add keys to the \
                     configuration file, as [accounts.KEY]";
        log.warn("no_keys", words, json!({}));
    }
}

fn summarize(server: &Server, settings: &Settings, log: Log) {
    let account = &settings.account;
    let AccountSettings {
        seed, sms_delay, ..
    } = &**account;
    let life = TimeSpan(account.rental_life);
    let rules: Vec<_> = account.faults.iter().map(ToString::to_string).collect();
    let faults = match rules.as_slice() {
        [] => "none".to_owned(),
        rules => rules.join("; "),
    };
    let webhook = account
        .webhook
        .as_ref()
        .map(|webhook| webhook.url.to_string());
    let keys = match (settings.strict_keys, settings.accounts.len()) {
        (true, known) => format!("known keys {known}"),
        (false, 0) => "any 60-character key".to_owned(),
        (false, known) => {
            format!("any 60-character key, {known} of them with settings of their own")
        }
    };
    let words = format!(
        "seed {seed}, sms delay {sms_delay}, rental life {life}, balance {} for {keys}, \
         webhook {}, faults: {faults}, threads {}, connections up to {}",
        account.balance,
        webhook.as_deref().unwrap_or("none"),
        server.workers,
        server.limits.connections
    );
    let fields = json!({
        "seed": seed,
        "sms_delay": sms_delay.to_string(),
        "rental_life": life.to_string(),
        "balance": account.balance.to_string(),
        "keys_known": settings.accounts.len(),
        "strict_keys": settings.strict_keys,
        "webhook_url": webhook,
        "faults": rules,
        "threads": server.workers,
        "connections": server.limits.connections.number(),
    });
    log.info("settings", &words, fields);
}

/// The lines on stdout, of which a script may wait for the first: it names the
/// first place. The other places follow, and the control API's own if it has one.
fn announce(running: &Running) -> anyhow::Result<()> {
    let mut words = ["ready"].into_iter().chain(std::iter::repeat("also"));
    let places = running.places().iter();
    let mut lines: Vec<_> = places
        .map(|place| (words.next().unwrap_or_default(), place))
        .collect();
    lines.extend(running.admin_place().map(|place| ("admin", place)));
    let lines = lines.iter();
    let text: String = lines
        .map(|(word, place)| format!("{word} {}\n", running.url(place)))
        .collect();
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}
