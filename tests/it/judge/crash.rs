//! A crash of the binary itself: its clock fails in the middle of a check, which
//! makes the standard library panic. The reports are written all the same.
//! `.ci/run` runs this for the release build, where a panic ends the process.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::{KEYS, mock, relay};
use crate::binary::otplab;

/// The clock, made by the compiler that also links this test.
fn broken_clock(directory: &Path) -> PathBuf {
    let library = directory.join("broken_clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broken_clock.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(made.expect("a C compiler").success());
    library
}

/// Checks with a clock that fails at the first look after `file` was made.
fn crashed(directory: &Path, file: &Path, arguments: &[&str]) -> Output {
    let output = otplab()
        .arg("check")
        .args(arguments)
        .args(["--report", "text,json,junit,sarif,markdown,html"])
        .arg("--report-dir")
        .arg(directory)
        .env("KEY", KEYS[0])
        .env("LD_PRELOAD", broken_clock(directory))
        .env("BROKEN_CLOCK", file)
        .output()
        .expect("the binary runs");
    assert!(!file.exists(), "the clock failed");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("panicked at"), "{shown}");
    output
}

fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).expect(name)
}

#[test]
fn what_was_seen_before_a_crash_is_in_all_reports() {
    let directory = tempfile::tempdir().expect("a directory");
    let (directory, file) = (directory.path(), directory.path().join("now"));
    let server = mock("default");
    let (address, left, sign) = (server.address(), AtomicU32::new(30), file.clone());
    let counting = relay::serve(move |message| {
        if left.fetch_sub(1, Relaxed) == 1 {
            std::fs::write(&sign, "").expect("written");
        }
        relay::forward(address, &message)
    });
    let url = format!("http://{counting}");
    let output = crashed(directory, &file, &[&url, "--key-env", "KEY"]);
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(printed.contains("held P4 "), "{printed}");
    assert!(
        printed.contains("not judged C5 ") && printed.contains(": otplab crashed at "),
        "{printed}"
    );
    for name in [
        "check.txt",
        "check.json",
        "junit.xml",
        "check.sarif",
        "check.md",
        "check.html",
    ] {
        let text = read(directory, name);
        assert!(text.contains("otplab crashed at "), "{name}: {text}");
        assert!(!text.contains(KEYS[0]), "{name}");
    }
}

#[test]
fn a_crash_of_the_embedded_mock_is_told_as_well() {
    let directory = tempfile::tempdir().expect("a directory");
    let (directory, file) = (directory.path(), directory.path().join("now"));
    std::fs::write(&file, "").expect("written");
    crashed(directory, &file, &[]);
    let text = read(directory, "check.txt");
    assert!(
        text.contains("not judged P4 ") && text.contains("otplab crashed at "),
        "{text}"
    );
}
