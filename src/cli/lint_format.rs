//! In which form findings about clients are written.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// How a report of findings is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr)]
pub(crate) enum LintFormat {
    /// For people.
    Text,
    /// As `GET /__admin/lint` has it.
    Json,
    /// Rules as test cases.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

/// Not such a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LintFormatError(String);

impl fmt::Display for LintFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is no form of a report; write text, json, junit or sarif"
        )
    }
}

impl std::error::Error for LintFormatError {}

impl FromStr for LintFormat {
    type Err = LintFormatError;

    fn from_str(text: &str) -> Result<Self, LintFormatError> {
        match text.trim() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "junit" => Ok(Self::Junit),
            "sarif" => Ok(Self::Sarif),
            _ => Err(LintFormatError(text.to_owned())),
        }
    }
}

impl LintFormat {
    /// The name of its file.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Text => "lint.txt",
            Self::Json => "lint.json",
            Self::Junit => "lint.xml",
            Self::Sarif => "lint.sarif",
        }
    }
}
