//! What both sides of the CodySMS API agree on, as values.
//!
//! The mock answers with these types and the load generator reads them; neither
//! sees the other. Nothing here does I/O, reads a clock or draws entropy.
//!
//! | module | holds |
//! | --- | --- |
//! | [`operation`] | the operation table: method, path and name of each endpoint |
//! | [`body`] | the documented JSON bodies, byte for byte |
//! | [`problem`] | refusals, their HTTP status and sentence (the default dialect) |
//! | [`openapi`] | the OpenAPI document, made from these tables and types |
//! | [`service`] | the services one can rent a number for, with their spellings |
//! | [`money`] | integer cents and the three ways the API writes them |
//! | [`key`] | the 60-character API key, which is also the account |
//! | [`truth`] | the header by which a mock tells how long a code was readable |
//! | [`moment`], [`dice`] | time and chance as arguments |
//! | [`law`] | distributions of a delay, by name |
//! | [`expression`], [`duration`], [`document`] | the words people write: `uniform(1s,5s)`, `20m`, a TOML file |
//! | [`complaint`] | what a decoder complains about, in words for whoever wrote it |
//!
//! ```
//! use contract::{Dice, Law, Moment, Stream};
//!
//! let law: Law = "lognormal(4s,0.67)".parse()?;
//! let rented = Moment::START;
//! let mut roll = Dice::new(7).roll(0, Stream::SmsDelay, 0);
//! let readable = law.sample(&mut roll).map(|delay| rented + delay);
//! assert!(readable.is_some());
//! # Ok::<(), contract::LawError>(())
//! ```

pub mod body;
pub mod complaint;
pub mod dice;
pub mod document;
pub mod duration;
pub mod expression;
pub mod key;
pub mod law;
pub mod moment;
pub mod money;
pub mod openapi;
pub mod operation;
pub mod problem;
pub mod service;
pub mod truth;

pub use dice::{Dice, Roll, Stream};
pub use document::DocumentError;
pub use duration::TimeSpan;
pub use key::ApiKey;
pub use law::{Law, LawError};
pub use moment::Moment;
pub use money::Cents;
pub use operation::{Operation, Route, RouteError};
pub use problem::Problem;
pub use service::Service;
pub use truth::Truth;
