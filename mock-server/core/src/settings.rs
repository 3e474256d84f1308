//! How a mock behaves, twice: [`Settings`] is complete and is what the mock
//! runs with; [`SettingsFile`] is what somebody wrote, most of it left out.

mod file;
mod opening_balance;
mod rental_life;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Law};

pub use self::file::{AccountKey, AccountKeyError, AccountPatch, SettingsFile};
pub use self::opening_balance::{OpeningBalance, OpeningBalanceError};
pub use self::rental_life::{RentalLife, RentalLifeError};
use crate::dialect::{Dialect, WebhookRetry};
use crate::fault::FaultRule;
use crate::journal::JournalLimits;
use crate::lint::{LintMode, Rule};
use crate::signature::WebhookSecret;
pub use crate::time_scale::{TimeScale, TimeScaleError};
use crate::webhook_url::WebhookUrl;

/// Everything that decides how a mock behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How accounts behave that nothing else is said about.
    pub account: Arc<AccountSettings>,
    /// How the accounts of these keys behave.
    pub accounts: BTreeMap<ApiKey, Arc<AccountSettings>>,
    /// Whether only the keys in `accounts` are known. Otherwise any well-formed
    /// key opens an account of its own.
    pub strict_keys: bool,
    /// Requests that the journal holds; the oldest go first.
    pub journal_max: usize,
    /// Bytes that they take at most, paths that mean no operation included.
    pub journal_bytes: usize,
    /// Whether clients are looked at, and what follows from what is found.
    pub lint: LintMode,
    /// Rules that are not looked for.
    pub lint_skip: Vec<Rule>,
}

/// Everything that decides how one account behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSettings {
    /// What all its chance is counted from, together with its key.
    pub seed: u64,
    /// From rent to SMS.
    pub sms_delay: Law,
    /// In order: of two damages to one request, the first decides.
    pub faults: Vec<FaultRule>,
    /// What it has at first.
    pub balance: Cents,
    /// From rent to the end of a rental.
    pub rental_life: Duration,
    /// Where its webhooks go, if they go anywhere.
    pub webhook: Option<Arc<WebhookSettings>>,
    /// How fast its time runs at first: 1 is real time, 60 a minute in a
    /// second, 0 frozen until it is advanced.
    pub time_scale: f64,
    /// How what its documentation leaves open behaves.
    pub dialect: Arc<Dialect>,
}

impl Settings {
    /// The defaults, with this seed.
    pub fn new(seed: u64) -> Self {
        AccountSettings::new(seed).into()
    }

    /// How much the journal holds.
    pub(crate) const fn journal(&self) -> JournalLimits {
        JournalLimits {
            count: self.journal_max,
            bytes: self.journal_bytes,
        }
    }

    /// How the account of `key` behaves, if it may have one.
    pub(crate) fn of(&self, key: &ApiKey) -> Option<&Arc<AccountSettings>> {
        let others = (!self.strict_keys).then_some(&self.account);
        self.accounts.get(key).or(others)
    }
}

impl From<AccountSettings> for Settings {
    /// A mock whose accounts all behave like this, with defaults for the rest.
    fn from(account: AccountSettings) -> Self {
        Self {
            account: Arc::new(account),
            accounts: BTreeMap::new(),
            strict_keys: false,
            // Some five megabytes, unless most of the requests have odd paths.
            journal_max: 100_000,
            journal_bytes: 16 * 1024 * 1024,
            lint: LintMode::Off,
            lint_skip: Vec::new(),
        }
    }
}

impl AccountSettings {
    /// The defaults, with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            sms_delay: "typical".parse().expect("invariant: a preset is a law"),
            faults: Vec::new(),
            // Enough for some seven hundred rentals, so that money is no subject unless it is meant to be.
            balance: Cents(100_000),
            // The documentation's `expires_in_seconds`.
            rental_life: Duration::from_secs(1200),
            webhook: None,
            time_scale: 1.0,
            dialect: Arc::default(),
        }
    }
}

/// Where `sms.received` webhooks go, and what is said about that endpoint alone;
/// the rest is for the dialect to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// The receiver.
    pub url: WebhookUrl,
    /// What its webhooks are signed with, as Standard Webhooks has it; if nothing is
    /// said, they are signed as the dialect says, or not.
    pub secret: Option<WebhookSecret>,
    /// When a webhook is posted to it again; if nothing is said, as the dialect says.
    pub retry: Option<WebhookRetry>,
    /// Whether its webhooks bring the header [`contract::truth::HEADER`].
    pub truth: bool,
}

impl WebhookSettings {
    /// Webhooks to this receiver.
    pub const fn new(url: WebhookUrl) -> Self {
        Self {
            url,
            secret: None,
            retry: None,
            truth: false,
        }
    }
}
