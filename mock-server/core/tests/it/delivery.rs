//! When and how answers leave, as the core says it.

use std::time::Duration;

use contract::Moment;
use mock_server_core::Delivery;

use crate::client::Client;

const PROFILE: &str = "/api/v1/profile";

fn delivery(rules: &str) -> Delivery {
    let faults = format!("faults = [{rules}]");
    Client::new(&faults).at(1.0).get(PROFILE).delivery
}

fn at(milliseconds: u64) -> Moment {
    Moment::START + Duration::from_millis(milliseconds)
}

#[test]
fn without_rules_answers_leave_whole_and_at_once() {
    assert_eq!(delivery(""), Delivery::Whole { at: at(1000) });
}

#[test]
fn latencies_add_up_and_delay_every_damage() {
    let late = r#""*: latency(100ms)", "profile: latency(50ms)""#;
    let with = |fault: &str| delivery(&format!(r#"{late}, "profile: {fault}""#));
    assert_eq!(with("status(500)"), Delivery::Whole { at: at(1150) });
    assert_eq!(with("reset_peer"), Delivery::Reset { at: at(1150) });
    assert_eq!(
        with("truncate_body(3)"),
        Delivery::Cut {
            at: at(1150),
            bytes: 3
        }
    );
    assert_eq!(with("timeout"), Delivery::Never);
    assert_eq!(with("latency(never)"), Delivery::Never);
}

#[test]
fn a_cut_never_leaves_a_whole_body() {
    let mut client = Client::new(r#"faults = ["*: truncate_body(99999)"]"#);
    let reply = client.get(PROFILE);
    let Delivery::Cut { bytes, .. } = reply.delivery else {
        panic!("{reply:?}");
    };
    assert_eq!(bytes, reply.body.len() - 1);
    let nothing = Client::new(r#"faults = ["*: truncate_body(0)"]"#).get(PROFILE);
    assert!(matches!(nothing.delivery, Delivery::Cut { bytes: 0, .. }));
}

#[test]
fn damage_before_the_operation_leaves_it_undone_and_damage_after_does_not() {
    for (fault, left) in [
        ("status(500)", "1000.00"),
        ("reset_peer", "1000.00"),
        ("timeout", "1000.00"),
        ("rate_limit", "1000.00"),
        ("no_numbers", "1000.00"),
        ("latency(never)", "1000.00"),
        ("truncate_body", "998.56"),
        ("malformed_json", "998.56"),
        ("latency(1h)", "998.56"),
    ] {
        let mut client = Client::new(&format!(r#"faults = ["rent: {fault}"]"#));
        client.post_rent();
        assert_eq!(client.balance(), left, "{fault}");
    }
}

#[test]
fn a_request_without_operation_or_key_is_not_counted() {
    let mut client = Client::new(r#"faults = ["*: status(500) nth 1"]"#);
    assert_eq!(client.get("/nothing").status, 404);
    assert_eq!(client.get("/api/v1/number/rent").status, 405);
    assert_eq!(client.get(PROFILE).status, 500);
    assert_eq!(client.get(PROFILE).status, 200);
}
