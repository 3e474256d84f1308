//! The mock of the CodySMS API: given the time and a request, what it answers,
//! and when and how the answer is delivered. No I/O, no clock, no entropy; the
//! `mock-server` crate is its shell.
//!
//! | module | holds |
//! | --- | --- |
//! | [`settings`] | how a mock behaves, complete and as people write it |
//! | [`fault`] | the rules by which requests go wrong |
//! | [`request`], [`reply`] | what comes in, what goes out |
//! | [`mock`] | the request path: route, account, faults, operation |
//! | [`watch`] | waiting for something to happen, as a question |
//! | [`webhook`], [`webhook_url`] | which events are due, and where they go |
//! | [`control`] | the mock in a tester's hands: clocks, money, resets |
//! | [`hand`] | a tester's hand on rentals: an SMS now, an end now |
//! | `account`, `ledger`, `person` | what one API key owns |
//! | `clock`, `agenda` | each account's own time, and what the server must look after when |
//! | `rental`, `register`, `phone` | what can be rented, and by which name |
//! | `sms` | SMS in words of their own |
//! | [`feed`] | what happens, told to whoever listens |
//! | [`deliveries`] | the bounded record of webhooks |
//! | [`requests`], `journal` | questions about the bounded record of requests |
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
mod clock;
pub mod control;
pub mod deliveries;
pub mod fault;
pub mod feed;
pub mod hand;
mod history;
mod journal;
mod ledger;
pub mod mock;
mod person;
mod phone;
mod register;
mod rent_body;
mod rental;
pub mod reply;
pub mod request;
pub mod requests;
pub mod settings;
mod sms;
pub mod watch;
pub mod webhook;
pub mod webhook_url;

pub use control::Scope;
pub use fault::{FaultRule, FaultRuleError};
pub use hand::HandError;
pub use mock::Mock;
pub use reply::{Delivery, Media, Reply};
pub use request::{Body, Request};
pub use settings::{AccountSettings, Settings, SettingsFile, WebhookSettings};
pub use webhook::{DeliveryId, WebhookAttempt, WebhookOutcome};
pub use webhook_url::{WebhookUrl, WebhookUrlError};
