//! The flags of `otplab serve`, as typed or from the environment. What is left
//! out here may still be said by the file that `--config` names.

pub(crate) mod listening;
pub(crate) mod logging;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use contract::Law;
use mock_server::Place;
use mock_server::limits::{ArrivalTime, BodyBytes, ConnectionCount, HeadBytes};
use mock_server_core::lint::Rule;
use mock_server_core::settings::{OpeningBalance, RentalLife, TimeScale};
use mock_server_core::{DialectFile, FaultRule, LintMode, WebhookUrl};

use self::listening::ListeningArguments;
use self::logging::LoggingArguments;
use super::lint_format::LintFormat;
use super::secret::Unshown;

/// What was typed after `otplab serve`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) listening: ListeningArguments,

    /// Write the port to this file once the server is ready
    #[arg(long, env = "OTPLAB_PORT_FILE", value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,

    /// Make everything random repeatable [default: a new one every time, which is printed]
    #[arg(long, env = "OTPLAB_SEED", value_name = "NUMBER", value_parser = count::<u64>)]
    pub(crate) seed: Option<u64>,

    /// Time from rent to SMS: 2s, uniform(1s,5s), lognormal(4s,0.67), never, a weighted sum of
    /// such, or instant, fast, typical, congested, lossy, retry_steps, late [default: typical]
    #[arg(long, env = "OTPLAB_SMS_DELAY", value_name = "LAW")]
    pub(crate) sms_delay: Option<Law>,

    /// Let requests go wrong, like `check_otp: status(503) first 2`; may be repeated
    #[arg(
        long,
        env = "OTPLAB_FAULT",
        value_name = "RULE",
        value_delimiter = ';',
        long_help = "Let requests go wrong: `OPERATION: FAULT WHEN ttl DURATION PHASE`, of which \
                     OPERATION and FAULT are needed. May be repeated; in OTPLAB_FAULT the rules \
                     are separated by semicolons. A request may ask for a fault itself, with the \
                     header `Prefer: fault=status(503)`.\n\n\
                     OPERATION  profile, rent, check_otp, history or *\n\
                     FAULT      something else than the answer: status(503), rate_limit, \
                     rate_limit(2s), html_error, html_error(STATUS), no_numbers, \
                     insufficient_balance, reset_peer, empty_response, random_data, timeout; the \
                     answer, but not as it should be: latency(LAW), truncate_body, \
                     truncate_body(BYTES), reset_after_bytes(BYTES), malformed_json, \
                     malformed_chunk, slow_body(5s), slow_close(5s); the rental's SMS: sms_never, \
                     sms_late(30s), sms_duplicate, sms_second_code(10s)\n\
                     WHEN       first 2, nth 3, every 5, after 2, between 2 and 4, \
                     probability 0.1, or nothing for always; counted for each account\n\
                     DURATION   from the account's first request on; then the rule is over\n\
                     PHASE      before, or after_commit: the operation is carried out, and its \
                     answer is lost"
    )]
    pub(crate) fault: Option<Vec<FaultRule>>,

    /// What a fresh account has [default: 1000.00]
    #[arg(
        long,
        env = "OTPLAB_BALANCE",
        value_name = "AMOUNT",
        allow_hyphen_values = true
    )]
    pub(crate) balance: Option<OpeningBalance>,

    /// How long a rented number waits for its SMS [default: 1200s]
    #[arg(long, env = "OTPLAB_RENTAL_LIFE", value_name = "DURATION")]
    pub(crate) rental_life: Option<RentalLife>,

    /// Post a webhook here when an SMS arrives
    #[arg(long, env = "OTPLAB_WEBHOOK_URL", value_name = "URL")]
    pub(crate) webhook_url: Option<WebhookUrl>,

    /// Let webhooks leave this machine for this host; may be repeated
    #[arg(
        long,
        env = "OTPLAB_ALLOW_WEBHOOK_HOST",
        value_name = "HOST",
        value_delimiter = ';'
    )]
    pub(crate) allow_webhook_host: Option<Vec<String>>,

    /// How fast time runs for an account: 60 is a minute in a second, 0 is frozen until it is
    /// advanced [default: 1]
    #[arg(long, env = "OTPLAB_TIME_SCALE", value_name = "FACTOR")]
    pub(crate) time_scale: Option<TimeScale>,

    /// How what the documentation leaves open behaves: a preset (default, laravel, strict,
    /// hostile), settings like no_numbers=404, or both [default: default]
    #[arg(
        long,
        env = "OTPLAB_DIALECT",
        value_name = "DIALECT",
        hide_env_values = true,
        value_parser = Unshown::<DialectFile>::default()
    )]
    pub(crate) dialect: Option<DialectFile>,

    /// What requests to the control API under /__admin have to bring as a bearer token; needed
    /// when other machines can reach the server
    #[arg(
        long,
        env = "OTPLAB_ADMIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(crate) admin_token: Option<String>,

    /// Where the control API and /metrics are, if they are to have a port of their own
    /// [default: on the same port]
    #[arg(long, env = "OTPLAB_ADMIN_LISTEN", value_name = "PLACE")]
    pub(crate) admin_listen: Option<Place>,

    /// Bytes of a request's head, line and headers; a longer one is answered with 431
    /// [default: 16384]
    #[arg(long, env = "OTPLAB_MAX_HEAD", value_name = "BYTES")]
    pub(crate) max_head: Option<HeadBytes>,

    /// Bytes of a request's body; a longer one is answered with 413 [default: 65536]
    #[arg(long, env = "OTPLAB_MAX_BODY", value_name = "BYTES")]
    pub(crate) max_body: Option<BodyBytes>,

    /// Connections at one moment; one more is answered with 503 and closed [default: 10000, or
    /// as many as the limit of open files leaves room for]
    #[arg(long, env = "OTPLAB_MAX_CONNECTIONS", value_name = "COUNT")]
    pub(crate) max_connections: Option<ConnectionCount>,

    /// How long a request may take from its first byte to its last, once to twice of which its
    /// connection is closed; one without a request may stay [default: 30s]
    #[arg(long, env = "OTPLAB_ARRIVAL_TIME", value_name = "DURATION")]
    pub(crate) arrival_time: Option<ArrivalTime>,

    /// Requests that the journal holds; the oldest go first [default: 100000]
    #[arg(
        long,
        env = "OTPLAB_JOURNAL_MAX",
        value_name = "COUNT",
        value_parser = count::<usize>
    )]
    pub(crate) journal_max: Option<usize>,

    /// Bytes that they take at most [default: 16777216]
    #[arg(
        long,
        env = "OTPLAB_JOURNAL_BYTES",
        value_name = "BYTES",
        value_parser = count::<usize>
    )]
    pub(crate) journal_bytes: Option<usize>,

    /// Refuse every key that is not in the configuration file, as `accounts.KEY`
    #[arg(long, env = "OTPLAB_STRICT_KEYS")]
    pub(crate) strict_keys: bool,

    /// Look at the clients for what real services punish: off, warn (GET /__admin/lint tells), or
    /// deny, which also ends the server with exit code 1 if something was found [default: off]
    #[arg(long, env = "OTPLAB_LINT", value_name = "MODE")]
    pub(crate) lint: Option<LintMode>,

    /// Do not look for these, like rental-leaked
    #[arg(
        long,
        env = "OTPLAB_LINT_SKIP",
        value_name = "RULE",
        value_delimiter = ','
    )]
    pub(crate) lint_skip: Option<Vec<Rule>>,

    /// How to write what was found about the clients when the server is stopped: text, json, junit
    /// or sarif; more than one needs --report-dir [default: text, on standard error]
    #[arg(
        long,
        env = "OTPLAB_REPORT",
        value_name = "FORMAT",
        value_delimiter = ','
    )]
    pub(crate) report: Option<Vec<LintFormat>>,

    /// Write these reports into this directory; the text is shown all the same
    #[arg(long, env = "OTPLAB_REPORT_DIR", value_name = "DIR")]
    pub(crate) report_dir: Option<PathBuf>,

    /// Threads that serve connections [default: as many as the machine has cores]
    #[arg(
        long,
        env = "OTPLAB_THREADS",
        value_name = "COUNT",
        value_parser = threads
    )]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) logging: LoggingArguments,

    /// Read from this TOML file what neither a flag nor the environment says
    #[arg(long, env = "OTPLAB_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Look after that file: what is different in it counts at once, as far as it can
    #[arg(long, env = "OTPLAB_WATCH")]
    pub(crate) watch: bool,

    /// Run this while the server is there, with its address in OTPLAB_TARGET, then stop; the exit
    /// code is the command's if it fails, else the server's. Without --listen the port is any free one
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// A whole number, or what should have been written.
fn count<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse()
        .map_err(|_| "it is a whole number of 0 or more; write it like 1024")
}

/// A number of threads, or what should have been written.
fn threads(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "it is a whole number of 1 or more; write it like 2")
}
