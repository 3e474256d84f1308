//! One step of the fleet: an answered poll in, the next one scheduled, the
//! next due one out. Ten thousand customers wait meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::{Cents, Dice, Moment};
use criterion::Criterion;
use loadgen_core::answer::{Answer, Rented};
use loadgen_core::arrivals::Shard;
use loadgen_core::call::{Call, Order, Times};
use loadgen_core::fleet::{Fleet, Output, Plan, Role};
use loadgen_core::scenario::{Overrides, Scenario};

const SCENARIO: &str = "
[arrivals]
users = 10000
ramp = \"1s\"

[stop]
count = 10000

[users]
polling = \"fixed(1s)\"
";

/// A fleet, and the orders it has given.
struct World {
    fleet: Fleet,
    now: Moment,
    orders: VecDeque<Order>,
}

/// One answered poll.
pub(crate) fn step(criterion: &mut Criterion) {
    let scenario = Scenario::read("bench", "bench.toml", SCENARIO, Overrides::default());
    let scenario = scenario.expect("well-formed");
    let plan = Plan {
        arrivals: scenario.arrivals,
        stop: scenario.stop,
        role: Role::Customer(scenario.customers),
        accounts: scenario.accounts,
        dice: Dice::new(1),
    };
    let mut world = World {
        fleet: Fleet::new(Arc::new(plan), Shard::WHOLE, Moment::START),
        now: Moment::START,
        orders: VecDeque::new(),
    };
    // Until all have rented and wait.
    for _ in 0..30_000 {
        world.step();
    }
    criterion.bench_function(
        "fleet: step of one among 10,000 waiting customers",
        |bencher| {
            bencher.iter(|| world.step());
        },
    );
}

impl World {
    fn step(&mut self) {
        while self.orders.is_empty() {
            match self.fleet.poll_output(self.now) {
                Output::Send(order) => self.orders.push_back(order),
                Output::Wait(until) => self.now = until,
                Output::Done => unreachable!("nobody ever gets a code"),
            }
        }
        if let Some(order) = self.orders.pop_front() {
            let times = Times {
                intended: order.intended,
                sent: self.now,
                answered: self.now + Duration::from_micros(50),
            };
            self.fleet
                .handle_answer(order, times, Ok(answer(order.call)));
        }
    }
}

fn answer(call: Call) -> Answer {
    match call {
        Call::Rent(_) => Answer::Rented(Rented {
            id: 1,
            phone: 12_025_550_100,
            cost: Cents(144),
            expires_in: Duration::from_secs(365 * 24 * 3600),
        }),
        _ => Answer::Waiting,
    }
}
