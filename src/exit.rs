//! How the program ends. The numbers are documented in the README and are the
//! same for every command, so that a pipeline can tell a finding from a mishap.

use std::process::ExitCode;

/// The verdict of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything asked for held.
    Passed,
    /// 1: it was measured, and something did not hold.
    Findings,
    /// 2: it could not be judged: usage, a bad file, an unreachable server, nothing tested.
    CouldNotJudge,
    /// Any other: that of the command that was run, which failed.
    Command(u8),
    /// 130: interrupted by the user; results were written all the same.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Passed => 0,
            Exit::Findings => 1,
            Exit::CouldNotJudge => 2,
            Exit::Command(code) => code,
            Exit::Interrupted => 130,
        })
    }
}
