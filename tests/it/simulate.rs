//! `otplab simulate`: the same files as a live run, the same bytes each time,
//! and customers who do what live ones do.

use std::fs;

use serde_json::Value;

use crate::binary::otplab;

fn result(arguments: &[&str]) -> Value {
    let mut command = otplab();
    let output = command
        .arg("simulate")
        .args(arguments)
        .args(["--format", "json"])
        .output();
    let output = output.expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    // Thresholds of a run that is so short may well be missed.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{errors}");
    serde_json::from_slice(&output.stdout).expect("a result")
}

#[test]
fn the_same_seed_gives_the_same_files_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str| {
        let path = folder.path().join(name);
        let output = otplab()
            .args(["simulate", "otp-rush", "-n", "200", "-o"])
            .arg(&path)
            .output();
        let code = output.expect("the binary runs").status.code();
        assert!(matches!(code, Some(0 | 1)), "{code:?}");
        path
    };
    let (one, two) = (write("one"), write("two"));
    let mut files = 0;
    for entry in fs::read_dir(&one).expect("a folder") {
        let name = entry.expect("a file").file_name();
        let bytes = |folder: &std::path::Path| fs::read(folder.join(&name)).expect("a file");
        assert_eq!(bytes(&one), bytes(&two), "{name:?}");
        files += 1;
    }
    assert!(files >= 6, "{files} files");
    let output = otplab()
        .arg("report")
        .arg(&one)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("a simulated mock"), "{text}");
}

/// The scenarios that ship.
const SHIPPED: [&str; 12] = [
    "otp-rush",
    "poll-hot-path",
    "patient-crowd",
    "morning-wave",
    "mixed-crowd",
    "congested-evening",
    "lossy-carrier",
    "polling-storm",
    "webhook-first",
    "webhook-fails",
    "last-second",
    "outage",
];

#[test]
fn every_shipped_scenario_gives_what_is_expected() {
    for scenario in SHIPPED {
        let output = otplab().args(["simulate", scenario]).output();
        let output = output.expect("the binary runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{scenario}: {errors}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        expectorate::assert_contents(format!("scenarios/expected/{scenario}.txt"), &text);
    }
}

#[test]
fn a_lossy_link_and_a_slow_host_are_felt() {
    let count = ["otp-rush", "-n", "100", "--seed", "3"];
    let plain = result(&count);
    let slow = [
        "--host",
        "workers=1,service=2ms",
        "--link",
        "delay=20ms,jitter=5ms",
    ];
    let slow = result(&[&count[..], &slow[..]].concat());
    assert_ne!(plain, slow);
}

#[test]
fn what_cannot_be_simulated_is_said() {
    for (arguments, message) in [
        (
            ["otp-rush", "--link", "loss=2"],
            "is not a probability below 1",
        ),
        (
            ["otp-rush", "--host", "workers=0"],
            "is not a number from 1",
        ),
        (["otp-rush", "--host", "cores=4"], "says nothing of a host"),
    ] {
        let output = otplab()
            .arg("simulate")
            .args(arguments)
            .output()
            .expect("the binary runs");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(errors.contains(message), "{errors}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn simulated_customers_cost_what_the_exact_figures_say() {
    const LAW: &str = "0.9*lognormal(12s,0.8) + 0.1*never";
    let folder = tempfile::tempdir().expect("a folder");
    for strategy in ["fixed(3s)", "backoff(1s,x2,cap=10s)", "optimal(lambda=1s)"] {
        let path = folder.path().join("customers.toml");
        let text = format!(
            "[arrivals]\nusers = 1000\n[stop]\ncount = 10000\n[users]\npolling = \"{strategy}\"\n\
             give_up = \"120s\"\n[mock]\nsms_delay = \"{LAW}\"\n"
        );
        fs::write(&path, text).expect("a file");
        let simulated = result(&[path.to_str().expect("UTF-8")]);
        let mut command = otplab();
        command.args(["polling", "compare", "--delay", LAW, "--deadline", "120s"]);
        let output = command
            .args(["--format", "json", "--strategy", strategy])
            .output();
        let output = output.expect("the binary runs");
        let exact: Value = serde_json::from_slice(&output.stdout).expect("an array");
        let exact = |name: &str| exact[0][name].as_f64().expect("a figure");
        let rentals = &simulated["rentals"];
        let figure = |name: &str| rentals[name].as_f64().expect("a figure");
        let polls = figure("polls_delivered") + figure("polls_undelivered");
        let lag = |name: &str| {
            rentals["detection_lag_us"][name]
                .as_f64()
                .expect("a figure")
                / 1e6
        };
        // Four standard errors of ten thousand rentals: the polls of a rental
        // spread by at most twelve, the lag by at most 1.2 times its mean.
        let requests = (polls / figure("started") - exact("requests")).abs();
        assert!(
            requests < 4.0 * 12.0 / 100.0,
            "{strategy}: {requests} polls off"
        );
        let mean = exact("lag_mean_s");
        let error = (lag("mean") - mean).abs();
        assert!(error < 4.0 * 1.2 * mean / 95.0, "{strategy}: {error} s off");
        let p95 = (lag("p95") - exact("lag_p95_s")).abs();
        assert!(
            p95 < 0.06 * exact("lag_p95_s"),
            "{strategy}: p95 {p95} s off"
        );
    }
}
