//! The flags of `otplab polling`.

use clap::{Subcommand, ValueEnum};
use contract::{Law, TimeSpan};
use loadgen_core::polling::{Strategy, Webhook};

/// What was typed after `otplab polling`.
#[derive(Debug, Subcommand)]
pub(crate) enum PollingCommand {
    /// What polling strategies cost and give, against the bound that none can beat
    Compare(CompareArguments),
    /// The best schedule under a price per request, or under a budget of requests
    Optimize(OptimizeArguments),
}

/// What was typed after `otplab polling compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompareArguments {
    /// How long a code takes, like 'lognormal(4s,0.67)', '0.9*exp(5s) + 0.1*never' or typical
    #[arg(long, value_name = "LAW", env = "OTPLAB_DELAY")]
    pub(crate) delay: Law,

    /// When a client gives up after the rent
    #[arg(long, value_name = "DURATION", env = "OTPLAB_DEADLINE")]
    pub(crate) deadline: TimeSpan,

    /// A strategy, like 'fixed(3s)', 'backoff(1s,x2,cap=60s,jitter=full)' or
    /// 'optimal(budget=4)'; as often as you like, a useful set if none is given
    #[arg(
        long,
        value_name = "STRATEGY",
        env = "OTPLAB_STRATEGY",
        value_delimiter = ';'
    )]
    pub(crate) strategy: Vec<Strategy>,

    /// What all chance is counted from
    #[arg(long, value_name = "N", env = "OTPLAB_SEED", default_value_t = 1)]
    pub(crate) seed: u64,

    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

/// What was typed after `otplab polling optimize`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("price").required(true).args(["budget", "lambda"]))]
pub(crate) struct OptimizeArguments {
    /// How long a code takes, like 'lognormal(4s,0.67)', '0.9*exp(5s) + 0.1*never' or typical
    #[arg(long, value_name = "LAW", env = "OTPLAB_DELAY")]
    pub(crate) delay: Law,

    /// When a client gives up after the rent
    #[arg(long, value_name = "DURATION", env = "OTPLAB_DEADLINE")]
    pub(crate) deadline: TimeSpan,

    /// So many requests per rental on average, at most
    #[arg(long, value_name = "N", env = "OTPLAB_BUDGET")]
    pub(crate) budget: Option<f64>,

    /// What a request is worth, as a time of lag
    #[arg(long, value_name = "DURATION", env = "OTPLAB_LAMBDA")]
    pub(crate) lambda: Option<TimeSpan>,

    /// The least time between two polls
    #[arg(long, value_name = "DURATION", env = "OTPLAB_MIN_GAP")]
    pub(crate) min_gap: Option<TimeSpan>,

    /// Polls are a fallback for a webhook that comes with probability p, after a
    /// mean time: 'p=0.95,mean=1s'
    #[arg(long, value_name = "ASSUMPTION", env = "OTPLAB_WEBHOOK")]
    pub(crate) webhook: Option<Webhook>,

    /// What to print on stdout
    #[arg(long, value_enum, env = "OTPLAB_FORMAT", default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

/// How strategies are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table for people
    Text,
    /// An array of one object per strategy
    Json,
    /// One line per strategy
    Csv,
    /// A page with a drawing, in one file
    Html,
}
