//! `--lint` as a script sees it: an exit code, and findings in every form.

use std::path::Path;

use mock_server_core::lint::Rule;

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

/// Runs a command of a shell while a server with these flags is there.
fn around(flags: &[&str], command: &str) -> (Option<i32>, String) {
    let mut all = vec!["--lint"];
    all.extend(flags);
    all.extend(["--", "sh", "-c", command]);
    let output = serve(&all).output().expect("the binary runs");
    let told = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), told)
}

#[test]
fn a_command_has_a_server_of_its_own_and_its_failure_comes_first() {
    let poll = r#"curl -s -o "$(mktemp)" -H "Auth: $(printf '%060d' 7)" "$OTPLAB_TARGET/api/v1/number/check-otp/7""#;
    let (good, bad) = (poll.to_owned(), [poll; 3].join("; "));
    for (mode, command, expected) in [
        ("deny", good, 0),
        ("deny", bad.clone(), 1),
        ("warn", bad.clone(), 0),
        ("deny", format!("{bad}; exit 7"), 7),
        ("deny", "kill -9 $$".to_owned(), 137),
        // It never found the server, so nothing was judged.
        ("deny", "true".to_owned(), 2),
        ("off", "true".to_owned(), 0),
    ] {
        let (code, log) = around(&[mode], &command);
        assert_eq!(code, Some(expected), "{mode} {command}: {log}");
    }
    let missing = serve(&["--", "/no/such/program"])
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(missing.status.code(), Some(2), "{told}");
    assert!(told.contains("cannot run /no/such/program"), "{told}");
}

#[test]
fn a_command_that_runs_on_is_ended_with_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("came");
    let wait = format!(
        "trap 'kill $!; echo told > {0}; exit 0' TERM; sleep 60 > {0} 2>&1 & wait",
        file.display()
    );
    let ready = Ready::start(serve(&["--", "sh", "-c", &wait]));
    let begun = std::time::Instant::now();
    while !file.exists() && begun.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    let (code, _, log) = ready.end("-TERM");
    assert_eq!(code, Some(130), "{log}");
    assert_eq!(read(directory.path(), "came"), "told\n");
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

#[test]
fn the_page_explains_each_rule_as_its_findings_do() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = read(&root.join("docs"), "lint.md");
    let told: Vec<_> = page
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .strip_suffix(" |")?
                .split_once("` | ")
        })
        .map(|(rule, words)| (rule, words.replace('`', "")))
        .collect();
    let rules = Rule::ALL.map(|rule| (rule.id(), rule.explanation().to_owned()));
    assert_eq!(told, rules);
}

#[test]
fn recorded_traffic_is_judged_by_the_same_names() {
    let rules = Rule::ALL.into_iter();
    let of_requests: Vec<_> = rules
        .filter_map(|rule| Some((rule.clause()?, rule.id())))
        .filter(|(clause, _)| !clause.starts_with('W'))
        .collect();
    let mut recorded = judge_core::LINT.to_vec();
    // A recording tells the two ways to leave a rental apart.
    recorded.retain(|(clause, _)| *clause != "R15");
    for pair in &of_requests {
        assert!(recorded.contains(pair), "{pair:?}");
    }
    assert_eq!(recorded.len(), of_requests.len());
}
