//! The state of an account, or of all, taken away and brought back. Keys are
//! not in it: whoever brings it back names the accounts by their keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::key::KeyError;
use contract::{ApiKey, Moment};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::account::saved::{SavedAccount, SavedRule};
use crate::endpoint::{SavedEndpoint, SharedEndpoints};
use crate::fault::FaultRecord;
use crate::mock::Mock;
use crate::register::Register;
use crate::scope::{Scope, redacted};
use crate::settings::AccountPatch;
use crate::webhook_url::WebhookUrl;

/// What this program writes and reads. Another number means another meaning.
const VERSION: u32 = 2;

/// Rentals of one server that a snapshot may know, at most.
const MOST_RENTALS: u32 = 10_000_000;

/// The state of an account, or of a server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// What its contents mean.
    pub version: u32,
    /// What the wall clock showed when its server's time began.
    #[schemars(with = "String")]
    epoch: Timestamp,
    /// The id that the next rental would have had.
    next_rental_id: u32,
    /// Of a whole server: what makes it one.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<SavedServer>,
    accounts: Vec<SavedAccount>,
    /// The keys of accounts that the server does not know; never written.
    #[serde(default, skip_serializing)]
    keys: Vec<String>,
}

/// What belongs to no single account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedServer {
    /// How accounts behave that are yet to come.
    default: AccountPatch,
    faults: Vec<SavedRule>,
    rules_made: u32,
    /// Endpoints that every account has.
    endpoints: Vec<SavedEndpoint>,
    endpoints_made: u32,
}

/// Why a snapshot is not brought back. Then nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Written by another program.
    #[error("this is a snapshot of version {0}, and only {VERSION} is understood; take it anew")]
    Version(u32),
    /// It is of one account, or of all, and the request is not.
    #[error(
        "a snapshot of one account is brought back with its Auth header, \
         and one of the whole server without"
    )]
    Scope,
    /// The key is another account's.
    #[error("the snapshot is of account {0}, and the Auth header names {1}")]
    OtherAccount(String, String),
    /// Nobody said the key.
    #[error("nobody has said the key of account {0}; add it to the list \"keys\" of the snapshot")]
    NoKey(String),
    /// What was said is no key.
    #[error("one of the `keys` of the snapshot is none: {0}")]
    Key(#[from] KeyError),
    /// Two accounts have the same name.
    #[error("account {0} is in the snapshot twice")]
    Twice(String),
    /// Ids are taken.
    #[error(
        "rental {0} is another account's on this server; start a fresh server for the snapshot"
    )]
    RentalTaken(u32),
    /// Something in it makes no sense.
    #[error("the snapshot is broken: {0}")]
    Broken(&'static str),
    /// An account that may not be.
    #[error("account {0} is not known, and --strict-keys opens none")]
    Unknown(String),
}

impl Snapshot {
    /// Where its webhooks would go.
    pub fn webhook_hosts(&self) -> impl Iterator<Item = &str> {
        let accounts = self.accounts.iter().map(|saved| &saved.settings);
        let default = self.server.iter().map(|server| &server.default);
        let urls = accounts
            .chain(default)
            .filter_map(|patch| patch.webhook_url.as_ref());
        let of_accounts = self.accounts.iter();
        let of_accounts = of_accounts.flat_map(|saved| saved.webhooks.urls());
        let shared = self.server.iter().flat_map(|server| &server.endpoints);
        let shared = shared.map(|endpoint| &endpoint.url);
        urls.chain(of_accounts).chain(shared).map(WebhookUrl::host)
    }
}

impl Mock {
    /// The state of an account, or of all.
    pub fn snapshot(&mut self, now: Moment, scope: Scope) -> Snapshot {
        let now = self.advance(now);
        for place in self.places(scope) {
            // Where a scaled clock begins, it rounds to nanoseconds; whoever goes on
            // from the snapshot begins here, and the two are to agree.
            let clock = &mut self.accounts[place as usize].clock;
            clock.set_pace(now, clock.pace());
            self.reschedule(place);
        }
        let accounts = self.places(scope).into_iter();
        let save = |place| {
            let owner = self.accounts.get_index(place as usize);
            let (key, account) = owner.expect("invariant: places are of accounts");
            let mut saved = account.save(self.name(place), now, &self.catalogue);
            saved.has_own_settings = self.settings.accounts.contains_key(key);
            saved
        };
        let server = SavedServer {
            default: self.default_settings(),
            faults: self.server_rules.rules.iter().map(SavedRule::of).collect(),
            rules_made: self.server_rules.made,
            endpoints: self
                .shared_endpoints
                .endpoints
                .iter()
                .map(|(id, settings)| SavedEndpoint::of(*id, settings))
                .collect(),
            endpoints_made: self.shared_endpoints.made,
        };
        Snapshot {
            version: VERSION,
            epoch: self.epoch,
            next_rental_id: self.register.next_id(),
            server: (scope == Scope::Server).then_some(server),
            accounts: accounts.map(save).collect(),
            keys: Vec::new(),
        }
    }

    /// Goes on from a snapshot: of the account of `key`, or of the whole server,
    /// which then has no other accounts. What was requested is forgotten.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], and nothing has changed.
    pub fn restore(
        &mut self,
        now: Moment,
        key: Option<ApiKey>,
        snapshot: Snapshot,
    ) -> Result<(), SnapshotError> {
        let now = self.advance(now);
        if snapshot.version != VERSION {
            return Err(SnapshotError::Version(snapshot.version));
        }
        if snapshot.server.is_some() != key.is_none() {
            return Err(SnapshotError::Scope);
        }
        let alone = key.is_some();
        let keys = self.keys_of(key, &snapshot)?;
        let mut restored = Vec::new();
        for (key, saved) in keys.into_iter().zip(snapshot.accounts) {
            let name = saved.account.clone();
            let known = self.settings.of(&key).is_some();
            known.then_some(()).ok_or(SnapshotError::Unknown(name))?;
            let settings = Arc::clone(self.settings.of(&key).unwrap_or(&self.settings.account));
            // Alone on another server, it is to stay as it was where it came from.
            let stranger = alone && !self.accounts.contains_key(&key);
            let own = saved.has_own_settings || stranger || self.settings.strict_keys;
            let account = Account::restore(saved, &key, (&settings, &mut self.catalogue), now)
                .map_err(SnapshotError::Broken)?;
            restored.push((key, account, own));
        }
        self.check_ids(!alone, snapshot.next_rental_id, &restored)?;
        if let Some(server) = snapshot.server {
            self.restore_server(now, server, snapshot.epoch);
        }
        for (key, account, own) in restored {
            self.settings.accounts.remove(&key);
            if own {
                let settings = Arc::clone(&account.settings);
                self.settings.accounts.insert(key, settings);
            }
            self.put_account(now, key, account);
        }
        self.register.reserve(snapshot.next_rental_id);
        Ok(())
    }

    /// The keys of a snapshot's accounts, in their order.
    fn keys_of(
        &self,
        key: Option<ApiKey>,
        snapshot: &Snapshot,
    ) -> Result<Vec<ApiKey>, SnapshotError> {
        if let Some(key) = key {
            let [saved] = snapshot.accounts.as_slice() else {
                return Err(SnapshotError::Scope);
            };
            let name = redacted(&key);
            if saved.account != name {
                return Err(SnapshotError::OtherAccount(saved.account.clone(), name));
            }
            return Ok(vec![key]);
        }
        let said = snapshot
            .keys
            .iter()
            .map(|key| self.read_key(key.as_bytes()));
        let said: Vec<_> = said.collect::<Result<_, _>>()?;
        let known = self.accounts.keys().chain(self.settings.accounts.keys());
        let keys = known.chain(&said);
        let mut by_name: BTreeMap<_, _> = keys.map(|key| (redacted(key), *key)).collect();
        let mut seen = std::collections::BTreeSet::new();
        let names = snapshot.accounts.iter().map(|saved| &saved.account);
        names
            .map(|name| match by_name.remove(name) {
                Some(key) => {
                    seen.insert(name);
                    Ok(key)
                }
                None if seen.contains(name) => Err(SnapshotError::Twice(name.clone())),
                None => Err(SnapshotError::NoKey(name.clone())),
            })
            .collect()
    }

    /// Whether every rental's id is free, or that of the account which has it.
    fn check_ids(
        &self,
        alone: bool,
        next: u32,
        restored: &[(ApiKey, Account, bool)],
    ) -> Result<(), SnapshotError> {
        let mut ids = std::collections::BTreeSet::new();
        for (key, account, _) in restored {
            let place = self.accounts.get_index_of(key).map(|place| place as u32);
            for rental in account.rentals() {
                let taken = self.register.place(rental.id);
                let taken = taken.is_some_and(|taken| Some(taken.account) != place);
                if !ids.insert(rental.id) || (taken && !alone) {
                    return Err(SnapshotError::RentalTaken(rental.id));
                }
                if !Register::covers(rental.id, next) {
                    return Err(SnapshotError::Broken("a rental's id was never given"));
                }
            }
        }
        if Register::distance(next) > MOST_RENTALS {
            return Err(SnapshotError::Broken("there are too many rentals"));
        }
        Ok(())
    }

    /// What belongs to no single account; all accounts that are here go.
    fn restore_server(&mut self, now: Moment, saved: SavedServer, epoch: Timestamp) {
        self.reset(now, Scope::Server);
        for account in self.accounts.values_mut() {
            account.forgotten = true;
        }
        let mut default = (*self.settings.account).clone();
        default.webhook = None;
        self.settings.account = Arc::new(saved.default.brought_to(&default));
        self.server_rules = FaultRecord {
            made: saved.rules_made,
            ..FaultRecord::default()
        }
        .with(saved.faults);
        let endpoints = saved.endpoints.into_iter();
        self.shared_endpoints = SharedEndpoints {
            endpoints: endpoints
                .map(|saved| (saved.id, saved.settings()))
                .collect(),
            made: saved.endpoints_made,
        };
        self.epoch = epoch;
    }

    fn put_account(&mut self, now: Moment, key: ApiKey, mut account: Account) {
        let ids: Vec<_> = account.rentals().iter().map(|rental| rental.id).collect();
        let counts = &mut self.journal.counts;
        counts.restore(&account, account.clock.local(now));
        let former_place = self.accounts.get_index_of(&key);
        if let Some(place) = former_place {
            self.lint_farewell(place as u32, now);
        }
        let counts = &mut self.journal.counts;
        let former = self.accounts.get(&key);
        if let Some(former) = former {
            counts.forget(former, former.clock.local(now));
            account.webhooks.sign_as(&former.webhooks);
        }
        let agenda = former.and_then(|account| account.agenda);
        let place = self.accounts.insert_full(key, account).0 as u32;
        self.accounts[place as usize].agenda = agenda;
        for (id, index) in ids.into_iter().zip(0..) {
            self.register.restore(id, (place, index));
        }
        self.journal.clear(Some(place));
        self.deliveries.clear(place);
        self.reschedule(place);
        if self.is_heard() {
            self.tell_reset(now, place);
        }
    }
}
