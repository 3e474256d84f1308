//! The flags of `otplab serve`.

/// What was typed after `otplab serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {}
