//! `otplab serve` as a script sees it: one line, one file, one exit code, and
//! one clear complaint for whatever is wrong.

mod lint;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::binary::otplab;

fn serve(arguments: &[&str]) -> Command {
    let mut command = otplab();
    command
        .arg("serve")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server that is ready, and gone at the end of the test.
struct Ready {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    line: String,
}

impl Ready {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the ready line");
        Self {
            child,
            stdout,
            line,
        }
    }

    fn port(&self) -> u16 {
        let port = self.line.trim_end().rsplit(':').next().expect("a port");
        port.parse().unwrap_or_else(|_| panic!("{:?}", self.line))
    }

    /// Status, and the body of the answer.
    fn ask(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }

    /// Ends it with `signal`: the exit code, the rest of stdout, all of stderr.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.expect("kill runs").success());
        let status = self.child.wait().expect("it ends");
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).expect("text");
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("text");
        (status.code(), rest, log)
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fails(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the binary runs");
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert_eq!(stdout, b"", "nothing was announced");
    stderr
}

fn config(directory: &Path, text: &str) -> String {
    let path = directory.join("serve.toml");
    std::fs::write(&path, text).expect("a writable directory");
    path.display().to_string()
}

#[test]
fn it_says_one_line_when_ready_and_leaves_in_order() {
    for signal in ["-TERM", "-INT"] {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("port");
        std::fs::write(&file, "of an earlier run").expect("a writable directory");
        let port_file = file.display().to_string();
        let ready = Ready::start(serve(&[
            "--listen",
            "127.0.0.1:0",
            "--port-file",
            &port_file,
        ]));
        let port = ready.port();
        assert_eq!(ready.line, format!("ready http://127.0.0.1:{port}\n"));
        let written = std::fs::read_to_string(&file).expect("written before the line");
        assert_eq!(written, format!("{port}\n"));
        let (code, rest, log) = ready.end(signal);
        assert_eq!((code, rest.as_str()), (Some(0), ""), "{log}");
        assert!(log.contains("otplab: seed "), "{log}");
        assert!(log.contains("sms delay typical"), "{log}");
    }
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = config(
        directory.path(),
        "listen = \"127.0.0.1:0\"\nseed = 1\nbalance = \"1.00\"\nsms_delay = \"3s\"\n\
         faults = [\"*: timeout\"]\n",
    );
    let mut command = serve(&["--config", &file, "--seed", "3"]);
    command
        .env("OTPLAB_SEED", "2")
        .env("OTPLAB_BALANCE", "2.00")
        .env(
            "OTPLAB_FAULT",
            "rent: latency(uniform(1s,2s)); *: status(500) nth 9",
        );
    let (_, _, log) = Ready::start(command).end("-TERM");
    for part in [
        "seed 3,",
        "balance 2.00",
        "sms delay 3s,",
        "faults: rent: latency(uniform(1s,2s)); *: status(500) nth 9,",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_port_in_use_is_told_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    assert_eq!(
        fails(serve(&["--listen", &address])),
        format!(
            "otplab: {address} is in use by another program; choose another port, \
             or any free one with --listen 127.0.0.1:0\n"
        )
    );
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    for (text, expected) in [
        (
            "seed = 1\nsmsdelay = \"2s\"\n",
            ":2:1: unknown field `smsdelay`",
        ),
        (
            "\n\nrental_life = \"20\"\n",
            ":3:15: \"20\" is not a duration; write a number",
        ),
        (
            "sms_delay = \"0.5*2s\"",
            ":1:13: not a delay law, at character 1: the weights",
        ),
        (
            "listen = \"8080\"",
            ":1:10: \"8080\" is not an address with a port; write it",
        ),
        (
            "faults = [\"*: status(7)\"]",
            ":1:11: \"*: status(7)\" is not a fault rule",
        ),
        (
            "seed = 1\nmax_head = 0",
            ":2:12: it is a whole number from 512 to 1048576",
        ),
        (
            "max_connections = 99999999",
            ":1:19: it is a whole number from 1 to 1000000",
        ),
        (
            "arrival_time = \"48h\"",
            ":1:16: a request has from 1ms to a day",
        ),
        ("seed = ", ":1:"),
    ] {
        complains(directory.path(), text, expected);
    }
    let complaint = fails(serve(&["--config", "/nonexistent/serve.toml"]));
    assert!(
        complaint.starts_with("otplab: cannot read the configuration file /nonexistent/serve.toml"),
        "{complaint}"
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_what_to_write() {
    let directory = tempfile::tempdir().expect("a directory");
    for (text, expected) in [
        ("balance = \"-5.00\"", ":1:11: an account has from 0.00 to"),
        (
            "balance = 5",
            ":1:11: write a text in quotation marks, not the number 5",
        ),
        (
            "seed = \"7\"",
            ":1:8: write a whole number of 0 or more, not the text \"7\"",
        ),
        (
            "threads = 0",
            ":1:11: write a whole number of 1 or more, not the number 0",
        ),
        (
            "faults = \"*: timeout\"",
            ":1:10: write a list in square brackets, not the text",
        ),
        ("accounts = 5", ":1:12: write a table, not the number 5"),
        (
            "strict_keys = \"yes\"",
            ":1:15: write true or false, not the text \"yes\"",
        ),
    ] {
        complains(directory.path(), text, expected);
    }
}

/// A file with this text is refused in one line that begins like this.
fn complains(directory: &Path, text: &str, expected: &str) {
    let file = config(directory, text);
    let complaint = fails(serve(&["--config", &file]));
    let expected = format!("otplab: {file}{expected}");
    assert!(complaint.starts_with(&expected), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}

#[test]
fn a_mistake_in_a_flag_is_told_with_what_to_write() {
    for (arguments, expected) in [
        (["--fault", "rent: status(7)"], "choose one from 200 to 599"),
        (
            ["--fault", "check-otp: timeout"],
            "there are profile, rent, check_otp",
        ),
        (
            ["--sms-delay", "uniform(5s,1s)"],
            "the first bound of uniform is the lower",
        ),
        (
            ["--listen", "example.com:80"],
            "write it like 127.0.0.1:8080",
        ),
        (["--balance", "much"], "write it like 1000.00"),
        (
            ["--max-head", "16KiB"],
            "a whole number from 512 to 1048576; write it like 1024",
        ),
        (["--max-body", "0"], "a whole number from 1 to 67108864"),
        (
            ["--max-connections", "0"],
            "a whole number from 1 to 1000000",
        ),
        (["--arrival-time", "0s"], "write it like 30s"),
        (["--arrival-time", "30"], "is not a duration"),
        (["--admin-listen", "9100"], "write it like 127.0.0.1:8080"),
        (["--balance", "-5.00"], "an account has from 0.00 to"),
        (["--threads", "0"], "a whole number of 1 or more"),
        (["--seed", "x"], "a whole number of 0 or more"),
        (["--admin-token", ""], "leave it out for none"),
        (["--rental-life", "0s"], "a rental lives longer than 0s"),
        (
            ["--webhook-url", "https://localhost/"],
            "write it like http://127.0.0.1:9000",
        ),
        (
            ["--webhook-url", "http://hooks.test/"],
            "--allow-webhook-host hooks.test",
        ),
        (
            ["--port-file", "/nonexistent/port"],
            "cannot write the port file",
        ),
    ] {
        let mut command = serve(&arguments);
        if arguments[0] != "--listen" {
            command.env("OTPLAB_LISTEN", "127.0.0.1:0");
        }
        let complaint = fails(command);
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn bad_requests_get_the_dialects_refusals() {
    let ready = Ready::start(serve(&["--listen", "127.0.0.1:0"]));
    let rent = |key: &str, content_type: &str, body: &str| {
        ready.ask(&format!(
            "POST /api/v1/number/rent HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuth: {key}\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let json = "application/json";
    let key = "k".repeat(60);
    let large = "x".repeat(100_000);
    for (answer, status, message) in [
        (
            rent(&key[1..], json, "{}"),
            401,
            "The API key is not valid: it has exactly 60 characters.",
        ),
        (
            rent(&key, json, "service=whatsapp"),
            400,
            "The request body is not what its Content-Type says.",
        ),
        (
            rent(&key, json, &large),
            413,
            "The request body is too large.",
        ),
        (
            rent(&key, json, r#"{"service":"nokia"}"#),
            422,
            "The selected service is not available.",
        ),
    ] {
        let body = format!(r#"{{"success":false,"message":"{message}"}}"#);
        assert_eq!(answer, (status, body));
    }
    let (status, body) = rent(&key, json, r#"{"service":"whatsapp"}"#);
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":13322954"#), "{body}");
}

#[test]
fn the_control_api_has_a_port_of_its_own_and_a_line_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = config(
        directory.path(),
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
         max_head = 1024\nmax_body = 300\nmax_connections = 7\narrival_time = \"5s\"\n",
    );
    let mut ready = Ready::start(serve(&["--config", &file]));
    let mut line = String::new();
    ready.stdout.read_line(&mut line).expect("a second line");
    let admin = line.trim_end().strip_prefix("admin http://127.0.0.1:");
    let admin: u16 = admin.and_then(|port| port.parse().ok()).expect(&line);
    assert_ne!(admin, ready.port());
    let metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(ready.ask(metrics).0, 404);
    let long = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(1024));
    let refused = "HTTP/1.1 431 ";
    assert!(ask(ready.port(), &long).starts_with(refused));
    let page = ask(admin, metrics);
    assert!(page.ends_with("# EOF\n"), "{page}");
    let (_, _, log) = ready.end("-TERM");
    assert!(log.contains("connections up to 7"), "{log}");
    let expected = format!("control API and metrics on http://127.0.0.1:{admin}");
    assert!(log.contains(&expected), "{log}");
}

/// The whole answer.
fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// The server with these limits of open files, as `ulimit` sets them.
fn with_open_files(limits: &str, arguments: &str) -> Ready {
    let binary = env!("CARGO_BIN_EXE_otplab");
    let script = format!("{limits} && exec {binary} serve --listen 127.0.0.1:0 {arguments}");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ready::start(command)
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let ready = with_open_files("ulimit -Sn 64", "--max-connections 200");
    let crowd: Vec<_> = (0..150)
        .map(|_| TcpStream::connect(("127.0.0.1", ready.port())).expect("it listens"))
        .collect();
    let probe = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(ready.ask(probe).0, 200);
    drop(crowd);
    let (_, _, log) = ready.end("-TERM");
    assert!(log.contains("connections up to 200\n"), "{log}");
}

#[test]
fn where_files_are_few_so_are_connections_and_the_refused_are_told() {
    let ready = with_open_files("ulimit -n 128", "");
    let crowd: Vec<_> = (0..64)
        .map(|_| TcpStream::connect(("127.0.0.1", ready.port())).expect("it listens"))
        .collect();
    let probe = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (status, body) = ready.ask(probe);
    assert_eq!(status, 503);
    assert!(body.contains("raise --max-connections"), "{body}");
    drop(crowd);
    let (_, _, log) = ready.end("-TERM");
    let expected = "open files leaves room for 64 connections and not 10000";
    assert!(log.contains(expected), "{log}");
    let complaints = log.matches("a connection was refused, because").count();
    assert_eq!(complaints, 1, "{log}");
}

#[test]
fn a_dialect_is_a_flag_or_part_of_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = config(
        directory.path(),
        "listen = \"127.0.0.1:0\"\n[dialect]\nno_such_rental = 410\n\
         [accounts.short]\nbalance = \"5.00\"\n",
    );
    let ready = Ready::start(serve(&["--config", &file, "--dialect", "key_format=any"]));
    let poll = "GET /api/v1/number/check-otp/1 HTTP/1.1\r\nHost: localhost\r\n\
                Auth: short\r\nConnection: close\r\n\r\n";
    assert_eq!(ready.ask(poll).0, 410, "flag and file together");
    ready.end("-TERM");
    let stderr = fails(serve(&["--config", &file]));
    assert!(
        stderr.contains("an API key has exactly 60 characters"),
        "{stderr}"
    );
    assert!(!stderr.contains("short"), "{stderr}");
    let stderr = fails(serve(&["--dialect", "laravel, no_numbers=42"]));
    let expected = "not a dialect, at character 10: \"42\" is not understood; write a status";
    assert!(stderr.contains(expected), "{stderr}");
    for arguments in [
        ["--dialect", "webhook_signature=hush-hush, paging"],
        ["--dialect", "webhook_signatur=hush-hush"],
        ["--admin-token", "hush-hush is a secret"],
    ] {
        let stderr = fails(serve(&arguments));
        assert!(!stderr.contains("hush-hush"), "{stderr}");
    }
}
