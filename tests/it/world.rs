//! Both machines under one virtual clock: a fleet, the mock, and a link
//! between them with a fixed delay. No sockets, no waiting; the same seed gives
//! the same run, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use contract::{ApiKey, Dice, Moment, document};
use jiff::Timestamp;
use loadgen::recorder::{Recorder, Unrecorded};
use loadgen_core::answer::{self, Answer, Failure};
use loadgen_core::arrivals::Shard;
use loadgen_core::call::{Order, Times};
use loadgen_core::fleet::{Fleet, Output, Plan, Role};
use loadgen_core::gathering::Gathering;
use loadgen_core::interval::{self, Interval, Stage};
use loadgen_core::outcome::Outcome;
use loadgen_core::record::{About, End, FORMAT_VERSION, nanoseconds};
use loadgen_core::run::Run;
use loadgen_core::scenario::{Overrides, Scenario};
use loadgen_core::series::Series;
use mock_server_core::{Body, Delivery, Mock, Request, Settings, SettingsFile};
use serde::Deserialize;

/// From the generator to the server, and as long back.
const LINK: Duration = Duration::from_micros(40);

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
    let plan = Plan {
        arrivals: scenario.arrivals,
        stop: scenario.stop,
        role: Role::Customer(scenario.customers),
        accounts: scenario.accounts,
        dice,
    };
    let mut fleet = Fleet::new(Arc::new(plan), Shard::WHOLE, Moment::START);
    let (slices, received) = mpsc::channel();
    fleet.cut_into_seconds(Moment::START, slices);
    let mut world = World {
        fleet,
        mock: Mock::new(settings, Timestamp::UNIX_EPOCH),
        keys: (0..u64::from(scenario.accounts))
            .map(|index| ApiKey::made_up(dice, index))
            .collect(),
        connections: scenario.connections as usize,
        queue: VecDeque::new(),
        under_way: BTreeMap::new(),
        now: Moment::START,
    };
    while world.step() {}
    let (rest, _) = world.fleet.finished();
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
            length: world.now.since(start).min(interval::LENGTH),
            tally,
            cpu: Some(0.25),
        };
        series.add(&interval);
        recorder.second(&interval);
    }
    let duration = world.now.since_start();
    let end = End {
        duration_ns: nanoseconds(duration),
        window_ns: nanoseconds(scenario.stop.duration.unwrap_or(duration)),
        interrupted: false,
        ledger: None,
    };
    recorder.end(&end);
    Run::new(about, series, Some(end))
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

/// An answer on its way back: to which order, when it was sent, what it says.
type UnderWay = (Order, Moment, Result<Answer, Failure>);

struct World {
    fleet: Fleet,
    mock: Mock,
    keys: Vec<ApiKey>,
    connections: usize,
    queue: VecDeque<Order>,
    /// By the moment of its arrival; the number keeps equal moments apart.
    under_way: BTreeMap<(Moment, u64), UnderWay>,
    now: Moment,
}

impl World {
    fn step(&mut self) -> bool {
        let output = self.fleet.poll_output(self.now);
        if let Output::Send(order) = output {
            self.queue.push_back(order);
            return true;
        }
        while self.under_way.len() < self.connections
            && let Some(order) = self.queue.pop_front()
        {
            self.send(order);
        }
        let answer = self.under_way.first_key_value().map(|((at, _), _)| *at);
        match (output, answer) {
            (Output::Wait(until), Some(at)) if at > until => self.now = self.now.max(until),
            (_, Some(at)) => self.receive(at),
            (Output::Wait(until), None) => self.now = self.now.max(until),
            (Output::Done | Output::Send(_), None) => return false,
        }
        true
    }

    fn send(&mut self, order: Order) {
        let (target, body) = (order.call.target(), order.call.body().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let request = Request {
            method: order.call.operation().method(),
            query: Some(query),
            content_type: Some("application/json"),
            truth: true,
            body: Body::Whole(body.as_bytes()),
            ..Request::plain(
                "",
                path,
                self.keys[order.account as usize].secret().as_bytes(),
            )
        };
        let reply = self.mock.handle(self.now + LINK, &request);
        let truth = reply.truth.map(|truth| truth.to_string());
        let outcome = answer::decode(&order.call, reply.status, truth.as_deref(), &reply.body);
        let Delivery::Whole { at } = reply.delivery else {
            panic!("this world has no faults")
        };
        let number = self
            .under_way
            .last_key_value()
            .map_or(0, |((_, number), _)| number + 1);
        self.under_way
            .insert((at + LINK, number), (order, self.now, outcome));
    }

    fn receive(&mut self, at: Moment) {
        self.now = self.now.max(at);
        if let Some((_, (order, sent, outcome))) = self.under_way.pop_first() {
            let intended = order.intended;
            let answered = self.now;
            self.fleet.handle_answer(
                order,
                Times {
                    intended,
                    sent,
                    answered,
                },
                outcome,
            );
        }
    }
}
