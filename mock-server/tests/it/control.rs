//! The control API over HTTP: clocks that are moved, accounts that do not feel
//! each other, and who is not let in.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use mock_server::{Running, Server};
use mock_server_core::{Settings, WebhookSettings};
use serde_json::{Value, json};

use crate::arm::{Answer, Ask, exchange, get, key, over_http, rent, settings, written};

fn start(settings: Settings) -> Running {
    Server::local().start(settings).expect("a free port")
}

/// A control request about the account of `key`, or about the whole server.
fn control(address: SocketAddr, key: Option<&str>, method: &str, call: &str, body: &str) -> Answer {
    let target = format!("/__admin/{call}");
    let ask = Ask {
        method,
        target: &target,
        key,
        content_type: None,
        body,
        truth: false,
    };
    over_http(address, ask)
}

fn advance(address: SocketAddr, key: Option<&str>, duration: &str) -> Value {
    let body = json!({ "duration": duration }).to_string();
    let answer = control(address, key, "POST", "clock/advance", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn names(fired: &Value) -> Vec<&str> {
    let fired = fired["fired"].as_array().expect("a list");
    fired
        .iter()
        .map(|fired| fired["event"].as_str().expect("a name"))
        .collect()
}

#[test]
fn twenty_minutes_take_no_time_and_retries_are_exhausted() {
    // A port that nobody listens on any more.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let gone = listener.local_addr().expect("bound").port();
    drop(listener);
    let url = format!("http://127.0.0.1:{gone}/").parse().expect("a URL");
    let running = start(Settings {
        webhook: Some(WebhookSettings::new(url)),
        ..settings(r#"sms_delay = "3s""#)
    });
    let (address, key) = (running.address(), key(1));
    over_http(address, rent(&key, "service=whatsapp"));
    let advanced = advance(address, Some(&key), "20m");
    let mut expected = vec!["sms.received"];
    expected.extend(["webhook.posted"; 5]);
    assert_eq!(names(&advanced), expected);
    assert_eq!(advanced["fired"][5]["attempt"], 5);
    assert_eq!(advanced["fired"][5]["acknowledged"], false);
}

#[test]
fn an_expiry_is_refunded_and_the_ledger_conserved() {
    let running = start(settings("sms_delay = \"never\"\ntime_scale = \"0\""));
    let (address, key) = (running.address(), key(1));
    over_http(address, rent(&key, "service=whatsapp"));
    assert_eq!(names(&advance(address, Some(&key), "16m")), [""; 0]);
    assert_eq!(names(&advance(address, None, "4m")), ["rental.expired"]);
    let ledger = control(address, Some(&key), "GET", "ledger", "").json();
    assert_eq!(ledger["conserved"], true);
    assert_eq!(ledger["accounts"][0]["charged"], "1.44");
    assert_eq!(ledger["accounts"][0]["refunded"], "1.44");
    assert_eq!(ledger["accounts"][0]["balance"], "1000.00");
}

#[test]
fn sixty_four_tests_share_a_server_and_do_not_feel_each_other() {
    let running = start(settings("sms_delay = \"10m\"\ntime_scale = \"0\""));
    let address = running.address();
    thread::scope(|scope| {
        for number in 0..64 {
            scope.spawn(move || one_test_among_many(address, &key(number), number));
        }
    });
}

/// Advances its own clock by its own amount, and is reset at the end.
fn one_test_among_many(address: SocketAddr, key: &str, number: u32) {
    let id = over_http(address, rent(key, "service=whatsapp")).json()["rental"]["id"].clone();
    let poll = format!("/api/v1/number/check-otp/{id}");
    let sees_sms = || over_http(address, get(key, &poll)).json()["sms_received"].clone();
    assert_eq!(sees_sms(), false);
    advance(address, Some(key), &format!("{}s", 300 + number));
    assert_eq!(sees_sms(), false, "nobody else's advance counts");
    let fired = advance(address, Some(key), &format!("{}s", 300 - number));
    assert_eq!(names(&fired), ["sms.received"]);
    assert_eq!(sees_sms(), true);
    assert_eq!(control(address, Some(key), "POST", "reset", "").status, 200);
    assert_eq!(over_http(address, get(key, &poll)).status, 404);
    let profile = over_http(address, get(key, "/api/v1/profile")).json();
    assert_eq!(profile["user"]["balance"], "1000.00");
}

#[test]
fn a_control_request_that_makes_no_sense_is_told_what_would() {
    let running = start(settings(""));
    let address = running.address();
    for (method, call, body, status, message) in [
        ("GET", "clocks", "", 404, "there is no such control request"),
        ("GET", "reset", "", 404, "POST reset"),
        (
            "POST",
            "clock/advance",
            "",
            400,
            r#"write it like {"duration": "20m"}"#,
        ),
        (
            "POST",
            "clock/advance",
            r#"{"duration":"20"}"#,
            400,
            "is not a duration",
        ),
        (
            "POST",
            "clock/advance",
            r#"{"for":"20m"}"#,
            400,
            "unknown field `for`",
        ),
        (
            "POST",
            "clock/scale",
            r#"{"scale":-1}"#,
            400,
            "at a pace from 0 to 86400",
        ),
    ] {
        let answer = control(address, None, method, call, body);
        assert_eq!(answer.status, status, "{answer:?}");
        let said = answer.json()["message"]
            .as_str()
            .expect("a sentence")
            .to_owned();
        assert!(said.contains(message), "{said}");
    }
    let short = control(address, Some("short"), "GET", "clock", "");
    assert_eq!(short.status, 400);
}

#[test]
fn web_pages_and_rebound_names_are_kept_out() {
    let running = start(settings(""));
    let ask = Ask {
        method: "POST",
        target: "/__admin/reset",
        key: None,
        content_type: None,
        body: "",
        truth: false,
    };
    let page = written(ask, "Connection: close\r\nOrigin: http://localhost\r\n");
    assert_eq!(exchange(running.address(), &page).status, 403);
    let rebound = written(ask, "Connection: close\r\n").replace("localhost", "evil.example");
    assert_eq!(exchange(running.address(), &rebound).status, 403);
    assert_eq!(over_http(running.address(), ask).status, 200);
}
