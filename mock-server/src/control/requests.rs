//! The journal over HTTP: requests listed, counted, verified, and waiting for
//! them and for other things.

use std::time::Duration;

use contract::TimeSpan;
use hyper::Method;
use mock_server_core::requests::{Matcher, RequestView, Times, fate_word, operation_name};
use mock_server_core::watch::Wish;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};
use super::time;
use crate::wait::{self, Waited};

/// How long is waited, if nobody says, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Requests that are listed if nobody says how many.
const LISTED: usize = 100;

const MATCHER: &str = r#"{"operation": "check_otp", "status": 503}"#;

/// Requests, the newest first.
#[derive(Serialize, JsonSchema)]
struct Requests {
    requests: Vec<RequestView>,
}

/// How many there are.
#[derive(Serialize, JsonSchema)]
struct Count {
    /// Matching requests in the journal.
    count: usize,
    /// Requests that the journal has lost.
    evicted: u64,
}

/// What came of waiting.
#[derive(Serialize, JsonSchema)]
struct Satisfied {
    /// Whether it has happened; otherwise the time was up.
    satisfied: bool,
}

/// Which requests are meant, and how many of them; what is left out means any.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestQuery {
    /// The operation's name, such as `check_otp`; `unmatched` for requests that are none.
    #[serde(default, deserialize_with = "operation_name")]
    operation: Option<String>,
    /// What was answered.
    status: Option<u16>,
    /// What became of the answer: `answered`, `cut`, `garbage`, `closed`, `reset` or `never`.
    #[serde(default, deserialize_with = "fate_word")]
    fate: Option<String>,
    /// Only requests with a higher number.
    since: Option<u64>,
    /// How many at most; 100 if unsaid.
    limit: Option<usize>,
}

/// What should have been asked, and how often.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyBody {
    /// Which requests.
    #[serde(rename = "match")]
    matcher: Matcher,
    /// How often.
    times: Times,
}

/// What to wait for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaitBody {
    /// What.
    until: Wish,
    /// How long at most; 30s if it is left out.
    #[schemars(with = "Option<String>")]
    timeout: Option<TimeSpan>,
}

pub(super) fn routes() -> Vec<Route> {
    let mut routes = journal();
    routes.extend([
        Route::send(
            (Method::POST, "verify"),
            "Says whether requests came as often as they should have",
            r#"{"match": {"operation": "rent"}, "times": {"exactly": 1}}"#,
            |ask, VerifyBody { matcher, times }| {
                let scope = ask.scope()?;
                Ok(ask
                    .state
                    .with(|mock, _| mock.verify(scope, &matcher, times)))
            },
        )
        .about(
            "`pass`, `fail`, or `inconclusive` when the journal has lost entries that \
             might matter. Where too few came, `near_misses` has the requests that \
             come nearest, and how they differ. `times` is one of `exactly`, \
             `at_least` and `at_most`.",
        ),
        Route::send_and_wait(
            (Method::POST, "wait"),
            "Answers when something has happened",
            r#"{"until": {"for": "rental", "rental_id": 13322954}, "timeout": "30s"}"#,
            |ask, body| async move { waited(&ask, body).await },
        )
        .about(
            "At once if it has happened already. For a `request`, with `match` and \
             `count`; a `rental` that is `completed`, `expired` or (if unsaid) \
             either; an `sms` of one rental or of any, with `count`; a `delivery` \
             about a rental that is `acknowledged`, `given_up` or `attempted`; or \
             `webhooks`, of which none is to be posted any more.",
        ),
    ]);
    routes
}

fn journal() -> Vec<Route> {
    vec![
        Route::search(
            (Method::GET, "requests"),
            "Lists requests, the newest first",
            |ask, query: RequestQuery| {
                let limit = query.limit.unwrap_or(LISTED);
                found(ask, &query.into(), limit)
            },
        )
        .about("A request is there before the first byte of its answer is sent."),
        Route::plain((Method::DELETE, "requests"), "Forgets requests", |ask| {
            let scope = ask.scope()?;
            ask.state.with(|mock, _| mock.forget_requests(scope));
            Ok(time::changed(&ask.state, scope))
        }),
        Route::plain(
            (Method::GET, "requests/unmatched"),
            "Lists requests that mean no operation",
            |ask| {
                let operation = Some("unmatched".to_owned());
                let matcher = Matcher {
                    operation,
                    ..Matcher::default()
                };
                found(ask, &matcher, LISTED)
            },
        )
        .about("Each with the operation that comes nearest, and the first difference."),
        Route::plain(
            (Method::GET, "requests/{number}"),
            "Shows a request",
            |ask| {
                let (scope, number) = (ask.scope()?, ask.number()?);
                let found = ask.state.with(|mock, _| mock.request(scope, number));
                found.ok_or(ControlError::NoSuchRequest)
            },
        ),
        Route::send(
            (Method::POST, "requests/find"),
            "Lists matching requests, the newest first",
            MATCHER,
            |ask, matcher| found(ask, &matcher, usize::MAX),
        ),
        Route::send(
            (Method::POST, "requests/count"),
            "Counts matching requests",
            MATCHER,
            |ask, matcher| counted(ask, &matcher),
        ),
    ]
}

fn counted(ask: &Ask, matcher: &Matcher) -> Outcome<Count> {
    let scope = ask.scope()?;
    let any = Times::AtLeast(0);
    let found = ask.state.with(|mock, _| mock.verify(scope, matcher, any));
    Ok(Count {
        count: found.matched,
        evicted: found.evicted,
    })
}

fn found(ask: &Ask, matcher: &Matcher, limit: usize) -> Outcome<Requests> {
    let scope = ask.scope()?;
    let requests = ask
        .state
        .with(|mock, _| mock.requests(scope, matcher, limit));
    Ok(Requests { requests })
}

async fn waited(ask: &Ask, WaitBody { until, timeout }: WaitBody) -> Outcome<Satisfied> {
    let patience = timeout.map_or(PATIENCE, |timeout| timeout.0);
    let patience = patience.min(MOST_PATIENCE);
    let satisfied = match wait::wait(&ask.state, ask.scope()?, &until, patience).await {
        Waited::NoSuchRental => return Err(ControlError::NoSuchRental),
        waited => waited == Waited::Happened,
    };
    Ok(Satisfied { satisfied })
}

impl From<RequestQuery> for Matcher {
    fn from(query: RequestQuery) -> Self {
        Self {
            operation: query.operation,
            status: query.status,
            fate: query.fate,
            since: query.since,
        }
    }
}
