//! Exit code 2 for whatever keeps `otplab check` from judging, each cause with
//! its message, and what a spending limit has to do with it.

use std::net::TcpListener;

use super::bent::{Bend, bend};
use super::command::check;
use super::{mock, relay};

#[test]
fn files_and_flags_that_cannot_be_used_are_2() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (file, missing) = (path("file"), path("missing"));
    std::fs::write(&file, "neither JSON nor PEM").expect("written");
    let inside = path("file/inside");
    for (arguments, complaint) in [
        (vec!["--report", "text,json"], "--report-dir"),
        (
            vec!["--report-dir", &inside],
            "cannot make the report directory",
        ),
        (vec!["--baseline", &missing], "cannot read the baseline"),
        (vec!["--baseline", &file], "file"),
        (vec!["--baseline-update"], "--baseline"),
        (vec!["--write-dialect", &inside], "cannot write"),
        (vec!["--capture", &missing], "cannot read"),
        (vec!["--capture", &file], "file"),
        (vec!["--dialect", "strange"], "--dialect"),
        (vec!["--max-spend", "much"], "--max-spend"),
        (vec!["--no-such-flag"], "--no-such-flag"),
        (
            vec![
                "https://127.0.0.1:1",
                "--key-env",
                "KEY",
                "--ca-file",
                &missing,
            ],
            "missing",
        ),
        (
            vec![
                "http://127.0.0.1:1",
                "--key-env",
                "KEY",
                "--dialect",
                "strict",
            ],
            "--dialect",
        ),
    ] {
        let (code, _, err) = check(&arguments);
        assert!(
            code == 2 && err.contains(complaint),
            "{arguments:?}: {code} {err}"
        );
    }
}

#[test]
fn a_webhook_port_that_is_taken_is_2_and_told_in_the_report() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, out, err) = check(&["--webhook-listen", &address]);
    assert_eq!(code, 2, "{out}{err}");
    let complaint = format!("cannot listen for webhooks on {address}");
    assert!(
        err.contains(&complaint) && err.contains("--webhook-listen"),
        "{err}"
    );
    assert!(
        out.contains("not judged P4 ") && out.contains(&complaint),
        "{out}"
    );
}

#[test]
fn nothing_judged_is_2() {
    let server = mock("default");
    let url = format!("http://{}", server.address());
    // About clients, about our own models, and without a listener or a second key.
    for id in ["R15", "X4", "W1", "H16"] {
        let (code, out, err) = check(&[&url, "--key-env", "KEY", "--only", id]);
        assert_eq!(code, 2, "{id}: {out}{err}");
        assert!(!out.contains("held "), "{id}: {out}");
    }
    let (code, out, _) = check(&["--skip", "A1,A2,A3,A4,A5", "--only", "A1"]);
    assert_eq!(code, 2, "{out}");
}

#[test]
fn a_must_that_should_have_been_judged_is_2() {
    // Nothing is broken, and yet no number could be rented …
    let poor = mock("default");
    let refusing = bend(
        poor.address(),
        Bend::answer(|answered, _| {
            if answered.operation == "rent" {
                answered.replace(503, r#"{"success":false,"message":"no numbers"}"#);
            }
        }),
    );
    let (code, out, err) = check(&[&format!("http://{refusing}"), "--key-env", "KEY"]);
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.contains("not judged R8 ") && out.contains("no number could be rented"),
        "{out}"
    );
    // … or an operation gives nothing that could be judged.
    let busy = bend(
        poor.address(),
        Bend::answer(|answered, _| {
            if answered.operation == "history" {
                answered.replace(503, "");
            }
        }),
    );
    let url = format!("http://{busy}");
    let (code, out, err) = check(&[&url, "--key-env", "KEY"]);
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.contains("held P4 ") && out.contains("not judged H3 "),
        "{out}"
    );
    // Whoever does not ask for it is not told.
    let (code, out, err) = check(&[&url, "--key-env", "KEY", "--only", "P1,P4"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn numbers_beyond_all_bounds_are_judged_and_crash_nothing() {
    let server = mock("default");
    let vast = bend(
        server.address(),
        Bend::answer(|answered, _| {
            answered.alter_in("rent", "rental", |rental| {
                rental.insert("expires_in_seconds".to_owned(), u64::MAX.into());
                rental.insert("cost".to_owned(), "$922337203685477.58".into());
            });
            answered.alter("history", |object| {
                object.insert("total_records".to_owned(), i64::MAX.into());
            });
            answered.rows(|row| {
                row.insert(
                    "created_at".to_owned(),
                    "9223372036854775807-01-01 00:00:00".into(),
                );
            });
        }),
    );
    let url = format!("http://{vast}");
    let arguments = [&url, "--key-env", "KEY", "--second-key-env", "OTHER"];
    let (code, out, err) = check(&arguments);
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("FAIL H11 ") && out.contains("FAIL R12 "),
        "{out}{err}"
    );
}

#[test]
fn at_an_otplab_server_the_money_is_not_real_and_everything_is_judged() {
    let server = mock("default");
    let url = format!("http://{}", server.address());
    let arguments = [
        &url,
        "--key-env",
        "KEY",
        "--second-key-env",
        "OTHER",
        "--webhook-listen",
        "127.0.0.1:0",
    ];
    // The second check finds accounts whose time the first has moved.
    for arguments in [&arguments[..], &arguments, &[]] {
        let (code, out, err) = check(arguments);
        assert_eq!(code, 0, "{out}{err}");
        assert!(!out.contains("warn "), "{out}");
        let unjudged: Vec<_> = out
            .lines()
            .filter(|line| line.starts_with("not judged "))
            .collect();
        let ids: Vec<_> = unjudged
            .iter()
            .filter_map(|line| line.split(' ').nth(2))
            .collect();
        // What a check does not bring about, clients, and our own models.
        let expected = match arguments {
            [] => vec!["A3", "B9", "R15", "R18", "C14", "X4"],
            _ => vec!["B9", "R15", "R18", "C14", "X4"],
        };
        assert_eq!(ids, expected, "{unjudged:#?}");
    }
    // Elsewhere it may be real, and the limit holds unless another is named.
    let address = server.address();
    let without_control = relay::serve(move |message| {
        (!message.first.contains("/__admin"))
            .then(|| relay::forward(address, &message))
            .flatten()
    });
    let url = format!("http://{without_control}");
    let arguments = [&url, "--key-env", "KEY", "--wait-sms", "1ms"];
    let (_, out, _) = check(&arguments);
    assert!(
        out.contains("$4.0") && out.contains("on 3 rentals"),
        "{out}"
    );
}
