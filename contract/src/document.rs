//! TOML files with complaints that a person can act on.
//!
//! Both cores read their own part of a file through here, so that a mistake
//! reads the same everywhere: file, line, column, what is wrong, and what would
//! have been right. Opening the file is the shell's business.

use serde::de::DeserializeOwned;

use crate::complaint;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}:{column}: {message}")]
pub struct DocumentError {
    /// The file's name.
    pub origin: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads `text`, which came from `origin`.
///
/// # Errors
///
/// [`DocumentError`] with the place of the first mistake.
pub fn parse<T: DeserializeOwned>(origin: &str, text: &str) -> Result<T, DocumentError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let message = complaint::plain(&one_line(error.message()));
        DocumentError::at(origin, text, offset, message)
    })
}

impl DocumentError {
    /// A complaint about the byte `offset` of `text`.
    pub fn at(origin: &str, text: &str, offset: usize, message: String) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            origin: origin.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Law, TimeSpan};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only the parsing is tested")]
        life: Option<TimeSpan>,
        #[expect(dead_code, reason = "only the parsing is tested")]
        delay: Option<Law>,
    }

    fn complaint(text: &str) -> String {
        parse::<Sample>("s.toml", text).expect_err(text).to_string()
    }

    #[test]
    fn complaints_name_file_line_and_remedy() {
        assert_eq!(
            complaint("life = \"2s\"\nlive = \"2s\"\n"),
            "s.toml:2:1: unknown field `live`, expected `life` or `delay`; \
             did you mean `life`?"
        );
        assert_eq!(
            complaint("\nlife = \"2 parsecs\"\n"),
            "s.toml:2:8: \"2 parsecs\" is not a duration; \
             write a number with its unit, like 200ms, 2s, 20m or 1h30m"
        );
        let law = complaint("delay = \"0.5*2s\"");
        assert!(
            law.starts_with("s.toml:1:9: not a delay law, at character 1: the weights"),
            "{law}"
        );
        assert!(complaint("life = [").starts_with("s.toml:1:"));
    }
}
