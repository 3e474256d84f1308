//! The flags of `otplab schema`.

use clap::ValueEnum;

/// What was typed after `otplab schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArguments {
    /// Which file
    #[arg(value_enum, env = "OTPLAB_SCHEMA")]
    pub(crate) file: SchemaFile,
}

/// The files that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFile {
    /// A scenario, as otplab load and otplab simulate read it
    Scenario,
    /// The configuration of otplab serve
    Config,
}
