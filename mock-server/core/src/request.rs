//! A request as the shell hands it in: borrowed, and with nothing left of HTTP
//! that does not matter to an answer.

use contract::Moment;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// What stands after the `?`.
    pub query: Option<&'a str>,
    /// The value of the `Auth` header.
    pub auth: Option<&'a [u8]>,
    /// The value of the `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The value of the `Accept` header.
    pub accept: Option<&'a str>,
    /// The value of the `Idempotency-Key` header.
    pub idempotency_key: Option<&'a str>,
    /// The value of a `Prefer` header that may be about a fault ([`crate::fault::mentions_fault`]).
    pub prefer: Option<&'a str>,
    /// Whether the ground truth was asked for ([`contract::truth`]).
    pub truth: bool,
    /// The one rental that whoever asks looks for in the history; none has number 0.
    /// No network carries this: a simulation spares itself the rows that nobody
    /// reads, and gets an empty one in their place.
    pub sought: Option<u64>,
    /// The connection that it came over, if there are connections.
    pub connection: Option<Connection>,
    /// What came after the head.
    pub body: Body<'a>,
}

/// A connection, as one of its requests sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// No other of the server has it.
    pub number: u64,
    /// When it was taken.
    pub since: Moment,
    /// Whether this is its first request.
    pub first: bool,
}

/// A request's body, as far as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// More than the shell was willing to hold.
    TooLarge,
    /// Less than was announced.
    Incomplete,
}

impl<'a> Request<'a> {
    /// A request without a body and without anything optional.
    pub const fn plain(method: &'a str, path: &'a str, auth: &'a [u8]) -> Self {
        Self {
            method,
            path,
            query: None,
            auth: Some(auth),
            content_type: None,
            accept: None,
            idempotency_key: None,
            prefer: None,
            truth: false,
            sought: None,
            connection: None,
            body: Body::Whole(&[]),
        }
    }
}
