//! What `otplab serve` says on stderr, and how, as typed.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// What was typed about the log.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LoggingArguments {
    /// How stderr is written: text, or json with an object a line [default: text]
    #[arg(long, env = "OTPLAB_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// What is written there: warn, info, or debug with every request, SMS and webhook
    /// [default: info]
    #[arg(long, env = "OTPLAB_LOG_LEVEL", value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DeserializeFromStr)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a line.
    Json,
}

/// How much is worth saying. What comes first is said by all that follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr)]
pub(crate) enum LogLevel {
    /// What keeps the server from running.
    Error,
    /// What may not be meant.
    Warn,
    /// What the server does.
    #[default]
    Info,
    /// What is done to it.
    Debug,
}

/// No such format, or no such level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogWordError {
    text: String,
    choices: &'static str,
}

impl fmt::Display for LogWordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, choices } = self;
        write!(f, "{text:?} is none of them; write {choices}")
    }
}

impl std::error::Error for LogWordError {}

impl FromStr for LogFormat {
    type Err = LogWordError;

    fn from_str(text: &str) -> Result<Self, LogWordError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogWordError {
                text: text.to_owned(),
                choices: "text or json",
            }),
        }
    }
}

impl FromStr for LogLevel {
    type Err = LogWordError;

    fn from_str(text: &str) -> Result<Self, LogWordError> {
        [Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.word() == text)
            .ok_or_else(|| LogWordError {
                text: text.to_owned(),
                choices: "warn, info or debug",
            })
    }
}

impl LogLevel {
    /// As it is written.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}
