//! The control API under `/__admin`: a tester's hand on clocks, money and
//! memory, over HTTP. What the hand does is decided in the core; this reads
//! requests, posts the webhooks that an advance makes due, and writes JSON.

use std::time::Duration;

use bytes::Bytes;
use contract::{ApiKey, TimeSpan};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use mock_server_core::control::{Advance, ClockView, Fired, LedgerView, Scope, Step};
use mock_server_core::requests::{Matcher, RequestView, Times};
use mock_server_core::settings::TimeScale;
use mock_server_core::{Body, WebhookOutcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::request_body::ReadBody;
use crate::state::State;
use crate::webhook;

const PREFIX: &str = "/__admin/";

/// Whether a path is ours.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// What a control request asks for.
#[derive(Clone, Debug, PartialEq)]
enum Call {
    Health,
    Version,
    Reset,
    Clock,
    Advance(Duration),
    Pace(TimeScale),
    Ledger,
    Requests(Matcher, usize),
    ForgetRequests,
    Count(Matcher),
    Verify(Matcher, Times),
}

/// Requests that are listed if nobody says how many.
const LISTED: usize = 100;

/// Everything that can be asked for, for whoever asks for something else.
const CALLS: &str = "GET health, version, clock, ledger, requests?operation=check_otp&limit=100 and \
                     requests/unmatched; DELETE requests; POST reset, clock/advance \
                     {\"duration\": \"20m\"}, clock/freeze, clock/resume, clock/scale \
                     {\"scale\": 60}, requests/count {\"operation\": \"rent\"} and verify \
                     {\"match\": {\"operation\": \"rent\"}, \"times\": {\"exactly\": 1}}";

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error(transparent)]
    Guard(#[from] crate::guard::Refusal),
    #[error("there is no such control request; under /__admin/ there are {CALLS}")]
    NoSuchCall,
    #[error("the Auth header names the account that a control request is about: {0}")]
    Key(#[from] contract::key::KeyError),
    #[error("the request body is not understood: {0}; write it like {1}")]
    Body(String, &'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceBody {
    duration: TimeSpan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaleBody {
    scale: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyBody {
    #[serde(rename = "match")]
    matcher: Matcher,
    times: Times,
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
    let scope = scope(head)?;
    Ok(match call {
        Call::Health => json(&Health { status: "ok" }),
        Call::Version => json(&Version {
            version: env!("CARGO_PKG_VERSION"),
        }),
        Call::Reset => {
            state.with(|mock, now| mock.reset(now, scope));
            json(&clocks(state, scope))
        }
        Call::Clock => json(&clocks(state, scope)),
        Call::Pace(scale) => {
            state.with(|mock, now| mock.set_pace(now, scope, scale));
            // A webhook may be due sooner or later than its sender believes.
            state.rented.notify_one();
            json(&clocks(state, scope))
        }
        Call::Advance(duration) => {
            let fired = advance(state, scope, duration).await;
            let Clocks { clocks } = clocks(state, scope);
            json(&Advanced { clocks, fired })
        }
        Call::Ledger => {
            let accounts = state.with(|mock, now| mock.ledgers(now, scope));
            json(&Ledgers {
                conserved: accounts.iter().all(|account| account.conserved),
                accounts,
            })
        }
        Call::Requests(matcher, limit) => json(&Requests {
            requests: state.with(|mock, _| mock.requests(scope, &matcher, limit)),
        }),
        Call::ForgetRequests => {
            state.with(|mock, _| mock.forget_requests(scope));
            json(&Requests {
                requests: Vec::new(),
            })
        }
        Call::Count(matcher) => {
            let any = Times::AtLeast(0);
            let found = state.with(|mock, _| mock.verify(scope, &matcher, any));
            json(&Count {
                count: found.matched,
                evicted: found.evicted,
            })
        }
        Call::Verify(matcher, times) => {
            json(&state.with(|mock, _| mock.verify(scope, &matcher, times)))
        }
    })
}

/// Moves clocks, posting what becomes due on the way; returns when all of it
/// was answered or given up.
async fn advance(state: &State, scope: Scope, duration: Duration) -> Vec<Fired> {
    let mut advance = state.with(|mock, now| mock.begin_advance(now, scope, duration));
    while step(state, &mut advance).await {}
    state.rented.notify_one();
    advance.finish()
}

async fn step(state: &State, advance: &mut Advance) -> bool {
    // Registered before looking, so that an answer in between is not missed.
    let answered = state.answered.notified();
    match state.with(|mock, now| mock.step(now, advance)) {
        Step::Done => return false,
        Step::Wait => answered.await,
        Step::Post(attempt) => {
            let delivery = attempt.delivery;
            let outcome = match &state.webhook {
                Some(settings) => webhook::post(attempt, settings).await,
                None => WebhookOutcome::Failed,
            };
            state.webhook_answered(delivery, outcome);
            advance.posted(outcome);
        }
    }
    true
}

fn clocks(state: &State, scope: Scope) -> Clocks {
    Clocks {
        clocks: state.with(|mock, now| mock.clocks(now, scope)),
    }
}

/// The account of the `Auth` header; without one, the whole server.
fn scope(head: &Parts) -> Result<Scope, ControlError> {
    match head.headers.get("auth") {
        None => Ok(Scope::Server),
        Some(key) => Ok(Scope::Account(ApiKey::from_bytes(key.as_bytes())?)),
    }
}

impl Call {
    fn read(head: &Parts, body: &ReadBody) -> Result<Self, ControlError> {
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        Ok(match (&head.method, path) {
            (&Method::GET, "health") => Self::Health,
            (&Method::GET, "version") => Self::Version,
            (&Method::GET, "clock") => Self::Clock,
            (&Method::GET, "ledger") => Self::Ledger,
            (&Method::GET, "requests") => Self::listed(head.uri.query())?,
            (&Method::GET, "requests/unmatched") => {
                let operation = Some("unmatched".to_owned());
                Self::Requests(
                    Matcher {
                        operation,
                        ..Matcher::default()
                    },
                    LISTED,
                )
            }
            (&Method::DELETE, "requests") => Self::ForgetRequests,
            (&Method::POST, "requests/count") => {
                Self::Count(read(body, r#"{"operation": "rent"}"#)?)
            }
            (&Method::POST, "verify") => {
                const EXAMPLE: &str =
                    r#"{"match": {"operation": "rent"}, "times": {"exactly": 1}}"#;
                let VerifyBody { matcher, times } = read(body, EXAMPLE)?;
                Self::Verify(matcher, times)
            }
            (&Method::POST, "reset") => Self::Reset,
            (&Method::POST, "clock/freeze") => Self::Pace(TimeScale::FROZEN),
            (&Method::POST, "clock/resume") => Self::Pace(TimeScale::REAL),
            (&Method::POST, "clock/advance") => {
                let AdvanceBody { duration } = read(body, r#"{"duration": "20m"}"#)?;
                Self::Advance(duration.0)
            }
            (&Method::POST, "clock/scale") => {
                const EXAMPLE: &str = r#"{"scale": 60}"#;
                let ScaleBody { scale } = read(body, EXAMPLE)?;
                let scale = TimeScale::try_from(scale);
                Self::Pace(scale.map_err(|error| ControlError::Body(error.to_string(), EXAMPLE))?)
            }
            _ => return Err(ControlError::NoSuchCall),
        })
    }
}

impl Call {
    /// `GET requests` with what its query says.
    fn listed(query: Option<&str>) -> Result<Self, ControlError> {
        const EXAMPLE: &str =
            "requests?operation=check_otp&status=503&fate=answered&since=7&limit=100";
        let wrong = |what: String| ControlError::Body(what, EXAMPLE);
        let (mut matcher, mut limit) = (Matcher::default(), LISTED);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let number = || {
                value
                    .parse()
                    .map_err(|_| wrong(format!("{value:?} is not a number")))
            };
            match &*name {
                "operation" => matcher.operation = Some(value.into_owned()),
                "fate" => matcher.fate = Some(value.into_owned()),
                "status" => matcher.status = Some(number()? as u16),
                "since" => matcher.since = Some(number()?),
                "limit" => limit = number()? as usize,
                _ => return Err(wrong(format!("there is no {name:?}"))),
            }
        }
        Ok(Self::Requests(matcher, limit))
    }
}

fn read<T: DeserializeOwned>(body: &ReadBody, example: &'static str) -> Result<T, ControlError> {
    let Body::Whole(bytes) = body.as_core() else {
        return Err(ControlError::Body(
            "it is too large or cut off".to_owned(),
            example,
        ));
    };
    serde_json::from_slice(bytes).map_err(|error| ControlError::Body(error.to_string(), example))
}

impl ControlError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Guard(_) => StatusCode::FORBIDDEN,
            Self::NoSuchCall => StatusCode::NOT_FOUND,
            Self::Key(_) | Self::Body(..) => StatusCode::BAD_REQUEST,
        }
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("invariant: plain data with text keys")
        .into()
}
