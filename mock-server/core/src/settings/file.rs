//! Settings as people write them, in a TOML file or as flags: most of it left
//! out, and then somebody else's to say.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use contract::key::KeyError;
use contract::{ApiKey, Law};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::DeserializeFromStr;

use super::{AccountSettings, OpeningBalance, RentalLife, Settings, TimeScale, WebhookSettings};
use crate::dialect::{Dialect, DialectFile, KeyFormat};
use crate::fault::FaultRule;
use crate::lint::{LintMode, Rule};
use crate::webhook_url::WebhookUrl;

/// What is said about an account: of one, or of all that nothing else is said about.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// What all its chance is counted from, together with its key.
    pub seed: Option<u64>,
    /// From rent to SMS: a delay law such as `uniform(1s,5s)`.
    #[schemars(with = "Option<String>")]
    pub sms_delay: Option<Law>,
    /// Fault rules such as `check_otp: status(503) first 2`.
    #[schemars(with = "Option<Vec<String>>")]
    pub faults: Option<Vec<FaultRule>>,
    /// What it has at first, such as `1000.00`.
    #[schemars(with = "Option<String>")]
    pub balance: Option<OpeningBalance>,
    /// From rent to the end of a rental, such as `20m`.
    #[schemars(with = "Option<String>")]
    pub rental_life: Option<RentalLife>,
    /// Where its webhooks go: an address such as `http://127.0.0.1:9000/sms`.
    #[schemars(with = "Option<String>")]
    pub webhook_url: Option<WebhookUrl>,
    /// How fast its time runs at first: 1 is real time, 0 frozen.
    #[schemars(with = "Option<f64>")]
    pub time_scale: Option<TimeScale>,
    /// How it fills what the documentation leaves open, as `--dialect` takes it or as
    /// an object. The secret that webhooks are signed with is never shown.
    pub dialect: Option<DialectFile>,
}

impl AccountPatch {
    /// What is said here, and for the rest what is said in `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            seed: self.seed.or(other.seed),
            sms_delay: self.sms_delay.or(other.sms_delay),
            faults: self.faults.or(other.faults),
            balance: self.balance.or(other.balance),
            rental_life: self.rental_life.or(other.rental_life),
            webhook_url: self.webhook_url.or(other.webhook_url),
            time_scale: self.time_scale.or(other.time_scale),
            dialect: match (self.dialect, other.dialect) {
                (Some(ours), Some(theirs)) => Some(ours.or(theirs)),
                (ours, theirs) => ours.or(theirs),
            },
        }
    }

    /// All that is so, said.
    pub fn of(settings: &AccountSettings) -> Self {
        Self {
            seed: Some(settings.seed),
            sms_delay: Some(settings.sms_delay.clone()),
            faults: Some(settings.faults.clone()),
            balance: Some(OpeningBalance(settings.balance)),
            rental_life: Some(RentalLife(settings.rental_life)),
            webhook_url: settings.webhook.as_ref().map(|webhook| webhook.url.clone()),
            time_scale: Some(TimeScale(settings.time_scale)),
            dialect: Some(DialectFile::of(&settings.dialect)),
        }
    }

    /// What is said here, and for the rest what is so already.
    pub fn applied_to(self, settings: &AccountSettings) -> AccountSettings {
        let settings = settings.clone();
        let webhook = self.webhook_url.map(WebhookSettings::new).map(Arc::new);
        let dialect = self
            .dialect
            .map(|file| Arc::new(file.applied_to(&settings.dialect)));
        AccountSettings {
            seed: self.seed.unwrap_or(settings.seed),
            sms_delay: self.sms_delay.unwrap_or(settings.sms_delay),
            faults: self.faults.unwrap_or(settings.faults),
            balance: self.balance.map_or(settings.balance, |balance| balance.0),
            rental_life: self.rental_life.map_or(settings.rental_life, |life| life.0),
            webhook: webhook.or(settings.webhook),
            time_scale: self.time_scale.map_or(settings.time_scale, |scale| scale.0),
            dialect: dialect.unwrap_or(settings.dialect),
        }
    }
}

impl AccountPatch {
    /// What is said here by a snapshot, and for the rest what is so already. A
    /// snapshot says everything but the secret that webhooks are signed with.
    pub(crate) fn brought_to(self, settings: &AccountSettings) -> AccountSettings {
        let says_secret = self
            .dialect
            .as_ref()
            .is_some_and(|dialect| dialect.webhook_signature.is_some());
        let mut brought = self.applied_to(settings);
        if !says_secret {
            let webhook_signature = settings.dialect.webhook_signature.clone();
            brought.dialect = Arc::new(Dialect {
                webhook_signature,
                ..(*brought.dialect).clone()
            });
        }
        brought
    }
}

/// The key of an account in a file: of any length, because only the whole file
/// says which dialect counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr)]
pub struct AccountKey(ApiKey);

impl FromStr for AccountKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        ApiKey::of_any_length(text.as_bytes()).map(Self)
    }
}

/// A key in a file that no request can have. Shows the beginning of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an API key has exactly 60 characters, and under [accounts] there is another that begins \
     with {0:?}; with the dialect key_format=any a key may have any length"
)]
pub struct AccountKeyError(String);

/// What is said about a whole mock.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// See [`AccountPatch::seed`]. It and the next seven are about every account. They
    /// are listed and not flattened in, because that would lose the place of a mistake.
    pub seed: Option<u64>,
    /// See [`AccountPatch::sms_delay`].
    #[schemars(with = "Option<String>")]
    pub sms_delay: Option<Law>,
    /// See [`AccountPatch::faults`].
    #[schemars(with = "Option<Vec<String>>")]
    pub faults: Option<Vec<FaultRule>>,
    /// See [`AccountPatch::balance`].
    #[schemars(with = "Option<String>")]
    pub balance: Option<OpeningBalance>,
    /// See [`AccountPatch::rental_life`].
    #[schemars(with = "Option<String>")]
    pub rental_life: Option<RentalLife>,
    /// See [`AccountPatch::webhook_url`].
    #[schemars(with = "Option<String>")]
    pub webhook_url: Option<WebhookUrl>,
    /// See [`AccountPatch::time_scale`].
    #[schemars(with = "Option<f64>")]
    pub time_scale: Option<TimeScale>,
    /// See [`AccountPatch::dialect`].
    pub dialect: Option<DialectFile>,
    /// What is different about the accounts of these keys.
    #[schemars(with = "Option<BTreeMap<String, AccountPatch>>")]
    pub accounts: Option<BTreeMap<AccountKey, AccountPatch>>,
    /// See [`Settings::strict_keys`].
    pub strict_keys: Option<bool>,
    /// See [`Settings::journal_max`].
    pub journal_max: Option<usize>,
    /// See [`Settings::journal_bytes`].
    pub journal_bytes: Option<usize>,
    /// See [`Settings::lint`].
    pub lint: Option<LintMode>,
    /// See [`Settings::lint_skip`].
    #[schemars(with = "Option<Vec<String>>")]
    pub lint_skip: Option<Vec<Rule>>,
}

impl SettingsFile {
    /// What is said here, and for the rest what is said in `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let account = self.account().or(other.account());
        Self {
            seed: account.seed,
            sms_delay: account.sms_delay,
            faults: account.faults,
            balance: account.balance,
            rental_life: account.rental_life,
            webhook_url: account.webhook_url,
            time_scale: account.time_scale,
            dialect: account.dialect,
            accounts: self.accounts.or(other.accounts),
            strict_keys: self.strict_keys.or(other.strict_keys),
            journal_max: self.journal_max.or(other.journal_max),
            journal_bytes: self.journal_bytes.or(other.journal_bytes),
            lint: self.lint.or(other.lint),
            lint_skip: self.lint_skip.or(other.lint_skip),
        }
    }

    /// What is said here, and for the rest the defaults; `seed` is used if none is said.
    pub fn resolve(self, seed: u64) -> Settings {
        let default = Settings::new(seed);
        let account = self.account().applied_to(&default.account);
        let accounts = self.accounts.unwrap_or_default().into_iter();
        let accounts =
            accounts.map(|(AccountKey(key), patch)| (key, Arc::new(patch.applied_to(&account))));
        Settings {
            accounts: accounts.collect(),
            account: Arc::new(account),
            strict_keys: self.strict_keys.unwrap_or(default.strict_keys),
            journal_max: self.journal_max.unwrap_or(default.journal_max),
            journal_bytes: self.journal_bytes.unwrap_or(default.journal_bytes),
            lint: self.lint.unwrap_or(default.lint),
            lint_skip: self.lint_skip.unwrap_or_default(),
        }
    }

    /// Looks for keys that no request can have.
    ///
    /// # Errors
    ///
    /// The first key of another length than the dialect takes.
    pub fn check_keys(&self) -> Result<(), AccountKeyError> {
        let dialect = self.account().applied_to(&AccountSettings::new(0)).dialect;
        let mut keys = self.accounts.iter().flat_map(BTreeMap::keys);
        match keys.find(|AccountKey(key)| !key.is_documented()) {
            Some(AccountKey(key)) if dialect.key_format == KeyFormat::Sixty => {
                Err(AccountKeyError(key.beginning().to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What is said about every account.
    fn account(&self) -> AccountPatch {
        let Self {
            seed,
            balance,
            rental_life,
            time_scale,
            ..
        } = *self;
        AccountPatch {
            seed,
            sms_delay: self.sms_delay.clone(),
            faults: self.faults.clone(),
            balance,
            rental_life,
            webhook_url: self.webhook_url.clone(),
            time_scale,
            dialect: self.dialect.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::{Cents, document};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Whole {
        #[serde(default)]
        mock: SettingsFile,
    }

    fn read(text: &str) -> SettingsFile {
        document::parse::<Whole>("s.toml", text).expect(text).mock
    }

    fn complaint(text: &str) -> String {
        document::parse::<Whole>("s.toml", text)
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn what_is_said_first_counts_and_the_rest_is_default() {
        let flags = read("[mock]\nseed = 1\nfaults = [\"*: timeout\"]");
        let file = read("[mock]\nseed = 2\nbalance = \"5.00\"\nrental_life = \"2m\"");
        let settings = flags.or(file).resolve(3);
        assert_eq!(settings.account.seed, 1);
        assert_eq!(settings.account.faults.len(), 1);
        assert_eq!(settings.account.balance, Cents(500));
        assert_eq!(settings.account.rental_life, Duration::from_secs(120));
        assert_eq!(settings.account.sms_delay.to_string(), "typical");
        assert_eq!(read("").resolve(3).account.seed, 3);
    }

    #[test]
    fn an_account_has_what_is_said_about_it_and_the_rest_from_all() {
        let key = "k".repeat(60);
        let text = format!(
            "[mock]\nseed = 4\nbalance = \"7.00\"\n[mock.accounts.{key}]\nbalance = \"5.00\""
        );
        let settings = read(&text).resolve(3);
        let (_, account) = settings.accounts.first_key_value().expect("one account");
        assert_eq!((account.balance, account.seed), (Cents(500), 4));
        assert_eq!(settings.account.balance, Cents(700));
    }

    #[test]
    fn a_key_of_another_length_needs_a_dialect_that_takes_it() {
        let short = "[mock.accounts.a-short-one]\nbalance = \"5.00\"";
        let complaint = read(short).check_keys().expect_err(short).to_string();
        assert!(complaint.contains("begins with \"a-\";"), "{complaint}");
        let any = format!("[mock]\ndialect = \"key_format=any\"\n{short}");
        assert_eq!(read(&any).check_keys(), Ok(()));
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_place() {
        for (text, expected) in [
            (
                "[mock]\nsms_dely = \"2s\"",
                "s.toml:2:1: unknown field `sms_dely`, expected one of `seed`, `sms_delay`",
            ),
            (
                "[mock]\nsms_delay = \"lognormal(4s)\"",
                "s.toml:2:13: not a delay law, at character 1: write it like lognormal(4s,0.67)",
            ),
            (
                "[mock]\nfaults = [\n  \"*: timeout\",\n  \"rent: status(42)\",\n]",
                "s.toml:4:3: \"rent: status(42)\" is not a fault rule, at character 14: \"42\" is not",
            ),
            (
                "[mock]\nbalance = \"$5\"",
                "s.toml:2:11: \"$5\" is not an amount of money; write it like 1000.00",
            ),
            (
                "[mock]\nbalance = \"-5.00\"",
                "s.toml:2:11: an account has from 0.00 to",
            ),
            (
                "[mock]\nbalance = 5",
                "s.toml:2:11: write a text in quotation marks, not the number 5",
            ),
            (
                "[mock]\nrental_life = \"0s\"",
                "s.toml:2:15: a rental lives longer than 0s",
            ),
            (
                "[mock]\nrental_life = \"20\"",
                "s.toml:2:15: \"20\" is not a duration; write",
            ),
            (
                "[mock.accounts.\"a key\"]\nbalance = \"5.00\"",
                "s.toml:1:16: an API key consists of visible ASCII characters",
            ),
            (
                "[mock]\nwebhook_url = \"https://localhost/\"",
                "s.toml:2:15: \"https://localhost/\" is not a webhook address",
            ),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }
}
