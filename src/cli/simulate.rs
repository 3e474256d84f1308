//! The flags of `otplab simulate`.

use std::path::PathBuf;

use contract::{Law, TimeSpan};
use loadgen_core::polling::Strategy;
use loadgen_core::rate::Rate;
use loadgen_core::threshold::Threshold;
use loadgen_core::warmup::Warmup;
use loadgen_sim::host::Host;
use loadgen_sim::link::Link;

use crate::cli::report::Format;

/// What was typed after `otplab simulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArguments {
    /// A scenario file, or the name of one that ships: otp-rush, poll-hot-path, patient-crowd, morning-wave, mixed-crowd, congested-evening, lossy-carrier, polling-storm, webhook-first, webhook-fails, last-second, outage
    #[arg(env = "OTPLAB_SCENARIO", default_value = "otp-rush")]
    pub(crate) scenario: String,

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

    /// How long users start, like 20s
    #[arg(short = 'd', long, value_name = "DURATION", env = "OTPLAB_DURATION")]
    pub(crate) duration: Option<TimeSpan>,

    /// How many users start
    #[arg(short = 'n', long, value_name = "COUNT", env = "OTPLAB_COUNT")]
    pub(crate) count: Option<u64>,

    /// Connections that all users share
    #[arg(long, value_name = "N", env = "OTPLAB_CONNECTIONS")]
    pub(crate) connections: Option<u32>,

    /// When customers ask, like fixed(3s) or optimal(budget=4)
    #[arg(long, value_name = "STRATEGY", env = "OTPLAB_POLL")]
    pub(crate) poll: Option<Strategy>,

    /// How long an SMS takes, like lognormal(4s,0.67) or typical
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

    /// How long the headline figures leave out at the beginning, like 5s, or auto
    #[arg(long, value_name = "DURATION", env = "OTPLAB_WARMUP")]
    pub(crate) warmup: Option<Warmup>,

    /// The network, each way, like 'delay=20ms,jitter=5ms,loss=0.01'; without it loopback's 40us
    #[arg(long, value_name = "LINK", env = "OTPLAB_LINK")]
    pub(crate) link: Option<Link>,

    /// The server's machine, like 'workers=2,service=50us,queue=1000'; without it fast enough
    #[arg(long, value_name = "HOST", env = "OTPLAB_HOST")]
    pub(crate) host: Option<Host>,

    /// What all chance is counted from; 1 unless the scenario says otherwise
    #[arg(long, value_name = "N", env = "OTPLAB_SEED")]
    pub(crate) seed: Option<u64>,

    /// Write the results into this directory
    #[arg(short = 'o', long, value_name = "DIR", env = "OTPLAB_OUTPUT")]
    pub(crate) output: Option<PathBuf>,

    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}
