//! The flags of `otplab report`.

use std::path::PathBuf;

use clap::ValueEnum;

/// What was typed after `otplab report`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArguments {
    /// A directory that otplab load -o has written, finished or not
    #[arg(value_name = "DIR", env = "OTPLAB_DIRECTORY")]
    pub(crate) directory: PathBuf,

    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How a run is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A report for people
    Text,
    /// The content of result.json
    Json,
    /// A page with plots, in one file
    Html,
    /// Thresholds and validity as test cases
    Junit,
    /// A short report for the summary of a job
    Markdown,
}
