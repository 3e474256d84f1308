//! A command that runs while the server is there, a test suite for instance: the
//! server is told to it, and stops when it has ended.

use std::future::pending;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::SignalKind;
use tokio::time::timeout;

use crate::exit::Exit;

/// Where the command finds the server; `otplab check` and `otplab load` look there, too.
const VARIABLE: &str = "OTPLAB_TARGET";

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// How long the command may take to end when the server is told to.
const GRACE: Duration = Duration::from_secs(5);

/// The command, if there is one.
#[derive(Debug)]
pub(super) struct Around {
    child: Option<Child>,
    /// Whether somebody else ended it.
    interrupted: bool,
}

impl Around {
    /// Starts it, for a server at `url`.
    pub(super) fn start(command: &[String], url: &str) -> anyhow::Result<Self> {
        let start = |(program, arguments): (&String, &[String])| {
            let mut command = Command::new(program);
            let command = command.args(arguments).env(VARIABLE, url);
            let child = command.kill_on_drop(true).spawn();
            child.with_context(|| format!("cannot run {program}"))
        };
        Ok(Self {
            child: command.split_first().map(start).transpose()?,
            interrupted: false,
        })
    }

    /// Waits until it has ended; for ever if there is none.
    pub(super) async fn ended(&mut self) {
        match &mut self.child {
            Some(child) => _ = child.wait().await,
            None => pending().await,
        }
    }

    /// The server was told to end by `signal`, and so is the command. A terminal has told both.
    pub(super) async fn end(&mut self, signal: SignalKind) {
        let Some(child) = &mut self.child else { return };
        self.interrupted = true;
        let process = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if signal == SignalKind::terminate()
            && let Some(process) = process
        {
            let _ = kill_process(process, Signal::TERM);
        }
        if timeout(GRACE, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }

    /// How all ends, if the server by itself would end like `served`.
    pub(super) fn verdict(self, served: Exit) -> Exit {
        let status = self.child.and_then(|mut child| child.try_wait().ok()?);
        match status.map_or(0, code) {
            _ if self.interrupted => Exit::Interrupted,
            0 => served,
            code => Exit::Command(code),
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let signal = || BY_SIGNAL + status.signal().unwrap_or_default();
    let code = status.code().unwrap_or_else(signal);
    u8::try_from(code).unwrap_or(1)
}
