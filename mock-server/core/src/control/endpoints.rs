//! The endpoints of webhooks in a tester's hands: looked at, added and taken away
//! while the mock runs, and deliveries that are made once more.

use std::sync::Arc;

use contract::{Dice, Moment, Stream, dice};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::{WebhookRetry, WebhookSignature};
use crate::endpoint::EndpointId;
use crate::fault::Origin;
use crate::mock::Mock;
use crate::outbox::Endpoint;
use crate::queue::{Pending, ReplayError, WebhookQueue};
use crate::scope::{Scope, redacted};
use crate::settings::WebhookSettings;
use crate::signature::{WebhookSecret, WebhookSecretError};
use crate::webhook_url::WebhookUrl;

/// Endpoints that a tester may give to an account, or to all: each webhook goes to
/// all of them.
const MOST: usize = 16;

/// An endpoint as a tester writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenEndpoint {
    /// An address such as `http://127.0.0.1:9000/sms`.
    #[schemars(with = "String")]
    pub url: WebhookUrl,
    /// What its webhooks are signed with, as Standard Webhooks has it: `whsec_` and
    /// Base64, or `auto` for one that is made up and told in the answer. If it is left
    /// out, they are signed as the account's dialect says, or not.
    pub secret: Option<String>,
    /// When a webhook is posted again: `none`, `5x15s`, `plivo`, `vonage`, `sendly`,
    /// `svix` or `disable_after_50`; if it is left out, as the account's dialect says.
    #[schemars(with = "Option<String>")]
    pub retry: Option<WebhookRetry>,
    /// Whether each post says in `x-otplab-truth` how long the SMS had been readable.
    #[serde(default)]
    pub truth: bool,
}

/// An endpoint of webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndpointView {
    /// Who made it, and the how-manieth of theirs it is; that of `webhook_url` is
    /// `settings-1`.
    #[schemars(with = "String")]
    pub id: EndpointId,
    /// Whose: the first characters of the key, and a number to tell it apart. Null if
    /// it is every account's, present and to come; the figures are then those of all.
    pub account: Option<String>,
    /// Where webhooks go.
    #[schemars(with = "String")]
    pub url: WebhookUrl,
    /// How they are signed: `none`, `x_signature` or `standard_webhooks`.
    pub signature: &'static str,
    /// When one is posted again.
    #[schemars(with = "String")]
    pub retry: WebhookRetry,
    /// How many attempts have failed since the last that was acknowledged.
    pub failures: u32,
    /// Whether nothing is posted to it any more, because too many have failed or it
    /// answered 410; a reset, or to put it again, enables it.
    pub disabled: bool,
    /// Events that it still has before it.
    #[serde(flatten)]
    pub pending: Pending,
    /// Events that it took.
    pub acknowledged: u64,
    /// Events that were tried as often as they are.
    pub given_up: u64,
    /// Events that were not posted, or not again, because it was disabled.
    pub skipped: u64,
}

/// An endpoint that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndpointMade {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// The secret that was made up for it. It is told here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Why an endpoint is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No such endpoint in this scope.
    #[error("there is no endpoint with this id here; GET webhooks/endpoints lists those there are")]
    Missing,
    /// It is of the settings.
    #[error("the endpoint of the settings is changed with PATCH accounts and its `webhook_url`")]
    OfSettings,
    /// It is every account's.
    #[error("this endpoint is every account's; to change it, leave out the Auth header")]
    OfServer,
    /// There are too many.
    #[error("there are {MOST} endpoints already, and each webhook goes to all of them")]
    TooMany,
    /// The secret is none.
    #[error("{0}; or write auto")]
    Secret(#[from] WebhookSecretError),
}

impl Mock {
    /// The endpoints of an account; of the server, those that every account has, and
    /// those of all accounts.
    pub fn endpoints(&mut self, now: Moment, scope: Scope) -> Vec<EndpointView> {
        let now = self.advance(now);
        let shared = self.shared_endpoints.endpoints.keys().copied();
        let shared: Vec<_> = match scope {
            Scope::Server => shared.collect(),
            Scope::Account(_) => Vec::new(),
        };
        let mut views: Vec<_> = shared
            .into_iter()
            .filter_map(|id| self.shared_view(now, id))
            .collect();
        for place in self.places(scope) {
            let (key, account) = self.account_mut(place);
            let (name, local) = (redacted(key), account.clock.local(now));
            let dialect = &account.settings.dialect;
            let manner = (&dialect.webhook_signature, dialect.webhook_retry);
            let endpoints = account.webhooks.endpoints();
            views.extend(endpoints.map(|(id, endpoint)| EndpointView {
                account: Some(name.clone()),
                ..view(id, endpoint, manner, local)
            }));
        }
        views
    }

    /// One of these endpoints.
    pub fn endpoint(&mut self, now: Moment, scope: Scope, id: EndpointId) -> Option<EndpointView> {
        let found = self.endpoints(now, scope).into_iter();
        let everybodys = scope == Scope::Server;
        found
            .filter(|view| !everybodys || view.account.is_none())
            .find(|view| view.id == id)
    }

    /// Gives an account, or every account, one more endpoint.
    ///
    /// # Errors
    ///
    /// [`EndpointError::TooMany`] or [`EndpointError::Secret`].
    pub fn add_endpoint(
        &mut self,
        now: Moment,
        scope: Scope,
        written: WrittenEndpoint,
    ) -> Result<EndpointMade, EndpointError> {
        let (count, made) = match scope.place() {
            None => (
                self.shared_endpoints.endpoints.len(),
                self.shared_endpoints.made,
            ),
            Some(place) => {
                let webhooks = &self.accounts[place as usize].webhooks;
                let own = webhooks.endpoints();
                let own = own.filter(|(id, _)| id.origin == Origin::Account);
                (own.count(), webhooks.made())
            }
        };
        if count >= MOST {
            return Err(EndpointError::TooMany);
        }
        let origin = match scope {
            Scope::Server => Origin::Server,
            Scope::Account(_) => Origin::Account,
        };
        let id = EndpointId {
            origin,
            number: made + 1,
        };
        self.put_endpoint(now, scope, id, written)
    }

    /// Puts another endpoint in the place of one, for which the same waits; it is
    /// enabled.
    ///
    /// # Errors
    ///
    /// There is no such endpoint, or it is not this scope's, or the secret is none.
    pub fn replace_endpoint(
        &mut self,
        now: Moment,
        scope: Scope,
        id: EndpointId,
        written: WrittenEndpoint,
    ) -> Result<EndpointMade, EndpointError> {
        self.own_endpoint(now, scope, id)?;
        self.put_endpoint(now, scope, id, written)
    }

    /// Takes an endpoint away, with what waits for it.
    ///
    /// # Errors
    ///
    /// There is no such endpoint, or it is not this scope's.
    pub fn remove_endpoint(
        &mut self,
        now: Moment,
        scope: Scope,
        id: EndpointId,
    ) -> Result<(), EndpointError> {
        self.own_endpoint(now, scope, id)?;
        if scope == Scope::Server {
            self.shared_endpoints.endpoints.remove(&id);
        }
        for place in self.places(scope) {
            self.accounts[place as usize].webhooks.remove(id);
            self.deliveries.give_up(place, id);
            self.reschedule(place);
        }
        Ok(())
    }

    /// Makes a delivery once more, at once, with as many attempts as a new one has.
    ///
    /// # Errors
    ///
    /// [`ReplayError`], and nothing has changed.
    pub fn replay_delivery(
        &mut self,
        now: Moment,
        scope: Scope,
        number: u64,
    ) -> Result<(), ReplayError> {
        let now = self.advance(now);
        let mine = |account| scope.place().is_none_or(|place| place == account);
        let delivery = self.deliveries.get(number);
        let delivery = delivery.filter(|delivery| mine(delivery.account));
        let (place, id, planned) = delivery
            .map(|delivery| (delivery.account, delivery.id, delivery.next))
            .ok_or(ReplayError::Missing)?;
        let account = &mut self.accounts[place as usize];
        let local = account.clock.local(now);
        account.webhooks.replay(local, id, planned)?;
        self.deliveries.schedule(number, local);
        self.reschedule(place);
        Ok(())
    }

    fn put_endpoint(
        &mut self,
        now: Moment,
        scope: Scope,
        id: EndpointId,
        written: WrittenEndpoint,
    ) -> Result<EndpointMade, EndpointError> {
        let now = self.advance(now);
        let made_up = written.secret.as_deref() == Some("auto");
        let secret = match written.secret.as_deref() {
            None => None,
            Some("auto") => Some(self.made_up_secret(scope, id)),
            Some(text) => Some(text.parse::<WebhookSecret>()?),
        };
        let told = secret.as_ref().filter(|_| made_up);
        let told = told.map(WebhookSecret::reveal);
        let settings = Arc::new(WebhookSettings {
            url: written.url,
            secret,
            retry: written.retry,
            truth: written.truth,
        });
        if scope == Scope::Server {
            let shared = &mut self.shared_endpoints;
            shared.made = shared.made.max(id.number);
            shared.endpoints.insert(id, Arc::clone(&settings));
        }
        for place in self.places(scope) {
            let webhooks = &mut self.accounts[place as usize].webhooks;
            webhooks.put(id, Arc::clone(&settings));
            self.reschedule(place);
        }
        let endpoint = self.endpoint(now, scope, id);
        let endpoint = endpoint.ok_or(EndpointError::Missing)?;
        Ok(EndpointMade {
            endpoint,
            secret: told,
        })
    }

    /// A secret that is counted from the seed, as everything is.
    fn made_up_secret(&self, scope: Scope, id: EndpointId) -> WebhookSecret {
        let (dice, number) = match scope.place() {
            None => (Dice::new(self.settings.account.seed), 0),
            Some(place) => {
                let account = &self.accounts[place as usize];
                (account.dice, account.number)
            }
        };
        let mut bytes = [0; WebhookSecret::LENGTH];
        let mut roll = dice.roll(number, Stream::WebhookSecret, id.number.into());
        dice::fill(&mut roll, &mut bytes);
        WebhookSecret::of(bytes)
    }

    /// Whether an endpoint is there and this scope's to change.
    fn own_endpoint(
        &mut self,
        now: Moment,
        scope: Scope,
        id: EndpointId,
    ) -> Result<(), EndpointError> {
        match (id.origin, scope) {
            (Origin::Settings, _) => Err(EndpointError::OfSettings),
            (Origin::Server, Scope::Account(_)) => Err(EndpointError::OfServer),
            _ => {
                let found = self.endpoint(now, scope, id);
                found.map(|_| ()).ok_or(EndpointError::Missing)
            }
        }
    }

    /// An endpoint that every account has, with the figures of all.
    fn shared_view(&self, now: Moment, id: EndpointId) -> Option<EndpointView> {
        let settings = Arc::clone(self.shared_endpoints.endpoints.get(&id)?);
        let dialect = &self.settings.account.dialect;
        let manner = (&dialect.webhook_signature, dialect.webhook_retry);
        let queue = WebhookQueue::default();
        let mut all = view(id, &Endpoint { settings, queue }, manner, now);
        for account in self.accounts.values() {
            if let Some(endpoint) = account.webhooks.get(id) {
                let one = view(id, endpoint, manner, account.clock.local(now));
                all.failures = all.failures.max(one.failures);
                all.disabled |= one.disabled;
                all.pending += one.pending;
                all.acknowledged += one.acknowledged;
                all.given_up += one.given_up;
                all.skipped += one.skipped;
            }
        }
        Some(all)
    }
}

/// An endpoint of an account whose dialect signs and repeats in this manner.
fn view(
    id: EndpointId,
    endpoint: &Endpoint,
    (signature, retry): (&WebhookSignature, WebhookRetry),
    now: Moment,
) -> EndpointView {
    let Endpoint { settings, queue } = endpoint;
    let (failures, disabled) = queue.failures();
    EndpointView {
        id,
        account: None,
        url: settings.url.clone(),
        signature: match (&settings.secret, signature) {
            (Some(_), _) | (None, WebhookSignature::Standard(_)) => "standard_webhooks",
            (None, WebhookSignature::Secret(_)) => "x_signature",
            (None, WebhookSignature::None) => "none",
        },
        retry: settings.retry.unwrap_or(retry),
        failures,
        disabled,
        pending: queue.pending(now),
        acknowledged: queue.counts.acknowledged,
        given_up: queue.counts.given_up,
        skipped: queue.counts.skipped,
    }
}
