//! The flags of `otplab diff`.

use std::path::PathBuf;

use contract::{Cents, TimeSpan};

use crate::cli::listen_address::ListenAddress;

/// What was typed after `otplab diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArguments {
    /// The one server, like http://127.0.0.1:8080
    #[arg(value_name = "A")]
    pub(crate) first: String,

    /// The other server
    #[arg(value_name = "B")]
    pub(crate) second: String,

    /// Name of the environment variable that holds the API key
    #[arg(long, value_name = "VAR", env = "OTPLAB_KEY_ENV")]
    pub(crate) key_env: String,

    /// The same for the other server [default: the same key for both]
    #[arg(long, value_name = "VAR", env = "OTPLAB_KEY_ENV_B")]
    pub(crate) key_env_b: Option<String>,

    /// The same for a key of another account
    #[arg(long, value_name = "VAR", env = "OTPLAB_SECOND_KEY_ENV")]
    pub(crate) second_key_env: Option<String>,

    /// The same for the other server [default: the same key for both]
    #[arg(long, value_name = "VAR", env = "OTPLAB_SECOND_KEY_ENV_B")]
    pub(crate) second_key_env_b: Option<String>,

    /// Compare webhooks as well, and listen for them here, on any path
    #[arg(long, value_name = "ADDRESS", env = "OTPLAB_WEBHOOK_LISTEN")]
    pub(crate) webhook_listen: Option<ListenAddress>,

    /// Trust these authorities with https://, and not those of the system
    #[arg(long, value_name = "FILE", env = "OTPLAB_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// How long to wait for an SMS
    #[arg(
        long,
        value_name = "DURATION",
        env = "OTPLAB_WAIT_SMS",
        default_value = "60s"
    )]
    pub(crate) wait_sms: TimeSpan,

    /// Rent nothing
    #[arg(long, env = "OTPLAB_READ_ONLY")]
    pub(crate) read_only: bool,

    /// Rent no more at a server when the next number could cost more than this in all
    #[arg(
        long,
        value_name = "AMOUNT",
        env = "OTPLAB_MAX_SPEND",
        default_value = "15.00"
    )]
    pub(crate) max_spend: Cents,

    /// Ask this host although it is not this machine
    #[arg(
        long,
        value_name = "HOST",
        env = "OTPLAB_ALLOW_HOST",
        value_delimiter = ','
    )]
    pub(crate) allow_host: Vec<String>,
}
