//! The judge and a server that others could have written: `tests/stub.py`,
//! plain Python from the documentation alone.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use judge_core::verdict::{Outcome, Verdict};

use super::{checked, complaints, plan};

/// The stub, until the test is over.
struct Stub {
    child: Child,
    address: SocketAddr,
}

impl Stub {
    /// Without an interpreter there is no stub, and nothing to test.
    fn start(webhooks: SocketAddr) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stub.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(format!("http://{webhooks}/hook"));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?)
            .read_line(&mut line)
            .ok()?;
        let port: u16 = line.trim().parse().expect("the stub prints its port");
        Some(Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_plain_stub_keeps_the_contract() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let webhooks = free.local_addr().expect("an address");
    drop(free);
    let Some(stub) = Stub::start(webhooks) else {
        return;
    };
    let mut plan = plan(stub.address);
    plan.webhook_listen = Some(webhooks);
    let (_, judgement) = checked(&plan);
    let complaints = complaints(&judgement);
    assert_eq!(judgement.outcome(), Outcome::Held, "{complaints:#?}");
    assert!(complaints.is_empty(), "{complaints:#?}");
    for clause in ["A1", "P7", "R8", "C5", "C16", "H13", "W8", "X1", "X6"] {
        assert_eq!(judgement.verdict(clause), Some(Verdict::Held), "{clause}");
    }
}
