//! The server that a load run is for: one that is there, or a mock that lives as
//! long as the run; and where its webhooks go, if customers count on them.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use loadgen::listener::Listener;
use loadgen::run::Keys;
use loadgen::target::Target;
use loadgen::wiring::Wiring;
use loadgen_core::polling::Strategy;
use loadgen_core::scenario::Scenario;
use mock_server::Running;

use crate::cli::load::LoadArguments;
use crate::command::embedded;
use crate::command::scenario::Source;

/// The server to load, and the mock behind it if it is ours.
pub(super) struct Server {
    pub(super) target: Target,
    /// What has it post webhooks to us; undone before the listener goes.
    _wiring: Option<Wiring>,
    /// Who hears them.
    pub(super) listener: Option<Listener>,
    embedded: Option<Running>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.embedded {
            Some(_) => write!(f, "an embedded mock on {}", self.target),
            None => write!(f, "{}", self.target),
        }
    }
}

/// The server that was asked for, with webhooks on their way to us if the scenario's
/// customers count on them.
pub(super) fn find(
    arguments: &LoadArguments,
    source: &Source,
    scenario: &Scenario,
    keys: Keys,
    seed: u64,
) -> anyhow::Result<Server> {
    let waiting = awaiting(scenario);
    let Some(url) = &arguments.target else {
        let listener = waiting.map(|_| listen(arguments)).transpose()?;
        let hook = listener.as_ref().map(Listener::url);
        let delay = arguments.sms_delay.clone();
        let embedded = embedded::start(source, delay, seed, hook.as_deref())?;
        let target = Target::parse(&format!("http://{}", embedded.address()), &[])?;
        return Ok(Server {
            target,
            listener,
            _wiring: None,
            embedded: Some(embedded),
        });
    };
    if arguments.sms_delay.is_some() {
        bail!(
            "--sms-delay is a setting of the embedded mock; give it to the server behind --target"
        );
    }
    let target = Target::parse(url, &arguments.allow_host)?;
    let listener = waiting.map(|_| listen(arguments)).transpose()?;
    let wiring = match (waiting, &listener, arguments.webhook_listen) {
        (Some(polling), Some(listener), None) => Some(wired(polling, &target, keys, listener)?),
        _ => None,
    };
    Ok(Server {
        target,
        listener,
        _wiring: wiring,
        embedded: None,
    })
}

/// A strategy that counts on webhooks, if any population's does.
fn awaiting(scenario: &Scenario) -> Option<&Strategy> {
    let populations = scenario.customers.populations().iter();
    let mut strategies = populations.map(|population| &population.plan.polling);
    strategies.find(|polling| polling.webhook().is_some())
}

fn listen(arguments: &LoadArguments) -> anyhow::Result<Listener> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let address = arguments.webhook_listen.map_or(any, |address| address.0);
    Listener::start(address).with_context(|| format!("cannot listen for webhooks on {address}"))
}

/// Has the server post to us, which only one of otplab's on this machine can be told.
fn wired(
    polling: &Strategy,
    target: &Target,
    keys: Keys,
    listener: &Listener,
) -> anyhow::Result<Wiring> {
    let key = match keys {
        Keys::Given(key) => Some(key),
        Keys::MadeUp => None,
    };
    let why = if target.is_loopback() {
        match Wiring::to(target, key, &listener.url()) {
            Ok(wiring) => return Ok(wiring),
            Err(error) => error.to_string(),
        }
    } else {
        "it is not on this machine".to_owned()
    };
    bail!(
        "{polling} counts on webhooks, and {target} cannot be told where to post them: {why}; have \
         it post to an address of this machine, and give that with --webhook-listen 127.0.0.1:9000"
    )
}
