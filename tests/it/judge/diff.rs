//! `otplab diff` as a command: its exit codes, and that keys, limits, webhooks
//! and certificates reach both servers.

use std::net::TcpListener;
use std::process::Output;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::{KEYS, mock, relay};
use crate::binary::otplab;

fn diff(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = otplab()
        .arg("diff")
        .args(arguments)
        .env("KEY", KEYS[0])
        .env("OTHER", KEYS[1])
        .env("UNKNOWN", KEYS[0].replace('a', "z"))
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
fn the_same_is_0_and_a_difference_is_1() {
    let servers = [mock("default"), mock("default"), mock("rent_status=201")];
    let [first, same, other] = servers
        .each_ref()
        .map(|server| format!("http://{}", server.address()));
    let (code, out, err) = diff(&[&first, &same, "--key-env", "KEY"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.starts_with("the same: ") && out.ends_with(" kinds of requests\n"),
        "{out}"
    );
    let (code, out, err) = diff(&[&first, &other, "--key-env", "KEY"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("/number/rent") || out.contains("rent {\"service\":\"whatsapp\"}"),
        "{out}"
    );
    assert!(out.contains("status: 200 | 201"), "{out}");
    assert!(
        out.contains(&format!(" differences between {first} | {other}\n")),
        "{out}"
    );
    // What is not asked makes no difference.
    let (code, out, err) = diff(&[&first, &other, "--key-env", "KEY", "--read-only"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn each_flag_does_what_it_says() {
    let run = |more: &[&str]| {
        let servers = [mock("default"), mock("default")];
        let urls = servers
            .each_ref()
            .map(|server| format!("http://{}", server.address()));
        let (code, out, err) =
            diff(&[&[urls[0].as_str(), &urls[1], "--key-env", "KEY"], more].concat());
        assert_eq!(code, 0, "{more:?}: {out}{err}");
        let count = out.split(' ').nth(2).and_then(|count| count.parse().ok());
        let count: u32 = count.unwrap_or_else(|| panic!("{out}"));
        count
    };
    let plain = run(&[]);
    assert!(run(&["--read-only"]) < plain);
    assert!(run(&["--max-spend", "1.50"]) < plain);
    assert!(run(&["--wait-sms", "1ms"]) < plain);
    assert!(run(&["--second-key-env", "OTHER"]) > plain);
    assert!(run(&["--second-key-env", "OTHER", "--second-key-env-b", "UNKNOWN"]) > plain);
    assert_eq!(run(&["--webhook-listen", "127.0.0.1:0"]), plain + 1);
    assert_eq!(run(&["--key-env-b", "UNKNOWN"]), plain);
}

#[test]
fn what_cannot_be_compared_is_2() {
    let server = mock("default");
    let url = format!("http://{}", server.address());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    for (arguments, complaint) in [
        (vec![url.as_str(), &url], "--key-env"),
        (vec![&url, "--key-env", "KEY"], "<B>"),
        (
            vec![&url, &url, "--key-env", "NO_SUCH"],
            "no such environment variable",
        ),
        (
            vec![&url, &url, "--key-env", "KEY", "--key-env-b", "NO_SUCH"],
            "--key-env-b NO_SUCH",
        ),
        (
            vec![&url, &url, "--key-env", "KEY", "--second-key-env", "KEY"],
            "are the same",
        ),
        (
            vec![&url, "http://192.0.2.7", "--key-env", "KEY"],
            "--allow-host 192.0.2.7",
        ),
        (vec![&nobody, &url, "--key-env", "KEY"], "cannot be reached"),
        (vec![&url, &nobody, "--key-env", "KEY"], "cannot be reached"),
        (
            vec![&url, &url, "--key-env", "KEY", "--webhook-listen", &address],
            "cannot listen",
        ),
        (
            vec![
                "https://127.0.0.1:1",
                &url,
                "--key-env",
                "KEY",
                "--ca-file",
                "missing",
            ],
            "missing",
        ),
    ] {
        let (code, out, err) = diff(&arguments);
        assert!(
            code == 2 && err.contains(complaint),
            "{arguments:?}: {code} {out}{err}"
        );
    }
}

#[test]
fn a_server_that_goes_away_is_2_and_what_was_seen_is_told() {
    let (server, other) = (mock("default"), mock("unauthorized=403"));
    let (address, left) = (other.address(), AtomicU32::new(40));
    let dying = relay::serve(move |message| {
        let more = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        more.is_ok()
            .then(|| relay::forward(address, &message))
            .flatten()
    });
    let urls = [
        format!("http://{}", server.address()),
        format!("http://{dying}"),
    ];
    let (code, out, err) = diff(&[&urls[0], &urls[1], "--key-env", "KEY"]);
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("does not answer any more"), "{err}");
    assert!(out.contains("status: 401 | 403"), "{out}");
    assert!(out.contains("and then it ended early"), "{out}");
}
