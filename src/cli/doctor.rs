//! The flags of `otplab doctor`.

use clap::ValueEnum;

/// What was typed after `otplab doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArguments {
    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How an examination is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}
