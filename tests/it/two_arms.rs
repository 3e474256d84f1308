//! One scenario, two arms: the pure machines in virtual time, and the real
//! server under the real generator over loopback. If both agree, either may be
//! trusted.

use loadgen::client::Client;
use loadgen::interrupt::Interrupt;
use loadgen::progress::{Display, Snapshot, Stage};
use loadgen::recorder::Unrecorded;
use loadgen::run::{self, Job, Keys};
use loadgen::target::Target;
use loadgen_core::budget::Bounds;
use loadgen_core::outcome::{Certainty, Outcome};
use mock_server::{Running, Server};

use crate::world::{halves, simulate};

/// A few customers, some of whom never get their code.
const SCENARIO: &str = r#"
[arrivals]
users = 16
ramp = "50ms"

[stop]
count = 48

[users]
services = ["whatsapp", "telegram", "lyft", "facebook"]
polling = "fixed(20ms)"

[mock]
sms_delay = "0.9*uniform(10ms,200ms) + 0.1*never"
rental_life = "500ms"
"#;

fn live(text: &str, seed: u64, threads: u32) -> Outcome {
    live_over(Client::default(), text, seed, threads)
}

/// The same over either client.
pub(crate) fn live_over(client: Client, text: &str, seed: u64, threads: u32) -> Outcome {
    live_until(client, text, seed, threads, false)
}

/// The same, perhaps with a server that goes away during the load.
fn live_until(client: Client, text: &str, seed: u64, threads: u32, server_leaves: bool) -> Outcome {
    let (scenario, settings) = halves(text, seed);
    let server = Server::local().start(settings).expect("a free port");
    let target = format!("http://{}", server.address());
    let (server, _kept) = if server_leaves {
        (Some(server), None)
    } else {
        (None, Some(server))
    };
    let target = Target::parse(&target, &[]).expect("loopback");
    let job = Job {
        scenario: &scenario,
        seed,
        target: &target,
        server: "a mock",
        keys: Keys::MadeUp,
        threads,
        bounds: Bounds::default(),
        client,
        webhooks: None,
    };
    let mut display = LastWish(server);
    let run = run::run(&job, &Interrupt::never(), &mut display, &mut Unrecorded);
    run.expect("the server answers at first").outcome
}

/// Ends its server as soon as some rental has ended.
struct LastWish(Option<Running>);

impl Display for LastWish {
    fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        if stage == Stage::Load && snapshot.ended > 0 {
            self.0 = None;
        }
    }

    fn clear(&mut self) {}
}

#[test]
fn simulated_and_live_customers_get_the_same_rentals_codes_and_delays() {
    for seed in [1, 2] {
        let simulated = simulate(SCENARIO, seed).tally.rentals;
        for threads in [1, 3] {
            let live = live(SCENARIO, seed, threads);
            let rentals = &live.tally.rentals;
            assert_eq!(rentals.delivered, simulated.delivered);
            assert_eq!(rentals.expired, simulated.expired);
            assert_eq!(rentals.fingerprint, simulated.fingerprint);
            assert_eq!(rentals.sms_delay.summary(), simulated.sms_delay.summary());
            assert_eq!(live.tally.failures(), 0);
        }
    }
}

#[test]
fn every_code_is_confirmed_and_the_balances_agree() {
    let outcome = live(SCENARIO, 3, 2);
    let rentals = &outcome.tally.rentals;
    assert_eq!(rentals.started, 48);
    assert_eq!(rentals.confirmed, rentals.delivered);
    let ledger = outcome.ledger.expect("balances were read");
    assert_eq!(ledger.certainty, Certainty::Exact);
    assert_eq!(ledger.unexplained, contract::Cents::ZERO);
    assert!(
        ledger.refunded > contract::Cents::ZERO,
        "some rentals expire with this seed"
    );
}

#[test]
fn another_seed_gives_other_rentals() {
    let fingerprint = |seed| simulate(SCENARIO, seed).tally.rentals.fingerprint;
    assert_eq!(fingerprint(1), fingerprint(1));
    assert_ne!(fingerprint(1), fingerprint(2));
}

#[test]
fn detection_lag_is_what_the_polling_interval_says() {
    // With a fixed interval the lag is uniform in it: half of it at the median.
    let scenario = SCENARIO.replace("count = 48", "count = 4800");
    let rentals = simulate(&scenario, 5).tally.rentals;
    let median = rentals.detection_lag.quantile(0.5).expect("codes");
    assert!((9_000..=11_000).contains(&median), "{median} us");
    let worst = rentals.detection_lag.greatest().expect("codes");
    assert!(worst <= 20_100, "{worst} us");
}

#[test]
fn a_server_that_goes_away_is_counted_and_not_thrown() {
    let scenario = SCENARIO
        .replace("count = 48", "duration = \"2s\"")
        .replace("fixed(20ms)\"", "fixed(20ms)\"\ngive_up = \"1s\"");
    let outcome = live_until(Client::default(), &scenario, 4, 1, true);
    assert!(outcome.tally.failures() > 0);
    assert_eq!(outcome.ledger, None, "there is nobody to ask for balances");
    let rentals = &outcome.tally.rentals;
    assert!(
        rentals.delivered + rentals.expired > 0,
        "what was measured before is kept"
    );
    assert_eq!(rentals.started, rentals.ended());
}

#[test]
fn rates_are_measured_over_the_time_that_was_asked_for() {
    let scenario = r#"
[arrivals]
rate = "100/s"

[stop]
duration = "200ms"

[users]
do = "poll_once"

[setup]
rentals = 4
"#;
    let outcome = live(scenario, 1, 2);
    assert_eq!(outcome.tally.offered, 20);
    assert!((outcome.rate(outcome.tally.offered) - 100.0).abs() < 1e-9);
}
