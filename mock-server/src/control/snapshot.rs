//! Snapshots over HTTP.

use hyper::Method;
use mock_server_core::control::accounts::AccountView;
use mock_server_core::control::snapshot::Snapshot;
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};

/// What a snapshot looks like; nobody writes one by hand.
const EXAMPLE: &str = r#"{"version": 2, "epoch": "2026-06-11T03:20:14Z",
    "next_rental_id": 13322954, "accounts": [],
    "server": {"default": {}, "faults": [], "rules_made": 0,
    "endpoints": [], "endpoints_made": 0}}"#;

/// The accounts that were brought back.
#[derive(Serialize, JsonSchema)]
struct Restored {
    accounts: Vec<AccountView>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::POST, "snapshot"),
            "Takes the state of an account, or of the whole server",
            |ask| {
                let scope = ask.scope()?;
                Ok(ask.state.with(|mock, now| mock.snapshot(now, scope)))
            },
        )
        .about(
            "Clock, money, rentals with the SMS to come, settings, fault rules with \
             what they have counted, and webhooks to be posted. Neither keys nor the \
             journal.",
        ),
        Route::send(
            (Method::PUT, "snapshot"),
            "Goes on from a snapshot",
            EXAMPLE,
            restored,
        )
        .about(
            "With the Auth header of its account, or without for a snapshot of the \
             whole server, which then has no other accounts. Accounts that this \
             server has never seen need their keys in a list `keys` that is added to \
             the snapshot. The journal is emptied. On another server the dates of a \
             single account shift, and all intervals stay. The body may have 64 MiB.",
        )
        .refusing(&[409]),
    ]
}

fn restored(ask: &Ask, snapshot: Snapshot) -> Outcome<Restored> {
    // What is written there must not get webhooks out of this machine either.
    for host in snapshot.webhook_hosts() {
        if !ask.state.webhook_hosts.allow(host) {
            return Err(ControlError::WebhookHost(host.to_owned()));
        }
    }
    let key = ask.key()?;
    ask.state
        .with(|mock, now| mock.restore(now, key, snapshot))?;
    super::tell(&ask.state);
    let scope = ask.scope()?;
    let accounts = ask.state.with(|mock, now| mock.accounts(now, scope));
    Ok(Restored { accounts })
}
