//! How the API behaves where its documentation says nothing: one flat list of
//! settings, each with the default of CLAUSES part 2. What they mean is carried
//! out where it happens; how people write them is in `file` and `value`.

mod file;
mod preset;
mod refusal;
mod schedule;
mod schema;
mod status;
mod value;
mod wording;
mod words;
mod written;

use std::time::Duration;

use jiff::tz::TimeZone;

pub use self::file::{DialectError, DialectFile};
pub use self::preset::Preset;
pub(crate) use self::refusal::page;
pub use self::schedule::{ActiveRentals, Quota, RateLimit, WebhookDuplicate, WebhookRetry};
pub use self::status::{Expired, Status, Unauthorized, UnknownService};
pub use self::value::{
    Charge, ErrorBody, ExtraFields, HistoryOrder, Idempotency, KeyFormat, LateSms, NoCode, Paging,
    Readable, Refund, RentContent, RentStatus, RepeatRead, SlugCase, Timestamp, ValueError,
    WebhookAck, WebhookOrder, WebhookSignature, WrongMethod, Zone,
};
pub(crate) use self::wording::Waiting;
pub use self::words::StatusWords;

/// How the undocumented part of the API behaves for one account.
///
/// Requests without a valid key meet the dialect of
/// [`Settings::account`](crate::Settings::account).
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// What a refusal looks like.
    pub error_body: ErrorBody,
    /// What no key, a malformed one and an unknown one are answered with.
    pub unauthorized: Unauthorized,
    /// What an API key looks like. That of [`Settings::account`](crate::Settings::account) counts.
    pub key_format: KeyFormat,
    /// The status of a rent without a service.
    pub missing_service: Status,
    /// What a service is that is not in the table.
    pub unknown_service: UnknownService,
    /// Whether the case of a slug matters.
    pub slug_case: SlugCase,
    /// What the body of a rent may be.
    pub rent_content: RentContent,
    /// The status of a successful rent.
    pub rent_status: RentStatus,
    /// The status of a rent that costs more than there is.
    pub insufficient_balance: Status,
    /// The status of a rent when no number is left.
    pub no_numbers: Status,
    /// The status of an id that is unknown, malformed or another account's.
    pub no_such_rental: Status,
    /// The status of a method that an endpoint does not have.
    pub wrong_method: WrongMethod,
    /// What a poll after the end of a rental without an SMS is answered with.
    pub expired: Expired,
    /// How long after the end of its rental a code can be read.
    pub readable: Readable,
    /// What becomes of an SMS after the end of its rental.
    pub late_sms: LateSms,
    /// What a second look at a code shows.
    pub repeat_read: RepeatRead,
    /// When a rental is charged.
    pub charge: Charge,
    /// When a rental that ended without an SMS is refunded.
    pub refund: Refund,
    /// What the history calls the states of a rental.
    pub status_words: StatusWords,
    /// What the history has for a code that is not there.
    pub no_code: NoCode,
    /// Which rental the history begins with.
    pub history_order: HistoryOrder,
    /// How the history is divided.
    pub paging: Paging,
    /// How many requests a key may make.
    pub rate_limit: RateLimit,
    /// How many rentals of a key may wait for their SMS at once.
    pub active_rentals: ActiveRentals,
    /// Which answers of a receiver acknowledge a webhook.
    pub webhook_ack: WebhookAck,
    /// How long a receiver may take to answer.
    pub webhook_timeout: Duration,
    /// When a webhook that was not acknowledged is posted again.
    pub webhook_retry: WebhookRetry,
    /// Whether webhooks are signed.
    pub webhook_signature: WebhookSignature,
    /// When the webhook comes, seen from the poll.
    pub webhook_order: WebhookOrder,
    /// Whether a webhook comes twice.
    pub webhook_duplicate: WebhookDuplicate,
    /// Whether the header `Idempotency-Key` of a rent means anything.
    pub idempotency: Idempotency,
    /// Where the history's clock hangs.
    pub time_zone: Zone,
    /// How webhooks write the time.
    pub timestamp: Timestamp,
    /// Whether objects have a field that nobody knows.
    pub extra_fields: ExtraFields,
}

impl Default for Dialect {
    /// The defaults of CLAUSES part 2.
    fn default() -> Self {
        Self {
            error_body: ErrorBody::Envelope,
            unauthorized: Unauthorized::Status(Status::UNAUTHORIZED),
            key_format: KeyFormat::Sixty,
            missing_service: Status::UNPROCESSABLE,
            unknown_service: UnknownService::Status(Status::UNPROCESSABLE),
            slug_case: SlugCase::Any,
            rent_content: RentContent::Any,
            rent_status: RentStatus::Ok,
            insufficient_balance: Status::PAYMENT_REQUIRED,
            no_numbers: Status::UNAVAILABLE,
            no_such_rental: Status::NOT_FOUND,
            wrong_method: WrongMethod::NotAllowed,
            expired: Expired::Refusal,
            readable: Readable::Forever,
            late_sms: LateSms::Dropped,
            repeat_read: RepeatRead::Latest,
            charge: Charge::Rent,
            refund: Refund::AtEnd,
            status_words: StatusWords::default(),
            no_code: NoCode::Null,
            history_order: HistoryOrder::Newest,
            paging: Paging::Pages,
            rate_limit: RateLimit::Off,
            active_rentals: ActiveRentals::Off,
            webhook_ack: WebhookAck::Any2xx,
            webhook_timeout: Duration::from_secs(5),
            webhook_retry: WebhookRetry::Spaced {
                attempts: 5,
                spacing: Duration::from_secs(15),
            },
            webhook_signature: WebhookSignature::None,
            webhook_order: WebhookOrder::PollFirst,
            webhook_duplicate: WebhookDuplicate::Off,
            idempotency: Idempotency::Ignored,
            time_zone: Zone(TimeZone::UTC),
            timestamp: Timestamp::Seconds,
            extra_fields: ExtraFields::None,
        }
    }
}
