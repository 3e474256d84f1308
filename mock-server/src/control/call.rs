//! What a control request asks for: from method, path, query and body to a
//! [`Call`], or a complaint that says what would be understood. Carrying it out
//! is the parent's business.

use std::time::Duration;

use contract::TimeSpan;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use mock_server_core::Body;
use mock_server_core::requests::{Matcher, Times};
use mock_server_core::settings::TimeScale;
use mock_server_core::watch::Wish;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::PREFIX;
use crate::request_body::ReadBody;

/// What a control request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
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
    Wait(Wish, Duration),
}

/// How long is waited, if nobody says, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Requests that are listed if nobody says how many.
const LISTED: usize = 100;

/// Everything that can be asked for, for whoever asks for something else.
const CALLS: &str = "GET health, version, clock, ledger, requests?operation=check_otp&limit=100 and \
                     requests/unmatched; DELETE requests; POST reset, clock/advance \
                     {\"duration\": \"20m\"}, clock/freeze, clock/resume, clock/scale \
                     {\"scale\": 60}, requests/count {\"operation\": \"rent\"} and verify \
                     {\"match\": {\"operation\": \"rent\"}, \"times\": {\"exactly\": 1}}, \
                     wait {\"until\": {\"for\": \"rental\", \"rental_id\": 13322954}}";

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    #[error(transparent)]
    Guard(#[from] crate::guard::Refusal),
    #[error("there is no such control request; under /__admin/ there are {CALLS}")]
    NoSuchCall,
    #[error("the Auth header names the account that a control request is about: {0}")]
    Key(#[from] contract::key::KeyError),
    #[error(
        "no account has the key of the Auth header, and --strict-keys opens none; \
         add it to the configuration file under [accounts]"
    )]
    NoSuchAccount,
    #[error("the request body is not understood: {0}; write it like {1}")]
    Body(String, &'static str),
    #[error("there is no rental with this id, or it is another account's")]
    NoSuchRental,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitBody {
    until: Wish,
    timeout: Option<TimeSpan>,
}

impl Call {
    pub(super) fn read(head: &Parts, body: &ReadBody) -> Result<Self, ControlError> {
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
            (&Method::POST, "wait") => {
                const EXAMPLE: &str = r#"{"until": {"for": "request", "match": {"operation": "rent"}, "count": 1}, "timeout": "5s"}"#;
                let WaitBody { until, timeout } = read(body, EXAMPLE)?;
                let patience = timeout.map_or(PATIENCE, |timeout| timeout.0);
                Self::Wait(until, patience.min(MOST_PATIENCE))
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
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Guard(_) => StatusCode::FORBIDDEN,
            Self::NoSuchCall | Self::NoSuchAccount | Self::NoSuchRental => StatusCode::NOT_FOUND,
            Self::Key(_) | Self::Body(..) => StatusCode::BAD_REQUEST,
        }
    }
}
