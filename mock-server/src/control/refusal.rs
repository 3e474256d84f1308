//! Why a control request is refused, and with which status.

use contract::key::KeyError;
use hyper::StatusCode;
use mock_server_core::HandError;
use mock_server_core::control::faults::{FaultError, WrittenRuleError};
use mock_server_core::control::snapshot::SnapshotError;
use mock_server_core::control::{ClockError, EndpointError};
use mock_server_core::endpoint::EndpointIdError;
use mock_server_core::fault::RuleIdError;
use mock_server_core::queue::ReplayError;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    #[error(transparent)]
    Guard(#[from] crate::guard::Refusal),
    #[error("there is no such control request; the nearest are {0}. GET /__admin/ lists them all")]
    NoSuchRoute(String),
    #[error("the method is {method}, and here there are {lines}")]
    WrongMethod {
        method: String,
        lines: String,
        /// The methods, as the `Allow` header has them.
        allow: String,
    },
    #[error("the Auth header names the account that a control request is about: {0}")]
    Key(#[from] KeyError),
    #[error(
        "no account has the key of the Auth header, and --strict-keys opens none; \
         add it with PUT accounts, or to the configuration file under [accounts]"
    )]
    NoSuchAccount,
    #[error("this needs an Auth header that names the account; POST reset is about all of them")]
    NeedsAccount,
    #[error("the request body is not understood: {0}; write it like {1}")]
    Body(String, &'static str),
    #[error("the request body is too large")]
    TooLarge,
    #[error("the query is not understood: {0}")]
    Query(String),
    #[error("what stands in the path is not a number that we gave to anything")]
    NotANumber,
    #[error("there is no rental with this id, or it is another account's")]
    NoSuchRental,
    #[error("there is no delivery with this id, or it is another account's, or forgotten")]
    NoSuchDelivery,
    #[error("there is no request with this number, or it is another account's, or forgotten")]
    NoSuchRequest,
    #[error(
        "webhooks only go to this machine unless a host is allowed by name; \
         if {0} is meant, start the server with --allow-webhook-host {0}"
    )]
    WebhookHost(String),
    #[error("{0}; write it like {{\"rule\": \"check_otp: status(503) first 2\"}}")]
    Rule(#[from] WrittenRuleError),
    #[error(transparent)]
    RuleId(#[from] RuleIdError),
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("there is no endpoint with this id here; GET webhooks/endpoints lists those there are")]
    NoSuchEndpoint,
    #[error(transparent)]
    EndpointId(#[from] EndpointIdError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error(transparent)]
    Hand(#[from] HandError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// The body of a refusal.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refused {
    /// Always false.
    pub(super) success: bool,
    /// What is wrong, and what would be right.
    pub(super) message: String,
}

impl ControlError {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Guard(_) => StatusCode::FORBIDDEN,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSuchRoute(_)
            | Self::NoSuchAccount
            | Self::NoSuchRental
            | Self::NoSuchDelivery
            | Self::NoSuchRequest
            | Self::NotANumber
            | Self::RuleId(_)
            | Self::EndpointId(_)
            | Self::NoSuchEndpoint
            | Self::Endpoint(EndpointError::Missing)
            | Self::Replay(ReplayError::Missing)
            | Self::Fault(FaultError::Missing)
            | Self::Hand(HandError::NoSuchRental) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Key(_)
            | Self::NeedsAccount
            | Self::Endpoint(EndpointError::Secret(_))
            | Self::Body(..)
            | Self::Query(_)
            | Self::WebhookHost(_)
            | Self::Rule(_) => StatusCode::BAD_REQUEST,
            Self::Snapshot(error) if !matches!(error, SnapshotError::RentalTaken(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::Clock(_)
            | Self::Fault(_)
            | Self::Hand(_)
            | Self::Endpoint(_)
            | Self::Replay(_)
            | Self::Snapshot(_) => StatusCode::CONFLICT,
        }
    }

    /// The methods that the path has, if this was none of them.
    pub(super) fn allow(&self) -> Option<&str> {
        match self {
            Self::WrongMethod { allow, .. } => Some(allow),
            _ => None,
        }
    }
}
