//! The control API over HTTP: clocks that are moved, accounts that do not feel
//! each other, and who is not let in.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use mock_server::{Running, Server};
use mock_server_core::{Settings, WebhookSettings};
use serde_json::{Value, json};

use crate::arm::{Answer, Ask, exchange, get, key, over_http, posting, rent, settings, written};

pub(crate) fn start(settings: Settings) -> Running {
    Server::local().start(settings).expect("a free port")
}

/// A control request about the account of `key`, or about the whole server.
pub(crate) fn control(
    address: SocketAddr,
    key: Option<&str>,
    method: &str,
    call: &str,
    body: &str,
) -> Answer {
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

pub(crate) fn advance(address: SocketAddr, key: Option<&str>, duration: &str) -> Value {
    let body = json!({ "duration": duration }).to_string();
    let answer = control(address, key, "POST", "clock/advance", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) fn names(fired: &Value) -> Vec<&str> {
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
    let running = start(posting(WebhookSettings::new(url), r#"sms_delay = "3s""#));
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

/// Has its own faults, listener and clock, and is reset at the end.
fn one_test_among_many(address: SocketAddr, key: &str, number: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let patch = json!({ "webhook_url": format!("http://127.0.0.1:{port}/") }).to_string();
    assert_eq!(
        control(address, Some(key), "PATCH", "accounts", &patch).status,
        200
    );
    let times = number % 3;
    let rule = json!({ "rule": format!("rent: status(503) first {}", times + 1) }).to_string();
    let rule = control(address, Some(key), "POST", "faults", &rule).json();
    assert_eq!(rule["id"], "account-1", "{rule}");
    for _ in 0..=times {
        assert_eq!(
            over_http(address, rent(key, "service=whatsapp")).status,
            503
        );
    }
    let id = over_http(address, rent(key, "service=whatsapp")).json()["rental"]["id"].clone();
    let seen = control(address, Some(key), "GET", "faults/account-1", "").json();
    assert_eq!(
        (&seen["seen"], &seen["fired"]),
        (&json!(times + 2), &json!(times + 1))
    );
    let poll = format!("/api/v1/number/check-otp/{id}");
    let sees_sms = || over_http(address, get(key, &poll)).json()["sms_received"].clone();
    assert_eq!(sees_sms(), false);
    advance(address, Some(key), &format!("{}s", 300 + number));
    assert_eq!(sees_sms(), false, "nobody else's advance counts");
    let (fired, posted) = thread::scope(|scope| {
        let receiver = scope.spawn(|| crate::webhook::receive(&listener, "200 Fine").1);
        let fired = advance(address, Some(key), &format!("{}s", 300 - number));
        (fired, receiver.join().expect("a post"))
    });
    assert_eq!(names(&fired), ["sms.received", "webhook.posted"]);
    let posted: Value = serde_json::from_str(&posted).expect("JSON");
    assert_eq!(posted["rental_id"], id, "nobody else's webhook comes here");
    assert_eq!(sees_sms(), true);
    assert_eq!(control(address, Some(key), "POST", "reset", "").status, 200);
    assert_eq!(over_http(address, get(key, &poll)).status, 404);
    let faults = control(address, Some(key), "GET", "faults", "").json();
    assert_eq!(faults["faults"], json!([]));
    let profile = over_http(address, get(key, "/api/v1/profile")).json();
    assert_eq!(profile["user"]["balance"], "1000.00");
}

#[test]
fn a_control_request_that_makes_no_sense_is_told_what_would() {
    let running = start(settings(""));
    let address = running.address();
    for (method, call, body, status, message) in [
        ("GET", "clocks", "", 404, "there is no such control request"),
        ("GET", "reset", "", 405, "POST reset"),
        ("GET", "rental/7", "", 404, "GET rentals"),
        ("GET", "rentals?state=lost", "", 400, "unknown variant"),
        ("GET", "rentals?limit=x", "", 400, "limit is a number"),
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
        (
            "POST",
            "clock/scale",
            r#"{"scail":1}"#,
            400,
            "did you mean `scale`?",
        ),
        (
            "POST",
            "wait",
            r#"{"until":"rental"}"#,
            400,
            "write an object, not the text",
        ),
        // A word that nothing is called would match nothing, and pass.
        (
            "POST",
            "verify",
            r#"{"match":{"operation":"chek_otp"},"times":{"exactly":0}}"#,
            400,
            "write one of profile, rent, check_otp, history, unmatched",
        ),
        (
            "POST",
            "requests/count",
            r#"{"fate":"cutt"}"#,
            400,
            "write one of answered, cut, garbage",
        ),
        ("GET", "requests?operation=rnt", "", 400, "write one of"),
        (
            "PATCH",
            "accounts",
            r#"{"balance":"92233720368547758.07"}"#,
            400,
            "an account has from 0.00 to",
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

#[test]
fn requests_are_in_the_journal_before_their_answers_and_only_there_for_their_owner() {
    let running = start(settings(
        "sms_delay = \"never\"\nfaults = [\"check_otp: status(503) first 1\"]",
    ));
    let (address, mine, other) = (running.address(), key(1), key(2));
    over_http(address, rent(&mine, "service=whatsapp"));
    over_http(address, rent(&other, "service=whatsapp"));
    over_http(address, get(&mine, "/api/v1/number/check-otp/13322954"));
    over_http(address, get(&mine, "/api/v1/numbers/rent"));
    let listed = control(address, Some(&mine), "GET", "requests", "").json();
    let requests = listed["requests"].as_array().expect("a list");
    let shown: Vec<_> = requests.iter().map(|request| &request["status"]).collect();
    assert_eq!(shown, [404, 503, 200], "the newest first: {listed}");
    assert!(!listed.to_string().contains(&mine), "a key leaks");
    let polls = control(
        address,
        Some(&mine),
        "GET",
        "requests?operation=check_otp",
        "",
    )
    .json();
    assert_eq!(
        polls["requests"][0]["request"],
        "GET /api/v1/number/check-otp/13322954"
    );
    let stray = control(address, None, "GET", "requests/unmatched", "").json();
    assert_eq!(stray["requests"][0]["nearest"], "POST /api/v1/number/rent");
    let rents = control(
        address,
        None,
        "POST",
        "requests/count",
        r#"{"operation":"rent"}"#,
    );
    assert_eq!(rents.json()["count"], 2);
    let once = r#"{"match":{"operation":"rent"},"times":{"exactly":1}}"#;
    assert_eq!(
        control(address, Some(&mine), "POST", "verify", once).json()["result"],
        "pass"
    );
    assert_eq!(
        control(address, None, "POST", "verify", once).json()["result"],
        "fail"
    );
    control(address, Some(&mine), "DELETE", "requests", "");
    assert_eq!(
        control(address, Some(&mine), "POST", "verify", once).json()["result"],
        "fail"
    );
    assert_eq!(
        control(address, Some(&other), "POST", "verify", once).json()["result"],
        "pass"
    );
}

#[test]
fn a_journal_that_has_lost_entries_does_not_pretend() {
    let running = start(settings("journal_max = 2"));
    let (address, key) = (running.address(), key(1));
    for _ in 0..3 {
        over_http(address, get(&key, "/api/v1/profile"));
    }
    let never = r#"{"match":{"operation":"rent"},"times":{"exactly":0}}"#;
    let verified = control(address, Some(&key), "POST", "verify", never).json();
    assert_eq!(
        (&verified["result"], &verified["evicted"]),
        (&json!("inconclusive"), &json!(1))
    );
}

fn wait(address: SocketAddr, key: &str, body: &str) -> Value {
    let answer = control(address, Some(key), "POST", "wait", body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["satisfied"].clone()
}

#[test]
fn a_test_waits_on_the_server_instead_of_polling_it() {
    let running = start(settings("sms_delay = \"10m\"\ntime_scale = \"0\""));
    let (address, key) = (running.address(), key(1));
    let id = over_http(address, rent(&key, "service=whatsapp")).json()["rental"]["id"].clone();
    let code = format!(r#"{{"until":{{"for":"rental","rental_id":{id}}},"timeout":"TIME"}}"#);
    assert_eq!(wait(address, &key, &code.replace("TIME", "1ms")), false);
    let rents = r#"{"until":{"for":"request","match":{"operation":"rent"},"count":2}}"#;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(address, &key, &code.replace("TIME", "30s")));
        let counting = scope.spawn(|| wait(address, &key, rents));
        advance(address, Some(&key), "10m");
        over_http(address, rent(&key, "service=whatsapp"));
        assert_eq!(waiting.join().expect("an answer"), true);
        assert_eq!(counting.join().expect("an answer"), true);
    });
    let forever = code.replace("TIME", "2000000000h");
    assert_eq!(
        wait(address, &key, &forever),
        true,
        "no overflow, and it has happened"
    );
    let stranger = control(
        address,
        Some(&crate::arm::key(2)),
        "POST",
        "wait",
        &code.replace("TIME", "1s"),
    );
    assert_eq!(
        stranger.status, 404,
        "an account knows its own rentals only"
    );
}

#[test]
fn a_rental_in_real_time_is_waited_for_until_its_sms() {
    let running = start(settings("sms_delay = \"30ms\""));
    let (address, key) = (running.address(), key(1));
    let id = over_http(address, rent(&key, "service=whatsapp")).json()["rental"]["id"].clone();
    let code = format!(r#"{{"until":{{"for":"rental","rental_id":{id},"state":"completed"}}}}"#);
    assert_eq!(wait(address, &key, &code), true);
    let poll = format!("/api/v1/number/check-otp/{id}");
    assert_eq!(
        over_http(address, get(&key, &poll)).json()["sms_received"],
        true
    );
}
