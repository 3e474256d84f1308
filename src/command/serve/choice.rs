//! From flags, environment and file to one complete plan.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::Context;
use contract::{Law, document};
use mock_server::limits::{ArrivalTime, BodyBytes, ConnectionCount, HeadBytes};
use mock_server::{Limits, Place, Server};
use mock_server_core::lint::Rule;
use mock_server_core::settings::{AccountKey, AccountPatch, OpeningBalance, RentalLife, TimeScale};
use mock_server_core::{DialectFile, FaultRule, LintMode, Settings, SettingsFile, WebhookUrl};
use schemars::JsonSchema;
use serde::Deserialize;

use super::lint::Reports;
use super::listening::{ListeningChoice, Places};
use super::log::{Log, LogChoice};
use crate::cli::lint_format::LintFormat;
use crate::cli::serve::ServeArguments;
use crate::cli::serve::listening::SocketMode;
use crate::cli::serve::logging::{LogFormat, LogLevel};

/// What one source says; the rest is another source's to say.
#[derive(Clone)]
pub(super) struct Choice {
    watch: Option<bool>,
    listening: ListeningChoice,
    log: LogChoice,
    port_file: Option<PathBuf>,
    threads: Option<NonZeroUsize>,
    allow_webhook_hosts: Option<Vec<String>>,
    admin_listen: Option<Place>,
    admin_token: Option<String>,
    limits: LimitsChoice,
    report: Option<Vec<LintFormat>>,
    report_dir: Option<PathBuf>,
    command: Vec<String>,
    mock: SettingsFile,
}

/// The same for how much a client may ask of the server.
#[derive(Clone, Copy, PartialEq)]
struct LimitsChoice {
    head: Option<HeadBytes>,
    body: Option<BodyBytes>,
    connections: Option<ConnectionCount>,
    arrival_time: Option<ArrivalTime>,
}

/// Everything that `otplab serve` needs to know.
pub(super) struct Plan {
    /// Without a certificate as yet.
    pub(super) server: Server,
    pub(super) listening: ListeningChoice,
    pub(super) log: Log,
    pub(super) settings: Settings,
    pub(super) port_file: Option<PathBuf>,
    /// Which reports about clients, and where they go.
    pub(super) reports: Reports,
    /// What runs while it serves; nothing if that is until a signal.
    pub(super) command: Vec<String>,
}

impl Choice {
    /// Flags and environment first (clap has joined them), then the file.
    pub(super) fn of(arguments: &ServeArguments) -> anyhow::Result<Self> {
        let file = arguments.config.as_deref().map(read).transpose()?;
        Self::with_file(arguments, file)
    }

    /// The same where this is what stands in the file.
    pub(super) fn with_file(
        arguments: &ServeArguments,
        file: Option<String>,
    ) -> anyhow::Result<Self> {
        let mut choice = Self::from(arguments.clone());
        if let (Some(path), Some(text)) = (&arguments.config, file) {
            let origin = path.display().to_string();
            let file: ServeFile = document::parse(&origin, &text)?;
            choice = choice.or(file.into());
            choice.mock.check_keys().context(origin)?;
        }
        anyhow::ensure!(
            choice.watch != Some(true) || arguments.config.is_some(),
            "--watch looks after the file of --config; name it"
        );
        let token = choice.admin_token.as_deref();
        anyhow::ensure!(
            token.is_none_or(can_be_brought),
            "an --admin-token is 1 or more visible ASCII characters without a space, because a \
             header has to bring it; leave it out for none"
        );
        Ok(choice)
    }

    fn or(self, other: Self) -> Self {
        Self {
            watch: self.watch.or(other.watch),
            listening: self.listening.or(other.listening),
            log: self.log.or(other.log),
            port_file: self.port_file.or(other.port_file),
            threads: self.threads.or(other.threads),
            allow_webhook_hosts: self.allow_webhook_hosts.or(other.allow_webhook_hosts),
            admin_listen: self.admin_listen.or(other.admin_listen),
            admin_token: self.admin_token.or(other.admin_token),
            limits: self.limits.or(other.limits),
            report: self.report.or(other.report),
            report_dir: self.report_dir.or(other.report_dir),
            command: self.command,
            mock: self.mock.or(other.mock),
        }
    }

    /// Defaults for what nobody said; `seed` is one of them.
    pub(super) fn resolve(mut self, seed: u64) -> Plan {
        if !self.command.is_empty() {
            // It is told which port that is, so no two of them need meet.
            let free = || vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()];
            self.listening.listen.get_or_insert_with(free);
        }
        let cores = || available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Plan {
            server: Server {
                listen: self.listening.places(),
                socket_mode: self.listening.socket_mode(),
                tls: None,
                workers: self.threads.unwrap_or_else(cores),
                webhook_hosts: self.allow_webhook_hosts.unwrap_or_default(),
                limits: self.limits.resolve(),
                admin_listen: self.admin_listen,
                admin_token: self.admin_token,
            },
            listening: self.listening,
            log: self.log.resolve(),
            settings: self.mock.resolve(seed),
            port_file: self.port_file,
            reports: Reports {
                formats: self.report.unwrap_or_default(),
                directory: self.report_dir,
            },
            command: self.command,
        }
    }
}

impl Choice {
    /// Whether the file is to be looked after.
    pub(super) fn is_watched(&self) -> bool {
        self.watch == Some(true)
    }

    /// The mock's part with defaults for what nobody said, and this seed whoever said another.
    pub(super) fn settings(mut self, seed: u64) -> Settings {
        self.mock.seed = Some(seed);
        self.mock.resolve(seed)
    }

    /// What is different in `after` and counts from the next start on, by its names in a file.
    pub(super) fn fixed_differences(&self, after: &Self) -> Vec<&'static str> {
        let mut names = self.listening.differences(&after.listening);
        let (mine, theirs) = (&self.limits, &after.limits);
        let each = [
            ("seed", self.mock.seed != after.mock.seed),
            ("port_file", self.port_file != after.port_file),
            ("threads", self.threads != after.threads),
            (
                "allow_webhook_hosts",
                self.allow_webhook_hosts != after.allow_webhook_hosts,
            ),
            ("admin_listen", self.admin_listen != after.admin_listen),
            ("admin_token", self.admin_token != after.admin_token),
            ("max_head", mine.head != theirs.head),
            ("max_body", mine.body != theirs.body),
            ("max_connections", mine.connections != theirs.connections),
            ("arrival_time", mine.arrival_time != theirs.arrival_time),
            (
                "journal_max",
                self.mock.journal_max != after.mock.journal_max,
            ),
            (
                "journal_bytes",
                self.mock.journal_bytes != after.mock.journal_bytes,
            ),
            ("log_format", self.log.format != after.log.format),
            ("log_level", self.log.level != after.log.level),
            ("watch", self.watch != after.watch),
            ("lint", self.mock.lint != after.mock.lint),
            ("lint_skip", self.mock.lint_skip != after.mock.lint_skip),
            ("report", self.report != after.report),
            ("report_dir", self.report_dir != after.report_dir),
        ];
        let different = each.into_iter().filter(|(_, differs)| *differs);
        names.extend(different.map(|(name, _)| name));
        names
    }
}

impl LimitsChoice {
    fn or(self, other: Self) -> Self {
        Self {
            head: self.head.or(other.head),
            body: self.body.or(other.body),
            connections: self.connections.or(other.connections),
            arrival_time: self.arrival_time.or(other.arrival_time),
        }
    }

    fn resolve(self) -> Limits {
        let default = Limits::DEFAULT;
        Limits {
            head: self.head.unwrap_or(default.head),
            body: self.body.unwrap_or(default.body),
            connections: self.connections.unwrap_or(default.connections),
            arrival_time: self.arrival_time.unwrap_or(default.arrival_time),
        }
    }
}

/// Whether a header can hold this.
fn can_be_brought(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The file that `--config` names. Its keys are the flags; they are listed
/// here and not flattened in, because flattening would lose the place of a mistake.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeFile {
    listen: Option<Places>,
    #[schemars(with = "Option<String>")]
    socket_mode: Option<SocketMode>,
    tls: Option<bool>,
    #[schemars(with = "Option<String>")]
    tls_cert: Option<PathBuf>,
    #[schemars(with = "Option<String>")]
    tls_key: Option<PathBuf>,
    tls_names: Option<Vec<String>>,
    #[schemars(with = "Option<String>")]
    tls_cert_out: Option<PathBuf>,
    #[schemars(with = "Option<String>")]
    log_format: Option<LogFormat>,
    #[schemars(with = "Option<String>")]
    log_level: Option<LogLevel>,
    #[schemars(with = "Option<String>")]
    port_file: Option<PathBuf>,
    threads: Option<NonZeroUsize>,
    allow_webhook_hosts: Option<Vec<String>>,
    #[schemars(with = "Option<String>")]
    admin_listen: Option<Place>,
    admin_token: Option<String>,
    #[schemars(with = "Option<u64>")]
    max_head: Option<HeadBytes>,
    #[schemars(with = "Option<u64>")]
    max_body: Option<BodyBytes>,
    #[schemars(with = "Option<u64>")]
    max_connections: Option<ConnectionCount>,
    #[schemars(with = "Option<String>")]
    arrival_time: Option<ArrivalTime>,
    #[schemars(with = "Option<f64>")]
    time_scale: Option<TimeScale>,
    journal_max: Option<usize>,
    journal_bytes: Option<usize>,
    strict_keys: Option<bool>,
    watch: Option<bool>,
    lint: Option<LintMode>,
    #[schemars(with = "Option<Vec<String>>")]
    lint_skip: Option<Vec<Rule>>,
    #[schemars(with = "Option<Vec<String>>")]
    report: Option<Vec<LintFormat>>,
    #[schemars(with = "Option<String>")]
    report_dir: Option<PathBuf>,
    #[schemars(with = "Option<BTreeMap<String, AccountPatch>>")]
    accounts: Option<BTreeMap<AccountKey, AccountPatch>>,
    seed: Option<u64>,
    #[schemars(with = "Option<String>")]
    sms_delay: Option<Law>,
    #[schemars(with = "Option<Vec<String>>")]
    faults: Option<Vec<FaultRule>>,
    #[schemars(with = "Option<String>")]
    balance: Option<OpeningBalance>,
    #[schemars(with = "Option<String>")]
    rental_life: Option<RentalLife>,
    #[schemars(with = "Option<String>")]
    webhook_url: Option<WebhookUrl>,
    dialect: Option<DialectFile>,
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))
}

impl From<ServeFile> for Choice {
    fn from(file: ServeFile) -> Self {
        Self {
            watch: file.watch,
            listening: ListeningChoice {
                listen: file.listen.map(|Places(places)| places),
                socket_mode: file.socket_mode,
                tls: file.tls,
                cert: file.tls_cert,
                key: file.tls_key,
                names: file.tls_names,
                cert_out: file.tls_cert_out,
            },
            log: LogChoice {
                format: file.log_format,
                level: file.log_level,
            },
            port_file: file.port_file,
            threads: file.threads,
            allow_webhook_hosts: file.allow_webhook_hosts,
            admin_listen: file.admin_listen,
            admin_token: file.admin_token,
            limits: LimitsChoice {
                head: file.max_head,
                body: file.max_body,
                connections: file.max_connections,
                arrival_time: file.arrival_time,
            },
            report: file.report,
            report_dir: file.report_dir,
            command: Vec::new(),
            mock: SettingsFile {
                seed: file.seed,
                sms_delay: file.sms_delay,
                faults: file.faults,
                balance: file.balance,
                rental_life: file.rental_life,
                webhook_url: file.webhook_url,
                time_scale: file.time_scale,
                dialect: file.dialect,
                accounts: file.accounts,
                strict_keys: file.strict_keys,
                journal_max: file.journal_max,
                journal_bytes: file.journal_bytes,
                lint: file.lint,
                lint_skip: file.lint_skip,
            },
        }
    }
}

impl From<ServeArguments> for Choice {
    fn from(typed: ServeArguments) -> Self {
        Self {
            watch: typed.watch.then_some(true),
            listening: typed.listening.into(),
            log: typed.logging.into(),
            port_file: typed.port_file,
            threads: typed.threads,
            allow_webhook_hosts: typed.allow_webhook_host,
            admin_listen: typed.admin_listen,
            admin_token: typed.admin_token,
            limits: LimitsChoice {
                head: typed.max_head,
                body: typed.max_body,
                connections: typed.max_connections,
                arrival_time: typed.arrival_time,
            },
            report: typed.report,
            report_dir: typed.report_dir,
            command: typed.command,
            mock: SettingsFile {
                seed: typed.seed,
                sms_delay: typed.sms_delay,
                faults: typed.fault,
                balance: typed.balance,
                rental_life: typed.rental_life,
                webhook_url: typed.webhook_url,
                time_scale: typed.time_scale,
                dialect: typed.dialect,
                accounts: None,
                strict_keys: typed.strict_keys.then_some(true),
                journal_max: typed.journal_max,
                journal_bytes: typed.journal_bytes,
                lint: typed.lint,
                lint_skip: typed.lint_skip,
            },
        }
    }
}
