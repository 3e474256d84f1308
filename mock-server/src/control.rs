//! The control API under `/__admin`: a tester's hand on clocks, money, faults,
//! rentals and memory, over HTTP. What the hand does is decided in the core;
//! this reads requests and writes JSON.
//!
//! | module | holds |
//! | --- | --- |
//! | `table`, `route` | every route, from which requests are answered and documented |
//! | `ask`, `refusal` | a request as a route's function sees it, and why it may be refused |
//! | `openapi` | the document made from the table |
//! | `about`, `accounts`, `time`, `faults`, `rentals`, `webhooks`, `requests`, `events`, `snapshot` | the routes |

mod about;
mod accounts;
mod ask;
mod events;
mod faults;
mod lint;
pub(crate) mod openapi;
mod refusal;
mod rentals;
mod requests;
mod route;
mod snapshot;
mod table;
mod time;
mod webhooks;

use std::sync::Arc;

use contract::ApiKey;
use hyper::Response;
use hyper::header::{ALLOW, HeaderValue};
use hyper::http::request::Parts;

use self::ask::Ask;
use self::refusal::{ControlError, Refused};
use self::route::{Done, json};
pub(crate) use self::time::{advance, finish_moving};
use crate::guard::Reach;
use crate::limits::BodyBytes;
use crate::reply_body::ReplyBody;
use crate::request_body::ReadBody;
use crate::state::State;
use crate::stop::Stop;
use crate::translation;

const PREFIX: &str = "/__admin/";

/// Whether a path is ours.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// How many bytes of a body are read: more where a state is brought back, but
/// not from somebody who is not let in.
pub(crate) fn body_limit(state: &State, reach: Reach, head: &Parts) -> BodyBytes {
    let brings_state = head.uri.path() == "/__admin/snapshot";
    if brings_state && state.guard.check(reach, &head.headers).is_ok() {
        BodyBytes::MAX
    } else {
        state.limits.body
    }
}

/// The answer to a control request.
pub(crate) async fn answer(
    (state, reach): (Arc<State>, Reach),
    head: Parts,
    content: ReadBody,
    stop: Stop,
) -> Response<ReplyBody> {
    let key = head.headers.get("auth").and_then(|key| key.to_str().ok());
    let key = key.map(str::to_owned);
    if let Err(refusal) = state.guard.check(reach, &head.headers) {
        return refused(&refusal.into(), key.as_deref());
    }
    match carry_out(state, head, content, stop).await {
        Ok(Done::Json(json)) => translation::json(ReplyBody::whole(json)),
        Ok(Done::Events(events)) => translation::events(events),
        Err(error) => refused(&error, key.as_deref()),
    }
}

async fn carry_out(
    state: Arc<State>,
    head: Parts,
    content: ReadBody,
    stop: Stop,
) -> Result<Done, ControlError> {
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (route, id) = table::find(&head.method, path)?;
    let ask = Ask {
        id: id.to_owned(),
        state,
        stop,
        head,
        content,
    };
    route.run(ask).await
}

fn refused(error: &ControlError, key: Option<&str>) -> Response<ReplyBody> {
    let mut message = without_keys(&error.to_string());
    if let Some(key) = key.filter(|key| key.len() >= WORTH_HIDING) {
        message = message.replace(key, "…");
    }
    let body = Refused {
        success: false,
        message,
    };
    let mut response = translation::json(ReplyBody::whole(json(&body)));
    *response.status_mut() = error.status();
    let allow = error.allow().map(HeaderValue::from_str);
    let headers = response.headers_mut();
    headers.extend(allow.and_then(Result::ok).map(|allow| (ALLOW, allow)));
    response
}

/// A shorter key, where the dialect takes such, stands in any text by chance.
const WORTH_HIDING: usize = 8;

/// A complaint quotes what it does not understand, and that may be a key.
fn without_keys(message: &str) -> String {
    let mut clean = String::new();
    for part in message.split_inclusive(|c: char| c.is_whitespace() || "\"'`,".contains(c)) {
        match part.char_indices().nth(ApiKey::LENGTH - 1) {
            None => clean += part,
            Some(_) => clean.extend(part.chars().take(6).chain("… ".chars())),
        }
    }
    clean
}

/// A webhook may be due sooner or later than its sender believes, and a wish
/// may have come true.
pub(crate) fn tell(state: &State) {
    state.rented.notify_one();
    state.watchers.tell();
}
