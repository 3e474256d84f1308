//! The binary under test, in a known environment.

use std::process::Command;

/// The binary, without the caller's settings.
pub(crate) fn otplab() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otplab"));
    command.env_clear().env("COLUMNS", "100");
    command
}
