//! The settings that are one word, perhaps with a duration: what they can be,
//! and how they are written. A value may be a TOML text or number; both are
//! read by one grammar, that of the flag.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::key::KeyError;
use contract::{ApiKey, TimeSpan};
use jiff::tz::TimeZone;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use crate::signature::WebhookSecret;

/// Not a value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not understood; write {expected}")]
pub struct ValueError {
    text: String,
    expected: &'static str,
}

impl ValueError {
    /// Complains about `text` where `expected` could stand.
    pub(super) fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

/// Reads a value that may be written as a text or as a number.
pub(super) fn scalar<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = ValueError>,
{
    deserializer
        .deserialize_any(Scalar)?
        .parse()
        .map_err(D::Error::custom)
}

/// The text of a value.
struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

/// `Deserialize` for types that are read by [`scalar`].
macro_rules! read_as_scalar {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::dialect::value::scalar(deserializer)
            }
        }
    )+};
}

pub(super) use read_as_scalar;

read_as_scalar!(
    Readable,
    Refund,
    RentStatus,
    WebhookAck,
    WebhookOrder,
    WebhookSignature,
    WrongMethod,
    Zone,
);

/// What a refusal looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// The documentation's own: `{"success":false,"message":"…"}`.
    Envelope,
    /// `{"message":"…"}`, and `errors` by field where a field is wrong.
    Laravel,
    /// `{"errors":"…"}`.
    Getatext,
    /// `{"success":false,"error":"…","code":"…"}`.
    Coded,
    /// The envelope with status 200, whatever is wrong. A status that a fault
    /// rule asked for stays.
    Http200,
    /// A page for people.
    Html,
    /// None.
    Empty,
}

/// What an API key looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFormat {
    /// 60 visible ASCII characters.
    Sixty,
    /// Visible ASCII characters, at most [`contract::key::LONGEST`] of them.
    Any,
}

/// Whether the case of a slug matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlugCase {
    /// It does not: `WhatsApp` is `whatsapp`.
    Any,
    /// A slug is lower case.
    Lower,
}

/// What the body of a rent may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RentContent {
    /// JSON, URL-encoded or multipart.
    Any,
    /// JSON only.
    Json,
    /// URL-encoded or multipart only.
    Form,
}

/// The status of a successful rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RentStatus {
    /// 200.
    Ok,
    /// 201.
    Created,
}

/// The status of a method that an endpoint does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongMethod {
    /// 405, with the right method in `Allow`.
    NotAllowed,
    /// 404, as if there were no such endpoint.
    NotFound,
}

/// How long after the end of its rental a code can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readable {
    /// For ever.
    Forever,
    /// So long; then there is no such rental.
    For(Duration),
}

/// What becomes of an SMS after the end of its rental.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LateSms {
    /// Nobody sees it.
    Dropped,
    /// It completes the rental, and the refund is kept.
    Delivered,
    /// It completes the rental, and the refund is taken back.
    Charged,
}

/// What a second look at a code shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatRead {
    /// The newest code so far.
    Latest,
    /// The first code, for ever.
    First,
    /// A code is shown once; from then on the rental seems to wait.
    Once,
}

/// When a rental is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// When it is made.
    Rent,
    /// When its SMS arrives.
    Sms,
}

/// When a rental that ended without an SMS is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refund {
    /// At its end.
    AtEnd,
    /// Never.
    None,
    /// So long after its end.
    After(Duration),
    /// The history says so at its end, and the balance never shows it.
    Unseen,
}

/// What the history has for a code that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoCode {
    /// `null`.
    Null,
    /// `""`.
    #[serde(alias = "")]
    Empty,
    /// `"0"`.
    #[serde(alias = "0")]
    Zero,
    /// No field at all.
    Absent,
}

/// Which rental the history begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryOrder {
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
}

/// How the history is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// `page` from 1 and `per_page`; what makes no sense means the first page.
    Pages,
    /// Not at all: everything on one page.
    Ignored,
    /// `offset` and `limit`.
    Offset,
    /// As `pages`, but what makes no sense is refused with 422.
    Strict,
}

/// Which answers of a receiver acknowledge a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookAck {
    /// 200 to 299.
    Any2xx,
    /// 200.
    Only200,
}

/// Whether webhooks are signed.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookSignature {
    /// They are not.
    None,
    /// With HMAC-SHA256 of the raw body under this secret.
    Secret(Box<str>),
    /// As Standard Webhooks has it, under this secret.
    Standard(WebhookSecret),
}

/// When the webhook comes, seen from the poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookOrder {
    /// Right after the poll shows the code.
    PollFirst,
    /// So long before the poll shows the code.
    WebhookFirst(Duration),
    /// Before the rent is answered, if the SMS is there at once.
    BeforeRentAnswer,
    /// So long after the poll shows the code.
    Delayed(Duration),
}

/// Whether the header `Idempotency-Key` of a rent means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idempotency {
    /// It does not.
    Ignored,
    /// The same key within 24 hours gets the same answer, and no second rental.
    Honoured,
}

/// How webhooks write the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamp {
    /// Whole seconds since 1970.
    Seconds,
    /// Whole milliseconds since 1970.
    Milliseconds,
    /// Whole seconds since 1970, as a text.
    Text,
}

/// Whether objects have a field that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraFields {
    /// The documented fields only.
    None,
    /// One more in every object.
    Some,
}

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(pub TimeZone);

impl KeyFormat {
    /// Reads the value of an `Auth` header.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when no key looks like this.
    pub(crate) fn read(self, header: &[u8]) -> Result<ApiKey, KeyError> {
        match self {
            Self::Sixty => ApiKey::from_bytes(header),
            Self::Any => ApiKey::of_any_length(header),
        }
    }
}

impl FromStr for RentStatus {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "200" => Ok(Self::Ok),
            "201" => Ok(Self::Created),
            _ => Err(ValueError::new(text, "200 or 201")),
        }
    }
}

impl FromStr for WrongMethod {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "405" => Ok(Self::NotAllowed),
            "404" => Ok(Self::NotFound),
            _ => Err(ValueError::new(text, "405 or 404")),
        }
    }
}

impl FromStr for Readable {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: &str = "forever, or a duration after the end of the rental, like 30m";
        match text {
            "forever" => Ok(Self::Forever),
            _ => span(text, EXPECTED).map(Self::For),
        }
    }
}

impl FromStr for Refund {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: &str =
            "at_end, none, unseen, or a duration after the end of the rental, like 30m";
        match text {
            "at_end" => Ok(Self::AtEnd),
            "none" => Ok(Self::None),
            "unseen" => Ok(Self::Unseen),
            _ => span(text, EXPECTED).map(Self::After),
        }
    }
}

impl FromStr for WebhookAck {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "2xx" => Ok(Self::Any2xx),
            "200" => Ok(Self::Only200),
            _ => Err(ValueError::new(text, "2xx or 200")),
        }
    }
}

/// What to write after `whsec_`.
const STANDARD_SECRET: &str =
    "24 to 64 bytes in Base64 after whsec_, or a secret that begins otherwise";

impl FromStr for WebhookSignature {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "none" => Ok(Self::None),
            "" => Err(ValueError::new(text, "none, or a secret")),
            // A typo in one must not become another manner of signing.
            standard if WebhookSecret::is_meant(standard) => {
                let read = standard.parse().map(Self::Standard);
                read.map_err(|_| ValueError::new("whsec_…", STANDARD_SECRET))
            }
            secret => Ok(Self::Secret(secret.into())),
        }
    }
}

/// Shows no secret.
impl fmt::Debug for WebhookSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret(…)",
            Self::Standard(_) => "Standard(…)",
        })
    }
}

impl FromStr for WebhookOrder {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: &str = "poll_first, webhook_first(2s), before_rent_answer or delayed(2s)";
        let within = |name| {
            text.strip_prefix(name)?
                .strip_prefix('(')?
                .strip_suffix(')')
        };
        match text {
            "poll_first" => Ok(Self::PollFirst),
            "before_rent_answer" => Ok(Self::BeforeRentAnswer),
            _ => match (within("webhook_first"), within("delayed")) {
                (Some(lead), _) => span(lead, EXPECTED).map(Self::WebhookFirst),
                (_, Some(delay)) => span(delay, EXPECTED).map(Self::Delayed),
                _ => Err(ValueError::new(text, EXPECTED)),
            },
        }
    }
}

impl FromStr for Zone {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: &str = "a time zone of the IANA database, like UTC, Etc/GMT+1 or \
                                America/New_York";
        TimeZone::get(text)
            .map(Self)
            .map_err(|_| ValueError::new(text, EXPECTED))
    }
}

/// A duration of at most a year, so that moments cannot overflow.
pub(super) fn span(text: &str, expected: &'static str) -> Result<Duration, ValueError> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    text.parse()
        .ok()
        .map(|TimeSpan(duration)| duration)
        .filter(|duration| *duration <= YEAR)
        .ok_or_else(|| ValueError::new(text, expected))
}
