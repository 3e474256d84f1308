//! `otplab serve`: the fake API until a signal.

use crate::cli::serve::ServeArguments;
use crate::exit::Exit;

/// Serves until interrupted.
pub fn run(_arguments: &ServeArguments) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
