//! `--lint` as a script sees it: an exit code, and findings in every form.

use std::path::Path;

use super::{Ready, fails, serve};

/// Serves under these flags, sends so many polls of nothing, and stops; exit code,
/// standard output, standard error, and what the control API showed.
fn run(flags: &[&str], polls: usize) -> (Option<i32>, String, String, String) {
    let mut all = vec!["--listen", "127.0.0.1:0", "--lint"];
    all.extend(flags);
    let ready = Ready::start(serve(&all));
    let key = "k".repeat(60);
    for _ in 0..polls {
        ready.ask(&format!(
            "GET /api/v1/number/check-otp/7 HTTP/1.1\r\nHost: test\r\n\
             Connection: close\r\nAuth: {key}\r\n\r\n"
        ));
    }
    let admin = "GET /__admin/lint HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (status, shown) = ready.ask(admin);
    assert_eq!(status, 200, "{shown}");
    let (code, told, log) = ready.end("-TERM");
    (code, told, log, shown)
}

fn read(directory: &Path, name: &str) -> String {
    let path = directory.join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const RULE: &str = "error-status-unhandled";

#[test]
fn a_bad_client_is_denied_at_the_end_and_told_in_every_form() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("deep").display().to_string();
    let flags = ["deny", "--report", "text,json,junit,sarif", "--report-dir"];
    let (code, _, log, shown) = run(&[&flags[..], &[&path]].concat(), 3);
    assert_eq!(code, Some(1), "{log}");
    let reports = directory.path().join("deep");
    let text = read(&reports, "lint.txt");
    assert!(
        text.starts_with("lint: error-status-unhandled: 3 times 404 (kkkkkk"),
        "{text}"
    );
    assert!(text.ends_with("lint: findings 1, requests 3\n"), "{text}");
    for line in text.lines() {
        assert!(log.contains(line), "{log}");
    }
    let json: serde_json::Value = serde_json::from_str(&read(&reports, "lint.json")).expect("JSON");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(json, shown, "what the control API says");
    assert_eq!(
        json["findings"][0]["requests"].as_array().map(Vec::len),
        Some(3)
    );
    let junit = read(&reports, "lint.xml");
    assert!(
        junit.contains("failures=\"1\"") && junit.contains(RULE),
        "{junit}"
    );
    let sarif: serde_json::Value =
        serde_json::from_str(&read(&reports, "lint.sarif")).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&RULE.into(), &"error".into())
    );
}

#[test]
fn only_what_is_found_and_denied_fails() {
    for (flags, polls, expected) in [
        (&["warn"][..], 3, Some(0)),
        (&["deny"], 2, Some(0)),
        (&["deny", "--lint-skip", RULE], 3, Some(0)),
        (&["off"], 3, Some(0)),
        (&["deny"], 3, Some(1)),
        // Nothing was judged, and that is no success.
        (&["deny"], 0, Some(2)),
    ] {
        let (code, told, log, _) = run(flags, polls);
        assert_eq!((code, told.as_str()), (expected, ""), "{flags:?} {log}");
        assert_eq!(log.contains("lint:"), flags != ["off"], "{flags:?} {log}");
    }
}

#[test]
fn one_report_goes_to_standard_output_and_several_need_a_directory() {
    let (code, told, _, shown) = run(&["warn", "--report", "json"], 3);
    assert_eq!(code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        json,
        serde_json::from_str::<serde_json::Value>(&shown).expect("JSON")
    );
    let several = serve(&["--lint", "warn", "--report", "json,junit"]);
    assert_eq!(
        fails(several),
        "otplab: several reports need a directory; name one with --report-dir\n"
    );
    let wrong = fails(serve(&["--lint", "warn", "--lint-skip", "poll-too-slow"]));
    assert!(
        wrong.contains("is no rule; they are poll-too-fast, "),
        "{wrong}"
    );
}
