//! Settings as people write them, in a TOML file or as flags: most of it left
//! out, and then somebody else's to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{ApiKey, Cents, Law};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{AccountSettings, RentalLife, Settings, TimeScale, WebhookSettings};
use crate::fault::FaultRule;
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
    #[serde(serialize_with = "money")]
    #[schemars(with = "Option<String>")]
    pub balance: Option<Cents>,
    /// From rent to the end of a rental, such as `20m`.
    #[schemars(with = "Option<String>")]
    pub rental_life: Option<RentalLife>,
    /// Where its webhooks go: an address such as `http://127.0.0.1:9000/sms`.
    #[schemars(with = "Option<String>")]
    pub webhook_url: Option<WebhookUrl>,
    /// How fast its time runs at first: 1 is real time, 0 frozen.
    #[schemars(with = "Option<f64>")]
    pub time_scale: Option<TimeScale>,
}

fn money<S: Serializer>(amount: &Option<Cents>, serializer: S) -> Result<S::Ok, S::Error> {
    amount
        .map(|amount| amount.to_string())
        .serialize(serializer)
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
        }
    }

    /// All that is so, said.
    pub fn of(settings: &AccountSettings) -> Self {
        Self {
            seed: Some(settings.seed),
            sms_delay: Some(settings.sms_delay.clone()),
            faults: Some(settings.faults.clone()),
            balance: Some(settings.balance),
            rental_life: Some(RentalLife(settings.rental_life)),
            webhook_url: settings.webhook.as_ref().map(|webhook| webhook.url.clone()),
            time_scale: Some(TimeScale(settings.time_scale)),
        }
    }

    /// What is said here, and for the rest what is so already.
    pub fn applied_to(self, settings: &AccountSettings) -> AccountSettings {
        let settings = settings.clone();
        let webhook = self.webhook_url.map(WebhookSettings::new).map(Arc::new);
        AccountSettings {
            seed: self.seed.unwrap_or(settings.seed),
            sms_delay: self.sms_delay.unwrap_or(settings.sms_delay),
            faults: self.faults.unwrap_or(settings.faults),
            balance: self.balance.unwrap_or(settings.balance),
            rental_life: self.rental_life.map_or(settings.rental_life, |life| life.0),
            webhook: webhook.or(settings.webhook),
            time_scale: self.time_scale.map_or(settings.time_scale, |scale| scale.0),
        }
    }
}

/// What is said about a whole mock.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// See [`AccountPatch::seed`]. It and the next six are about every account. They
    /// are listed and not flattened in, because that would lose the place of a mistake.
    pub seed: Option<u64>,
    /// See [`AccountPatch::sms_delay`].
    pub sms_delay: Option<Law>,
    /// See [`AccountPatch::faults`].
    pub faults: Option<Vec<FaultRule>>,
    /// See [`AccountPatch::balance`].
    pub balance: Option<Cents>,
    /// See [`AccountPatch::rental_life`].
    pub rental_life: Option<RentalLife>,
    /// See [`AccountPatch::webhook_url`].
    pub webhook_url: Option<WebhookUrl>,
    /// See [`AccountPatch::time_scale`].
    pub time_scale: Option<TimeScale>,
    /// What is different about the accounts of these keys.
    pub accounts: Option<BTreeMap<ApiKey, AccountPatch>>,
    /// See [`Settings::strict_keys`].
    pub strict_keys: Option<bool>,
    /// See [`Settings::journal_max`].
    pub journal_max: Option<usize>,
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
            accounts: self.accounts.or(other.accounts),
            strict_keys: self.strict_keys.or(other.strict_keys),
            journal_max: self.journal_max.or(other.journal_max),
        }
    }

    /// What is said here, and for the rest the defaults; `seed` is used if none is said.
    pub fn resolve(self, seed: u64) -> Settings {
        let default = Settings::new(seed);
        let account = self.account().applied_to(&default.account);
        let accounts = self.accounts.unwrap_or_default().into_iter();
        let accounts = accounts.map(|(key, patch)| (key, Arc::new(patch.applied_to(&account))));
        Settings {
            accounts: accounts.collect(),
            account: Arc::new(account),
            strict_keys: self.strict_keys.unwrap_or(default.strict_keys),
            journal_max: self.journal_max.unwrap_or(default.journal_max),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::document;

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
                "[mock]\nrental_life = \"0s\"",
                "s.toml:2:15: a rental lives longer than 0s",
            ),
            (
                "[mock]\nrental_life = \"20\"",
                "s.toml:2:15: \"20\" is not a duration; write",
            ),
            (
                "[mock.accounts.short]\nbalance = \"5.00\"",
                "s.toml:1:16: an API key has exactly 60 characters, this one has 5",
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
