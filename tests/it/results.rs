//! Result directories as a user gets them: written by a run, killed in the
//! middle, and read again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::otplab;

/// Customers without end, with something to find in the histograms.
const ENDLESS: &str = r#"
[arrivals]
users = 8

[stop]
duration = "60s"

[users]
polling = "fixed(10ms)"

[mock]
sms_delay = "uniform(5ms,40ms)"
"#;

fn with_scenario(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("s.toml"), text).expect("writable");
    directory
}

fn load(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = otplab();
    command
        .current_dir(directory)
        .args(["load", "s.toml", "--seed", "1", "-o", "out"])
        .args(arguments);
    command
}

fn report(directory: &Path, format: &str) -> Output {
    let mut command = otplab();
    command
        .current_dir(directory)
        .args(["report", "out", "--format", format]);
    command.output().expect("the binary runs")
}

fn printed(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Whole seconds of the load in the record.
fn seconds(record: &str) -> usize {
    let whole = record.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let load = |line: &&str| line.starts_with(r#"{"second":{"stage":"load""#);
    whole.lines().filter(load).count()
}

/// Starts a run and kills it, without any warning, once so many seconds of it
/// are recorded. Says what the record held when it was dead.
fn killed_after(directory: &Path, wanted: usize) -> String {
    let mut child = load(directory, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let record = directory.join("out/record.jsonl");
    let begun = Instant::now();
    while seconds(&fs::read_to_string(&record).unwrap_or_default()) < wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(50),
            "nothing is recorded"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it runs");
    child.wait().expect("it is dead");
    fs::read_to_string(&record).expect("recorded")
}

#[test]
fn a_run_that_is_killed_leaves_a_directory_that_can_be_reported() {
    let directory = with_scenario(ENDLESS);
    let path = directory.path();
    let record = killed_after(path, 2);
    let recorded = seconds(&record);
    assert!(
        !path.join("out/result.json").exists(),
        "it had no time for that"
    );
    let text = printed(report(path, "text"));
    assert!(
        text.contains(&format!(", {recorded}s, cut short, seed 1")),
        "{text}"
    );
    let result: Value = serde_json::from_str(&printed(report(path, "json"))).expect("JSON");
    assert_eq!(result["cut_short"], true);
    let polls = &result["operations"]["check_otp"];
    let lines = record
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let counted: u64 = lines
        .filter_map(|line| line["second"]["operations"]["check_otp"]["requests"].as_u64())
        .sum();
    assert!(counted > 0);
    assert_eq!(polls["requests"], counted, "up to the last second");
    assert_eq!(
        polls["response_us"]["count"], counted,
        "with its histograms"
    );

    // Worse: the machine died, and both files end in the middle of a line.
    for (name, lost) in [("record.jsonl", 40), ("latency.hlog", 25)] {
        let file = path.join("out").join(name);
        let text = fs::read(&file).expect("readable");
        fs::write(&file, &text[..text.len() - lost]).expect("writable");
        let text = printed(report(path, "text"));
        let left = format!(", {}s, cut short", recorded - 1);
        assert!(text.contains(&left), "{name}: {text}");
    }
    for format in ["html", "junit", "markdown"] {
        assert!(!printed(report(path, format)).is_empty(), "{format}");
    }
}

#[test]
fn every_format_is_printed_again_from_the_directory() {
    let directory = with_scenario(ENDLESS);
    let path = directory.path();
    let run = load(
        path,
        &["-n", "40", "--warmup", "0s", "--threshold", "lag.max < 10s"],
    )
    .output();
    let text = printed(run.expect("the binary runs"));
    assert_eq!(printed(report(path, "text")), text);
    for (format, file) in [("json", "result.json"), ("html", "report.html")] {
        let written = fs::read_to_string(path.join("out").join(file)).expect("written");
        assert_eq!(printed(report(path, format)), written);
    }
    let junit = printed(report(path, "junit"));
    assert!(
        junit.contains(r#"<testcase name="lag.max &lt; 10s">"#),
        "{junit}"
    );
    let markdown = printed(report(path, "markdown"));
    assert!(markdown.starts_with("### ✅ s\n"), "{markdown}");
    let scenario = fs::read_to_string(path.join("out/scenario.toml")).expect("written");
    assert!(
        scenario.starts_with("# otplab load s.toml -n '40' --warmup '0s' --threshold"),
        "{scenario}"
    );
    assert!(scenario.ends_with(ENDLESS), "{scenario}");
    assert!(path.join("out/check_otp.response.hgrm").exists());
}

#[test]
fn a_directory_without_a_run_says_what_it_should_be() {
    let directory = with_scenario(ENDLESS);
    let complaint = |expected: &str| {
        let output = report(directory.path(), "text");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    };
    complaint("failed to read out/record.jsonl: No such file");
    fs::create_dir(directory.path().join("out")).expect("writable");
    fs::write(directory.path().join("out/record.jsonl"), "{}\n").expect("writable");
    fs::write(directory.path().join("out/latency.hlog"), "").expect("writable");
    complaint("out/record.jsonl is not the record of a run; otplab load -o writes one");
}

/// A rate that one connection to a slow server cannot carry, however fast the machine.
const TOO_MUCH: &str = r#"
connections = 1

[arrivals]
rate = "100/s"

[stop]
duration = "500ms"

[setup]
rentals = 1

[users]
do = "poll_once"

[mock]
faults = ["check_otp: latency(50ms)"]
"#;

#[test]
fn an_invalid_measurement_is_no_result_unless_that_is_allowed() {
    let directory = with_scenario(TOO_MUCH);
    let run = |arguments: &[&str]| {
        let output = load(directory.path(), arguments).output();
        let output = output.expect("the binary runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        (
            output.status.code(),
            String::from_utf8(output.stdout).expect("UTF-8") + &stderr,
        )
    };
    let (code, text) = run(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("measurement      invalid"), "{text}");
    assert!(
        text.contains("lower the rate, or give it more --connections"),
        "{text}"
    );
    assert!(
        text.contains("the measurement is invalid (rate: 100 requests/s offered"),
        "{text}"
    );
    assert_eq!(run(&["--allow-invalid"]).0, Some(0));
    assert_eq!(
        run(&["--allow-invalid", "--threshold", "rates.achieved > 99"]).0,
        Some(1)
    );
    let junit = printed(report(directory.path(), "junit"));
    assert!(
        junit.contains(r#"<error message="100 requests/s offered"#),
        "{junit}"
    );
}

#[test]
fn a_warm_up_that_takes_the_whole_run_leaves_nothing() {
    let directory = with_scenario(ENDLESS);
    let output = load(directory.path(), &["-n", "4", "--warmup", "1m"]).output();
    let output = output.expect("the binary runs");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("the warm-up of 60s took the whole run"),
        "{stderr}"
    );
}

#[test]
fn a_run_that_has_no_file_descriptors_left_says_so() {
    let directory = with_scenario(&TOO_MUCH.replace("connections = 1", "connections = 64"));
    let settings = mock_server_core::SettingsFile::default().resolve(1);
    let server = mock_server::Server::local().start(settings);
    let target = format!("http://{}", server.as_ref().expect("a free port").address());
    // The generator needs a dozen for itself, so some of the 64 cannot be opened.
    let limited = "ulimit -n 50 && exec \"$@\"";
    let output = Command::new("sh")
        .current_dir(directory.path())
        .args([
            "-c",
            limited,
            "sh",
            env!("CARGO_BIN_EXE_otplab"),
            "load",
            "s.toml",
        ])
        .args(["--threads", "1", "--target", &target])
        .output()
        .expect("a shell");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("the measurement is invalid (limits: "),
        "{stderr}"
    );
}

#[test]
fn no_file_holds_a_key() {
    let key = "k".repeat(60);
    let scenario = format!("description = \"with {key}\"\n{ENDLESS}[mock.accounts.{key}]\n");
    let directory = with_scenario(&scenario);
    let output = load(directory.path(), &["-n", "4", "--key-env", "KEY"])
        .env("KEY", &key)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut files = 0;
    for entry in fs::read_dir(directory.path().join("out")).expect("written") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        assert!(!text.contains(&key), "{} holds the key", path.display());
        files += 1;
    }
    assert!(files > 10, "{files} files");
}

#[test]
fn a_refused_target_leaves_nothing_behind() {
    let directory = with_scenario(ENDLESS);
    let target = "http://user:password@127.0.0.1:9";
    let output = load(directory.path(), &["--target", target]).output();
    assert_eq!(output.expect("the binary runs").status.code(), Some(2));
    assert!(!directory.path().join("out").exists());
}
