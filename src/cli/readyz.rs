//! The flags of `otplab readyz`, as typed or from the environment.

use std::path::PathBuf;

use contract::TimeSpan;

/// What was typed after `otplab readyz`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReadyzArguments {
    /// The server, as it says itself when it is ready: http://, https:// or unix:FILE
    /// [default: http://127.0.0.1:8080]
    #[arg(env = "OTPLAB_READYZ_URL", conflicts_with = "unix")]
    pub(crate) url: Option<String>,

    /// The server's Unix socket
    #[arg(long, env = "OTPLAB_READYZ_UNIX", value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,

    /// Ask again until it is ready, or the time is over
    #[arg(long, env = "OTPLAB_READYZ_WAIT")]
    pub(crate) wait: bool,

    /// How long that may take, and without --wait a single answer
    #[arg(
        long,
        env = "OTPLAB_READYZ_TIMEOUT",
        value_name = "DURATION",
        default_value = "30s"
    )]
    pub(crate) timeout: TimeSpan,

    /// Trust these authorities instead of the system's, for https: a PEM file, such as the one
    /// of --tls-cert-out
    #[arg(long, value_name = "FILE", env = "OTPLAB_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}
