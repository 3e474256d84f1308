//! What the documentation leaves open, in its default and its alternatives:
//! the shape of requests and answers. Both arms.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::arm::{Answer, Arm, Ask, both, exchange, get, key, over_http, rent, settings, written};

const PROFILE: &str = "/api/v1/profile";
const HISTORY: &str = "/api/v1/rentals/history";
const POLL: &str = "/api/v1/number/check-otp/13322954";

/// One scenario with a dialect, and with more settings before it.
fn speaking(dialect: &str, more: &str, scenario: impl Fn(&mut dyn Arm)) {
    both(&format!("{more}\ndialect = \"{dialect}\""), scenario);
}

fn rent_json<'a>(key: &'a str, body: &'a str) -> Ask<'a> {
    Ask {
        content_type: Some("application/json"),
        ..rent(key, body)
    }
}

/// The status of one request, the same in both arms.
fn status(dialect: &str, more: &str, ask: Ask<'_>) -> u16 {
    let answers = RefCell::new(Vec::new());
    speaking(dialect, more, |arm| {
        answers.borrow_mut().push(arm.ask(ask).status);
    });
    let answers = answers.into_inner();
    assert_eq!(answers[0], answers[1], "the arms differ: {dialect}");
    answers[0]
}

/// Every refusal that needs no time to pass, by name.
fn refusals(arm: &mut dyn Arm) -> Vec<(&'static str, Answer)> {
    let (key, poor) = (key(1), key(2));
    arm.ask(rent(&poor, "service=whatsapp"));
    let no_key = Ask {
        key: None,
        ..get(&key, PROFILE)
    };
    vec![
        ("no key", arm.ask(no_key)),
        ("malformed key", arm.ask(get("short", PROFILE))),
        ("no service", arm.ask(rent(&key, ""))),
        ("unknown service", arm.ask(rent(&key, "service=nokia"))),
        ("no money", arm.ask(rent(&poor, "service=whatsapp"))),
        ("no numbers", arm.ask(rent(&key, "service=whatsapp"))),
        (
            "no rental",
            arm.ask(get(&key, "/api/v1/number/check-otp/1")),
        ),
        ("no endpoint", arm.ask(get(&key, "/api/v1/nothing"))),
        ("wrong method", arm.ask(get(&key, "/api/v1/number/rent"))),
        ("injected", arm.ask(get(&key, PROFILE))),
        ("rate limited", arm.ask(get(&key, HISTORY))),
    ]
}

const REFUSING: &str = "balance = \"2.00\"\n\
    faults = [\"rent: no_numbers after 2\", \"profile: status(418)\", \"history: rate_limit\"]";

#[test]
fn each_error_body_refuses_in_its_own_way() {
    for name in [
        "envelope", "laravel", "getatext", "coded", "http200", "html", "empty",
    ] {
        let golden = format!("tests/golden/refusals-{name}.txt");
        speaking(&format!("error_body={name}"), REFUSING, |arm| {
            let mut shown = String::new();
            for (what, answer) in refusals(arm) {
                let body = format!("{what}: {} {}", answer.status, answer.body);
                shown += &format!("{}\n", body.trim_end());
            }
            expectorate::assert_contents(&golden, &shown);
        });
    }
}

#[test]
fn a_good_status_does_not_swallow_what_a_rule_injects() {
    speaking("error_body=http200", REFUSING, |arm| {
        for (what, answer) in refusals(arm) {
            let expected = match what {
                "injected" => 418,
                "rate limited" => 429,
                _ => 200,
            };
            assert_eq!(answer.status, expected, "{what}");
            assert_eq!(answer.json()["success"], false, "{what}");
        }
    });
}

#[test]
fn each_refusal_has_the_status_that_the_dialect_gives_it() {
    let key = key(1);
    let poor = "balance = \"0.50\"";
    let empty = "faults = [\"rent: no_numbers\"]";
    let whatsapp = rent(&key, "service=whatsapp");
    for (dialect, more, ask, expected) in [
        ("default", "", get("short", PROFILE), 401),
        ("unauthorized=403", "", get("short", PROFILE), 403),
        ("default", "", rent(&key, ""), 422),
        ("missing_service=400", "", rent(&key, ""), 400),
        ("default", "", rent(&key, "service=nokia"), 422),
        ("unknown_service=404", "", rent(&key, "service=nokia"), 404),
        ("default", poor, whatsapp, 402),
        ("insufficient_balance=400", poor, whatsapp, 400),
        ("default", empty, whatsapp, 503),
        ("no_numbers=200", empty, whatsapp, 200),
        ("default", "", get(&key, POLL), 404),
        ("no_such_rental=422", "", get(&key, POLL), 422),
        ("default", "", whatsapp, 200),
        ("rent_status=201", "", whatsapp, 201),
    ] {
        assert_eq!(status(dialect, more, ask), expected, "{dialect}");
    }
}

#[test]
fn a_wrong_method_is_told_or_taken_for_a_wrong_path() {
    let key = key(1);
    let stray = get(&key, "/api/v1/number/rent");
    speaking("default", "", |arm| {
        let answer = arm.ask(stray);
        assert_eq!(
            (answer.status, answer.allow.as_deref()),
            (405, Some("POST"))
        );
    });
    speaking("wrong_method=404", "", |arm| {
        let answer = arm.ask(stray);
        assert_eq!((answer.status, answer.allow.as_deref()), (404, None));
        let nowhere = arm.ask(get(&key, "/api/v1/nothing"));
        assert_eq!(answer.body, nowhere.body);
    });
}

#[test]
fn without_a_key_a_browser_is_sent_to_log_in() {
    let no_key = Ask {
        key: None,
        ..get("", PROFILE)
    };
    speaking("unauthorized=redirect", "", |arm| {
        let answer = arm.ask(no_key);
        assert_eq!(answer.status, 302);
        assert!(answer.body.starts_with("<html>"));
        assert_eq!(arm.ask(get(&key(1), "/api/v1/nothing")).status, 404);
    });
    let running = mock_server::Server::local()
        .start(settings("dialect = \"unauthorized=redirect\""))
        .expect("a free port");
    let accepting = |types: &str| {
        let headers = format!("Connection: close\r\nAccept: {types}\r\n");
        exchange(running.address(), &written(no_key, &headers))
    };
    assert_eq!(accepting("*/*").status, 302);
    let refused = accepting("application/json");
    assert_eq!(
        (refused.status, &refused.json()["success"]),
        (401, &json!(false))
    );
}

#[test]
fn a_key_may_have_any_length_and_is_known_by_all_of_it() {
    let long = "x".repeat(200);
    speaking("key_format=any", "", |arm| {
        for key in ["a", "ab", &long, &long[1..]] {
            let history = arm.ask(get(key, HISTORY)).json();
            assert_eq!(history["total_records"], 0, "an account of its own");
            assert_eq!(arm.ask(rent(key, "service=whatsapp")).status, 200);
        }
        let too_long = "x".repeat(257);
        for key in ["", "a b", &too_long] {
            assert_eq!(arm.ask(get(key, PROFILE)).status, 401, "{key}");
        }
    });
}

#[test]
fn a_short_key_is_known_to_files_and_to_the_control_api() {
    let toml = "strict_keys = true\ndialect = \"key_format=any\"\n\
                [accounts.short]\nbalance = \"5.00\"";
    both(toml, |arm| {
        assert_eq!(
            arm.ask(get("short", PROFILE)).json()["user"]["balance"],
            "5.00"
        );
        assert_eq!(arm.ask(get("shorter", PROFILE)).status, 401);
    });
    let running = mock_server::Server::local()
        .start(settings(toml))
        .expect("a free port");
    let ledger = over_http(running.address(), get("short", "/__admin/ledger"));
    assert_eq!(ledger.status, 200, "{ledger:?}");
    assert!(!ledger.body.contains("short"), "{ledger:?}");
    assert_eq!(
        over_http(running.address(), get("shorter", "/__admin/ledger")).status,
        404
    );
}

#[test]
fn any_slug_is_a_service_where_it_is_accepted() {
    speaking("unknown_service=accept", "sms_delay = \"0s\"", |arm| {
        let key = key(1);
        let rented = arm.ask(rent(&key, "service=Nokia-3310")).json();
        assert_eq!(rented["rental"]["service"], "Nokia-3310");
        assert_eq!(rented["rental"]["cost"], "$1.00");
        let row = arm.ask(get(&key, HISTORY)).json()["data"][0].clone();
        assert_eq!(
            (&row["service_name"], &row["cost"]),
            (&json!("Nokia-3310"), &json!(1.0))
        );
        assert_eq!(arm.ask(get(&key, POLL)).json()["sms_code"], row["sms_code"]);
        let known = arm.ask(rent(&key, "service=whatsapp")).json();
        assert_eq!(known["rental"]["service"], "Whatsapp");
        assert_eq!(arm.ask(rent(&key, "service=two words")).status, 422);
    });
}

#[test]
fn the_case_of_a_slug_may_matter() {
    let key = key(1);
    let shouted = rent(&key, "service=WHATSAPP");
    assert_eq!(status("default", "", shouted), 200);
    assert_eq!(status("slug_case=lower", "", shouted), 422);
}

#[test]
fn a_rent_may_have_to_be_json_or_a_form() {
    let key = key(1);
    let (form, json) = (
        rent(&key, "service=whatsapp"),
        rent_json(&key, r#"{"service":"whatsapp"}"#),
    );
    for (dialect, of_form, of_json) in [
        ("rent_content=any", 200, 200),
        ("rent_content=json", 415, 200),
        ("rent_content=form", 200, 415),
    ] {
        assert_eq!(status(dialect, "", form), of_form, "{dialect}");
        assert_eq!(status(dialect, "", json), of_json, "{dialect}");
    }
}

fn newest_row(arm: &mut dyn Arm, key: &str) -> Value {
    assert_eq!(arm.ask(rent(key, "service=whatsapp")).status, 200);
    arm.ask(get(key, HISTORY)).json()["data"][0].clone()
}

#[test]
fn the_history_has_other_words_for_a_rental() {
    for (words, pending, completed) in [
        ("default", "pending", "completed"),
        ("five_sim", "PENDING", "RECEIVED"),
        ("getatext", "active", "completed"),
        ("wartet/da/weg", "wartet", "da"),
    ] {
        let dialect = format!("status_words={words}");
        for (delay, word) in [("never", pending), ("0s", completed)] {
            speaking(&dialect, &format!("sms_delay = \"{delay}\""), |arm| {
                assert_eq!(newest_row(arm, &key(1))["status"], word);
            });
        }
    }
}

#[test]
fn a_code_that_is_not_there_is_written_in_four_ways() {
    for (no_code, expected) in [
        ("null", Some(Value::Null)),
        ("empty", Some(json!(""))),
        ("zero", Some(json!("0"))),
        ("absent", None),
    ] {
        let dialect = format!("no_code={no_code}");
        speaking(&dialect, "sms_delay = \"never\"", |arm| {
            assert_eq!(newest_row(arm, &key(1)).get("sms_code"), expected.as_ref());
        });
        speaking(&dialect, "sms_delay = \"0s\"", |arm| {
            let row = newest_row(arm, &key(1));
            assert_eq!(row["sms_code"].as_str().map(str::len), Some(6), "{row}");
        });
    }
}

#[test]
fn the_history_is_divided_and_ordered_as_the_dialect_says() {
    let ids = |arm: &mut dyn Arm, key: &str, query: &str| -> Vec<u64> {
        let history = arm.ask(get(key, &format!("{HISTORY}{query}"))).json();
        assert_eq!(history["total_records"], 20);
        let rows = history["data"].as_array().expect("rows");
        rows.iter().filter_map(|row| row["id"].as_u64()).collect()
    };
    let oldest: Vec<u64> = (13_322_954..13_322_974).collect();
    let newest: Vec<u64> = oldest.iter().rev().copied().collect();
    for (dialect, query, expected) in [
        ("default", "", &newest[..15]),
        ("history_order=oldest", "", &oldest[..15]),
        ("history_order=oldest", "?page=2", &oldest[15..]),
        ("paging=ignored", "?page=2&per_page=3", &newest[..]),
        ("paging=offset", "?offset=4&limit=2", &newest[4..6]),
        ("paging=offset", "?page=2", &newest[..15]),
        ("paging=strict", "?page=2", &newest[15..]),
    ] {
        speaking(dialect, "", |arm| {
            let key = key(1);
            for _ in 0..20 {
                arm.ask(rent(&key, "service=whatsapp"));
            }
            assert_eq!(ids(arm, &key, query), expected, "{dialect} {query}");
        });
    }
    let key = key(1);
    let bad = get(&key, "/api/v1/rentals/history?page=x");
    assert_eq!(status("default", "", bad), 200);
    assert_eq!(status("paging=strict", "", bad), 422);
}

#[test]
fn every_object_may_have_a_field_that_nobody_knows() {
    fn count(value: &Value) -> (usize, usize) {
        let nested: Vec<&Value> = match value {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        let own = match value.as_object() {
            Some(fields) => (1, usize::from(fields.contains_key("undocumented"))),
            None => (0, 0),
        };
        nested
            .into_iter()
            .map(count)
            .fold(own, |sum, inner| (sum.0 + inner.0, sum.1 + inner.1))
    }
    for (dialect, everywhere) in [("default", false), ("extra_fields=some", true)] {
        speaking(dialect, "sms_delay = \"never\"", |arm| {
            let key = key(1);
            for (ask, objects) in [
                (rent(&key, "service=whatsapp"), 2),
                (get(&key, PROFILE), 2),
                (get(&key, HISTORY), 2),
                (get(&key, POLL), 1),
                (get("short", PROFILE), 1),
            ] {
                let answer = arm.ask(ask).json();
                let expected = if everywhere { objects } else { 0 };
                assert_eq!(count(&answer), (objects, expected), "{answer}");
            }
        });
    }
}

#[test]
fn an_account_may_speak_otherwise_than_the_rest() {
    let other = key(2);
    let toml = format!(
        "dialect = \"no_such_rental=403, missing_service=400\"\n\
         [accounts.{other}.dialect]\nno_such_rental = 410"
    );
    both(&toml, |arm| {
        assert_eq!(arm.ask(get(&key(1), POLL)).status, 403);
        assert_eq!(arm.ask(get(&other, POLL)).status, 410);
        assert_eq!(arm.ask(rent(&other, "")).status, 400);
    });
}
