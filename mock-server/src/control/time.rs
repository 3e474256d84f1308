//! Clocks, resets and money over HTTP, and the posting of the webhooks that an
//! advance makes due.

use std::sync::Arc;
use std::time::Duration;

use contract::TimeSpan;
use hyper::Method;
use mock_server_core::control::{Advance, ClockView, Fired, Instant, LedgerView, Scope, Step};
use mock_server_core::settings::TimeScale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::route::{Outcome, Route};
use crate::state::State;
use crate::webhook;

/// What time it is for each account.
#[derive(Serialize, JsonSchema)]
pub(super) struct Clocks {
    clocks: Vec<ClockView>,
}

/// Where clocks have arrived.
#[derive(Serialize, JsonSchema)]
struct Advanced {
    clocks: Vec<ClockView>,
    /// What happened on the way, in the order of its moments.
    fired: Vec<Fired>,
}

/// How the money stands.
#[derive(Serialize, JsonSchema)]
struct Ledgers {
    /// Whether all of them agree with their rentals.
    conserved: bool,
    accounts: Vec<LedgerView>,
}

/// How far to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AdvanceBody {
    /// Such as `20m` or `1.5s`.
    #[schemars(with = "String")]
    duration: TimeSpan,
}

/// Where to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetBody {
    /// A date and time in UTC, such as `2026-06-11T04:00:00Z`.
    #[schemars(with = "String")]
    at: Instant,
}

/// How fast to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScaleBody {
    /// 1 is real time, 60 a minute in a second, 0 frozen; at most 86400.
    #[schemars(with = "f64")]
    scale: TimeScale,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "clock"),
            "Says what time it is, and how fast it runs",
            |ask| Ok(clocks(&ask.state, ask.scope()?)),
        ),
        advancing(),
        set(),
        Route::plain((Method::POST, "clock/freeze"), "Stops time", |ask| {
            pace(ask, TimeScale::FROZEN)
        }),
        Route::plain(
            (Method::POST, "clock/resume"),
            "Lets time run as it is",
            |ask| pace(ask, TimeScale::REAL),
        ),
        Route::send(
            (Method::POST, "clock/scale"),
            "Lets time run faster or slower",
            r#"{"scale": 60}"#,
            |ask, body: ScaleBody| pace(ask, body.scale),
        ),
        Route::plain(
            (Method::POST, "reset"),
            "Makes an account fresh again",
            |ask| {
                let scope = ask.scope()?;
                ask.state.with(|mock, now| mock.reset(now, scope));
                Ok(changed(&ask.state, scope))
            },
        )
        .about(
            "Rentals, money, counts, requests and added fault rules are forgotten, \
             and the same numbers and codes come again; what was pending never \
             happens. Settings stay as they were given.",
        ),
        Route::plain(
            (Method::GET, "ledger"),
            "Says how the money stands",
            |ask| {
                let scope = ask.scope()?;
                let accounts = ask.state.with(|mock, now| mock.ledgers(now, scope));
                let conserved = accounts.iter().all(|account| account.conserved);
                Ok(Ledgers {
                    conserved,
                    accounts,
                })
            },
        ),
    ]
}

fn advancing() -> Route {
    Route::send_and_wait(
        (Method::POST, "clock/advance"),
        "Moves time forward, whether it runs or stands still",
        r#"{"duration": "20m"}"#,
        |ask, AdvanceBody { duration }| async move {
            let scope = ask.scope()?;
            let fired = advance(&ask.state, scope, duration.0).await;
            Ok(advanced(&ask.state, scope, fired))
        },
    )
    .about(
        "Answers when everything that fell due has happened, in order: SMS, \
         webhooks with their retries, expiries and refunds.",
    )
}

fn set() -> Route {
    Route::send_and_wait(
        (Method::POST, "clock/set"),
        "Moves time forward to a date",
        r#"{"at": "2099-01-01T00:00:00Z"}"#,
        |ask, SetBody { at }| async move {
            let scope = ask.scope()?;
            let advance = ask.state.with(|mock, now| mock.begin_set(now, scope, at))?;
            let fired = finish_moving(&ask.state, advance).await;
            Ok(advanced(&ask.state, scope, fired))
        },
    )
    .about(
        "As clock/advance, which answers when everything that fell due has happened. A \
         clock that shows a later time already is not set, and then none is.",
    )
    .refusing(&[409])
}

fn pace(ask: &Ask, scale: TimeScale) -> Outcome<Clocks> {
    let scope = ask.scope()?;
    ask.state.with(|mock, now| mock.set_pace(now, scope, scale));
    Ok(changed(&ask.state, scope))
}

fn advanced(state: &State, scope: Scope, fired: Vec<Fired>) -> Advanced {
    Advanced {
        clocks: clocks(state, scope).clocks,
        fired,
    }
}

/// Moves clocks, posting what becomes due on the way; returns when all of it
/// was answered or given up.
pub(crate) async fn advance(state: &Arc<State>, scope: Scope, duration: Duration) -> Vec<Fired> {
    let advance = state.with(|mock, now| mock.begin_advance(now, scope, duration));
    finish_moving(state, advance).await
}

pub(crate) async fn finish_moving(state: &Arc<State>, mut advance: Advance) -> Vec<Fired> {
    while step(state, &mut advance).await {}
    super::tell(state);
    advance.finish()
}

async fn step(state: &Arc<State>, advance: &mut Advance) -> bool {
    // Registered before looking, so that an answer in between is not missed.
    let answered = state.answered.notified();
    match state.with(|mock, now| mock.step(now, advance)) {
        Step::Done => return false,
        Step::Wait => answered.await,
        Step::Post(attempt) => {
            advance.posted(webhook::post_one(state, attempt).await);
        }
    }
    true
}

/// Time or memory is not what it was: what the clocks show now.
pub(super) fn changed(state: &State, scope: Scope) -> Clocks {
    super::tell(state);
    clocks(state, scope)
}

fn clocks(state: &State, scope: Scope) -> Clocks {
    Clocks {
        clocks: state.with(|mock, now| mock.clocks(now, scope)),
    }
}
