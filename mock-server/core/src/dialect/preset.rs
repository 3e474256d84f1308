//! Dialects with a name: what a kind of service does, all at once.

use serde::Deserialize;

use super::Dialect;

/// A dialect with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The defaults of CLAUSES part 2.
    Default,
    /// What a plain Laravel service does.
    Laravel,
    /// Narrow wherever it can be.
    Strict,
    /// Whatever a client should expect, at its worst.
    Hostile,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Laravel, Self::Strict, Self::Hostile];

    /// All its settings.
    pub fn dialect(self) -> Dialect {
        Dialect::default()
    }
}
