//! The documented JSON bodies. Written compactly they are what travels; written
//! with an indent of four they are the documentation's examples, byte for byte
//! (`tests/it/documented.rs` holds them to that). What serde does not know of
//! them, patterns and bounds, stands beside it for [`crate::openapi`].
//!
//! Field order, names and types differ between the endpoints on purpose, as
//! they do in the documentation: money in three forms, a service in three
//! spellings, `phone` beside `phone_number`. Errors are in [`crate::problem`].

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::{self, Cents};

/// The sentence of a successful rent.
pub const RENTED: &str = "Number rented successfully.";

/// The sentence while no SMS has arrived.
pub const WAITING: &str = "Waiting for inbound SMS traffic payload instance...";

/// The sentence once a rental has ended without an SMS (CLAUSES part 2: unsaid, our default).
pub const EXPIRED: &str = "This rental has expired without receiving an SMS.";

/// The name of the one webhook event.
pub const SMS_RECEIVED: &str = "sms.received";

/// The largest id of a rental: a program that reads numbers as doubles must not
/// confuse two (CLAUSES R8).
const LARGEST_ID: u64 = (1 << 53) - 1;

/// A number of the North American plan, without a sign (CLAUSES R9).
const PHONE: &str = "^1[2-9][0-9]{2}[2-9][0-9]{6}$";

/// The lengths of [`crate::service::Service::code_digits`].
const CODE: &str = "^[0-9]{4,8}$";

/// [`HistoryRow::created_at`] (CLAUSES H11).
const CREATED_AT: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$";

/// Answer of `GET /api/v1/profile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile<'a> {
    /// Always true here.
    #[schemars(extend("const" = true))]
    pub success: bool,
    /// Who owns the key.
    #[serde(borrow)]
    pub user: User<'a>,
}

/// The owner of an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User<'a> {
    /// Full name.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    pub name: Cow<'a, str>,
    /// E-mail address.
    #[serde(borrow)]
    #[schemars(extend("format" = "email"))]
    pub email: Cow<'a, str>,
    /// Money left, as `"340.50"`.
    #[serde(with = "money::decimal")]
    #[schemars(schema_with = "money::decimal::schema")]
    pub balance: Cents,
}

/// Body of `POST /api/v1/number/rent`; a form has the same field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RentRequest<'a> {
    /// The slug of the service, such as `whatsapp`.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    pub service: Cow<'a, str>,
}

/// Answer of `POST /api/v1/number/rent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rent<'a> {
    /// Always true here.
    #[schemars(extend("const" = true))]
    pub success: bool,
    /// A sentence for people.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    pub message: Cow<'a, str>,
    /// What was rented.
    #[serde(borrow)]
    pub rental: Rental<'a>,
}

/// A rented number, as rent announces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rental<'a> {
    /// Names the rental in every later request.
    #[schemars(range(min = 1, max = LARGEST_ID))]
    pub id: u64,
    /// Eleven digits, the first a 1.
    #[serde(borrow)]
    #[schemars(regex(pattern = PHONE))]
    pub phone: Cow<'a, str>,
    /// The service in the spelling of rent (`Whatsapp`).
    #[serde(borrow)]
    pub service: Cow<'a, str>,
    /// The price, as `"$1.44"`.
    #[serde(with = "money::dollars")]
    #[schemars(schema_with = "money::dollars::schema")]
    pub cost: Cents,
    /// Seconds until the rental ends.
    #[schemars(range(min = 1))]
    pub expires_in_seconds: u64,
}

/// Answer of `GET /api/v1/number/check-otp/{id}`, in each of its cases.
///
/// `success` is true in both documented cases; only `sms_received` tells them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckOtp<'a> {
    /// True while the rental is alive or has its code.
    pub success: bool,
    /// Whether the SMS has arrived.
    pub sms_received: bool,
    /// The bare code (`489201`), once it is there.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Cow<'a, str>", regex(pattern = CODE))]
    pub sms_code: Option<Cow<'a, str>>,
    /// The SMS itself (`… 489-201`), once it is there.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Cow<'a, str>")]
    pub full_message: Option<Cow<'a, str>>,
    /// A sentence for people, while there is no code.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Cow<'a, str>", length(min = 1))]
    pub message: Option<Cow<'a, str>>,
}

impl<'a> CheckOtp<'a> {
    /// Case A of the documentation: the SMS is there.
    pub fn received(code: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            success: true,
            sms_received: true,
            sms_code: Some(code.into()),
            full_message: Some(text.into()),
            message: None,
        }
    }

    /// Case B of the documentation: keep polling.
    pub fn waiting() -> Self {
        Self::without_code(true, WAITING)
    }

    /// After the end of the rental, if no SMS came.
    pub fn expired() -> Self {
        Self::without_code(false, EXPIRED)
    }

    fn without_code(success: bool, message: &'a str) -> Self {
        Self {
            success,
            sms_received: false,
            sms_code: None,
            full_message: None,
            message: Some(message.into()),
        }
    }
}

/// Answer of `GET /api/v1/rentals/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History<'a> {
    /// Always true here.
    #[schemars(extend("const" = true))]
    pub success: bool,
    /// The page this is, from 1.
    #[schemars(range(min = 1))]
    pub current_page: u64,
    /// Rentals on all pages together.
    pub total_records: u64,
    /// The rentals of this page.
    #[serde(borrow)]
    pub data: Vec<HistoryRow<'a>>,
}

/// A rental, as the history lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryRow<'a> {
    /// The id that rent gave.
    #[schemars(range(min = 1, max = LARGEST_ID))]
    pub id: u64,
    /// The number that rent called `phone`.
    #[serde(borrow)]
    #[schemars(regex(pattern = PHONE))]
    pub phone_number: Cow<'a, str>,
    /// The service in the spelling of the history (`WhatsApp`).
    #[serde(borrow)]
    pub service_name: Cow<'a, str>,
    /// The price, as the number `1.44`.
    #[serde(with = "money::number")]
    #[schemars(schema_with = "money::number::schema")]
    pub cost: Cents,
    /// The bare code; null until it is there.
    #[serde(borrow)]
    #[schemars(regex(pattern = CODE))]
    pub sms_code: Option<Cow<'a, str>>,
    /// Where the rental stands. Only `completed` is in the vendor's documentation.
    #[serde(borrow)]
    #[schemars(extend("enum" = status::ALL))]
    pub status: Cow<'a, str>,
    /// `2026-06-11 03:20:14`, in a zone that the documentation does not name.
    #[serde(borrow)]
    #[schemars(regex(pattern = CREATED_AT))]
    pub created_at: Cow<'a, str>,
}

/// The words in [`HistoryRow::status`]. Only `completed` is documented.
pub mod status {
    /// The number waits for its SMS.
    pub const PENDING: &str = "pending";
    /// The SMS has arrived.
    pub const COMPLETED: &str = "completed";
    /// The rental ended without an SMS and was refunded.
    pub const EXPIRED: &str = "expired";
    /// All of them.
    pub(super) const ALL: [&str; 3] = [PENDING, COMPLETED, EXPIRED];
}

/// Body of the outgoing webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub struct Webhook<'a, Time = i64> {
    // `Time` is the documented number of seconds, or what another dialect writes there.
    /// The name of the event; there is no other.
    #[serde(borrow)]
    #[schemars(extend("const" = SMS_RECEIVED))]
    pub event: Cow<'a, str>,
    /// When the SMS arrived, in seconds since 1970.
    #[schemars(range(min = 0))]
    pub timestamp: Time,
    /// The id that rent gave.
    #[schemars(range(min = 1, max = LARGEST_ID))]
    pub rental_id: u64,
    /// The number that rent called `phone`.
    #[serde(borrow)]
    #[schemars(regex(pattern = PHONE))]
    pub phone: Cow<'a, str>,
    /// The service as its slug (`whatsapp`).
    #[serde(borrow)]
    pub service_slug: Cow<'a, str>,
    /// The bare code.
    #[serde(borrow)]
    #[schemars(regex(pattern = CODE))]
    pub sms_code: Cow<'a, str>,
    /// What check-otp calls `full_message`.
    #[serde(borrow)]
    pub raw_text: Cow<'a, str>,
}

/// A refusal in the default dialect: the documentation's own envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal<'a> {
    /// Always false here.
    #[schemars(extend("const" = false))]
    pub success: bool,
    /// A sentence for people.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    pub message: Cow<'a, str>,
}
