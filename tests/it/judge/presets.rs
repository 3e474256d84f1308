//! Check a server once, then fake exactly that: for each preset, what `check`
//! measures makes a server that `diff` calls the same. Commands only.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use mock_server_core::dialect::Preset;

use super::KEYS;
use crate::binary::otplab;

/// `otplab serve`, until the test is over.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut child = otplab()
            .args(["serve", "--listen", "127.0.0.1:0", "--sms-delay", "5s"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("the ready line");
        let url = line.trim().rsplit(' ').next().unwrap_or_default();
        Self {
            child,
            url: url.to_owned(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = otplab()
        .args(arguments)
        .args(["--key-env", "KEY", "--second-key-env", "OTHER"])
        .args(["--webhook-listen", "127.0.0.1:0"])
        .env("KEY", KEYS[0])
        .env("OTHER", KEYS[1])
        .output()
        .expect("the binary runs");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
    (output.status.code(), text.concat())
}

fn tried(preset: &str, directory: &Path) {
    let file = directory
        .join(format!("{preset}.toml"))
        .display()
        .to_string();
    let original = Served::start(&["--dialect", preset]);
    let (code, out) = run(&["check", &original.url, "--write-dialect", &file]);
    assert_eq!(code, Some(0), "{preset}: {out}");
    // A server that nobody has asked yet: the check's rentals would show.
    let original = Served::start(&["--dialect", preset]);
    let copy = Served::start(&["--config", &file]);
    let (code, out) = run(&["diff", &original.url, &copy.url]);
    assert_eq!(code, Some(0), "{preset}: {out}");
    assert!(out.starts_with("the same: "), "{preset}: {out}");
    // The embedded mock gives the same file.
    let embedded = directory.join(format!("{preset}-embedded.toml"));
    let output = otplab()
        .args(["check", "--dialect", preset, "--write-dialect"])
        .arg(&embedded)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{preset}: {output:?}");
    let settings = |path: &Path| {
        let text = std::fs::read_to_string(path).expect("written");
        text.split_once("[dialect]")
            .map(|(_, settings)| settings.to_owned())
    };
    assert_eq!(settings(&embedded), settings(Path::new(&file)), "{preset}");
}

#[test]
fn the_measured_dialect_of_each_preset_is_served_and_diff_calls_it_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    std::thread::scope(|scope| {
        for preset in Preset::ALL {
            let name = serde_json::to_value(preset).expect("a name");
            let directory = directory.path();
            scope.spawn(move || tried(name.as_str().expect("text"), directory));
        }
    });
}
