//! `otplab load` with customers who count on webhooks: a mock of the run's own,
//! a server elsewhere that is told, one that was set up, and one that is neither.

use std::net::TcpListener;
use std::process::Output;
use std::sync::Arc;

use mock_server::{Running, Server};
use mock_server_core::{Settings, SettingsFile, WebhookSettings};
use serde_json::Value;

use crate::binary::otplab;

/// A poll comes after three seconds, when all codes have long been pushed.
const PATIENT: &str = "webhook(fallback=fixed(3s))";

fn load(scenario: &str, arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("run.toml"), scenario).expect("writable");
    let mut command = otplab();
    command
        .current_dir(&directory)
        .args(["load", "run.toml", "-q"]);
    command.args(arguments).output().expect("the binary runs")
}

fn result(scenario: &str, arguments: &[&str]) -> Value {
    let output = load(scenario, &[&["--format", "json"], arguments].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

/// Forty rentals, whose SMS come within 50 ms.
fn scenario(faults: &str) -> String {
    format!(
        "[arrivals]\nusers = 8\n[stop]\ncount = 40\n[users]\npolling = \"{PATIENT}\"\n\
         [mock]\nsms_delay = \"uniform(10ms,50ms)\"\nfaults = [{faults}]\n"
    )
}

fn mock(toml: &str) -> Settings {
    let file: SettingsFile = contract::document::parse("settings", toml).expect(toml);
    file.resolve(1)
}

fn started(server: &Server, settings: Settings) -> Running {
    server.start(settings).expect("a free port")
}

#[test]
fn customers_of_the_runs_own_mock_learn_their_codes_from_webhooks() {
    let result = result(&scenario(""), &["--threads", "2"]);
    let (webhooks, rentals) = (&result["webhooks"], &result["rentals"]);
    assert_eq!(
        (&rentals["delivered"], &rentals["confirmed"]),
        (&40.into(), &40.into())
    );
    assert_eq!(
        (&webhooks["received"], &webhooks["used"]),
        (&40.into(), &40.into())
    );
    assert_eq!(webhooks["lost"], 0);
    assert_eq!(rentals["polls_delivered"], 0, "nobody had to ask");
    assert_eq!(
        rentals["detection_lag_us"]["count"], 40,
        "the mock tells the truth"
    );
    assert!(result["operations"].get("check_otp").is_none());
}

#[test]
fn what_goes_wrong_with_webhooks_is_counted_and_polls_make_up_for_it() {
    let faults = "\"rent: webhook_drop nth 1\", \"rent: webhook_duplicate(concurrent) nth 2\", \
                  \"rent: webhook_early nth 3\", \"rent: webhook_late(4s) nth 4\"";
    // One account, so that the rules count all rentals.
    let text = scenario(faults).replace("[users]", "[users]\naccounts = 1");
    let result = result(&text, &[]);
    let (webhooks, rentals) = (&result["webhooks"], &result["rentals"]);
    assert_eq!(
        (&rentals["delivered"], &rentals["confirmed"]),
        (&40.into(), &40.into())
    );
    for (what, expected) in [
        ("received", 40),
        ("used", 38),
        ("early", 1),
        ("duplicates", 1),
        ("late", 1),
        ("lost", 1),
        ("unreadable", 0),
    ] {
        assert_eq!(webhooks[what], expected, "{what}: {webhooks}");
    }
    assert_eq!(rentals["polls_delivered"], 2);
}

#[test]
fn a_server_elsewhere_is_told_for_as_long_as_the_run_lasts() {
    let running = started(&Server::local(), mock("sms_delay = \"20ms\""));
    let target = format!("http://{}", running.address());
    let result = result(&scenario(""), &["--target", &target]);
    assert_eq!(result["webhooks"]["used"], 40);
    let endpoints = ask(&running, "/__admin/webhooks/endpoints");
    assert!(endpoints.ends_with(r#"{"endpoints":[]}"#), "{endpoints}");
}

fn ask(running: &Running, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(running.address()).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_server_that_cannot_be_told_is_refused_unless_it_was_set_up() {
    let closed = Server {
        admin_token: Some("secret".to_owned()),
        ..Server::local()
    };
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let mut settings = mock("sms_delay = \"20ms\"");
    let url = format!("http://{address}/").parse().expect("an address");
    Arc::make_mut(&mut settings.account).webhook = Some(Arc::new(WebhookSettings::new(url)));
    let running = started(&closed, settings);
    let target = format!("http://{}", running.address());
    let refused = load(&scenario(""), &["--target", &target]);
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.contains("--webhook-listen 127.0.0.1:9000"),
        "{complaint}"
    );
    let set_up = ["--target", &target, "--webhook-listen", &address];
    let result = result(&scenario(""), &set_up);
    assert_eq!(result["webhooks"]["used"], 40);
    assert_eq!(
        result["rentals"]["detection_lag_us"]["count"], 0,
        "nobody told the truth"
    );
}

#[test]
fn the_scenario_that_ships_loses_no_code() {
    let mut command = otplab();
    command.args([
        "load",
        "webhook-first",
        "-q",
        "-n",
        "60",
        "-c",
        "60",
        "--seed",
        "1",
    ]);
    let output = command.output().expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("60 delivered (100%)"), "{text}");
    assert!(text.contains("\nwebhooks "), "{text}");
}
