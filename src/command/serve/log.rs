//! What `otplab serve` says on stderr: a line each, for people or for programs.
//! This is the one place of the binary that reads the wall clock, because a
//! program that collects lines from many machines needs to know when.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::cli::serve::logging::{LogFormat, LogLevel, LoggingArguments};

/// What one source says about it; the rest is another source's to say.
#[derive(Clone, Copy)]
pub(super) struct LogChoice {
    pub(super) format: Option<LogFormat>,
    pub(super) level: Option<LogLevel>,
}

impl LogChoice {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            format: self.format.or(other.format),
            level: self.level.or(other.level),
        }
    }

    pub(super) fn resolve(self) -> Log {
        Log {
            format: self.format.unwrap_or_default(),
            level: self.level.unwrap_or_default(),
        }
    }
}

impl From<LoggingArguments> for LogChoice {
    fn from(typed: LoggingArguments) -> Self {
        Self {
            format: typed.log_format,
            level: typed.log_level,
        }
    }
}

/// How it is said, and how much.
#[derive(Clone, Copy)]
pub(super) struct Log {
    format: LogFormat,
    level: LogLevel,
}

impl Log {
    /// Whether things of this level are said at all.
    pub(super) fn says(self, level: LogLevel) -> bool {
        level <= self.level
    }

    /// Says in `words` what the server does; `fields` is the same for programs.
    pub(super) fn info(self, event: &str, words: &str, fields: Value) {
        self.say(LogLevel::Info, event, (words, fields));
    }

    /// The same for what may not be meant.
    pub(super) fn warn(self, event: &str, words: &str, fields: Value) {
        self.say(LogLevel::Warn, event, (words, fields));
    }

    /// The same for what keeps the server from running.
    pub(super) fn error(self, event: &str, words: &str) {
        self.say(LogLevel::Error, event, (words, json!({})));
    }

    /// Something that was done to the server, or happened there: `data` is an object.
    pub(super) fn debug(self, event: &str, data: &[u8]) {
        let Ok(Value::Object(fields)) = serde_json::from_slice(data) else {
            return;
        };
        let words = fields.iter().filter_map(|(name, value)| match value {
            Value::Null | Value::Object(_) | Value::Array(_) => None,
            Value::String(text) => Some(format!(" {name}={text}")),
            value => Some(format!(" {name}={value}")),
        });
        let words = format!("{event}{}", words.collect::<String>());
        self.say(LogLevel::Debug, event, (&words, Value::Object(fields)));
    }

    fn say(self, level: LogLevel, event: &str, (words, fields): (&str, Value)) {
        if !self.says(level) {
            return;
        }
        match self.format {
            LogFormat::Text if level == LogLevel::Warn => {
                print(&format!("otplab: warning: {words}"));
            }
            LogFormat::Text => words
                .lines()
                .for_each(|line| print(&format!("otplab: {line}"))),
            LogFormat::Json => print(&object(level, event, words, fields).to_string()),
        }
    }
}

fn object(level: LogLevel, event: &str, words: &str, fields: Value) -> Value {
    let mut line = Map::new();
    line.insert("time".to_owned(), Timestamp::now().to_string().into());
    line.insert("level".to_owned(), level.word().into());
    line.insert("event".to_owned(), event.into());
    if level < LogLevel::Debug {
        line.insert("message".to_owned(), words.into());
    }
    if let Value::Object(fields) = fields {
        line.insert("fields".to_owned(), Value::Object(fields));
    }
    Value::Object(line)
}

#[expect(clippy::print_stderr, reason = "the log of a server")]
fn print(line: &str) {
    eprintln!("{line}");
}
