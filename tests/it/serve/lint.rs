//! `--lint` as a script sees it: an exit code, and findings in every form.

use super::{Ready, serve};

#[test]
fn a_bad_client_is_denied_at_the_end_and_told_in_every_form() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| directory.path().join(name).display().to_string();
    let (junit, sarif) = (file("lint.xml"), file("lint.sarif"));
    let run = |mode: &str, polls: usize| {
        let ready = Ready::start(serve(&[
            "--listen",
            "127.0.0.1:0",
            "--lint",
            mode,
            "--lint-report",
            "json",
            "--lint-report",
            &format!("junit={junit}"),
            "--lint-report",
            &format!("sarif={sarif}"),
        ]));
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
        let (code, told, _) = ready.end("-TERM");
        (code, told, shown)
    };
    let rule = "\"error-status-unhandled\"";
    let (code, told, shown) = run("deny", 3);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(rule) && shown.contains(rule), "{told}{shown}");
    let written = std::fs::read_to_string(&junit).expect("written");
    assert!(written.contains("failures=\"1\""), "{written}");
    let written = std::fs::read_to_string(&sarif).expect("written");
    assert!(
        written.contains("\"ruleId\": \"error-status-unhandled\""),
        "{written}"
    );
    let (code, told, _) = run("warn", 3);
    assert_eq!(code, Some(0), "warned only: {told}");
    let (code, told, _) = run("deny", 2);
    assert_eq!(code, Some(0), "nothing found: {told}");
    let (code, told, shown) = run("off", 3);
    assert_eq!((code, told.as_str()), (Some(0), ""), "{shown}");
}
