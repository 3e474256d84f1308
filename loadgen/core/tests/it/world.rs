//! A world for a fleet: an event queue, and a server that is a function. Time
//! jumps from event to event, so a day of waiting takes a moment.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Dice, Moment};
use loadgen_core::answer::{Answer, Failure};
use loadgen_core::arrivals::Shard;
use loadgen_core::call::{Order, Times};
use loadgen_core::fleet::{Fleet, Found, Output, Plan, Role};
use loadgen_core::scenario::{Overrides, Scenario};
use loadgen_core::tally::Tally;

/// A server: from the moment a request reaches it and the request to the
/// answer and the time that it takes.
pub(crate) trait Server:
    FnMut(Moment, &Order) -> (Duration, Result<Answer, Failure>)
{
}

impl<F: FnMut(Moment, &Order) -> (Duration, Result<Answer, Failure>)> Server for F {}

/// The plan of a scenario of customers.
pub(crate) fn plan(text: &str) -> Arc<Plan> {
    let scenario = Scenario::read("test", "test.toml", text, Overrides::default()).expect(text);
    Arc::new(Plan {
        arrivals: scenario.arrivals,
        stop: scenario.stop,
        role: Role::Customer(scenario.customers),
        accounts: scenario.accounts,
        dice: Dice::new(1),
    })
}

/// Runs a plan to its end over `connections` connections; says what was
/// counted and when it ended.
pub(crate) fn run(
    plan: Arc<Plan>,
    connections: usize,
    server: impl Server,
) -> (Tally, Found, Moment) {
    let fleet = Fleet::new(plan, Shard::WHOLE, Moment::START);
    run_fleet(fleet, connections, server)
}

/// What `Retry-After` says with every 429 of this world.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The same for a fleet that is there already.
pub(crate) fn run_fleet(
    mut fleet: Fleet,
    connections: usize,
    mut server: impl Server,
) -> (Tally, Found, Moment) {
    let mut now = Moment::START;
    let mut waiting = std::collections::VecDeque::new();
    let mut answers = BTreeMap::new();
    for step in 0.. {
        assert!(step < 10_000_000, "the fleet does not come to an end");
        let output = fleet.poll_output(now);
        if let Output::Send(order) = output {
            waiting.push_back(order);
            continue;
        }
        while answers.len() < connections
            && let Some(order) = waiting.pop_front()
        {
            let (takes, outcome) = server(now, &order);
            answers.insert(
                Reverse((now + takes, step, answers.len())),
                (order, now, outcome),
            );
        }
        let answered = answers.last_key_value().map(|(Reverse((at, ..)), _)| *at);
        let until = match output {
            Output::Wait(until) => answered.map_or(until, |at| at.min(until)),
            Output::Done if answered.is_none() => break,
            Output::Done | Output::Send(_) => answered.expect("checked above"),
        };
        assert_ne!(until, Moment::NEVER, "the fleet waits for nothing");
        now = now.max(until);
        if answered.is_some_and(|at| at <= now) {
            let (Reverse((at, ..)), (order, sent, outcome)) =
                answers.pop_last().expect("checked above");
            let intended = order.intended;
            let times = Times {
                intended,
                sent,
                answered: at,
            };
            if outcome == Err(Failure::Status(429)) {
                fleet.told_to_wait(&order, RETRY_AFTER, at);
            }
            fleet.handle_answer(order, times, outcome);
        }
    }
    let (tally, found) = fleet.finished();
    (tally, found, now)
}
