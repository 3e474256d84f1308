//! The reports of a check: that each says what the others say, and that a
//! baseline excuses what it names.

use std::fs;

use serde_json::Value;

use super::bent::{Bend, bend};
use super::{KEYS, mock};
use crate::binary::otplab;

fn broken() -> (mock_server::Running, String) {
    let server = mock("default");
    let address = bend(
        server.address(),
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                drop(user.insert("balance".to_owned(), 7.into()));
            });
        }),
    );
    (server, format!("http://{address}"))
}

#[test]
fn every_report_names_the_broken_clause_and_no_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let (_server, url) = broken();
    let formats = "text,json,junit,sarif,markdown,html";
    let output = otplab()
        .args([
            "check",
            &url,
            "--key-env",
            "KEY",
            "--read-only",
            "--report",
            formats,
            "--report-dir",
            path,
        ])
        .env("KEY", KEYS[0])
        .env("GITHUB_ACTIONS", "true")
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        printed.contains("::error title=otplab check P4::"),
        "{printed}"
    );
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).expect(name);
    for name in [
        "check.txt",
        "check.json",
        "junit.xml",
        "check.sarif",
        "check.md",
        "check.html",
        "dialect.toml",
    ] {
        let text = read(name);
        assert!(!text.contains(KEYS[0]), "{name}");
        assert!(name == "dialect.toml" || text.contains("P4"), "{name}");
    }
    let parsed = |name: &str| serde_json::from_str(&read(name)).expect("JSON");
    contents(
        &parsed("check.json"),
        &parsed("check.sarif"),
        &read("junit.xml"),
    );
}

/// What the reports for machines say of it.
fn contents(json: &Value, sarif: &Value, junit: &str) {
    assert_eq!(json["outcome"], "broken");
    assert_eq!(json["clauses"].as_array().map(Vec::len), Some(94));
    assert_eq!(
        (&json["clauses"][0]["id"], &json["clauses"][0]["verdict"]),
        (&"P4".into(), &"broken".into())
    );
    let schema = include_str!("../../schemas/sarif.json");
    let schema = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<_> = validator
        .iter_errors(sarif)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"P4".into(), &"error".into())
    );
    assert_eq!(
        sarif["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .map(Vec::len),
        Some(94)
    );
    assert!(
        junit.contains("tests=\"94\" skipped=") || junit.contains("tests=\"94\""),
        "{junit}"
    );
    assert!(junit.contains("<failure"), "{junit}");
    // The schema of Jenkins, against which .ci/reports validates, has it in suites only.
    let root = junit.lines().find(|line| line.starts_with("<testsuites"));
    assert!(
        root.is_some_and(|root| !root.contains("skipped")),
        "{junit}"
    );
}

#[test]
fn a_baseline_excuses_what_it_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("baseline.json");
    let file = file.to_str().expect("UTF-8");
    let (_server, url) = broken();
    let check = |more: &[&str]| {
        let output = otplab()
            .args(["check", &url, "--key-env", "KEY", "--read-only"])
            .args(more)
            .env("KEY", KEYS[0])
            .output()
            .expect("the binary runs");
        (
            output.status.code(),
            String::from_utf8(output.stdout).expect("UTF-8"),
        )
    };
    assert_eq!(check(&[]).0, Some(1));
    assert_eq!(check(&["--baseline", file]).0, Some(2), "there is none yet");
    let (code, out) = check(&["--baseline", file, "--baseline-update"]);
    assert!(code == Some(0) && out.contains("known P4 "), "{out}");
    assert_eq!(check(&["--baseline", file]).0, Some(0));
}

#[test]
fn a_recording_is_judged_without_sending_anything() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("traffic.har");
    let key = KEYS[0];
    let entry = |second: u32, method: &str, path: &str, request: &str, response: &str| {
        serde_json::json!({
            "startedDateTime": format!("2026-06-11T04:20:{second:02}Z"),
            "time": 5,
            "request": {
                "method": method, "url": format!("https://codysms.com/api/v1{path}"),
                "headers": [{ "name": "Auth", "value": key }],
                "postData": { "mimeType": "application/json", "text": request },
            },
            "response": { "status": 200, "headers": [], "content": { "mimeType": "application/json", "text": response } },
        })
    };
    let rent = r#"{"success":true,"message":"Number rented successfully.","rental":{"id":13322954,"phone":"15012774216","service":"Whatsapp","cost":1.44,"expires_in_seconds":1200}}"#;
    let wait = r#"{"success":true,"sms_received":false,"message":"Waiting for inbound SMS traffic payload instance..."}"#;
    let poll = "/number/check-otp/13322954";
    let entries = [
        entry(
            1,
            "POST",
            "/number/rent",
            r#"{"service":"whatsapp","area":"212"}"#,
            rent,
        ),
        entry(2, "GET", poll, "", wait),
        entry(3, "GET", poll, "", wait),
    ];
    let har = serde_json::json!({ "log": { "entries": entries } });
    fs::write(&file, har.to_string()).expect("written");
    let output = otplab()
        .args(["check", "--capture", file.to_str().expect("UTF-8")])
        .output()
        .expect("the binary runs");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(out.starts_with("FAIL R11 "), "{out}");
    assert!(
        out.contains("warn R18 ") && out.contains("warn C15 ") && out.contains("held C2 "),
        "{out}"
    );
    assert!(!out.contains(key), "{out}");
}

#[test]
fn the_document_names_every_clause() {
    let output = otplab()
        .args(["check", "--openapi"])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success() && text.contains("\"openapi\": \"3.1"));
    for clause in &judge_core::clause::CLAUSES {
        assert!(
            text.contains(&format!("\"{}\"", clause.id)),
            "{}",
            clause.id
        );
    }
}
