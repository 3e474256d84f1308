//! The mock of the CodySMS API: given the time and a request, what it answers,
//! and when and how the answer is delivered. No I/O, no clock, no entropy; the
//! `mock-server` crate is its shell.
//!
//! | module | holds |
//! | --- | --- |
//! | [`settings`] | how a mock behaves, complete and as people write it |
//! | [`dialect`] | how what the documentation leaves open behaves |
//! | [`fault`] | the rules by which requests go wrong |
//! | [`request`], [`reply`] | what comes in, what goes out |
//! | [`mock`] | the request path: route, account, faults, operation |
//! | `operation` | what each of the four operations does and answers |
//! | [`watch`] | waiting for something to happen, as a question |
//! | [`webhook`], `posting` | events on their way: planned, begun, answered |
//! | [`endpoint`], [`webhook_url`], `outbox`, [`queue`] | where webhooks go, and what waits for each |
//! | [`control`] | the mock in a tester's hands: clocks, money, resets |
//! | [`hand`] | a tester's hand on rentals: an SMS now, an end now |
//! | `account`, `ledger`, `person` | what one API key owns |
//! | `clock`, `agenda` | each account's own time, and what the server must look after when |
//! | `rental`, `register`, `phone`, `catalogue` | what can be rented, and by which name |
//! | `sms` | SMS in words of their own |
//! | [`feed`] | what happens, told to whoever listens |
//! | [`deliveries`] | the bounded record of webhooks |
//! | [`requests`], `journal` | questions about the bounded record of requests |
//! | [`figures`] | what is counted |
//! | [`lint`] | whether the client is as it should be |
//! | `rate_limit`, `idempotency` | what is counted and remembered of an account's requests |
//! | `retry`, [`signature`] | when a webhook is posted again, and how it is signed |
//! | `simulated` | what a simulation may do and no server |
//! | `history`, `rent_body` | one operation's own reading and writing |
//!
//! A rental is a function of time: what arrives, when, and when it ends is
//! decided when it is made. A poll asks where on that line `now` stands.
//!
//! ```
//! use contract::Moment;
//! use mock_server_core::{Mock, Request, Settings};
//!
//! let mut mock = Mock::new(Settings::new(7), jiff::Timestamp::UNIX_EPOCH);
//! let key = [b'k'; 60];
//! let reply = mock.handle(Moment::START, &Request::plain("GET", "/api/v1/profile", &key));
//! assert_eq!(reply.status, 200);
//! ```

#![warn(missing_docs)]

mod account;
mod agenda;
mod catalogue;
mod clock;
pub mod control;
pub mod deliveries;
pub mod dialect;
pub mod endpoint;
mod event;
pub mod fault;
pub mod feed;
pub mod figures;
pub mod hand;
mod history;
mod idempotency;
mod journal;
mod ledger;
pub mod lint;
pub mod mock;
mod operation;
mod outbox;
mod person;
mod phone;
mod posting;
pub mod queue;
mod rate_limit;
mod register;
mod rent_body;
mod rental;
pub mod reply;
pub mod request;
pub mod requests;
mod retry;
mod scope;
pub mod settings;
pub mod signature;
mod simulated;
mod sms;
mod time_scale;
pub mod watch;
pub mod webhook;
pub mod webhook_url;

pub use dialect::{Dialect, DialectFile};
pub use fault::{FaultRule, FaultRuleError};
pub use figures::{Census, Figures};
pub use hand::HandError;
pub use lint::{LintMode, LintReport};
pub use mock::Mock;
pub use reply::{Delivery, Media, Reply};
pub use request::{Body, Connection, Request};
pub use scope::Scope;
pub use settings::{AccountSettings, Settings, SettingsFile, WebhookSettings};
pub use webhook::{DeliveryId, WebhookAttempt, WebhookOutcome};
pub use webhook_url::{WebhookUrl, WebhookUrlError};
