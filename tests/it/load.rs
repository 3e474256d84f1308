//! `otplab load` as a user types it: what is printed, written and returned.

use std::fs;
use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::binary::otplab;

/// A run of well under a second.
const QUICK: &str = r#"
[arrivals]
users = 8

[stop]
count = 16

[users]
polling = "fixed(10ms)"

[mock]
sms_delay = "uniform(5ms,40ms)"
"#;

struct Load {
    directory: tempfile::TempDir,
}

impl Load {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("quick.toml"), QUICK).expect("writable");
        Self { directory }
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("writable");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = otplab();
        command
            .current_dir(&self.directory)
            .arg("load")
            .args(arguments);
        command.output().expect("the binary runs")
    }

    /// The exit code and the last line on stderr.
    fn complaint(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.code(), stderr)
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

#[test]
fn whoever_wants_quiet_hears_nothing_but_the_result() {
    let load = Load::new();
    let output = load.run(&["quick.toml", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!output.stdout.is_empty());
    let noisy = load.run(&["quick.toml"]);
    let stderr = String::from_utf8(noisy.stderr).expect("UTF-8");
    assert!(stderr.starts_with("otplab: quick against "), "{stderr}");
    assert!(
        !stderr.contains('\u{1b}'),
        "no screen where there is no terminal"
    );
}

#[test]
fn a_run_passes_prints_and_writes_its_result() {
    let load = Load::new();
    let output = load.run(&["quick.toml", "--seed", "7", "-o", "out", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = json(&output);
    let written = fs::read(load.directory.path().join("out/result.json")).expect("written");
    assert_eq!(written, output.stdout);
    assert_eq!(printed["schema_version"], 2);
    assert_eq!(printed["seed"], 7);
    assert_eq!(printed["scenario"], "quick");
    assert_eq!(printed["rentals"]["delivered"], 16);
    assert_eq!(printed["ledger"]["unexplained"], "0.00");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        stderr.contains("embedded mock on http://127.0.0.1:"),
        "{stderr}"
    );
}

#[test]
fn the_same_seed_gives_the_same_rentals_codes_and_delays() {
    let load = Load::new();
    let rentals = |seed| {
        json(&load.run(&["quick.toml", "--seed", seed, "--format", "json"]))["rentals"].clone()
    };
    let (first, second, other) = (rentals("7"), rentals("7"), rentals("8"));
    assert_eq!(first["fingerprint"], second["fingerprint"]);
    assert_eq!(first["sms_delay_us"], second["sms_delay_us"]);
    assert_ne!(first["fingerprint"], other["fingerprint"]);
}

#[test]
fn a_missed_threshold_is_a_finding() {
    let load = Load::new();
    let output = load.run(&["quick.toml", "--threshold", "lag.p50 < 1us"]);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(report.contains("✗ lag.p50 < 1us"), "{report}");
    assert!(
        !report.contains('\u{1b}'),
        "no colours where there is no terminal"
    );
}

#[test]
fn the_environment_sets_what_is_not_typed() {
    let load = Load::new();
    let mut command = otplab();
    command
        .current_dir(&load.directory)
        .env("OTPLAB_SCENARIO", "quick.toml")
        .env("OTPLAB_COUNT", "3")
        .env("OTPLAB_FORMAT", "json")
        .args(["load", "--seed", "5"]);
    let printed = json(&command.output().expect("the binary runs"));
    assert_eq!(printed["rentals"]["started"], 3);
}

/// Each of these arguments is refused with this message, on one line, and exit code 2.
fn check_refusals(load: &Load, refusals: &[(&[&str], &str)]) {
    for (arguments, message) in refusals {
        let (code, stderr) = load.complaint(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_line() {
    let load = Load::new();
    for (name, from, to) in [
        ("typo.toml", "polling", "poling"),
        ("unit.toml", "10ms", "10"),
        ("law.toml", "uniform(5ms,40ms)", "uniform(40ms,5ms)"),
        ("mock.toml", "sms_delay", "sms_dely"),
        ("service.toml", "[mock]", "services = [\"whatsap\"]\n[mock]"),
    ] {
        load.file(name, &QUICK.replace(from, to));
    }
    check_refusals(
        &load,
        &[
            (
                &["typo.toml"],
                "otplab: typo.toml:9:1: unknown field `poling`, expected one of",
            ),
            (
                &["unit.toml"],
                "otplab: unit.toml:9:11: not a polling strategy, at character 7: \"10\"",
            ),
            (
                &["law.toml"],
                "otplab: law.toml:12:13: not a delay law, at character 1: the first",
            ),
            (
                &["mock.toml"],
                "otplab: mock.toml:12:1: unknown field `sms_dely`, expected one of",
            ),
            (
                &["service.toml"],
                "no service is named \"whatsap\", did you mean \"whatsapp\"",
            ),
            (&["absent.toml"], "failed to read absent.toml: No such file"),
            (
                &["otp-rusk"],
                "no scenario is named \"otp-rusk\"; there are otp-rush, poll-hot-path",
            ),
        ],
    );
}

#[test]
fn a_mistake_in_a_flag_says_what_to_write() {
    // Port 9 is for discarding, and nobody does so here.
    let nobody = "http://127.0.0.1:9";
    check_refusals(
        &Load::new(),
        &[
            (
                &["quick.toml", "-c", "0"],
                "-c is a number from 1 to 1000000",
            ),
            (&["quick.toml", "-r", "0/s"], "a rate of 0/s starts nobody"),
            (
                &["quick.toml", "-n", "0"],
                "measures nothing; write for instance",
            ),
            (
                &["quick.toml", "-o", "/proc/none"],
                "failed to write /proc/none: No such file",
            ),
            (
                &["quick.toml", "-r", "5"],
                "\"5\" is not a rate; write it like 2000/s",
            ),
            (
                &["quick.toml", "-c", "5", "-r", "5/s"],
                "cannot be used with",
            ),
            (
                &["quick.toml", "-d", "5"],
                "\"5\" is not a duration; write a number with its unit",
            ),
            (
                &["quick.toml", "--poll", "hourly"],
                "not a polling strategy",
            ),
            (
                &["quick.toml", "--threshold", "p99 < 1s"],
                "\"p99\" is not measured",
            ),
            (
                &["quick.toml", "--key-env", "NONE"],
                "NONE: there is no such environment variable",
            ),
            (
                &["quick.toml", "--target", "http://192.0.2.1"],
                "192.0.2.1 is not this machine",
            ),
            (
                &["quick.toml", "--target", nobody, "--sms-delay", "2s"],
                "--sms-delay is a setting of the embedded mock",
            ),
            (
                &["quick.toml", "--target", nobody],
                "http://127.0.0.1:9 cannot be reached: ",
            ),
        ],
    );
}

#[test]
fn a_bad_key_is_refused_without_being_shown() {
    let load = Load::new();
    let mut command = otplab();
    let key = "s".repeat(59);
    command.current_dir(&load.directory).env("KEY", &key).args([
        "load",
        "quick.toml",
        "--key-env",
        "KEY",
    ]);
    let output = command.output().expect("the binary runs");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("an API key has exactly 60 characters, this one has 59"),
        "{stderr}"
    );
    assert!(!stderr.contains(&key), "the key leaks");
}

#[test]
fn failures_are_counted_by_kind_and_the_run_goes_on() {
    const FAULTS: &str = r#"
rental_life = "30s"
faults = [
    "check_otp: status(503) nth 1",
    "check_otp: malformed_json nth 2",
    "check_otp: truncate_body nth 3",
    "check_otp: reset_peer nth 4",
    "check_otp: rate_limit(1s) nth 5",
    "check_otp: timeout nth 6",
    "history: reset_peer first 1",
]
"#;
    let load = Load::new();
    let slow = QUICK.replace("uniform(5ms,40ms)", "500ms");
    load.file(
        "faulty.toml",
        &format!("request_timeout = \"2s\"\n{slow}{FAULTS}"),
    );
    let output = load.run(&["faulty.toml", "-n", "8", "--seed", "1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = json(&output);
    let errors = |operation: &str| printed["operations"][operation]["errors"].clone();
    // Each of the eight accounts sees each of its faults once.
    let kinds = ["body", "closed", "http_429", "http_503", "reset", "timeout"];
    let each_once: serde_json::Map<_, _> = kinds
        .map(|kind| (kind.to_owned(), Value::from(8)))
        .into_iter()
        .collect();
    assert_eq!(errors("check_otp"), Value::from(each_once));
    assert_eq!(errors("history"), serde_json::json!({"reset": 8}));
    assert_eq!(printed["rentals"]["confirmed"], 8);
    assert_eq!(printed["ledger"]["unexplained"], "0.00");
}

/// Starts a run that would take a minute, and interrupts it `times` times.
fn interrupted(load: &Load, scenario: &str, times: u32) -> Output {
    let mut command = otplab();
    command
        .current_dir(&load.directory)
        .args([
            "load", scenario, "-d", "60s", "--seed", "1", "--format", "json",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    // It says what it runs once it listens for signals.
    let mut announcement = [0; 7];
    let stderr = child.stderr.as_mut().expect("piped");
    stderr
        .read_exact(&mut announcement)
        .expect("an announcement");
    let process = child.id().to_string();
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(150));
        let kill = Command::new("kill").args(["-INT", &process]).status();
        assert!(kill.expect("kill exists").success());
    }
    child.wait_with_output().expect("it ends")
}

#[test]
fn the_first_interrupt_lets_customers_finish() {
    let load = Load::new();
    let output = interrupted(&load, "quick.toml", 1);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let printed = json(&output);
    assert_eq!(printed["interrupted"], true);
    let rentals = &printed["rentals"];
    assert_eq!(
        rentals["delivered"], rentals["started"],
        "nobody was left waiting"
    );
    assert_eq!(printed["ledger"]["certainty"], "exact");
}

#[test]
fn the_second_interrupt_ends_the_run_at_once_and_results_are_printed() {
    let load = Load::new();
    load.file("patient.toml", &QUICK.replace("uniform(5ms,40ms)", "never"));
    let output = interrupted(&load, "patient.toml", 2);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let printed = json(&output);
    // Balances are read again even after the first interrupt, so this is the second.
    assert_eq!(printed["ledger"], Value::Null);
    assert_eq!(printed["rentals"]["delivered"], 0);
}
