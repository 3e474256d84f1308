//! A check for people and for machines.

mod text;

use std::time::Duration;

use judge_core::verdict::Judgement;

pub use self::text::text;

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
