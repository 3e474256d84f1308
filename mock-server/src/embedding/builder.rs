//! How a mock for a test is to be: the settings of `otplab serve`, by the names
//! and in the words of its configuration file.

use std::fmt::Display;
use std::str::FromStr;

use mock_server_core::settings::{AccountPatch, AccountSettings};
use mock_server_core::{LintMode, Settings};

use super::Mock;
use crate::server::{Server, StartError};

/// A mock to be. What is not said is as for `otplab serve`, and the seed is 0.
#[derive(Clone, Debug, Default)]
#[must_use = "it does nothing until it is started"]
pub struct Builder {
    account: AccountPatch,
    strict_keys: bool,
    lint: Option<LintMode>,
    /// The first setting that was not understood.
    wrong: Option<String>,
}

/// Why there is no mock.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A setting is not understood.
    #[error("{0}")]
    Setting(String),
    /// It does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Builder {
    /// What all chance is counted from: the same seed and key give the same
    /// numbers, codes and delays.
    pub fn seed(mut self, seed: u64) -> Self {
        self.account.seed = Some(seed);
        self
    }

    /// From rent to SMS: a delay law such as `5s` or `uniform(1s,5s)`.
    pub fn sms_delay(mut self, law: &str) -> Self {
        self.account.sms_delay = self.said("sms_delay", law);
        self
    }

    /// A fault rule such as `check_otp: status(503) first 2`, after those that were
    /// given before.
    pub fn fault(mut self, rule: &str) -> Self {
        let rule = self.said("fault", rule);
        self.account.faults.get_or_insert_default().extend(rule);
        self
    }

    /// What an account has at first, such as `1000.00`.
    pub fn balance(mut self, amount: &str) -> Self {
        self.account.balance = self.said("balance", amount);
        self
    }

    /// From rent to the end of a rental, such as `20m`.
    pub fn rental_life(mut self, life: &str) -> Self {
        self.account.rental_life = self.said("rental_life", life);
        self
    }

    /// Where webhooks go, such as `http://127.0.0.1:9000/sms`; only this machine is
    /// allowed.
    pub fn webhook_url(mut self, url: &str) -> Self {
        self.account.webhook_url = self.said("webhook_url", url);
        self
    }

    /// How fast time runs at first: 1 is real time, 60 a minute in a second.
    pub fn time_scale(mut self, scale: &str) -> Self {
        self.account.time_scale = self.said("time_scale", scale);
        self
    }

    /// Time stands still and moves when it is advanced, so that nothing in a test
    /// depends on how fast the machine is.
    pub fn frozen(self) -> Self {
        self.time_scale("0")
    }

    /// A preset such as `laravel`, settings such as `no_numbers=404`, or both.
    pub fn dialect(mut self, dialect: &str) -> Self {
        self.account.dialect = self.said("dialect", dialect);
        self
    }

    /// Only the keys of [`Mock::account`] are known.
    pub fn strict_keys(mut self) -> Self {
        self.strict_keys = true;
        self
    }

    /// Clients are looked at, for `Control::lint`.
    pub fn lint(mut self) -> Self {
        self.lint = Some(LintMode::Warn);
        self
    }

    /// Starts it on threads of its own, on a free port of this machine.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says which setting is not understood, and what would be.
    pub fn start(self) -> Result<Mock, BuildError> {
        if let Some(wrong) = self.wrong {
            return Err(BuildError::Setting(wrong));
        }
        let account = self.account.applied_to(&AccountSettings::new(0));
        let settings = Settings {
            strict_keys: self.strict_keys,
            lint: self.lint.unwrap_or(LintMode::Off),
            ..Settings::from(account)
        };
        Ok(Mock::on(&Server::local(), settings)?)
    }

    fn said<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        let read = text.parse();
        if let Err(error) = &read {
            let wrong = || format!("{name} {text:?}: {error}");
            self.wrong.get_or_insert_with(wrong);
        }
        read.ok()
    }
}
