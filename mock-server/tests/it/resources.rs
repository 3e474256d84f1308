//! Accounts, faults, rentals, webhooks and the journal as resources of the
//! control API, over HTTP.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use mock_server::{Running, Server};
use serde_json::{Value, json};

use crate::arm::{get, key, over_http, rent, settings};
use crate::control::{advance, control, names, start};

/// A server whose time stands still, and where an SMS takes ten minutes.
fn frozen(more: &str) -> Running {
    start(settings(&format!(
        "sms_delay = \"10m\"\ntime_scale = 0\n{more}"
    )))
}

fn good(address: SocketAddr, key: Option<&str>, method: &str, call: &str, body: &str) -> Value {
    let answer = control(address, key, method, call, body);
    assert_eq!(answer.status, 200, "{method} {call}: {answer:?}");
    answer.json()
}

fn refused(
    address: SocketAddr,
    key: Option<&str>,
    (method, call, body): (&str, &str, &str),
) -> (u16, String) {
    let answer = control(address, key, method, call, body);
    let message = answer.json()["message"].as_str().map(str::to_owned);
    (answer.status, message.expect("a sentence"))
}

fn rents(address: SocketAddr, key: &str) -> u64 {
    let rented = over_http(address, rent(key, "service=whatsapp")).json();
    rented["rental"]["id"].as_u64().expect("an id")
}

#[test]
fn an_account_is_given_settings_while_it_lives() {
    let running = frozen("");
    let (address, mine, other) = (running.address(), key(1), key(2));
    let old = rents(address, &mine);
    let patch = r#"{"balance":"5.00","sms_delay":"1m","rental_life":"2m","time_scale":"0"}"#;
    let shown = good(address, Some(&mine), "PATCH", "accounts", patch);
    let account = &shown["accounts"][0];
    assert_eq!(account["balance"], "5.00");
    assert_eq!(
        (&account["rentals"], &account["live_rentals"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(account["settings"]["rental_life"], "2m");
    assert_eq!(shown["default"]["rental_life"], "20m");
    let new = rents(address, &mine);
    let fired = advance(address, Some(&mine), "9m");
    assert_eq!(names(&fired), ["sms.received"]);
    assert_eq!(fired["fired"][0]["rental_id"], new);
    let fired = advance(address, Some(&mine), "1m");
    assert_eq!(fired["fired"][0]["rental_id"], old, "it keeps its terms");
    let ledger = good(address, Some(&mine), "GET", "ledger", "");
    assert_eq!(ledger["conserved"], true, "{ledger}");
    good(address, None, "PUT", "accounts", r#"{"balance":"7.00"}"#);
    let balance = |key: &str| {
        over_http(address, get(key, "/api/v1/profile")).json()["user"]["balance"].clone()
    };
    assert_eq!(
        (balance(&mine), balance(&other)),
        (json!("3.56"), json!("7.00"))
    );
    good(address, Some(&mine), "DELETE", "accounts", "");
    assert_eq!(balance(&mine), "7.00", "nothing is left of it");
    let (status, message) = refused(address, None, ("DELETE", "accounts", ""));
    assert_eq!(status, 400, "{message}");
}

#[test]
fn a_limit_of_waiting_rentals_counts_those_that_are_there() {
    let running = frozen("");
    let (address, mine) = (running.address(), key(1));
    for _ in 0..3 {
        rents(address, &mine);
    }
    let limit = |count: u32| {
        let patch = format!(r#"{{"dialect":"active_rentals={count}"}}"#);
        good(address, Some(&mine), "PATCH", "accounts", &patch);
        over_http(address, rent(&mine, "service=whatsapp")).status
    };
    assert_eq!(limit(3), 429);
    assert_eq!(limit(4), 200);
}

#[test]
fn rentals_of_another_life_are_refunded_at_their_own_ends() {
    let running = start(settings("sms_delay = \"never\"\ntime_scale = 0"));
    let (address, key) = (running.address(), key(1));
    rents(address, &key);
    good(
        address,
        Some(&key),
        "PATCH",
        "accounts",
        r#"{"rental_life":"1m"}"#,
    );
    rents(address, &key);
    let refunded = |minutes: &str| {
        advance(address, Some(&key), minutes);
        let ledger = good(address, Some(&key), "GET", "ledger", "");
        assert_eq!(ledger["conserved"], true, "{ledger}");
        ledger["accounts"][0]["refunded"].clone()
    };
    assert_eq!(refunded("1m"), "1.44");
    assert_eq!(refunded("18m"), "1.44");
    assert_eq!(refunded("1m"), "2.88");
}

#[test]
fn webhooks_stay_on_this_machine_whoever_asks() {
    let running = frozen("");
    let body = r#"{"webhook_url":"http://hooks.test/"}"#;
    let (status, message) = refused(
        running.address(),
        Some(&key(1)),
        ("PATCH", "accounts", body),
    );
    assert_eq!(status, 400);
    assert!(
        message.contains("--allow-webhook-host hooks.test"),
        "{message}"
    );
}

#[test]
fn a_new_key_becomes_known_with_strict_keys() {
    let running = frozen("strict_keys = true");
    let (address, key) = (running.address(), key(1));
    let profile = || over_http(address, get(&key, "/api/v1/profile")).status;
    assert_eq!(profile(), 401);
    let (status, _) = refused(address, Some(&key), ("PATCH", "accounts", "{}"));
    assert_eq!(status, 404);
    good(address, Some(&key), "PUT", "accounts", "{}");
    assert_eq!(profile(), 200);
    good(address, Some(&key), "DELETE", "accounts", "");
    assert_eq!(profile(), 401);
}

#[test]
fn faults_are_added_seen_replaced_and_taken_away() {
    let running = frozen("faults = [\"rent: latency(0s)\"]");
    let (address, mine, other) = (running.address(), key(1), key(2));
    let status = |key: &str| over_http(address, get(key, "/api/v1/profile")).status;
    status(&mine);
    let everybody = r#"{"operation":"profile","fault":"status(500)","when":"nth 2"}"#;
    let rule = good(address, None, "POST", "faults", everybody);
    assert_eq!(
        (&rule["id"], &rule["rule"]),
        (&json!("server-1"), &json!("profile: status(500) nth 2"))
    );
    let own = r#"{"rule":"profile: status(418) first 1 ttl 1m"}"#;
    good(address, Some(&mine), "POST", "faults", own);
    assert_eq!(
        (status(&mine), status(&other)),
        (418, 200),
        "the own rule comes first"
    );
    assert_eq!(
        (status(&mine), status(&other)),
        (500, 500),
        "each counts for itself"
    );
    let listed = good(address, Some(&mine), "GET", "faults", "");
    let rules = listed["faults"].as_array().expect("a list").iter();
    let ids: Vec<_> = rules.map(|rule| &rule["id"]).collect();
    assert_eq!(ids, ["account-1", "server-1", "settings-1"]);
    let shown = good(address, None, "GET", "faults/server-1", "");
    assert_eq!((&shown["seen"], &shown["fired"]), (&json!(4), &json!(2)));
    good(
        address,
        Some(&mine),
        "PUT",
        "faults/account-1",
        r#"{"rule":"profile: status(419) ttl 1m"}"#,
    );
    assert_eq!(status(&mine), 419);
    advance(address, Some(&mine), "1m");
    assert_eq!(status(&mine), 200, "its time is over");
    for (key, line, expected) in [
        (Some(&mine), ("DELETE", "faults/server-1", ""), 409),
        (Some(&mine), ("DELETE", "faults/settings-1", ""), 409),
        (Some(&other), ("DELETE", "faults/account-1", ""), 404),
        (None, ("GET", "faults/first", ""), 404),
        (None, ("POST", "faults", "{}"), 400),
        (
            None,
            ("POST", "faults", r#"{"rule":"rent: nonsense"}"#),
            400,
        ),
    ] {
        let (status, message) = refused(address, key.map(String::as_str), line);
        assert_eq!(status, expected, "{line:?}: {message}");
    }
    good(address, Some(&mine), "DELETE", "faults/account-1", "");
    good(address, None, "DELETE", "faults", "");
    let left = good(address, Some(&mine), "GET", "faults", "");
    assert_eq!(left["faults"][0]["id"], "settings-1");
    assert_eq!(left["faults"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_tester_delivers_and_ends_by_hand() {
    let running = frozen("");
    let (address, mine) = (running.address(), key(1));
    let (first, second) = (rents(address, &mine), rents(address, &mine));
    let sms = format!("rentals/{first}/sms");
    let shown = good(address, Some(&mine), "POST", &sms, r#"{"code":"123456"}"#);
    assert_eq!(
        (&shown["state"], &shown["code"]),
        (&json!("completed"), &json!("123456"))
    );
    let poll = format!("/api/v1/number/check-otp/{first}");
    assert_eq!(
        over_http(address, get(&mine, &poll)).json()["sms_code"],
        "123456"
    );
    let expire = |id| format!("rentals/{id}/expire");
    assert_eq!(
        good(address, Some(&mine), "POST", &expire(second), "")["state"],
        "expired"
    );
    assert_eq!(
        refused(address, Some(&mine), ("POST", &expire(first), "")).0,
        409
    );
    assert_eq!(
        refused(address, Some(&key(2)), ("POST", &expire(first), "")).0,
        404
    );
    assert_eq!(
        refused(address, Some(&mine), ("POST", "rentals/x/sms", "")).0,
        404
    );
    let third = rents(address, &mine);
    let drawn = good(
        address,
        Some(&mine),
        "POST",
        &format!("rentals/{third}/sms"),
        "",
    );
    assert_eq!(
        drawn["code"].as_str().map(str::len),
        Some(6),
        "a body may be left out"
    );
    let pending = good(
        address,
        Some(&mine),
        "GET",
        "rentals?state=expired&limit=5",
        "",
    );
    let ids: Vec<_> = pending["rentals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|rental| &rental["rental_id"])
        .collect();
    assert_eq!(ids, [second]);
    let one = good(address, None, "GET", &format!("rentals/{first}"), "");
    assert_eq!((&one["polls"], &one["cost"]), (&json!(1), &json!("1.44")));
}

#[test]
fn deliveries_are_on_record_and_can_be_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let running = frozen(&format!("webhook_url = \"http://127.0.0.1:{port}/\""));
    let (address, mine) = (running.address(), key(1));
    let id = rents(address, &mine);
    let wish = |what: &str| format!(r#"{{"until":{{"for":{what}}},"timeout":"30s"}}"#);
    let acknowledged = wish(&format!(r#""delivery","rental_id":{id}"#));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| good(address, Some(&mine), "POST", "wait", &acknowledged));
        let sms = scope.spawn(|| good(address, None, "POST", "wait", &wish(r#""sms""#)));
        scope.spawn(|| {
            crate::webhook::receive(&listener, "500 Oops");
            crate::webhook::receive(&listener, "200 Fine");
        });
        advance(address, Some(&mine), "11m");
        assert_eq!(waiting.join().expect("an answer")["satisfied"], true);
        assert_eq!(sms.join().expect("an answer")["satisfied"], true);
    });
    let call = format!("webhooks/deliveries?rental_id={id}");
    let listed = good(address, Some(&mine), "GET", &call, "");
    let delivery = &listed["deliveries"][0];
    assert_eq!(delivery["state"], "acknowledged");
    let attempts = delivery["attempts"].as_array().expect("a list");
    let shown: Vec<_> = attempts
        .iter()
        .map(|attempt| (&attempt["outcome"], &attempt["status"]))
        .collect();
    assert_eq!(
        shown,
        [
            (&json!("failed"), &json!(500)),
            (&json!("acknowledged"), &json!(200))
        ]
    );
    let one = good(address, None, "GET", "webhooks/deliveries/1", "");
    assert_eq!(&one, delivery);
    assert_eq!(
        refused(address, Some(&key(2)), ("GET", "webhooks/deliveries/1", "")).0,
        404
    );
    let now =
        |what: &str| good(address, Some(&mine), "POST", "wait", &wish(what))["satisfied"].clone();
    assert_eq!(
        now(&format!(
            r#""delivery","rental_id":{id},"outcome":"attempted""#
        )),
        true
    );
    assert_eq!(now(&format!(r#""sms","rental_id":{id}"#)), true);
}

#[test]
fn a_receiver_that_is_gone_is_given_up_with_its_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let running = frozen(&format!("webhook_url = \"http://127.0.0.1:{port}/\""));
    let (address, mine) = (running.address(), key(1));
    let id = rents(address, &mine);
    advance(address, Some(&mine), "15m");
    let given_up =
        format!(r#"{{"until":{{"for":"delivery","rental_id":{id},"outcome":"given_up"}}}}"#);
    assert_eq!(
        good(address, Some(&mine), "POST", "wait", &given_up)["satisfied"],
        true
    );
    let delivery = good(address, Some(&mine), "GET", "webhooks/deliveries/1", "");
    let last = &delivery["attempts"][4];
    let reason = last["error"].as_str().expect("a reason");
    assert!(reason.contains("refused"), "{reason}");
}

#[test]
fn a_verification_that_fails_names_what_came_near() {
    let running = frozen("faults = [\"rent: status(503) first 1\"]");
    let (address, mine) = (running.address(), key(1));
    over_http(address, rent(&mine, "service=whatsapp"));
    over_http(address, get(&mine, "/api/v1/profile"));
    let body = r#"{"match":{"operation":"rent","status":200},"times":{"exactly":1}}"#;
    let verified = good(address, Some(&mine), "POST", "verify", body);
    assert_eq!(verified["result"], "fail");
    let misses = verified["near_misses"].as_array().expect("a list");
    let (near, what) = (&misses[0]["request"], &misses[0]["mismatch"]);
    assert_eq!(near, "POST /api/v1/number/rent");
    assert_eq!(what, "status is 503, not 200");
    assert_eq!(misses.len(), 1, "another operation is further away");
    let found = good(
        address,
        Some(&mine),
        "POST",
        "requests/find",
        r#"{"operation":"rent"}"#,
    );
    let number = found["requests"][0]["number"].as_u64().expect("a number");
    let one = good(
        address,
        Some(&mine),
        "GET",
        &format!("requests/{number}"),
        "",
    );
    assert_eq!(one, found["requests"][0]);
    assert_eq!(
        refused(address, Some(&mine), ("GET", "requests/99", "")).0,
        404
    );
}

#[test]
fn no_answer_shows_a_key() {
    let running = Server::local()
        .start(settings("sms_delay = \"0s\""))
        .expect("a free port");
    let (address, mine) = (running.address(), key(1));
    rents(address, &mine);
    over_http(address, get(&mine, &format!("/api/v1/{mine}")));
    // Of this one, the journal has room for a part.
    let long = "x".repeat(150);
    over_http(address, get(&mine, &format!("/{long}/{mine}")));
    let stray = good(address, None, "GET", "requests/unmatched", "").to_string();
    assert!(!stray.contains(&mine[..20]), "{stray}");
    let quoted = format!(r#"{{"keys":"{mine}","{mine}":1}}"#);
    for body in ["", "{}", quoted.as_str()] {
        for (method, path) in every_route(address) {
            if path == "events" {
                continue;
            }
            let call = path
                .replace("{rental_id}", "13322954")
                .replace("{fault_id}", "account-1")
                .replace("{delivery_id}", "1")
                .replace("{number}", "1");
            for call in [
                call.clone(),
                format!("{call}?{mine}=1"),
                format!("{call}/{mine}"),
            ] {
                for key in [None, Some(&*mine)] {
                    let answer = control(address, key, &method, &call, body);
                    assert!(
                        !answer.body.contains(&mine),
                        "{method} {call} {body}: {answer:?}"
                    );
                }
            }
        }
    }
}

fn every_route(address: SocketAddr) -> Vec<(String, String)> {
    let listed = good(address, None, "GET", "", "");
    let routes = listed["routes"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    routes
        .map(|route| {
            (
                text(&route["method"]),
                text(&route["path"]).replace("/__admin/", ""),
            )
        })
        .filter(|(_, path)| path != "wait")
        .collect()
}
