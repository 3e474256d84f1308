//! A control request as the functions of the table see it: whom it is about,
//! and what it brings.

use std::sync::Arc;

use contract::ApiKey;
use contract::complaint::plain;
use hyper::http::request::Parts;
use mock_server_core::Body;
use mock_server_core::control::Scope;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::refusal::ControlError;
use crate::request_body::ReadBody;
use crate::state::State;
use crate::stop::Stop;

/// One request to the control API that was let in.
pub(super) struct Ask {
    pub(super) state: Arc<State>,
    pub(super) stop: Stop,
    pub(super) head: Parts,
    pub(super) content: ReadBody,
    /// What stands in the path for the segment in braces.
    pub(super) id: String,
}

impl Ask {
    /// The key of the `Auth` header, if there is one.
    pub(super) fn key(&self) -> Result<Option<ApiKey>, ControlError> {
        let Some(key) = self.head.headers.get("auth") else {
            return Ok(None);
        };
        let key = self.state.with(|mock, _| mock.read_key(key.as_bytes()))?;
        Ok(Some(key))
    }

    /// The account of the `Auth` header; without one, the whole server.
    pub(super) fn scope(&self) -> Result<Scope, ControlError> {
        let Some(key) = self.key()? else {
            return Ok(Scope::Server);
        };
        let scope = self.state.with(|mock, now| mock.scope(now, key));
        scope.ok_or(ControlError::NoSuchAccount)
    }

    /// The number in the path.
    pub(super) fn number<N: std::str::FromStr>(&self) -> Result<N, ControlError> {
        self.id.parse().map_err(|_| ControlError::NotANumber)
    }

    /// What the query says. A value is a number where the schema wants one.
    pub(super) fn query<Q: DeserializeOwned>(&self, properties: &Value) -> Result<Q, ControlError> {
        let query = self.head.uri.query().unwrap_or_default();
        let mut said = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let kind = properties[&*name]["type"].to_string();
            let number = || value.parse::<u64>().map(Value::from).ok();
            let value = match kind.contains("integer").then(number) {
                Some(Some(number)) => number,
                Some(None) => {
                    let what = format!("{name} is a number, and {value:?} is none");
                    return Err(ControlError::Query(what));
                }
                None => Value::from(&*value),
            };
            said.insert(name.into_owned(), value);
        }
        serde_json::from_value(Value::Object(said))
            .map_err(|error| ControlError::Query(complaint(&error)))
    }

    /// What the body says; nothing says as much as `{}`.
    pub(super) fn body<B: DeserializeOwned>(
        &self,
        example: &'static str,
    ) -> Result<B, ControlError> {
        let bytes = match self.content.as_core() {
            Body::Whole(b"") => b"{}",
            Body::Whole(bytes) => bytes,
            Body::TooLarge => return Err(ControlError::TooLarge),
            Body::Incomplete => {
                return Err(ControlError::Body("it is cut off".to_owned(), example));
            }
        };
        serde_json::from_slice(bytes)
            .map_err(|error| ControlError::Body(complaint(&error), example))
    }
}

/// What is wrong, in plain words, and where.
fn complaint(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let json = |what| plain(what).replace("write a table", "write an object");
    match message.rsplit_once(" at line ") {
        Some((what, place)) => format!("{} at line {place}", json(what)),
        None => json(&message),
    }
}
