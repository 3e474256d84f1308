//! Refusals, and the one table that gives each its HTTP status and sentence.
//!
//! The documentation shows no error at all; these are the defaults of
//! CLAUSES.md part 2. A core says what is wrong, this table says how the
//! default dialect puts it.

use std::borrow::Cow;

use crate::body::{EXPIRED, Refusal};
use crate::operation::Operation;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No `Auth` header.
    MissingKey,
    /// An `Auth` header that is not a key of 60 characters.
    InvalidKey,
    /// A well-formed key that nobody has.
    UnknownKey,
    /// A body that is not what its content type says.
    UnreadableBody,
    /// A body that ended before its announced length.
    IncompleteBody,
    /// A body beyond the limit.
    BodyTooLarge,
    /// No service in the body, or one that is blank or not a text.
    MissingService,
    /// A service that is not in the table.
    UnknownService,
    /// A rent whose body is of a type that is not taken.
    UnsupportedContent,
    /// A page of the history that makes no sense.
    BadPage,
    /// Too little money for this rental.
    InsufficientBalance,
    /// No number to be had.
    NoNumbers,
    /// More rentals at once than an account may have.
    TooManyRentals,
    /// An `Idempotency-Key` that is empty or too long.
    BadIdempotencyKey,
    /// An `Idempotency-Key` that was used for another request.
    IdempotencyKeyReused,
    /// An id that is malformed, unknown, or another account's.
    NoSuchRental,
    /// A rental that ended without an SMS, where a poll of it is refused.
    RentalEnded,
    /// No operation at this path.
    NoSuchPath,
    /// An operation at this path, with another method.
    WrongMethod(Operation),
    /// Too many requests.
    RateLimited,
    /// A status that a fault rule asked for.
    Injected(u16),
}

impl Problem {
    /// The HTTP status and the sentence, in one table.
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::MissingKey => (401, "The Auth header is missing."),
            Self::InvalidKey => (
                401,
                "The API key is not valid: it has exactly 60 characters.",
            ),
            Self::UnknownKey => (401, "The API key is not known."),
            Self::UnreadableBody => (400, "The request body is not what its Content-Type says."),
            Self::IncompleteBody => (400, "The request body ended before its announced length."),
            Self::BodyTooLarge => (413, "The request body is too large."),
            Self::MissingService => (422, "The service field is required."),
            Self::UnknownService => (422, "The selected service is not available."),
            Self::UnsupportedContent => (415, "This content type is not supported."),
            Self::BadPage => (422, "The page or its size is not valid."),
            Self::InsufficientBalance => (402, "Your balance is too low for this rental."),
            Self::NoNumbers => (503, "No numbers are available for this service right now."),
            Self::TooManyRentals => (
                429,
                "Too many rentals are waiting for their SMS. Please wait until one ends.",
            ),
            Self::BadIdempotencyKey => (
                400,
                "The Idempotency-Key is empty or has more than 255 characters.",
            ),
            Self::IdempotencyKeyReused => {
                (422, "The Idempotency-Key was used for another request.")
            }
            Self::NoSuchRental => (404, "The rental was not found."),
            Self::RentalEnded => (404, EXPIRED),
            Self::NoSuchPath => (404, "There is no such endpoint."),
            Self::WrongMethod(_) => (405, "The method is not allowed for this endpoint."),
            Self::RateLimited => (429, "Too many requests. Please slow down."),
            Self::Injected(status) => (status, "This failure was injected by a fault rule."),
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The sentence for people.
    pub const fn message(self) -> &'static str {
        self.row().1
    }

    /// The body in the default dialect.
    pub const fn body(self) -> Refusal<'static> {
        Refusal {
            success: false,
            message: Cow::Borrowed(self.message()),
        }
    }

    /// The method that would have been right, for the `Allow` header.
    pub const fn allow(self) -> Option<&'static str> {
        match self {
            Self::WrongMethod(operation) => Some(operation.method()),
            _ => None,
        }
    }
}
