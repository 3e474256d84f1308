//! The clauses of the CodySMS contract, and the judging of raw evidence.
//! Nothing here does I/O or reads a clock, and nothing knows a type of the
//! mock: evidence is bytes, so that the judge cannot share a mistake with what
//! it judges.
//!
//! | module | holds |
//! | --- | --- |
//! | [`amount`] | money, read from text and numbers |
//! | [`baseline`] | what is known to be broken |
//! | [`clause`] | the table of clauses |
//! | [`dialect`] | what the documentation leaves open, measured |
//! | [`difference`] | two servers' answers, field by field |
//! | [`evidence`] | raw exchanges and webhooks |
//! | `story` | what the requests meant, and which rentals there were |
//! | `judge` | one file per part of the contract |
//! | `docket` | where it is written down |
//! | [`verdict`] | one verdict per clause, and the outcome |
//! | [`har`] | recorded traffic as evidence |
//! | [`redact`] | no key is ever shown |
//!
//! ```
//! use std::time::Duration;
//! use judge_core::evidence::{Answer, Evidence, Exchange, Who};
//! use judge_core::verdict::{Choice, Verdict};
//!
//! let body = br#"{"success":true,"user":{"name":"M","email":"m@example.com","balance":340.5}}"#;
//! let exchange = Exchange {
//!     who: Who::First,
//!     method: "GET".to_owned(),
//!     target: "/api/v1/profile".to_owned(),
//!     content_type: None,
//!     body: Vec::new(),
//!     sent: Duration::ZERO,
//!     answered: Duration::from_millis(1),
//!     answer: Ok(Answer { status: 200, body: body.to_vec(), ..Answer::default() }),
//! };
//! let evidence = Evidence { exchanges: vec![exchange], ..Evidence::default() };
//! let judgement = judge_core::judge(&evidence, &Choice::default());
//! assert_eq!(judgement.verdict("P2"), Some(Verdict::Held));
//! assert_eq!(judgement.verdict("P4"), Some(Verdict::Broken));
//! ```
#![warn(missing_docs)]

pub mod amount;
pub mod baseline;
pub mod clause;
pub mod dialect;
pub mod difference;
mod docket;
pub mod evidence;
pub mod har;
mod judge;
mod reading;
pub mod redact;
mod story;
pub mod verdict;

pub use self::docket::Finding;
pub use self::judge::{LINT, judge};
