//! The flags of `otplab check`.

use std::path::PathBuf;

use clap::ValueEnum;
use contract::{Cents, TimeSpan};
use mock_server_core::DialectFile;

use crate::cli::listen_address::ListenAddress;

/// What was typed after `otplab check`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// The server to check, like http://127.0.0.1:8080; without it a mock is started and checked
    #[arg(value_name = "URL", env = "OTPLAB_TARGET")]
    pub(crate) url: Option<String>,

    /// Name of the environment variable that holds the API key
    #[arg(long, value_name = "VAR", env = "OTPLAB_KEY_ENV")]
    pub(crate) key_env: Option<String>,

    /// The same for the key of another account, without which isolation is not judged
    #[arg(long, value_name = "VAR", env = "OTPLAB_SECOND_KEY_ENV")]
    pub(crate) second_key_env: Option<String>,

    /// The API key itself; lists of processes show it, so better use --key-env
    #[arg(
        long,
        value_name = "KEY",
        env = "OTPLAB_KEY",
        hide_env_values = true,
        conflicts_with = "key_env"
    )]
    pub(crate) key: Option<String>,

    /// The key of another account; lists of processes show it
    #[arg(
        long,
        value_name = "KEY",
        env = "OTPLAB_SECOND_KEY",
        hide_env_values = true,
        conflicts_with = "second_key_env"
    )]
    pub(crate) second_key: Option<String>,

    /// Where to listen for the server's webhooks, on any path [default: nowhere, and any free
    /// port for the embedded mock]
    #[arg(long, value_name = "ADDRESS", env = "OTPLAB_WEBHOOK_LISTEN")]
    pub(crate) webhook_listen: Option<ListenAddress>,

    /// How long to wait for an SMS
    #[arg(
        long,
        value_name = "DURATION",
        env = "OTPLAB_WAIT_SMS",
        default_value = "60s"
    )]
    pub(crate) wait_sms: TimeSpan,

    /// Wait for a rental to end as well, some 20 minutes; where time can be moved, or --wait-sms is
    /// as long as a rental lives, that is done anyway
    #[arg(long, env = "OTPLAB_WAIT_EXPIRY")]
    pub(crate) wait_expiry: bool,

    /// Judge only these clauses, like R11,H8
    #[arg(long, value_name = "ID", env = "OTPLAB_ONLY", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Do not judge these clauses
    #[arg(long, value_name = "ID", env = "OTPLAB_SKIP", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,

    /// Rent nothing, and say what could therefore not be judged
    #[arg(long, env = "OTPLAB_READ_ONLY")]
    pub(crate) read_only: bool,

    /// Rent no more when the next number could cost more than this in all [default: 5.00, and no
    /// limit at an otplab server, whose money is not real]
    #[arg(long, value_name = "AMOUNT", env = "OTPLAB_MAX_SPEND")]
    pub(crate) max_spend: Option<Cents>,

    /// Check this host although it is not this machine
    #[arg(
        long,
        value_name = "HOST",
        env = "OTPLAB_ALLOW_HOST",
        value_delimiter = ','
    )]
    pub(crate) allow_host: Vec<String>,

    /// Trust these authorities with https://, and not those of the system
    #[arg(long, value_name = "FILE", env = "OTPLAB_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Let what SHOULD be so fail, too
    #[arg(long, env = "OTPLAB_STRICT")]
    pub(crate) strict: bool,

    /// The dialect of the embedded mock
    #[arg(
        long,
        value_name = "DIALECT",
        env = "OTPLAB_DIALECT",
        hide_env_values = true
    )]
    pub(crate) dialect: Option<DialectFile>,

    /// Which reports to write; more than one needs --report-dir
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "OTPLAB_REPORT",
        value_delimiter = ',',
        default_value = "text"
    )]
    pub(crate) report: Vec<ReportFormat>,

    /// Write the reports into this directory; the text is printed all the same
    #[arg(long, value_name = "DIR", env = "OTPLAB_REPORT_DIR")]
    pub(crate) report_dir: Option<PathBuf>,

    /// What is known to be broken, and therefore does not fail
    #[arg(long, value_name = "FILE", env = "OTPLAB_BASELINE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Write the dialect that was measured into this file, for otplab serve --config
    #[arg(long, value_name = "FILE", env = "OTPLAB_WRITE_DIALECT")]
    pub(crate) write_dialect: Option<PathBuf>,

    /// Judge this recorded traffic (HAR), server and client, and send nothing
    #[arg(
        long,
        value_name = "FILE",
        env = "OTPLAB_CAPTURE",
        conflicts_with = "url"
    )]
    pub(crate) capture: Option<PathBuf>,

    /// Print the API as an OpenAPI document with the clauses of each part, and send nothing
    #[arg(long)]
    pub(crate) openapi: bool,

    /// Write what is broken now into the file of --baseline
    #[arg(long, env = "OTPLAB_BASELINE_UPDATE", requires = "baseline")]
    pub(crate) baseline_update: bool,
}

/// How a check is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One line per clause
    Text,
    /// The same for machines
    Json,
    /// Clauses as test cases
    Junit,
    /// Findings for tools that gather them
    Sarif,
    /// A short report for the summary of a job
    Markdown,
    /// A page, in one file
    Html,
}
