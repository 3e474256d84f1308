//! `FORMAT` or `FORMAT=FILE`: in which form, and where, findings about clients
//! are written.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// How a report of findings is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One report of findings.
#[derive(Clone, Debug, PartialEq, Eq, DeserializeFromStr)]
pub(crate) struct LintOutput {
    pub(crate) format: LintFormat,
    /// Standard output, if it is none.
    pub(crate) file: Option<PathBuf>,
}

/// Not a report of findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LintOutputError(String);

impl fmt::Display for LintOutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is not a report; write text, json, junit or sarif, for a file like \
             junit=lint.xml"
        )
    }
}

impl std::error::Error for LintOutputError {}

impl FromStr for LintOutput {
    type Err = LintOutputError;

    fn from_str(text: &str) -> Result<Self, LintOutputError> {
        let wrong = || LintOutputError(text.to_owned());
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err(wrong()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = match format {
            "text" => LintFormat::Text,
            "json" => LintFormat::Json,
            "junit" => LintFormat::Junit,
            "sarif" => LintFormat::Sarif,
            _ => return Err(wrong()),
        };
        Ok(Self { format, file })
    }
}
