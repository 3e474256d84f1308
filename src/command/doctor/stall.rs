//! A server that stands still, polled all the while: the one test that a
//! generator with the wrong clock cannot pass.

use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use contract::Operation;
use loadgen::client::Client;
use loadgen::interrupt::Interrupt;
use loadgen::progress::Silent;
use loadgen::recorder::Recorder;
use loadgen::run::{self, Job, Keys};
use loadgen::target::Target;
use loadgen_core::budget::Bounds;
use loadgen_core::interval::{Interval, Stage};
use loadgen_core::record::{About, End};
use loadgen_core::scenario::{Overrides, Scenario};
use loadgen_core::stall::{Demonstration, Stalled};
use mock_server::Server;
use mock_server_core::SettingsFile;

/// Few connections, so that few polls are under way when the server stops: those
/// are all that a tool sees which times only what it has sent.
const SCENARIO: &str = r#"
connections = 8

[arrivals]
rate = "500/s"

[stop]
duration = "3s"

[setup]
rentals = 16

[users]
do = "poll_once"
accounts = 4
"#;

const STILL: Duration = Duration::from_millis(600);

/// The same figures every time, as far as the machine allows.
const SEED: u64 = 1;

/// Carries the test out, which takes a little over three seconds.
pub(super) fn demonstrate() -> anyhow::Result<Demonstration> {
    let scenario = Scenario::read("stall", "stall.toml", SCENARIO, Overrides::default())?;
    let settings = SettingsFile::default().resolve(SEED);
    let server = Server::local()
        .start(settings)
        .context("failed to start the embedded mock")?;
    let target = Target::parse(&format!("http://{}", server.address()), &[])?;
    let job = Job {
        scenario: &scenario,
        seed: SEED,
        target: &target,
        server: "an embedded mock",
        keys: Keys::MadeUp,
        threads: 1,
        bounds: Bounds::default(),
        client: Client::default(),
        webhooks: None,
    };
    let (under_way, begun) = mpsc::channel();
    let mut trigger = Trigger(Some(under_way));
    let (run, stood_still) = thread::scope(|scope| {
        // It ends with the trigger, even if the load never comes under way.
        let mock = &server;
        let stall = scope.spawn(move || begun.recv().ok().map(|()| mock.stand_still(STILL)));
        let run = run::run(&job, &Interrupt::never(), &mut Silent, &mut trigger);
        drop(trigger);
        (run, stall.join().ok().flatten())
    });
    let run = run?;
    let polls = run.outcome.tally.operation(Operation::CheckOtp);
    let stalled = Stalled {
        arrivals: run.outcome.window,
        stood_still: stood_still.unwrap_or_default(),
        response: &polls.response,
        service: &polls.service,
    };
    Ok(stalled.judge())
}

/// Says when the first second of the load has passed.
struct Trigger(Option<Sender<()>>);

impl Recorder for Trigger {
    fn begin(&mut self, _: &About) {}

    fn second(&mut self, interval: &Interval) {
        if interval.stage == Stage::Load
            && let Some(sender) = self.0.take()
        {
            // If nobody listens, the stall is missing from the figures, which says it.
            let _ = sender.send(());
        }
    }

    fn end(&mut self, _: &End) {}
}
