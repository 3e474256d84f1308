//! Load shapes, populations, retries, bounds and the search for capacity, as a
//! user types them.

use std::fs;
use std::process::Output;
use std::thread;
use std::time::Duration;

use contract::ApiKey;
use loadgen::client::Client;
use loadgen::interrupt::{Interrupt, Urgency};
use loadgen::progress::{Display, Snapshot, Stage};
use loadgen::recorder::Unrecorded;
use loadgen::run::{self, Job, Keys};
use loadgen::target::Target;
use loadgen_core::budget::Bounds;
use mock_server::{Running, Server};
use serde_json::Value;

use crate::binary::otplab;
use crate::world::halves;

const QUICK: &str = r#"
arrivals = "8"

[stop]
count = 16

[users]
polling = "fixed(10ms)"

[mock]
sms_delay = "uniform(5ms,40ms)"
"#;

struct Load(tempfile::TempDir);

impl Load {
    fn new(scenario: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("s.toml"), scenario).expect("writable");
        Self(directory)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = otplab();
        command
            .current_dir(&self.0)
            .args(["load", "s.toml", "--seed", "4"])
            .args(arguments);
        command.output().expect("the binary runs")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }
}

#[test]
fn arrivals_may_be_typed_staged_or_replayed() {
    let load = Load::new(QUICK);
    let started = |arguments: &[&str]| load.json(arguments)["rentals"]["started"].clone();
    // 0 to 100/s in a fifth of a second, then a fifth at that rate: 10 and 20.
    let staged = ["--arrivals", "stages(100/s,200ms)", "-d", "400ms"];
    assert_eq!(started(&staged), 30);
    fs::write(load.0.path().join("a.csv"), "5.0\n5.02,x\n5.01\n").expect("writable");
    let replayed = ["--arrivals", "replay(a.csv,speed=2)", "-d", "1s"];
    assert_eq!(started(&replayed), 3);
    let output = load.run(&["--arrivals", "replay(none.csv)"]);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("failed to read none.csv"), "{stderr}");
}

#[test]
fn populations_are_told_apart_in_every_report_of_a_run() {
    let mixed = QUICK.replace(
        "[mock]",
        "[[populations]]\nname = \"keen\"\nshare = \"50%\"\n\
         [[populations]]\nname = \"calm\"\nshare = \"25%\"\npolling = \"fixed(50ms)\"\n\
         [[populations]]\nname = \"looker\"\nshare = \"25%\"\ndo = \"read_profile\"\n[mock]",
    );
    let load = Load::new(&mixed);
    let result = load.json(&["-o", "out"]);
    let populations = &result["populations"];
    let number = |name: &str, what: &str| populations[name]["rentals"][what].as_f64();
    assert_eq!(number("keen", "delivered"), Some(8.0));
    assert_eq!(number("calm", "delivered"), Some(4.0));
    assert!(number("keen", "polls_per_delivered") > number("calm", "polls_per_delivered"));
    let lag = |name: &str| populations[name]["rentals"]["detection_lag_us"]["max"].as_f64();
    assert!(lag("keen").is_some() && lag("calm").is_some());
    assert_eq!(number("looker", "started"), Some(0.0));
    assert_eq!(populations["looker"]["requests"], 4);
    assert_eq!(result["rentals"]["delivered"], 12);
    let report = |format: &str| {
        let mut command = otplab();
        command
            .current_dir(&load.0)
            .args(["report", "out", "--format", format]);
        String::from_utf8(command.output().expect("the binary runs").stdout).expect("UTF-8")
    };
    let again: Value = serde_json::from_str(&report("json")).expect("JSON");
    assert_eq!(again, result, "read from its directory it is the same");
    assert!(
        report("text").contains("\npopulation "),
        "{}",
        report("text")
    );
    assert!(report("markdown").contains("| **looker** | 4 |"));
    assert!(report("html").contains("<td>looker</td><td>4</td>"));
}

#[test]
fn refused_polls_are_made_again_and_lost_rents_only_where_asked() {
    let faulty = format!(
        "{QUICK}faults = [\"check_otp: status(503) first 2\", \"rent: reset_peer first 1 after_commit\"]\n"
    );
    let load = Load::new(&faulty);
    let retries = |policy: &str| {
        let result = load.json(&["--retry", policy]);
        let of = |operation: &str| result["operations"][operation]["retries"].as_u64();
        (
            of("check_otp"),
            of("rent"),
            result["rentals"]["failed"].as_u64(),
            result["ledger"]["certainty"].clone(),
        )
    };
    let (polls, rents, failed, _) = retries("attempts(4,fixed(5ms))");
    assert_eq!((polls, rents, failed), (Some(16), Some(0), Some(8)));
    let (polls, rents, failed, certainty) =
        retries("attempts(4,fixed(5ms),on=5xx+reset+closed,rent=yes)");
    assert_eq!((polls, rents, failed), (Some(16), Some(8), Some(0)));
    // Each was carried out twice, and the run says that it cannot know.
    assert_eq!(certainty, "rents_unanswered");
}

#[test]
fn bounds_hold_for_this_machine_too_where_they_are_given() {
    let load = Load::new(QUICK);
    let result = load.json(&["--max-rentals", "5", "--threads", "2"]);
    assert_eq!(result["rentals"]["started"], 5);
    assert!(result["bounds"]["users_turned_away"].as_u64() > Some(0));
    assert_eq!(result["validity"]["grade"], "doubtful");
    let result = load.json(&["--max-spend", "3.00"]);
    assert_eq!(result["rentals"]["started"], 2, "$1.44 each");
    for (arguments, message) in [
        (["--max-rate", "0/s"], "lets nobody ask anything"),
        (["--max-spend", "-1"], "not less than nothing"),
        (["--retry", "always"], "not a retry policy"),
        (["--arrivals", "5/d"], "not a shape of arrivals"),
    ] {
        let output = load.run(&[&format!("{}={}", arguments[0], arguments[1])]);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[test]
fn a_key_may_come_from_a_file_and_is_shown_nowhere() {
    let load = Load::new(QUICK);
    let key = "f".repeat(60);
    fs::write(load.0.path().join("key"), format!("{key}\n")).expect("writable");
    let output = load.run(&["--key-file", "key", "-o", "out", "-n", "2"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut seen = vec![output.stdout, output.stderr];
    for entry in fs::read_dir(load.0.path().join("out")).expect("written") {
        seen.push(fs::read(entry.expect("an entry").path()).expect("readable"));
    }
    for text in seen {
        assert!(
            !String::from_utf8_lossy(&text).contains(&key),
            "the key leaks"
        );
    }
    fs::write(load.0.path().join("key"), "short").expect("writable");
    let output = load.run(&["--key-file", "key"]);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        stderr.contains("--key-file key: an API key has exactly 60"),
        "{stderr}"
    );
}

#[test]
fn a_search_prints_its_trials_and_an_answer() {
    let polls = "arrivals = \"10/s\"\n[stop]\nduration = \"1s\"\n[users]\ndo = \"poll_once\"\n[setup]\nrentals = 4\n";
    let load = Load::new(polls);
    // Bounded, so that the search ends after two trials whatever the machine.
    let search = [
        "--find-capacity",
        "check_otp.response.min < 10s",
        "-d",
        "200ms",
        "-r",
        "100/s",
        "--max-rate",
        "150/s",
    ];
    let output = load.run(&search);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("users/s"), "{text}");
    let result = load.json(&search);
    assert_eq!(result["trials"][0]["rate"], 100.0);
    assert!(result["answer"].is_string(), "{result}");
    let impossible = [
        "--find-capacity",
        "errors.rate > 100%",
        "-d",
        "100ms",
        "-r",
        "0.2/s",
    ];
    let result = load.json(&impossible);
    assert_ne!(result["answer"], "capacity");
    let output = load.run(&["--find-capacity", "lag.p95 < 1s", "--format", "html"]);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        stderr.contains("--find-capacity prints text or json"),
        "{stderr}"
    );
}

/// Stops the run when customers are waiting.
struct Abort(tokio::sync::watch::Sender<Urgency>);

impl Display for Abort {
    fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        if stage == Stage::Load && snapshot.polls > 0 {
            let _ = self.0.send(Urgency::Stop);
        }
    }

    fn clear(&mut self) {}
}

#[test]
fn after_an_abort_nothing_is_left_polling() {
    let endless = QUICK
        .replace("count = 16", "duration = \"60s\"")
        .replace("uniform(5ms,40ms)", "never");
    let (scenario, settings) = halves(&endless, 1);
    let server: Running = Server::local().start(settings).expect("a free port");
    let target = Target::parse(&format!("http://{}", server.address()), &[]).expect("loopback");
    let (sender, interrupt) = Interrupt::manual();
    let job = Job {
        scenario: &scenario,
        seed: 1,
        target: &target,
        server: "a mock",
        keys: Keys::MadeUp,
        threads: 2,
        bounds: Bounds::default(),
        client: Client::default(),
        webhooks: None,
    };
    let run = run::run(&job, &interrupt, &mut Abort(sender), &mut Unrecorded);
    let run = run.expect("the server answers");
    assert!(run.outcome.tally.rentals.abandoned > 0);
    let key = ApiKey::made_up(contract::Dice::new(1), 0);
    let before = requests(&server, &key);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(requests(&server, &key), before, "nobody polls any more");
}

/// How many requests the mock has seen of an account.
fn requests(server: &Running, key: &ApiKey) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server.address()).expect("it listens");
    let request = format!(
        "POST /__admin/requests/count HTTP/1.1\r\nhost: localhost\r\nauth: {}\r\n\
         content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}",
        key.secret()
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
        .rsplit("\r\n\r\n")
        .next()
        .unwrap_or_default()
        .to_owned()
}
