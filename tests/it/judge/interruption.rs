//! Interruptions: exit code 130 for either signal and at any moment, what was
//! seen is reported all the same, and nothing is left behind at the server.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::relay::{self, Message};
use super::{KEYS, checked, mock, plan};
use crate::binary::otplab;

/// A server without a control API, whose SMS has to be waited for; and word of
/// the first poll.
fn slow(server: SocketAddr) -> (String, Receiver<()>) {
    let (tell, told) = channel();
    let address = relay::serve(move |message| {
        if message.first.contains("/__admin") {
            return None;
        }
        if message.first.contains("/check-otp/") {
            let _ = tell.send(());
        }
        relay::forward(server, &message)
    });
    (format!("http://{address}"), told)
}

fn start(command: &mut Command) -> Child {
    command
        .env("KEY", KEYS[0])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs")
}

/// Ends it with a signal: its exit code, how long that took, what it printed.
fn end(child: Child, signal: &str) -> (Option<i32>, Duration, String) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    let began = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code(), began.elapsed(), printed)
}

/// Far less than an SMS or a patient request takes.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn a_check_ends_with_130_and_leaves_its_reports() {
    let server = mock("default");
    for signal in ["-INT", "-TERM"] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().to_str().expect("UTF-8");
        let (url, polled) = slow(server.address());
        let child = start(otplab().args([
            "check",
            &url,
            "--key-env",
            "KEY",
            "--report",
            "json,junit",
            "--report-dir",
            path,
        ]));
        polled.recv().expect("a poll");
        let (code, took, printed) = end(child, signal);
        assert_eq!(code, Some(130), "{signal}: {printed}");
        assert!(took < SOON, "{signal}: {took:?}");
        assert!(printed.contains("held P4 "), "{printed}");
        let json = fs::read_to_string(directory.path().join("check.json")).expect("written");
        assert!(json.contains("\"ended_early\": \"interrupted\""), "{json}");
        let junit = fs::read_to_string(directory.path().join("junit.xml")).expect("written");
        assert!(junit.contains("interrupted"), "{junit}");
    }
}

#[test]
fn a_comparison_ends_with_130_and_tells_what_it_saw() {
    let (same, other) = (mock("default"), mock("rent_status=201"));
    let fast = format!("http://{}", same.address());
    for (signal, first_is_slow) in [("-INT", true), ("-TERM", true), ("-INT", false)] {
        let (url, polled) = slow(other.address());
        let servers = if first_is_slow {
            [&url, &fast]
        } else {
            [&fast, &url]
        };
        let child = start(
            otplab()
                .arg("diff")
                .args(servers)
                .args(["--key-env", "KEY"]),
        );
        polled.recv().expect("a poll");
        let (code, took, printed) = end(child, signal);
        assert_eq!(code, Some(130), "{signal}: {printed}");
        assert!(took < SOON, "{signal}: {took:?}");
        assert!(printed.contains("and then it ended early"), "{printed}");
        let told = printed.contains("status: 200 | 201");
        assert_eq!(told, !first_is_slow, "{printed}");
    }
}

/// Interrupts a check when its server is asked something, which is not answered.
fn interrupted_at(server: SocketAddr, asked: fn(&Message) -> bool) -> Duration {
    let interrupt = Arc::new(Notify::new());
    let asking = Arc::clone(&interrupt);
    let address = relay::serve(move |message| {
        let reply = relay::forward(server, &message);
        if asked(&message) {
            asking.notify_one();
            std::thread::sleep(Duration::from_secs(30));
        }
        reply
    });
    let began = Instant::now();
    let seen = judge::check(&plan(address), interrupt.notified()).expect("a server");
    assert!(seen.interrupted);
    began.elapsed()
}

#[test]
fn nobody_waits_for_a_control_api_that_hangs() {
    let server = mock("default");
    let took = interrupted_at(server.address(), |message| {
        message.first.starts_with("GET /__admin/ ")
    });
    assert!(took < SOON, "{took:?}");
}

fn control(server: SocketAddr, request: &str) -> String {
    let asked = Message {
        first: format!("GET /__admin/{request} HTTP/1.1"),
        headers: vec![
            ("host".to_owned(), server.to_string()),
            ("auth".to_owned(), KEYS[0].to_owned()),
        ],
        body: Vec::new(),
    };
    let answer = relay::forward(server, &asked).expect("an answer");
    String::from_utf8(answer.body).expect("UTF-8")
}

#[test]
fn what_was_set_at_the_server_is_put_back() {
    let server = mock("default");
    // The rule is there, and the check never learns its id.
    interrupted_at(server.address(), |message| {
        message.first.starts_with("POST /__admin/faults ")
    });
    let faults = control(server.address(), "faults");
    assert!(faults.contains(r#""faults":[]"#), "{faults}");
    let accounts = control(server.address(), "accounts");
    assert!(!accounts.contains("webhooks-of-a-check"), "{accounts}");
    // Another check finds the server as it was.
    let (_, judgement) = checked(&plan(server.address()));
    assert_eq!(judgement.missed().count(), 0);
}

#[test]
fn a_server_whose_time_is_another_is_judged_by_its_own() {
    for scale in [0.0, 60.0] {
        let server = super::mock_of(|account| account.time_scale = scale);
        for _ in 0..2 {
            let (_, judgement) = checked(&plan(server.address()));
            assert_eq!(super::complaints(&judgement), [""; 0], "{scale}");
            let clock = control(server.address(), "clock");
            let pace = format!(r#""pace":{scale:.1}"#);
            assert!(clock.contains(&pace), "{clock}");
        }
    }
}
