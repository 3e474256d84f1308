//! The binary under test, in a known environment.

use std::process::Command;

/// The binary, without the caller's settings: the one that was built with these
/// tests, or the one that `OTPLAB_BINARY` names.
pub(crate) fn otplab() -> Command {
    let built = env!("CARGO_BIN_EXE_otplab").into();
    let named = std::env::var_os("OTPLAB_BINARY");
    let mut command = Command::new(named.unwrap_or(built));
    command.env_clear().env("COLUMNS", "100");
    command
}
