//! A check for people and for machines.

mod annotations;
mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

use std::time::Duration;

use judge_core::verdict::Judgement;

pub use self::annotations::{annotations, escaped};
pub use self::html::html;
pub use self::json::json;
pub use self::junit::{junit, schema_conforming};
pub use self::markdown::markdown;
pub use self::sarif::sarif;
pub use self::text::text;

/// The parts of the contract, by the letter of their clauses.
const FAMILIES: [(char, &str); 8] = [
    ('A', "auth"),
    ('B', "transport"),
    ('P', "profile"),
    ('R', "rent"),
    ('C', "check-otp"),
    ('H', "history"),
    ('W', "webhook"),
    ('X', "cross"),
];

/// Everything that a report tells.
#[derive(Debug)]
pub struct Told<'t> {
    /// The server, in words.
    pub server: &'t str,
    /// The verdicts.
    pub judgement: &'t Judgement,
    /// What it cost, in words.
    pub spent: &'t str,
    /// How long it took.
    pub took: Duration,
    /// Why it ended early, if it did.
    pub ended_early: Option<&'t str>,
}
