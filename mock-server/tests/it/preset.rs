//! What no preset may break: the clauses that the documentation says literally
//! (CLAUSES part 3), as far as one look at each answer shows them. Both arms.

use serde_json::Value;

use crate::arm::{Arm, Ask, both, get, key, rent};

const PRESETS: [&str; 4] = ["default", "laravel", "strict", "hostile"];
const PROFILE: &str = "/api/v1/profile";
const HISTORY: &str = "/api/v1/rentals/history";

fn rent_json<'a>(key: &'a str, body: &'a str) -> Ask<'a> {
    Ask {
        content_type: Some("application/json"),
        ..rent(key, body)
    }
}

/// A good answer: one object whose `success` is true.
fn good(arm: &mut dyn Arm, ask: Ask<'_>) -> Value {
    let answer = arm.ask(ask);
    assert!((200..300).contains(&answer.status), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["success"], Value::Bool(true), "{body}");
    body
}

/// No success, in whatever form.
fn refused(arm: &mut dyn Arm, ask: Ask<'_>) {
    let answer = arm.ask(ask);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    assert_ne!(body["success"], Value::Bool(true), "{answer:?}");
    assert!(answer.status >= 300 || body.is_object(), "{answer:?}");
    assert!(!answer.body.contains("kkkkkk"), "A4: {answer:?}");
}

fn digits(value: &Value) -> &str {
    let text = value.as_str().expect("a text");
    assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    text
}

fn each_preset(more: &str, scenario: impl Fn(&mut dyn Arm)) {
    for preset in PRESETS {
        both(&format!("{more}\ndialect = \"{preset}\""), &scenario);
    }
}

#[test]
fn a_rental_is_told_as_documented_in_every_preset() {
    each_preset("sms_delay = \"0s\"", |arm| {
        let key = key(1);
        let before = good(arm, get(&key, PROFILE));
        for field in ["name", "email"] {
            assert!(before["user"][field].is_string(), "P2, P3: {before}");
        }
        assert_eq!(before["user"]["balance"], "1000.00", "P4");
        let rented = good(arm, rent_json(&key, r#"{"service":"whatsapp"}"#));
        assert!(rented["message"].is_string(), "R6: {rented}");
        let rental = &rented["rental"];
        let id = rental["id"].as_u64().expect("R8");
        let phone = digits(&rental["phone"]);
        assert_eq!(rental["service"].as_str(), Some("Whatsapp"), "R10");
        assert_eq!(rental["cost"], "$1.44", "R11");
        assert!(rental["expires_in_seconds"].is_u64(), "R12");
        let target = format!("/api/v1/number/check-otp/{id}");
        let poll = good(arm, get(&key, &target));
        assert_eq!(poll["sms_received"], true, "C5");
        let code = digits(&poll["sms_code"]);
        let text = poll["full_message"].as_str().expect("C5");
        assert!(text.replace('-', "").contains(code), "C7: {poll}");
        assert_eq!(good(arm, get(&key, &target)), poll, "C10");
        assert_eq!(
            good(arm, get(&key, PROFILE))["user"]["balance"],
            "998.56",
            "P7"
        );
        let history = good(arm, get(&key, HISTORY));
        assert_eq!(history["current_page"], 1, "H2");
        assert_eq!(history["total_records"], 1, "H3");
        let row = &history["data"][0];
        assert_eq!(row["id"], id, "H5");
        assert_eq!(row["phone_number"], phone, "H6");
        assert_eq!(row["service_name"], "WhatsApp", "H7");
        assert_eq!(row["cost"].as_f64(), Some(1.44), "H8");
        assert_eq!(row["sms_code"], code, "H9");
        assert!(row["status"].is_string(), "H10");
        let created_at = row["created_at"].as_str().expect("H11");
        let zero = |character: char| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        };
        let shape: String = created_at.chars().map(zero).collect();
        assert_eq!(shape, "0000-00-00 00:00:00", "H11");
    });
}

#[test]
fn waiting_is_told_as_documented_in_every_preset() {
    each_preset("sms_delay = \"never\"", |arm| {
        let key = key(1);
        let rented = good(arm, rent_json(&key, r#"{"service":"telegram"}"#));
        let target = format!("/api/v1/number/check-otp/{}", rented["rental"]["id"]);
        let poll = good(arm, get(&key, &target));
        assert_eq!(poll["sms_received"], false, "C2");
        assert!(poll["message"].is_string(), "C2");
        assert!(poll.get("sms_code").is_none(), "C4");
    });
}

#[test]
fn every_row_is_there_once_in_every_preset() {
    // Two, because a dialect may allow no more at once.
    each_preset("sms_delay = \"0s\"", |arm| {
        let key = key(1);
        let mut made: Vec<u64> = (0..2)
            .map(|_| good(arm, rent_json(&key, r#"{"service":"google"}"#)))
            .filter_map(|rented| rented["rental"]["id"].as_u64())
            .collect();
        let history = good(arm, get(&key, HISTORY));
        let rows = history["data"].as_array().expect("H4");
        let mut listed: Vec<_> = rows.iter().filter_map(|row| row["id"].as_u64()).collect();
        listed.sort_unstable();
        made.sort_unstable();
        assert_eq!(listed, made, "H13");
    });
}

#[test]
fn what_has_to_fail_fails_in_every_preset() {
    each_preset("balance = \"0.10\"", |arm| {
        let (key, other) = (key(1), key(2));
        for target in [PROFILE, HISTORY, "/api/v1/number/check-otp/1"] {
            let no_key = Ask {
                key: None,
                ..get(&key, target)
            };
            refused(arm, no_key);
        }
        refused(arm, rent_json(&key, "{}"));
        refused(arm, rent_json(&key, r#"{"service":"no such"}"#));
        refused(arm, rent_json(&key, r#"{"service":"whatsapp"}"#));
        refused(arm, get(&key, "/api/v1/number/check-otp/x"));
        refused(arm, get(&other, "/api/v1/number/check-otp/13322954"));
        refused(arm, get(&key, "/api/v1/number/rent"));
        assert_eq!(
            good(arm, get(&key, PROFILE))["user"]["balance"],
            "0.10",
            "R2"
        );
        assert_eq!(good(arm, get(&key, HISTORY))["total_records"], 0, "R2");
    });
}
