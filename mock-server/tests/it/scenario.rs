//! What a client of the API sees, in both arms: shapes, refusals, faults.
//! Nothing here depends on time passing; that is the core's own test.

use std::time::Duration;

use serde_json::json;

use crate::arm::{Answer, Arm, Ask, both, get, key, rent};

const POLL: &str = "/api/v1/number/check-otp/13322954";
const HISTORY: &str = "/api/v1/rentals/history";
const PROFILE: &str = "/api/v1/profile";

fn rent_one(arm: &mut dyn Arm, key: &str) -> serde_json::Value {
    let answer = arm.ask(rent(key, "service=whatsapp"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["rental"].clone()
}

fn balance(arm: &mut dyn Arm, key: &str) -> serde_json::Value {
    arm.ask(get(key, PROFILE)).json()["user"]["balance"].clone()
}

#[test]
fn a_rental_waits_and_is_listed_as_pending() {
    both(r#"sms_delay = "never""#, |arm| {
        let key = key(1);
        assert_eq!(balance(arm, &key), "1000.00");
        let rental = rent_one(arm, &key);
        assert_eq!(rental["id"], 13_322_954);
        assert_eq!(rental["service"], "Whatsapp");
        assert_eq!(rental["cost"], "$1.44");
        assert_eq!(rental["expires_in_seconds"], 1200);
        assert_eq!(
            arm.ask(get(&key, POLL)).body,
            r#"{"success":true,"sms_received":false,"message":"Waiting for inbound SMS traffic payload instance..."}"#
        );
        assert_eq!(balance(arm, &key), "998.56");
        let history = arm.ask(get(&key, HISTORY)).json();
        assert_eq!(history["current_page"], 1);
        assert_eq!(history["total_records"], 1);
        let row = &history["data"][0];
        assert_eq!(row["id"], 13_322_954);
        assert_eq!(row["phone_number"], rental["phone"]);
        assert_eq!(row["service_name"], "WhatsApp");
        assert_eq!(row["cost"], 1.44);
        assert_eq!(row["sms_code"], json!(null));
        assert_eq!(row["status"], "pending");
        assert_eq!(row["created_at"].as_str().map(str::len), Some(19));
    });
}

#[test]
fn a_code_stays_readable_and_agrees_everywhere() {
    both(r#"sms_delay = "0s""#, |arm| {
        let key = key(1);
        rent_one(arm, &key);
        let first = arm.ask(get(&key, POLL));
        assert_eq!(first, arm.ask(get(&key, POLL)));
        let body = first.json();
        let code = body["sms_code"].as_str().expect("a string");
        assert_eq!(body["sms_received"], true);
        assert_eq!(body["message"], json!(null));
        let text = format!(
            "Your WhatsApp verification code is: {}-{}",
            &code[..3],
            &code[3..]
        );
        assert_eq!(body["full_message"], text);
        let row = arm.ask(get(&key, HISTORY)).json()["data"][0].clone();
        assert_eq!(row["status"], "completed");
        assert_eq!(row["sms_code"], code);
    });
}

#[test]
fn the_truth_is_told_to_those_who_ask() {
    both(r#"sms_delay = "0s""#, |arm| {
        let key = key(1);
        rent_one(arm, &key);
        let asked = Ask {
            truth: true,
            ..get(&key, POLL)
        };
        let truth = arm.ask(asked).truth.expect("asked for");
        assert_eq!(truth.delay, Duration::ZERO);
        assert_eq!(arm.ask(get(&key, POLL)).truth, None);
    });
    both(r#"sms_delay = "never""#, |arm| {
        let key = key(1);
        rent_one(arm, &key);
        let asked = Ask {
            truth: true,
            ..get(&key, POLL)
        };
        assert_eq!(arm.ask(asked).truth, None, "there is nothing to tell");
    });
}

#[test]
fn accounts_see_nothing_of_each_other() {
    both(r#"sms_delay = "0s""#, |arm| {
        let (mine, theirs) = (key(1), key(2));
        let rental = rent_one(arm, &mine);
        assert_eq!(arm.ask(get(&theirs, POLL)).status, 404);
        assert_eq!(arm.ask(get(&theirs, HISTORY)).json()["total_records"], 0);
        assert_eq!(balance(arm, &theirs), "1000.00");
        assert_ne!(rent_one(arm, &theirs)["phone"], rental["phone"]);
    });
}

fn refused(answer: &Answer, status: u16, message: &str) {
    let body = json!({ "success": false, "message": message });
    assert_eq!((answer.status, answer.json()), (status, body));
}

#[test]
fn with_strict_keys_only_known_keys_have_accounts_and_each_its_own_settings() {
    let (poor, quick) = (key(1), key(2));
    let toml = format!(
        "strict_keys = true\nbalance = \"9.00\"\n\
         [accounts.{poor}]\nbalance = \"0.50\"\n[accounts.{quick}]\nsms_delay = \"0s\""
    );
    both(&toml, |arm| {
        let stranger = arm.ask(get(&key(3), "/api/v1/profile"));
        refused(&stranger, 401, "The API key is not known.");
        assert_eq!(arm.ask(rent(&poor, "service=whatsapp")).status, 402);
        assert_eq!(arm.ask(rent(&quick, "service=whatsapp")).status, 200);
        let poll = arm.ask(get(&quick, "/api/v1/number/check-otp/13322954"));
        assert_eq!(poll.json()["sms_received"], true);
    });
}

#[test]
fn refusals_follow_the_default_dialect() {
    both("", |arm| {
        let key = key(1);
        let no_key = Ask {
            key: None,
            ..get(&key, PROFILE)
        };
        refused(&arm.ask(no_key), 401, "The Auth header is missing.");
        let invalid = "The API key is not valid: it has exactly 60 characters.";
        refused(&arm.ask(get(&key[1..], PROFILE)), 401, invalid);
        refused(
            &arm.ask(get(&key, "/api/v1/nothing")),
            404,
            "There is no such endpoint.",
        );
        let wrong_method = arm.ask(get(&key, "/api/v1/number/rent"));
        refused(
            &wrong_method,
            405,
            "The method is not allowed for this endpoint.",
        );
        assert_eq!(wrong_method.allow.as_deref(), Some("POST"));
        for id in ["13322954", "1", "x", "+13322954", "99999999999999999999"] {
            let target = format!("/api/v1/number/check-otp/{id}");
            refused(
                &arm.ask(get(&key, &target)),
                404,
                "The rental was not found.",
            );
        }
        assert_eq!(arm.ask(get(&key, HISTORY)).json()["total_records"], 0);
    });
}

#[test]
fn a_bad_rent_is_refused_and_costs_nothing() {
    both("", |arm| {
        let key = key(1);
        let json_body = |body| Ask {
            content_type: Some("application/json"),
            ..rent(&key, body)
        };
        for (ask, status) in [
            (rent(&key, ""), 422),
            (rent(&key, "service="), 422),
            (rent(&key, "service=nokia"), 422),
            (json_body(r#"{"service":7}"#), 422),
            (json_body("service=whatsapp"), 400),
        ] {
            assert_eq!(arm.ask(ask).status, status, "{}", ask.body);
        }
        let in_query = Ask {
            target: "/api/v1/number/rent?service=whatsapp",
            ..rent(&key, "")
        };
        assert_eq!(arm.ask(in_query).status, 422, "the query does not count");
        assert_eq!(arm.ask(json_body(r#"{"service":"WHATSAPP"}"#)).status, 200);
        assert_eq!(balance(arm, &key), "998.56");
    });
}

#[test]
fn an_empty_account_rents_nothing() {
    both(r#"balance = "2.00""#, |arm| {
        let key = key(1);
        rent_one(arm, &key);
        let answer = arm.ask(rent(&key, "service=whatsapp"));
        refused(&answer, 402, "Your balance is too low for this rental.");
        assert_eq!(balance(arm, &key), "0.56");
    });
}

#[test]
fn the_history_has_pages_with_the_newest_first() {
    both(r#"sms_delay = "never""#, |arm| {
        let key = key(1);
        for _ in 0..20 {
            rent_one(arm, &key);
        }
        let mut ids = |query: &str| -> Vec<u64> {
            let history = arm.ask(get(&key, &format!("{HISTORY}{query}"))).json();
            assert_eq!(history["total_records"], 20);
            let rows = history["data"].as_array().expect("rows");
            rows.iter().filter_map(|row| row["id"].as_u64()).collect()
        };
        let newest_first: Vec<u64> = (13_322_954..13_322_974).rev().collect();
        assert_eq!(ids(""), newest_first[..15]);
        assert_eq!(ids("?page=2"), newest_first[15..]);
        assert_eq!(ids("?page=3"), [0; 0]);
        assert_eq!(ids("?per_page=7&page=2"), newest_first[7..14]);
        assert_eq!(ids("?page=x&per_page=999"), newest_first);
    });
}

#[test]
fn faults_strike_as_their_rules_say() {
    let rules = r#"
        sms_delay = "never"
        faults = [
            "check_otp: status(503) first 2",
            "history: rate_limit(1500ms) nth 1",
            "profile: malformed_json nth 1",
            "rent: no_numbers nth 2",
        ]"#;
    both(rules, |arm| {
        let key = key(1);
        rent_one(arm, &key);
        let polls = [(); 3].map(|()| arm.ask(get(&key, POLL)).status);
        assert_eq!(polls, [503, 503, 200]);
        let limited = arm.ask(get(&key, HISTORY));
        refused(&limited, 429, "Too many requests. Please slow down.");
        assert_eq!(limited.retry_after, Some(2), "rounded up");
        assert_eq!(arm.ask(get(&key, HISTORY)).status, 200);
        let malformed = arm.ask(get(&key, PROFILE));
        assert!(serde_json::from_str::<serde_json::Value>(&malformed.body).is_err());
        let message = "No numbers are available for this service right now.";
        refused(&arm.ask(rent(&key, "service=whatsapp")), 503, message);
        assert_eq!(
            balance(arm, &key),
            "998.56",
            "the refused rent cost nothing"
        );
    });
}

#[test]
fn statuses_without_content_have_none() {
    both(r#"faults = ["profile: status(204)"]"#, |arm| {
        let answer = arm.ask(get(&key(1), PROFILE));
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    });
}
