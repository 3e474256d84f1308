//! The control API under `/__admin`: a tester's hand on clocks, money and
//! memory, over HTTP. What the hand does is decided in the core; this reads
//! requests, posts the webhooks that an advance makes due, and writes JSON.

mod call;

use std::time::Duration;

use bytes::Bytes;
use contract::key::KeyError;
use hyper::StatusCode;
use hyper::http::request::Parts;
use mock_server_core::control::{Advance, ClockView, Fired, LedgerView, Scope, Step};
use mock_server_core::requests::{RequestView, Times};
use serde::Serialize;

use self::call::{Call, ControlError};
use crate::request_body::ReadBody;
use crate::state::State;
use crate::wait::{self, Waited};
use crate::webhook;

const PREFIX: &str = "/__admin/";

/// Whether a path is ours.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with(PREFIX)
}

#[derive(Serialize)]
struct Satisfied {
    satisfied: bool,
}

#[derive(Serialize)]
struct Requests {
    requests: Vec<RequestView>,
}

#[derive(Serialize)]
struct Count {
    count: usize,
    evicted: u64,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
struct Clocks {
    clocks: Vec<ClockView>,
}

#[derive(Serialize)]
struct Advanced {
    clocks: Vec<ClockView>,
    fired: Vec<Fired>,
}

#[derive(Serialize)]
struct Ledgers {
    conserved: bool,
    accounts: Vec<LedgerView>,
}

#[derive(Serialize)]
struct Refused {
    success: bool,
    message: String,
}

/// Status and JSON for a control request.
pub(crate) async fn answer(state: &State, head: &Parts, body: ReadBody) -> (StatusCode, Bytes) {
    match carry_out(state, head, &body).await {
        Ok(json) => (StatusCode::OK, json),
        Err(error) => {
            let message = error.to_string();
            let refused = Refused {
                success: false,
                message,
            };
            (error.status(), json(&refused))
        }
    }
}

async fn carry_out(state: &State, head: &Parts, body: &ReadBody) -> Result<Bytes, ControlError> {
    state.guard.check(&head.headers)?;
    let call = Call::read(head, body)?;
    let scope = scope(state, head)?;
    Ok(match call {
        Call::Health => json(&Health { status: "ok" }),
        Call::Version => json(&Version {
            version: env!("CARGO_PKG_VERSION"),
        }),
        Call::Clock => json(&clocks(state, scope)),
        Call::Reset => {
            state.with(|mock, now| mock.reset(now, scope));
            changed(state, scope)
        }
        Call::Pace(scale) => {
            state.with(|mock, now| mock.set_pace(now, scope, scale));
            changed(state, scope)
        }
        Call::Advance(duration) => json(&advance(state, scope, duration).await),
        Call::Ledger => json(&ledgers(state, scope)),
        Call::Requests(matcher, limit) => json(&Requests {
            requests: state.with(|mock, _| mock.requests(scope, &matcher, limit)),
        }),
        Call::ForgetRequests => {
            state.with(|mock, _| mock.forget_requests(scope));
            changed(state, scope)
        }
        Call::Count(matcher) => {
            let found = state.with(|mock, _| mock.verify(scope, &matcher, Times::AtLeast(0)));
            json(&Count {
                count: found.matched,
                evicted: found.evicted,
            })
        }
        Call::Verify(matcher, times) => {
            json(&state.with(|mock, _| mock.verify(scope, &matcher, times)))
        }
        Call::Wait(wish, patience) => match wait::wait(state, scope, &wish, patience).await {
            Waited::NoSuchRental => return Err(ControlError::NoSuchRental),
            waited => json(&Satisfied {
                satisfied: waited == Waited::Happened,
            }),
        },
    })
}

fn ledgers(state: &State, scope: Scope) -> Ledgers {
    let accounts = state.with(|mock, now| mock.ledgers(now, scope));
    Ledgers {
        conserved: accounts.iter().all(|account| account.conserved),
        accounts,
    }
}

/// Moves clocks, posting what becomes due on the way; returns when all of it
/// was answered or given up.
async fn advance(state: &State, scope: Scope, duration: Duration) -> Advanced {
    let mut advance = state.with(|mock, now| mock.begin_advance(now, scope, duration));
    while step(state, &mut advance).await {}
    tell(state);
    Advanced {
        clocks: clocks(state, scope).clocks,
        fired: advance.finish(),
    }
}

async fn step(state: &State, advance: &mut Advance) -> bool {
    // Registered before looking, so that an answer in between is not missed.
    let answered = state.answered.notified();
    match state.with(|mock, now| mock.step(now, advance)) {
        Step::Done => return false,
        Step::Wait => answered.await,
        Step::Post(attempt) => {
            let delivery = attempt.delivery;
            let outcome = webhook::post(attempt).await;
            state.webhook_answered(delivery, outcome);
            advance.posted(outcome);
        }
    }
    true
}

/// Time or memory is not what it was: what the clocks show now.
fn changed(state: &State, scope: Scope) -> Bytes {
    tell(state);
    json(&clocks(state, scope))
}

/// A webhook may be due sooner or later than its sender believes, and a wish
/// may have come true.
fn tell(state: &State) {
    state.rented.notify_one();
    state.watchers.tell();
}

fn clocks(state: &State, scope: Scope) -> Clocks {
    Clocks {
        clocks: state.with(|mock, now| mock.clocks(now, scope)),
    }
}

/// The account of the `Auth` header; without one, the whole server.
fn scope(state: &State, head: &Parts) -> Result<Scope, ControlError> {
    let Some(key) = head.headers.get("auth") else {
        return Ok(Scope::Server);
    };
    let scope = state.with(|mock, now| {
        let key = mock.read_key(key.as_bytes())?;
        Ok::<_, KeyError>(mock.scope(now, key))
    })?;
    scope.ok_or(ControlError::NoSuchAccount)
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("invariant: plain data with text keys")
        .into()
}
