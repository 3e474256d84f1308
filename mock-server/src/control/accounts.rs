//! Accounts over HTTP: what they are like, and being told to be otherwise. A
//! key stands in the `Auth` header only, never in a path.

use hyper::Method;
use mock_server_core::control::accounts::{AccountView, Change, Manner};
use mock_server_core::settings::AccountPatch;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};

const EXAMPLE: &str =
    r#"{"balance": "5.00", "sms_delay": "2s", "faults": ["rent: status(503) first 1"]}"#;

/// Accounts, and how those behave that nothing else is said about.
#[derive(Serialize, JsonSchema)]
struct Accounts {
    /// In the order in which they were first used.
    accounts: Vec<AccountView>,
    /// What holds for accounts to come.
    default: AccountPatch,
}

/// A patch in which `webhook_url` may be null, for no webhooks.
struct Written(Change);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Value::deserialize(deserializer)?;
        let silent = written.get("webhook_url").is_some_and(Value::is_null);
        let patch = serde_json::from_value(written).map_err(de::Error::custom)?;
        Ok(Self(Change { patch, silent }))
    }
}

impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        AccountPatch::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        AccountPatch::json_schema(generator)
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "accounts"),
            "Shows accounts: money, rentals, clock and settings",
            shown,
        ),
        Route::send(
            (Method::PUT, "accounts"),
            "Gives an account settings",
            EXAMPLE,
            |ask, Written(change)| changed(ask, change, Manner::Replace),
        )
        .about(
            "What is left out is as for every account; with --strict-keys the key \
             becomes known. Without the Auth header it is about accounts to come, and \
             what is left out is as the program has it. Rentals that are made keep \
             their end and their SMS; a balance is what is left from now on; another \
             seed counts at once if no rental was made yet, and otherwise from the \
             next reset on.",
        ),
        Route::send(
            (Method::PATCH, "accounts"),
            "Changes single settings of an account",
            EXAMPLE,
            |ask, Written(change)| changed(ask, change, Manner::Amend),
        )
        .about("As PUT, but what is left out stays as it is. `webhook_url: null` ends webhooks."),
        Route::plain(
            (Method::DELETE, "accounts"),
            "Forgets an account and its settings",
            |ask| {
                let key = ask.key()?.ok_or(ControlError::NeedsAccount)?;
                ask.state.with(|mock, now| mock.forget_account(now, &key));
                super::tell(&ask.state);
                let accounts = Vec::new();
                let default = ask.state.with(|mock, _| mock.default_settings());
                Ok(Accounts { accounts, default })
            },
        )
        .about("Its key is as if it had never been used. The Auth header is needed."),
    ]
}

fn shown(ask: &Ask) -> Outcome<Accounts> {
    let scope = ask.scope()?;
    Ok(ask.state.with(|mock, now| Accounts {
        accounts: mock.accounts(now, scope),
        default: mock.default_settings(),
    }))
}

fn changed(ask: &Ask, change: Change, manner: Manner) -> Outcome<Accounts> {
    if let Some(url) = &change.patch.webhook_url
        && !ask.state.webhook_hosts.allow(url.host())
    {
        return Err(ControlError::WebhookHost(url.host().to_owned()));
    }
    match ask.key()? {
        None => ask
            .state
            .with(|mock, _| mock.change_default(change, manner)),
        Some(key) => {
            let change = |mock: &mut mock_server_core::Mock, now| {
                mock.change_account(now, key, change, manner)
            };
            ask.state.with(change).ok_or(ControlError::NoSuchAccount)?;
        }
    }
    super::tell(&ask.state);
    shown(ask)
}
