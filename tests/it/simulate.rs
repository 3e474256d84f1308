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

#[test]
fn every_shipped_scenario_can_be_simulated() {
    for (scenario, count) in [
        ("otp-rush", "500"),
        ("poll-hot-path", "500"),
        ("patient-crowd", "500"),
    ] {
        result(&[scenario, "-n", count]);
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
        (["otp-rush", "--poll", "adaptive"], "do not learn"),
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
