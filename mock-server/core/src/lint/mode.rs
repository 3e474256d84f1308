//! Whether clients are looked at, and what follows from a finding, as people write it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_with::DeserializeFromStr;

/// What is done about clients that are not as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, DeserializeFromStr, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LintMode {
    /// Nobody looks.
    #[default]
    Off,
    /// It is found, and may be asked for.
    Warn,
    /// The same, and the server fails when it is stopped.
    Deny,
}

/// Not such a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not what clients are judged by; write off, warn or deny")]
pub struct LintModeError(String);

impl FromStr for LintMode {
    type Err = LintModeError;

    fn from_str(text: &str) -> Result<Self, LintModeError> {
        [Self::Off, Self::Warn, Self::Deny]
            .into_iter()
            .find(|mode| mode.word() == text)
            .ok_or_else(|| LintModeError(text.to_owned()))
    }
}

impl LintMode {
    /// As people write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for LintMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
