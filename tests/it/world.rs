//! The load of a scenario in the laboratory's virtual world, told to a recorder
//! as a live run would be: without the phases before and after it, which
//! `loadgen_sim::simulation` has, so that tests can do without a ledger.

use std::sync::{Arc, mpsc};

use contract::{ApiKey, Dice, Moment, document};
use jiff::Timestamp;
use loadgen::recorder::{Recorder, Unrecorded};
use loadgen_core::arrivals::Shard;
use loadgen_core::fleet::{Fleet, Plan, Role};
use loadgen_core::gathering::Gathering;
use loadgen_core::interval::{self, Interval, Slice, Stage};
use loadgen_core::outcome::Outcome;
use loadgen_core::record::{About, End, FORMAT_VERSION, nanoseconds};
use loadgen_core::run::Run;
use loadgen_core::scenario::{Overrides, Scenario};
use loadgen_core::series::Series;
use loadgen_sim::host::Host;
use loadgen_sim::link::Link;
use loadgen_sim::world::World;
use mock_server_core::{Mock, Settings, SettingsFile};
use serde::Deserialize;

#[derive(Deserialize)]
struct MockPart {
    #[serde(default)]
    mock: SettingsFile,
}

/// The two halves of a scenario.
pub(crate) fn halves(text: &str, seed: u64) -> (Scenario, Settings) {
    let scenario = Scenario::read("test", "test.toml", text, Overrides::default());
    let part: MockPart = document::parse("test.toml", text).expect("well-formed");
    (scenario.expect("well-formed"), part.mock.resolve(seed))
}

/// Runs a scenario of customers in virtual time.
pub(crate) fn simulate(text: &str, seed: u64) -> Outcome {
    simulate_run(text, seed, &mut Unrecorded).outcome
}

/// The same, with everything that a report shows.
pub(crate) fn simulate_run(text: &str, seed: u64, recorder: &mut dyn Recorder) -> Run {
    let (scenario, settings) = halves(text, seed);
    let about = about(&scenario, seed);
    let dice = Dice::new(seed);
    let (mut fleet, received) = fleet_of(&scenario, seed);
    let mock = Mock::new(settings, Timestamp::UNIX_EPOCH);
    let keys = (0..u64::from(scenario.accounts)).map(|index| ApiKey::made_up(dice, index));
    let (link, host) = (Link::default(), Host::default());
    let mut world = World::new(mock, keys.collect(), link, host, dice);
    world.limit(scenario.connections, scenario.request_timeout);
    world.live(&mut fleet, &mut || ()).expect("progress");
    let (rest, _) = fleet.finished();
    let mut gathering = Gathering::of(1);
    for slice in received.iter() {
        gathering.add(0, &slice);
    }
    gathering.end(0, &rest);
    let mut series = Series::new(scenario.warmup);
    recorder.begin(&about);
    while let Some((index, tally)) = gathering.take() {
        let start = Moment::START + interval::LENGTH * index;
        let interval = Interval {
            stage: Stage::Load,
            index,
            start,
            length: world.now().since(start).min(interval::LENGTH),
            tally,
            cpu: Some(0.25),
        };
        series.add(&interval);
        recorder.second(&interval);
    }
    let duration = world.now().since_start();
    let end = End {
        duration_ns: nanoseconds(duration),
        window_ns: nanoseconds(scenario.stop.duration.unwrap_or(duration)),
        interrupted: false,
        ledger: None,
    };
    recorder.end(&end);
    Run::new(about, series, Some(end))
}

/// The scenario's customers, and the seconds that they hand over.
pub(crate) fn fleet_of(scenario: &Scenario, seed: u64) -> (Fleet, mpsc::Receiver<Slice>) {
    let plan = Plan {
        arrivals: scenario.arrivals.clone(),
        stop: scenario.stop,
        role: Role::Customer(scenario.customers.clone()),
        accounts: scenario.accounts,
        dice: Dice::new(seed),
    };
    let mut fleet = Fleet::new(Arc::new(plan), Shard::WHOLE, Moment::START);
    let (slices, received) = mpsc::channel();
    fleet.cut_into_seconds(Moment::START, slices);
    (fleet, received)
}

fn about(scenario: &Scenario, seed: u64) -> About {
    About {
        format_version: FORMAT_VERSION,
        otplab: "0.1.0".to_owned(),
        scenario: "otp-rush".to_owned(),
        seed,
        target: "http://127.0.0.1:1".to_owned(),
        server: "a simulated mock".to_owned(),
        started_s: 1_795_000_000.0,
        open: false,
        connections: scenario.connections,
        threads: 1,
        warmup: scenario.warmup,
        thresholds: scenario.thresholds.clone(),
        populations: scenario.customers.names(),
    }
}
