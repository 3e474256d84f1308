//! The flags of `otplab load`.

use std::path::PathBuf;

use clap::ValueEnum;
use contract::{Cents, Law, TimeSpan};
use loadgen_core::polling::Strategy;
use loadgen_core::rate::Rate;
use loadgen_core::retry::Retry;
use loadgen_core::shape::Shape;
use loadgen_core::threshold::Threshold;
use loadgen_core::warmup::Warmup;

use crate::cli::listen_address::ListenAddress;

use crate::cli::report::Format;

/// What was typed after `otplab load`.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadArguments {
    /// A scenario file, or the name of one that ships: otp-rush, poll-hot-path, patient-crowd, morning-wave, mixed-crowd, congested-evening, lossy-carrier, polling-storm, webhook-first, webhook-fails, last-second, outage
    #[arg(env = "OTPLAB_SCENARIO", default_value = "otp-rush")]
    pub(crate) scenario: String,

    /// The server to load; without it a mock is started for the run
    #[arg(long, value_name = "URL", env = "OTPLAB_TARGET")]
    pub(crate) target: Option<String>,

    /// Name of the environment variable that holds the one API key to use
    #[arg(long, value_name = "VAR", env = "OTPLAB_KEY_ENV")]
    pub(crate) key_env: Option<String>,

    /// A file that holds the one API key to use
    #[arg(
        long,
        value_name = "FILE",
        env = "OTPLAB_KEY_FILE",
        conflicts_with = "key_env"
    )]
    pub(crate) key_file: Option<PathBuf>,

    /// Load this host although it is not this machine
    #[arg(
        long,
        value_name = "HOST",
        env = "OTPLAB_ALLOW_HOST",
        value_delimiter = ','
    )]
    pub(crate) allow_host: Vec<String>,

    /// Listen here for the webhooks of customers that count on them; the server has to post there
    #[arg(long, value_name = "ADDRESS", env = "OTPLAB_WEBHOOK_LISTEN")]
    pub(crate) webhook_listen: Option<ListenAddress>,

    /// Rentals at most; 10 unless the target is this machine
    #[arg(long, value_name = "COUNT", env = "OTPLAB_MAX_RENTALS")]
    pub(crate) max_rentals: Option<u64>,

    /// What all rentals may cost together, like 5.00, the default unless the target is this machine
    #[arg(long, value_name = "AMOUNT", env = "OTPLAB_MAX_SPEND")]
    pub(crate) max_spend: Option<Cents>,

    /// Requests at most, like 5/s, the default unless the target is this machine
    #[arg(long, value_name = "RATE", env = "OTPLAB_MAX_RATE")]
    pub(crate) max_rate: Option<Rate>,

    /// Users in flight; replaces the scenario's arrivals
    #[arg(
        short = 'c',
        long,
        value_name = "N",
        env = "OTPLAB_CONCURRENCY",
        conflicts_with = "rate"
    )]
    pub(crate) concurrency: Option<u32>,

    /// Users started per time, like 2000/s; replaces the scenario's arrivals
    #[arg(short = 'r', long, value_name = "RATE", env = "OTPLAB_RATE")]
    pub(crate) rate: Option<Rate>,

    /// When users start, like stages(100,10s,400,30s) or poisson(50/s + spike(450/s,at=10s,for=2s))
    #[arg(
        long,
        value_name = "SHAPE",
        env = "OTPLAB_ARRIVALS",
        conflicts_with_all = ["concurrency", "rate"]
    )]
    pub(crate) arrivals: Option<Shape>,

    /// How long users start, like 20s
    #[arg(short = 'd', long, value_name = "DURATION", env = "OTPLAB_DURATION")]
    pub(crate) duration: Option<TimeSpan>,

    /// How many users start
    #[arg(short = 'n', long, value_name = "COUNT", env = "OTPLAB_COUNT")]
    pub(crate) count: Option<u64>,

    /// Connections that all users share
    #[arg(long, value_name = "N", env = "OTPLAB_CONNECTIONS")]
    pub(crate) connections: Option<u32>,

    /// When customers ask, like fixed(3s) or backoff(1s,x2,cap=60s,jitter=equal)
    #[arg(long, value_name = "STRATEGY", env = "OTPLAB_POLL")]
    pub(crate) poll: Option<Strategy>,

    /// What users do when a request fails, like attempts(4,backoff(200ms,x2,cap=5s,jitter=full))
    #[arg(long, value_name = "POLICY", env = "OTPLAB_RETRY")]
    pub(crate) retry: Option<Retry>,

    /// How long an SMS takes in the embedded mock, like lognormal(4s,0.67) or typical
    #[arg(long, value_name = "LAW", env = "OTPLAB_SMS_DELAY")]
    pub(crate) sms_delay: Option<Law>,

    /// What must hold besides the scenario's thresholds, like 'lag.p95 < 2s'
    #[arg(
        long,
        value_name = "EXPR",
        env = "OTPLAB_THRESHOLD",
        value_delimiter = ';'
    )]
    pub(crate) threshold: Vec<Threshold>,

    /// Look for the highest rate at which this holds, like 'check_otp.response.p99 < 20ms'
    #[arg(
        long,
        value_name = "EXPR",
        env = "OTPLAB_FIND_CAPACITY",
        value_delimiter = ';',
        conflicts_with_all = ["concurrency", "arrivals", "count", "output"]
    )]
    pub(crate) find_capacity: Vec<Threshold>,

    /// How long the headline figures leave out at the beginning, like 5s, or auto
    #[arg(long, value_name = "DURATION", env = "OTPLAB_WARMUP")]
    pub(crate) warmup: Option<Warmup>,

    /// Go by the thresholds alone, even if the measurement is invalid
    #[arg(long, env = "OTPLAB_ALLOW_INVALID")]
    pub(crate) allow_invalid: bool,

    /// What all chance is counted from; drawn and printed when not given
    #[arg(long, value_name = "N", env = "OTPLAB_SEED")]
    pub(crate) seed: Option<u64>,

    /// Worker threads of the generator
    #[arg(long, value_name = "N", env = "OTPLAB_THREADS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// What carries the requests
    #[arg(long, value_enum, env = "OTPLAB_CLIENT", default_value_t = HttpClient::Lean)]
    pub(crate) client: HttpClient,

    /// Write the results into this directory, second by second
    #[arg(short = 'o', long, value_name = "DIR", env = "OTPLAB_OUTPUT")]
    pub(crate) output: Option<PathBuf>,

    /// Say nothing on stderr while the run lasts: no screen, no lines
    #[arg(short = 'q', long, env = "OTPLAB_QUIET")]
    pub(crate) quiet: bool,

    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The HTTP clients that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HttpClient {
    /// Our own: HTTP/1.1, at the least cost per request
    Lean,
    /// hyper's, to compare with
    Hyper,
}
