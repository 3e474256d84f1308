//! Accounts in a tester's hands: looked at, given other settings while they
//! live, and forgotten.

use std::sync::Arc;

use contract::{ApiKey, Cents, Moment};
use schemars::JsonSchema;
use serde::Serialize;

use crate::endpoint::EndpointId;
use crate::history;
use crate::mock::Mock;
use crate::rental::State;
use crate::scope::{Scope, redacted};
use crate::settings::{AccountPatch, AccountSettings};

/// An account, as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountView {
    /// The first characters of its key, and a number to tell it apart.
    pub account: String,
    /// Money left.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub balance: Cents,
    /// How many numbers it has rented.
    pub rentals: usize,
    /// How many of them still wait for their SMS.
    pub live_rentals: usize,
    /// Its date and time, in UTC.
    pub now: String,
    /// How fast its time runs: 1 is real time, 0 is frozen.
    pub pace: f64,
    /// How it behaves.
    pub settings: AccountPatch,
}

/// How settings are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// What is not said is as in the defaults.
    Replace,
    /// What is not said stays.
    Amend,
}

/// What is said about an account over HTTP: a patch in which `webhook_url` may
/// also be null, for no webhooks.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What is said.
    pub patch: AccountPatch,
    /// Whether webhooks are to end.
    pub silent: bool,
}

impl Change {
    /// The settings after the change.
    fn of(self, settings: &AccountSettings) -> AccountSettings {
        let mut changed = self.patch.applied_to(settings);
        if self.silent {
            changed.webhook = None;
        }
        changed
    }
}

impl Mock {
    /// The accounts, in the order in which they were first used.
    pub fn accounts(&mut self, now: Moment, scope: Scope) -> Vec<AccountView> {
        let now = self.advance(now);
        let places = self.places(scope).into_iter();
        places.map(|place| self.account_view(place, now)).collect()
    }

    /// How accounts behave that nothing else is said about.
    pub fn default_settings(&self) -> AccountPatch {
        AccountPatch::of(&self.settings.account)
    }

    /// Changes how the account of `key` behaves from now on; it becomes known if
    /// it was not. Rentals that are made keep what was decided for them.
    pub fn change_account(
        &mut self,
        now: Moment,
        key: ApiKey,
        change: Change,
        manner: Manner,
    ) -> Option<Scope> {
        let now = self.advance(now);
        let present = match manner {
            Manner::Amend => Arc::clone(self.settings.of(&key)?),
            Manner::Replace => Arc::clone(&self.settings.account),
        };
        let said = change.patch.clone();
        let settings = Arc::new(change.of(&present));
        self.settings.accounts.insert(key, Arc::clone(&settings));
        let place = self.admit(key)?;
        let account = &mut self.accounts[place as usize];
        let local = account.clock.local(now);
        if said.faults.is_some() || manner == Manner::Replace {
            account.faults.replace_settings(local, &settings.faults);
        }
        if let Some(pace) = said.time_scale {
            account.clock.set_pace(now, pace.0);
        }
        if settings.webhook.is_none() {
            self.deliveries.give_up(place, EndpointId::SETTINGS);
        }
        account.change(local, settings, said.balance.map(|balance| balance.0));
        self.reschedule(place);
        if said.time_scale.is_some() && self.is_heard() {
            self.tell_clock(now, place);
        }
        self.scope(now, key)
    }

    /// Changes how accounts behave that are yet to come; those that are there
    /// follow when they are reset.
    pub fn change_default(&mut self, change: Change, manner: Manner) {
        let account = &self.settings.account;
        let settings = match manner {
            Manner::Amend => change.of(account),
            Manner::Replace => change.of(&AccountSettings::new(account.seed)),
        };
        self.settings.account = Arc::new(settings);
    }

    /// Forgets an account and what was said about it: its key is as if it had
    /// never been used.
    pub fn forget_account(&mut self, now: Moment, key: &ApiKey) {
        let place = self.accounts.get_index_of(key);
        if let Some(place) = place {
            let scope = Scope::Account(super::AccountPlace(place as u32));
            self.reset(now, scope);
            self.accounts[place].forgotten = true;
        }
        self.settings.accounts.remove(key);
    }

    fn account_view(&mut self, place: u32, now: Moment) -> AccountView {
        let epoch = self.epoch;
        let (key, account) = self.account_mut(place);
        let local = account.clock.local(now);
        let balance = account.balance(local);
        let rentals = account.rentals();
        let live = |rental: &&_| account.state(rental, local) == State::Pending;
        AccountView {
            account: redacted(key),
            balance,
            rentals: rentals.len(),
            live_rentals: rentals.iter().filter(live).count(),
            now: history::created_at(epoch, local),
            pace: account.clock.pace(),
            settings: AccountPatch::of(&account.settings),
        }
    }
}
