//! `otplab check` as a command: exit codes, reports, keys that never show.

use std::process::Output;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::bent::{Bend, bend};
use super::{KEYS, mock, relay};
use crate::binary::otplab;

pub(super) fn check(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = otplab()
        .arg("check")
        .args(arguments)
        .env("KEY", KEYS[0])
        .env("OTHER", KEYS[1])
        .output()
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (stdout, stderr) = (text(stdout), text(stderr));
    for key in KEYS {
        assert!(
            !stdout.contains(key) && !stderr.contains(key),
            "a key shows"
        );
    }
    (status.code().unwrap_or(-1), stdout, stderr)
}

#[test]
fn the_embedded_mock_holds() {
    let (code, out, err) = check(&[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("held R11 ") && out.contains("recorded B4 ") && out.contains("held W9 "),
        "{out}"
    );
    assert_eq!(
        out.lines().filter(|line| line.starts_with("held ")).count(),
        70,
        "{out}"
    );
}

#[test]
fn a_broken_clause_is_1_and_a_warning_is_0_unless_strict() {
    let server = mock("default");
    let broken = bend(
        server.address(),
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                drop(user.insert("balance".to_owned(), 7.into()));
            });
        }),
    );
    let url = format!("http://{broken}");
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--read-only"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("FAIL P4 "), "{out}");
    assert!(
        out.contains("not judged R11 ") && out.contains("--read-only"),
        "{out}"
    );
    let (code, out, _) = check(&[
        &url,
        "--key-env",
        "KEY",
        "--read-only",
        "--skip",
        "P4,B6,X3",
    ]);
    assert_eq!(code, 0, "{out}");
    let warned = bend(
        server.address(),
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                drop(user.insert("balance".to_owned(), "$7.00".into()));
            });
        }),
    );
    let url = format!("http://{warned}");
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--read-only", "--only", "p5"]);
    assert!(code == 0 && out.starts_with("warn P5 "), "{out}");
    let (code, out, _) = check(&[
        &url,
        "--key-env",
        "KEY",
        "--read-only",
        "--only",
        "P5",
        "--strict",
    ]);
    assert!(code == 1 && out.starts_with("FAIL P5 "), "{out}");
}

#[test]
fn what_cannot_be_judged_is_2() {
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let (code, out, err) = check(&[&nobody, "--key-env", "KEY"]);
    assert!(code == 2 && err.contains("cannot be reached"), "{err}");
    // The report is written all the same.
    let unjudged = out
        .lines()
        .filter(|line| line.starts_with("not judged ") && line.contains("cannot be reached"));
    assert_eq!(unjudged.count(), 90, "{out}");

    let server = mock("default");
    let url = format!("http://{}", server.address());
    for (arguments, complaint) in [
        (vec![url.as_str()], "--key-env"),
        (
            vec![&url, "--key-env", "NO_SUCH"],
            "no such environment variable",
        ),
        (
            vec![&url, "--key-env", "KEY", "--second-key-env", "KEY"],
            "the two keys are the same",
        ),
        (
            vec![&url, "--key-env", "KEY", "--only", "Z9"],
            "there is no such clause",
        ),
        (
            vec!["http://192.0.2.7", "--key-env", "KEY"],
            "--allow-host 192.0.2.7",
        ),
        (
            vec!["ftp://127.0.0.1", "--key-env", "KEY"],
            "neither HTTP nor HTTPS",
        ),
    ] {
        let (code, _, err) = check(&arguments);
        assert!(code == 2 && err.contains(complaint), "{arguments:?}: {err}");
    }
    // A check of nothing.
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--read-only", "--only", "R11"]);
    assert_eq!(code, 2, "{out}");
    // No SMS in time.
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--wait-sms", "1s"]);
    assert!(
        code == 2 && out.contains("not judged C5 ") && out.contains("no SMS came in time"),
        "{out}"
    );
}

#[test]
fn a_server_that_goes_away_is_2_and_what_was_seen_is_told() {
    let server = mock("default");
    let (address, left) = (server.address(), AtomicU32::new(30));
    let dying = relay::serve(move |message| {
        let more = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        more.is_ok()
            .then(|| relay::forward(address, &message))
            .flatten()
    });
    let (code, out, err) = check(&[&format!("http://{dying}"), "--key-env", "KEY"]);
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.contains("held P4 ") && err.contains("does not answer any more"),
        "{out}{err}"
    );
    assert!(
        out.lines()
            .any(|line| line.starts_with("not judged C5 ")
                && line.ends_with("does not answer any more")),
        "{out}"
    );
}

#[test]
fn it_stops_at_the_limit_and_says_what_it_spent() {
    let server = mock("default");
    let url = format!("http://{}", server.address());
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--max-spend", "1.50"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("$1.44 spent on 1 rental;") && out.contains("not judged H16 "),
        "{out}"
    );
    let (code, out, _) = check(&[&url, "--key-env", "KEY", "--max-spend", "0.00"]);
    assert!(
        code == 0
            && out.contains("nothing rented")
            && out.contains("the spending limit left no rental"),
        "{out}"
    );
}

#[test]
fn a_key_of_another_length_is_warned_of_and_never_shown() {
    let server = mock("key_format=any");
    let url = format!("http://{}", server.address());
    let key = "a-key-of-another-length";
    let (code, out, err) = check(&[&url, "--key", key, "--read-only", "--skip", "X2"]);
    assert!(code == 0 && out.starts_with("warn A3 "), "{out}{err}");
    assert!(!out.contains(key) && !err.contains(key), "{out}{err}");
}
