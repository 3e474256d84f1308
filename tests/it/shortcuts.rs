//! What a simulation spares itself changes nothing: the same run with every
//! request made in full, byte for byte.

use contract::{ApiKey, Dice};
use loadgen_core::interval::Interval;
use loadgen_core::run::Run;
use loadgen_sim::host::Host;
use loadgen_sim::link::Link;
use loadgen_sim::simulation::{Simulation, Witness};
use loadgen_sim::world::{Stuck, World};
use mock_server_core::Mock;

use crate::world::{fleet_of, halves};

/// Customers some of whom never get their code, on few accounts; what follows
/// belongs to the mock.
const CROWD: &str = r#"
[arrivals]
users = 40
ramp = "1s"
[stop]
count = 400
[users]
polling = "fixed(500ms)"
give_up = "9s"
[mock]
sms_delay = "0.8*uniform(100ms,12s) + 0.2*never"
rental_life = "10s"
"#;

/// What else there may be: faults, limits, money that moves late, other pages.
const MOCKS: [&str; 11] = [
    "",
    "balance = \"20.00\"",
    "faults = [\"check_otp: status(503) probability 0.1\"]",
    "faults = [\"rent: reset_peer probability 0.1 after_commit\", \"check_otp: latency(700ms) probability 0.2\"]",
    "faults = [\"rent: sms_duplicate every 2\", \"rent: sms_second_code(2s) every 3\", \"rent: sms_late(9s) every 5\"]",
    "dialect = { rate_limit = \"60/min\" }",
    "dialect = { charge = \"sms\", late_sms = \"charged\" }",
    "dialect = { refund = \"5s\", history_order = \"oldest\" }",
    "dialect = { active_rentals = 3, paging = \"offset\" }",
    "dialect = { repeat_read = \"once\", expired = \"waiting\" }",
    "time_scale = 2.0",
];

struct Nobody;

impl Witness for Nobody {
    fn second(&mut self, _: &Interval) {}
}

fn simulated(text: &str, (link, host): (Link, Host), in_full: bool) -> String {
    let (scenario, settings) = halves(text, 3);
    let simulation = Simulation {
        scenario: &scenario,
        settings,
        seed: 3,
        link,
        host,
        in_full,
    };
    let (run, end) = simulation.run(&mut Nobody).expect("progress");
    let Run { outcome, rows, .. } = run;
    assert!(outcome.tally.requests() > 300, "{text}");
    format!("{outcome:?} {rows:?} {end:?}")
}

fn same(text: &str, world: (Link, Host)) {
    let (short, full) = (simulated(text, world, false), simulated(text, world, true));
    // Both are long: what differs is somewhere in them.
    let pairs = short.bytes().zip(full.bytes());
    let place = pairs.take_while(|(a, b)| a == b).count();
    let around = |whole: &str| {
        let from = place.saturating_sub(80);
        whole.chars().skip(from).take(160).collect::<String>()
    };
    assert!(
        short == full,
        "{text}\n{}\n{}",
        around(&short),
        around(&full)
    );
}

#[test]
fn nothing_is_different_whatever_the_mock_does() {
    for accounts in ["", "accounts = 3\n"] {
        for mock in MOCKS {
            let crowd = CROWD.replace("[users]\n", &format!("[users]\n{accounts}"));
            same(&format!("{crowd}{mock}\n"), Default::default());
        }
    }
}

#[test]
fn nothing_is_different_on_a_bad_network_and_with_readers_among_the_customers() {
    let link = "delay=20ms,jitter=40ms,loss=0.02".parse().expect("a link");
    let host = "workers=1,service=5ms,queue=8".parse().expect("a host");
    same(CROWD, (link, host));
    let readers = CROWD.replace(
        "[mock]",
        "[[populations]]\nname = \"renters\"\nshare = \"70%\"\n[[populations]]\nname = \"readers\"\n\
         share = \"30%\"\ndo = \"read_history\"\npolling = \"fixed(1s)\"\ngive_up = \"5s\"\n[mock]",
    );
    same(&readers, Default::default());
    let polled = CROWD.replace(
        "[users]",
        "[setup]\nrentals = 20\n[users]\ndo = \"poll_once\"",
    );
    same(
        &polled.replace("give_up = \"9s\"\n", ""),
        Default::default(),
    );
    let pushed = CROWD.replace("fixed(500ms)", "webhook(fallback=fixed(3s))");
    same(&pushed, (link, host));
    same(
        &CROWD.replace("fixed(500ms)", "adaptive"),
        Default::default(),
    );
}

#[test]
fn customers_who_come_again_in_no_time_are_noticed() {
    // Who reads without staying is done when the answer comes, and the next one reads.
    let text = r#"
[arrivals]
users = 4
[stop]
duration = "5s"
[[populations]]
name = "readers"
share = "100%"
do = "read_profile"
"#;
    let (scenario, settings) = halves(text, 3);
    let dice = Dice::new(3);
    let keys = (0..4).map(|index| ApiKey::made_up(dice, index)).collect();
    let mock = Mock::new(settings, jiff::Timestamp::UNIX_EPOCH);
    let link = "delay=0s".parse().expect("a link");
    let mut world = World::new(mock, keys, link, Host::default(), dice);
    world.limit_events(10_000);
    let (mut fleet, _seconds) = fleet_of(&scenario, 3);
    let stuck = world.live(&mut fleet, &mut || ()).expect_err("no progress");
    assert!(
        matches!(stuck, Stuck::Busy(10_001, at) if at.is_zero()),
        "{stuck}"
    );
    let message = stuck.to_string();
    assert!(
        message.contains("makes no progress: 10001 events at 0ns"),
        "{message}"
    );
}
