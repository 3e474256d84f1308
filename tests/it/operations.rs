//! `otplab serve` in the hands of those who run it: several places, TLS, a log
//! for programs, a file that is looked after, and `otplab readyz` beside it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::otplab;

const KEY: &str = "operations-key-of-sixty-characters-0000000000000000000000000";

/// A server whose log is a file, and which is gone at the end of the test.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Served {
    /// `--config` names `serve.toml` with this text.
    fn start(config: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("serve.toml"), config).expect("writable");
        let log = fs::File::create(directory.path().join("log")).expect("writable");
        let mut child = otplab()
            .args(["serve", "--config", "serve.toml"])
            .args(arguments)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            stdout,
            directory,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("text")
    }

    /// Waits until the log says `what` so many times.
    fn says(&self, what: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(what).count() < times {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{what}: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it in order.
    fn end(mut self) -> String {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
        self.log()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body.
fn ask(url: &str, target: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").expect("a plain address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuth: {KEY}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

fn readyz(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = otplab()
        .arg("readyz")
        .args(arguments)
        .output()
        .expect("the binary runs");
    assert_eq!(stdout, b"");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

#[test]
fn every_place_is_announced_and_readyz_finds_each() {
    let listen = "listen = [\"127.0.0.1:0\", \"unix:otplab.sock\", \"127.0.0.1:0\"]\ntls = true\n\
                  tls_cert_out = \"cert.pem\"\nadmin_listen = \"unix:admin.sock\"\n";
    let mut served = Served::start(listen, &[]);
    let lines: Vec<_> = (0..4).map(|_| served.line()).collect();
    assert!(
        lines[0].starts_with("ready https://127.0.0.1:"),
        "{lines:?}"
    );
    assert_eq!(lines[1], "also unix:otplab.sock");
    assert!(lines[2].starts_with("also https://127.0.0.1:"), "{lines:?}");
    assert_eq!(lines[3], "admin unix:admin.sock");
    let certificate = served.path("cert.pem").display().to_string();
    let url = |line: &str| line.split_once(' ').expect("two words").1.to_owned();
    let trusting = |url: &str| readyz(&[url, "--ca-file", &certificate]);
    for line in [&lines[0], &lines[2]] {
        assert_eq!(trusting(&url(line)), (Some(0), String::new()));
    }
    let socket = served.path("otplab.sock").display().to_string();
    assert_eq!(readyz(&["--unix", &socket]).0, Some(0));
    assert_eq!(readyz(&[&format!("unix:{socket}")]).0, Some(0));
    let localhost = url(&lines[0]).replace("127.0.0.1", "localhost");
    assert_eq!(trusting(&localhost).0, Some(0));
    let (code, told) = readyz(&[&url(&lines[0])]);
    assert!(code == Some(2) && told.contains("TLS failed"), "{told}");
    let plain = url(&lines[0]).replace("https", "http");
    let (code, told) = readyz(&[&plain]);
    assert!(code == Some(2) && told.contains("it answers 400"), "{told}");
    let sockets = [
        socket.clone(),
        served.path("admin.sock").display().to_string(),
    ];
    served.end();
    for socket in sockets {
        assert!(!Path::new(&socket).exists(), "{socket}");
    }
    assert_eq!(readyz(&["--unix", &socket]).0, Some(2));
}

#[test]
fn readyz_waits_as_long_as_it_is_told_to() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let url = format!("http://{address}");
    let (code, told) = readyz(&[&url]);
    assert!(code == Some(2) && told.contains("nobody listens"), "{told}");
    let (code, told) = readyz(&[&url, "--wait", "--timeout", "150ms"]);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("not ready within 150ms: nobody listens"),
        "{told}"
    );
    let mut waiting = otplab()
        .args(["readyz", &url, "--wait", "--timeout", "20s"])
        .spawn()
        .expect("the binary runs");
    let mut served = Served::start("", &["--listen", &address.to_string()]);
    assert_eq!(served.line(), format!("ready {url}"));
    assert_eq!(waiting.wait().expect("it ends").code(), Some(0));
    // Somebody who answers and is not ready.
    let (code, told) = readyz(&["https://", "--timeout", "1s"]);
    assert!(
        code == Some(2) && told.contains("write it like http://127"),
        "{told}"
    );
    let both = readyz(&[&url, "--unix", "x"]).1;
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn the_health_checks_of_the_page_are_commands_that_work() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let page = fs::read_to_string(page).expect("there is a page");
    let dockerfile = page.lines().find_map(|line| {
        let line = line.trim().strip_prefix("HEALTHCHECK")?;
        line.split_once("CMD ").map(|(_, command)| command)
    });
    let compose = page
        .lines()
        .find_map(|line| line.trim().strip_prefix("test: "));
    let commands = [dockerfile, compose].map(|line| line.expect("the page has it"));
    let mut served = Served::start("", &["--listen", "127.0.0.1:0"]);
    let url = served.line().replace("ready ", "");
    for command in commands {
        let words: Vec<String> = serde_json::from_str(command).expect("a list of words");
        let words: Vec<_> = words.iter().filter(|word| *word != "CMD").collect();
        assert_eq!(words[0], "otplab");
        for (url, code) in [(url.as_str(), 0), ("http://127.0.0.1:1", 2)] {
            let status = otplab()
                .args(&words[1..])
                .env("OTPLAB_READYZ_URL", url)
                .stderr(Stdio::null())
                .status();
            assert_eq!(status.expect("it runs").code(), Some(code), "{command}");
        }
    }
}

#[test]
fn a_log_for_programs_is_an_object_a_line_and_holds_no_key() {
    let mut served = Served::start(
        "sms_delay = \"0s\"\n",
        &[
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--log-level",
            "debug",
        ],
    );
    let url = served.line().replace("ready ", "");
    assert_eq!(ask(&url, "/api/v1/profile").0, 200);
    assert_eq!(ask(&url, &format!("/{KEY}?key={KEY}")).0, 404);
    served.says("\"request\"", 2);
    let log = served.end();
    assert!(!log.contains(KEY), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str()).collect();
    let expected = ["listening", "settings", "request", "request", "stopping"];
    assert_eq!(events, expected.map(Some));
    for line in &lines {
        let time = line["time"].as_str().expect("a time");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["info", "debug"].contains(&line["level"].as_str().expect("a level")));
    }
    assert_eq!(lines[0]["fields"]["url"], url);
    assert_eq!(lines[1]["fields"]["sms_delay"], "0s");
    assert_eq!(lines[2]["fields"]["operation"], "profile");
    // What keeps it from running is told in the same way.
    let taken = url.replace("http://", "");
    let failed = otplab()
        .args([
            "serve",
            "--log-format",
            "json",
            "--listen",
            &taken,
            "--tls-key",
            "x",
        ])
        .output()
        .expect("the binary runs");
    assert_eq!(failed.status.code(), Some(2));
    let line: Value = serde_json::from_slice(&failed.stderr).expect("one object");
    assert_eq!(
        (&line["level"], &line["event"]),
        (&"error".into(), &"failed".into())
    );
    assert!(
        line["message"]
            .as_str()
            .expect("words")
            .contains("--tls-cert"),
        "{line}"
    );
}

#[test]
fn a_file_that_changes_counts_and_what_was_there_stays() {
    let first = "sms_delay = \"1s\"\nseed = 5\n";
    let mut served = Served::start(first, &["--watch", "--listen", "127.0.0.1:0"]);
    let url = served.line().replace("ready ", "");
    let balance = ask(&url, "/api/v1/profile").1;
    let file = served.path("serve.toml");
    let faulty = "sms_delay = \"1s\"\nseed = 6\nfaults = [\"history: status(503)\"]\n";
    fs::write(&file, faulty).expect("writable");
    served.says(
        "serve.toml was read again: faults from now on; seed from the next start on",
        1,
    );
    assert_eq!(ask(&url, "/api/v1/rentals/history").0, 503);
    assert_eq!(
        ask(&url, "/api/v1/profile").1,
        balance,
        "the account is the same"
    );
    fs::write(&file, "sms_delay = 1\n").expect("writable");
    served.says(
        "serve.toml:1:13: write a text in quotation marks, not the number 1",
        1,
    );
    assert_eq!(ask(&url, "/api/v1/rentals/history").0, 503, "as before");
    // As editors do it: another file takes the name.
    let other = served.path("serve.toml~");
    fs::write(&other, "sms_delay = \"1s\"\nseed = 5\n").expect("writable");
    fs::rename(&other, &file).expect("one file system");
    served.says(
        "serve.toml was read again: faults from now on; seed from",
        2,
    );
    assert_eq!(ask(&url, "/api/v1/rentals/history").0, 200);
    fs::write(&file, "webhook_url = \"http://hooks.test/\"\n").expect("writable");
    served.says("--allow-webhook-host hooks.test", 1);
    let log = served.end();
    assert_eq!(log.matches("is not taken").count(), 2, "{log}");
    let lonely = otplab()
        .args(["serve", "--watch"])
        .output()
        .expect("it runs");
    let told = String::from_utf8(lonely.stderr).expect("text");
    assert!(
        told.contains("--watch looks after the file of --config"),
        "{told}"
    );
}

#[test]
fn what_does_not_fit_together_about_tls_is_told() {
    for (arguments, expected) in [
        (&["--tls-cert", "x"][..], "name it with --tls-key"),
        (&["--tls-key", "x"], "name it with --tls-cert"),
        (&["--tls-cert-out", "x"], "add --tls"),
        (
            &["--tls-cert", "/absent", "--tls-key", "/absent"],
            "cannot read certificates from /absent",
        ),
        (
            &["--tls-cert", "x", "--tls-key", "y", "--tls-name", "z"],
            "--tls-name is about",
        ),
        (
            &["--tls", "--tls-cert-out", "/absent/cert"],
            "cannot write the certificate to /absent",
        ),
        (
            &["--tls", "--tls-name", "a b"],
            "write a host like otplab.test",
        ),
        (
            &["--socket-mode", "0999"],
            "write them in octal digits like 0600",
        ),
        (&["--listen", "unix:"], "or unix:/run/otplab.sock"),
        (
            &["--listen", "unix:/absent/otplab.sock"],
            "cannot listen on unix:/absent/otplab.sock",
        ),
        (&["--log-format", "xml"], "write text or json"),
        (&["--log-level", "loud"], "write warn, info or debug"),
    ] {
        let mut command = otplab();
        command.arg("serve").args(arguments);
        if arguments[0] != "--listen" {
            command.env("OTPLAB_LISTEN", "127.0.0.1:0");
        }
        let output = command.output().expect("the binary runs");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(expected), "{told}");
    }
}
