//! Settings that are read again while the mock runs. What is different is
//! applied, to accounts that live as well; what is as it was stays as a tester's
//! hand has left it. Nobody loses a rental or a cent by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{ApiKey, Moment};
use schemars::JsonSchema;
use serde::Serialize;

use crate::endpoint::EndpointId;
use crate::feed::What;
use crate::mock::Mock;
use crate::settings::{AccountSettings, Settings};

/// What came of a configuration that was read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reloaded {
    /// Settings that are different and count from now on.
    pub applied: Vec<&'static str>,
    /// Settings that are different and count from the next start on.
    pub needs_restart: Vec<&'static str>,
    /// Why nothing was applied, if it was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Settings {
    /// The settings that are different in `after`, by their names in a file, as
    /// far as they can be applied while a mock runs.
    pub fn differences(&self, after: &Self) -> Vec<&'static str> {
        let mut names = self.account.differences(&after.account);
        let mut keys = self.accounts.keys().chain(after.accounts.keys());
        // What is different about every account is no difference of a single one.
        let differs = |key: &ApiKey| {
            let own = self.or_default(key).differences(after.or_default(key));
            self.accounts.contains_key(key) != after.accounts.contains_key(key)
                || own.iter().any(|name| !names.contains(name))
        };
        if keys.any(differs) {
            names.push("accounts");
        }
        if self.strict_keys != after.strict_keys {
            names.push("strict_keys");
        }
        names
    }

    fn or_default(&self, key: &ApiKey) -> &Arc<AccountSettings> {
        self.accounts.get(key).unwrap_or(&self.account)
    }
}

impl AccountSettings {
    fn differences(&self, after: &Self) -> Vec<&'static str> {
        let each = [
            ("sms_delay", self.sms_delay != after.sms_delay),
            ("faults", self.faults != after.faults),
            ("balance", self.balance != after.balance),
            ("rental_life", self.rental_life != after.rental_life),
            ("webhook_url", self.webhook != after.webhook),
            ("time_scale", self.time_scale != after.time_scale),
            ("dialect", self.dialect != after.dialect),
        ];
        let different = each.into_iter().filter(|(_, differs)| *differs);
        different.map(|(name, _)| name).collect()
    }

    /// These, but for what is different between `before` and `after`: that is as
    /// in `after`. What all chance is counted from stays.
    fn following(&self, before: &Self, after: &Self) -> Self {
        let mut following = self.clone();
        for name in before.differences(after) {
            match name {
                "sms_delay" => following.sms_delay = after.sms_delay.clone(),
                "faults" => following.faults.clone_from(&after.faults),
                "balance" => following.balance = after.balance,
                "rental_life" => following.rental_life = after.rental_life,
                "webhook_url" => following.webhook.clone_from(&after.webhook),
                "time_scale" => following.time_scale = after.time_scale,
                _ => following.dialect = Arc::clone(&after.dialect),
            }
        }
        following
    }
}

impl Mock {
    /// Goes from the settings `before` to `after`, which a file says now. A
    /// balance counts for accounts that are opened or reset from now on.
    pub fn reload(&mut self, now: Moment, before: &Settings, after: &Settings) {
        let now = self.advance(now);
        self.follow_accounts(before, after);
        let account = self
            .settings
            .account
            .following(&before.account, &after.account);
        self.settings.account = Arc::new(account);
        self.settings.strict_keys = after.strict_keys;
        for place in self.places(super::Scope::Server) {
            let key = *self.account_mut(place).0;
            if self.settings.of(&key).is_some() {
                self.follow(
                    place,
                    now,
                    (before.or_default(&key), after.or_default(&key)),
                );
            } else {
                self.forget_account(now, &key);
            }
        }
    }

    /// The settings of single keys.
    fn follow_accounts(&mut self, before: &Settings, after: &Settings) {
        let known = self.settings.accounts.keys();
        let keys = known
            .chain(before.accounts.keys())
            .chain(after.accounts.keys());
        let keys: BTreeSet<ApiKey> = keys.copied().collect();
        for key in keys {
            let (was, is) = (before.or_default(&key), after.or_default(&key));
            let present = self.settings.accounts.get(&key);
            let settings = match (before.accounts.get(&key), after.accounts.get(&key)) {
                (None, Some(new)) => Some(Arc::clone(new)),
                (Some(_), None) => None,
                _ => present.map(|present| Arc::new(present.following(was, is))),
            };
            match settings {
                Some(settings) => self.settings.accounts.insert(key, settings),
                None => self.settings.accounts.remove(&key),
            };
        }
    }

    fn follow(&mut self, place: u32, now: Moment, (was, is): (&AccountSettings, &AccountSettings)) {
        let different = was.differences(is);
        if different.is_empty() {
            return;
        }
        let account = &mut self.accounts[place as usize];
        let settings = Arc::new(account.settings.following(was, is));
        if different.contains(&"faults") {
            let local = account.clock.local(now);
            account.faults.replace_settings(local, &settings.faults);
        }
        let has_pace = different.contains(&"time_scale");
        if has_pace {
            account.clock.set_pace(now, settings.time_scale);
        }
        let local = account.clock.local(now);
        if settings.webhook.is_none() {
            self.deliveries.give_up(place, EndpointId::SETTINGS);
        }
        account.change(local, settings, None);
        self.reschedule(place);
        if has_pace && self.is_heard() {
            self.tell_clock(now, place);
        }
    }

    /// Tells those who listen what came of a configuration that was read again.
    pub fn tell_reloaded(&mut self, now: Moment, reloaded: Reloaded) {
        let now = self.advance(now);
        if self.is_heard() {
            let name = match reloaded.refused {
                None => "config.reloaded",
                Some(_) => "config.refused",
            };
            self.tell(now, None, name, &What::Config(reloaded));
        }
    }
}
