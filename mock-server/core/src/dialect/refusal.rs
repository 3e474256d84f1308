//! Refusals in a dialect: which status, and what stands in the body. The
//! sentences are [`contract::problem`]'s.

use bytes::Bytes;
use contract::body::Refusal;
use contract::{Moment, Problem};
use serde::Serialize;

use super::{Dialect, ErrorBody, Unauthorized, UnknownService, WrongMethod};
use crate::reply::{Media, Reply, may_have_body};

/// Where a web framework sends a browser that has not logged in.
const LOGIN: &str = "/login";

/// `{"message":"…","errors":{"service":["…"]}}`
#[derive(Serialize)]
struct Laravel {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<serde_json::Value>,
}

/// `{"errors":"…"}`
#[derive(Serialize)]
struct Getatext {
    errors: &'static str,
}

/// `{"success":false,"error":"…","code":"…"}`
#[derive(Serialize)]
struct Coded {
    success: bool,
    error: &'static str,
    code: &'static str,
}

impl Dialect {
    /// The refusal of a request whose `Accept` header is `accept`; it leaves at `at`.
    #[cold]
    pub(crate) fn refusal(&self, problem: Problem, accept: Option<&str>, at: Moment) -> Reply {
        let problem = match (problem, self.wrong_method) {
            (Problem::WrongMethod(_), WrongMethod::NotFound) => Problem::NoSuchPath,
            _ => problem,
        };
        if self.sends_to_login(problem) && !names_json(accept) {
            return login(at);
        }
        let status = self.status(problem);
        let (media, body) = match may_have_body(status) {
            true => self.error_body(problem, status),
            false => (Media::Json, Bytes::new()),
        };
        let mut reply = Reply {
            status,
            media,
            ..Reply::success(body, at)
        };
        if let Some(method) = problem.allow() {
            reply.add_header("allow", method);
        }
        reply
    }

    fn sends_to_login(&self, problem: Problem) -> bool {
        let (_, name, _) = self.row(problem);
        name == UNAUTHORIZED && self.unauthorized == Unauthorized::Redirect
    }

    /// The status of a problem. What a fault rule asked for and what a limit in
    /// front of the service answers stay as they are.
    fn status(&self, problem: Problem) -> u16 {
        let own = matches!(problem, Problem::Injected(_) | Problem::RateLimited);
        match self.error_body {
            ErrorBody::Http200 if !own => 200,
            _ => self.row(problem).0,
        }
    }

    /// The one table: status, name for programs, and the field that is wrong.
    const fn row(&self, problem: Problem) -> (u16, &'static str, Option<&'static str>) {
        let default = problem.status();
        match problem {
            Problem::MissingKey | Problem::InvalidKey | Problem::UnknownKey => {
                (self.unauthorized.status(default), UNAUTHORIZED, None)
            }
            Problem::UnreadableBody => (default, "unreadable_body", None),
            Problem::IncompleteBody => (default, "incomplete_body", None),
            Problem::BodyTooLarge => (default, "body_too_large", None),
            Problem::UnsupportedContent => (default, "unsupported_content_type", None),
            Problem::MissingService => (
                self.missing_service.code(),
                "missing_service",
                Some("service"),
            ),
            Problem::UnknownService => (
                self.unknown_service.status(default),
                "unknown_service",
                Some("service"),
            ),
            Problem::BadPage => (default, "bad_page", Some("page")),
            Problem::InsufficientBalance => (
                self.insufficient_balance.code(),
                "insufficient_balance",
                None,
            ),
            Problem::NoNumbers => (self.no_numbers.code(), "no_numbers", None),
            Problem::NoSuchRental => (self.no_such_rental.code(), "no_such_rental", None),
            Problem::TooManyRentals => (default, "too_many_rentals", None),
            Problem::RentalEnded => (self.expired.status(default), "rental_ended", None),
            Problem::BadIdempotencyKey => (default, "bad_idempotency_key", None),
            Problem::IdempotencyKeyReused => (default, "idempotency_key_reused", None),
            Problem::NoSuchPath => (default, "no_such_endpoint", None),
            Problem::WrongMethod(_) => (default, "wrong_method", None),
            Problem::RateLimited => (default, "rate_limited", None),
            Problem::Injected(_) => (default, "injected", None),
        }
    }

    fn error_body(&self, problem: Problem, status: u16) -> (Media, Bytes) {
        let message = problem.message();
        let (_, code, field) = self.row(problem);
        let body = match self.error_body {
            ErrorBody::Empty => Bytes::new(),
            // A page with a good status would pass for an answer of the API.
            ErrorBody::Html if status >= 300 => return (Media::Html, page(status, message)),
            ErrorBody::Envelope | ErrorBody::Http200 | ErrorBody::Html => self.json(&Refusal {
                success: false,
                message: message.into(),
            }),
            ErrorBody::Laravel => self.json(&Laravel {
                message,
                errors: field.map(|field| serde_json::json!({ field: [message] })),
            }),
            ErrorBody::Getatext => self.json(&Getatext { errors: message }),
            ErrorBody::Coded => self.json(&Coded {
                success: false,
                error: message,
                code,
            }),
        };
        (Media::Json, body)
    }
}

/// What no key, a malformed one and an unknown one are called alike.
const UNAUTHORIZED: &str = "unauthorized";

impl Unauthorized {
    /// The status of those who are refused; `default` for those who are not sent away.
    const fn status(self, default: u16) -> u16 {
        match self {
            Self::Status(status) => status.code(),
            Self::Redirect => default,
        }
    }
}

impl UnknownService {
    /// The status of what is refused; `default` for what is no slug.
    const fn status(self, default: u16) -> u16 {
        match self {
            Self::Status(status) => status.code(),
            Self::Accept => default,
        }
    }
}

/// Whether a client says that it wants JSON.
fn names_json(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("json"))
}

fn login(at: Moment) -> Reply {
    let mut reply = Reply {
        status: 302,
        media: Media::Html,
        ..Reply::success(page(302, "Please log in."), at)
    };
    reply.add_header("location", LOGIN);
    reply
}

pub(crate) fn page(status: u16, message: &str) -> Bytes {
    format!(
        "<html>\n<head><title>{status}</title></head>\n<body>\n<h1>{status}</h1>\n\
         <p>{message}</p>\n</body>\n</html>\n"
    )
    .into()
}
