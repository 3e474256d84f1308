//! Snapshots over HTTP: the same future, here and elsewhere, and what is refused.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::arm::{get, key, over_http, rent, settings};
use crate::control::{advance, control, start};

const SETTINGS: &str = "sms_delay = \"0.7*uniform(1s,15m) + 0.3*never\"\ntime_scale = 0\n\
                        faults = [\"rent: status(500) probability 0.3\", \"rent: sms_second_code(30s) every 2\"]";

/// What the next half hour brings: statuses, numbers, money, and all that fires.
fn future(address: SocketAddr, key: &str) -> Value {
    let mut seen = Vec::new();
    for _ in 0..10 {
        let answer = over_http(address, rent(key, "service=whatsapp"));
        let mut rental = answer.json()["rental"].clone();
        if let Some(rental) = rental.as_object_mut() {
            rental.remove("id");
        }
        seen.push(json!([answer.status, rental]));
        for fired in advance(address, Some(key), "3m")["fired"]
            .as_array()
            .expect("a list")
        {
            seen.push(json!([fired["at"], fired["event"]]));
        }
    }
    let history = over_http(address, get(key, "/api/v1/rentals/history?per_page=100")).json();
    for row in history["data"].as_array().expect("rows") {
        seen.push(json!([
            row["phone_number"],
            row["sms_code"],
            row["status"],
            row["created_at"]
        ]));
    }
    seen.push(control(address, Some(key), "GET", "ledger", "").json());
    seen.push(control(address, Some(key), "GET", "faults", "").json());
    json!(seen)
}

fn past(address: SocketAddr, key: &str) {
    control(
        address,
        Some(key),
        "POST",
        "faults",
        r#"{"rule":"rent: no_numbers every 4"}"#,
    );
    for _ in 0..5 {
        over_http(address, rent(key, "service=telegram"));
        advance(address, Some(key), "1m");
    }
}

#[test]
fn an_account_that_is_brought_back_has_the_same_future() {
    let running = start(settings(SETTINGS));
    let (address, mine) = (running.address(), key(1));
    past(address, &mine);
    let taken = control(address, Some(&mine), "POST", "snapshot", "").body;
    assert!(!taken.contains(&mine), "a key leaks");
    let first = future(address, &mine);
    let brought = control(address, Some(&mine), "PUT", "snapshot", &taken);
    assert_eq!(brought.status, 200, "{brought:?}");
    assert_eq!(
        control(address, Some(&mine), "POST", "snapshot", "").json()["accounts"],
        json_of(&taken)["accounts"]
    );
    assert_eq!(future(address, &mine), first);
}

#[test]
fn an_account_whose_dialect_has_changed_keeps_to_the_money_it_began_with() {
    let running = start(settings("sms_delay = \"never\"\ntime_scale = 0"));
    let (address, mine) = (running.address(), key(1));
    over_http(address, rent(&mine, "service=telegram"));
    let other = r#"{"dialect":"charge=sms, refund=none"}"#;
    control(address, Some(&mine), "PATCH", "accounts", other);
    let taken = control(address, Some(&mine), "POST", "snapshot", "").body;
    let brought = control(address, Some(&mine), "PUT", "snapshot", &taken);
    assert_eq!(brought.status, 200, "{brought:?}");
    advance(address, Some(&mine), "20m");
    let ledger = control(address, Some(&mine), "GET", "ledger", "").json();
    assert_eq!(ledger["accounts"][0]["balance"], "1000.00", "{ledger}");
    assert_eq!(ledger["conserved"], true, "{ledger}");
}

#[test]
fn a_dialect_goes_along_but_for_its_secret() {
    let dialect = "dialect = \"laravel, no_numbers=404, webhook_signature=hush-hush\"";
    let (here, there) = (start(settings(dialect)), start(settings("seed = 99")));
    let mine = key(1);
    over_http(here.address(), rent(&mine, "service=telegram"));
    let taken = control(here.address(), Some(&mine), "POST", "snapshot", "").body;
    assert!(!taken.contains("hush"), "a secret leaks: {taken}");
    let brought = control(there.address(), Some(&mine), "PUT", "snapshot", &taken);
    assert_eq!(brought.status, 200, "{brought:?}");
    let shown = control(there.address(), Some(&mine), "GET", "accounts", "").json();
    let dialect = &shown["accounts"][0]["settings"]["dialect"];
    assert_eq!(
        (&dialect["error_body"], &dialect["no_numbers"]),
        (&json!("laravel"), &json!("404"))
    );
    let missing = get(&mine, "/api/v1/number/check-otp/1");
    assert!(over_http(there.address(), missing).json()["success"].is_null());
}

#[test]
fn a_server_is_brought_back_elsewhere() {
    let (here, there) = (start(settings(SETTINGS)), start(settings("seed = 99")));
    let (mine, other) = (key(1), key(2));
    past(here.address(), &mine);
    past(here.address(), &other);
    control(
        here.address(),
        None,
        "POST",
        "faults",
        r#"{"rule":"profile: status(418)"}"#,
    );
    let taken = control(here.address(), None, "POST", "snapshot", "").body;
    let stranger = control(there.address(), None, "PUT", "snapshot", &taken);
    assert_eq!(stranger.status, 400, "{stranger:?}");
    assert!(
        stranger.body.contains("nobody has said the key"),
        "{stranger:?}"
    );
    let mut whole = json_of(&taken);
    whole["keys"] = json!([mine, other]);
    let brought = control(there.address(), None, "PUT", "snapshot", &whole.to_string());
    assert_eq!(brought.status, 200, "{brought:?}");
    assert!(!brought.body.contains(&mine), "a key leaks");
    assert_eq!(
        future(there.address(), &mine),
        future(here.address(), &mine)
    );
    assert_eq!(
        future(there.address(), &other),
        future(here.address(), &other)
    );
    let profile = over_http(there.address(), get(&key(3), "/api/v1/profile"));
    assert_eq!(
        profile.status, 418,
        "an account to come has the server's rules"
    );
}

fn refuses(address: SocketAddr, key: &str, body: &str, expected: &str) {
    let answer = control(address, Some(key), "PUT", "snapshot", body);
    assert_eq!(answer.status, 400, "{expected}: {answer:?}");
    let message = answer.json()["message"].to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_snapshot_that_makes_no_sense_changes_nothing() {
    let running = start(settings(SETTINGS));
    let (address, mine) = (running.address(), key(1));
    past(address, &mine);
    let taken = control(address, Some(&mine), "POST", "snapshot", "").json();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut snapshot = taken.clone();
        change(&mut snapshot);
        snapshot.to_string()
    };
    let cases = [
        (
            broken(&|snapshot| snapshot["version"] = json!(1)),
            "only 2 is understood",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["money"]["charged"] = json!(1)),
            "the money does not agree",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["money"]["charged"] = json!(i64::MAX)),
            "that much money",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["rentals"][0]["service"] = json!("?")),
            "a service",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["rentals"][0]["id"] = json!(u32::MAX)),
            "in the order of their ids",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["settled"] = json!(99)),
            "more rentals are settled",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["rules_made"] = json!(u32::MAX)),
            "counted that far",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["pace"] = json!(-1)),
            "at a pace from 0",
        ),
        (
            broken(&|snapshot| snapshot["accounts"][0]["account"] = json!("else")),
            "the snapshot is of account else",
        ),
        (
            broken(&|snapshot| snapshot["next_rental_id"] = json!(u32::MAX)),
            "too many rentals",
        ),
        ("{}".to_owned(), "missing field"),
        ("[".to_owned(), "is not understood"),
    ];
    for (body, expected) in cases {
        refuses(address, &mine, &body, expected);
    }
    // One account is not the server.
    let whole = control(address, None, "PUT", "snapshot", &taken.to_string());
    assert_eq!(whole.status, 400);
    let left = control(address, Some(&mine), "POST", "snapshot", "").json();
    assert_eq!(left, taken);
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
