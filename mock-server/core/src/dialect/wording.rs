//! What every answer's bytes go through: JSON, and what a dialect adds to it or
//! leaves out.

use bytes::Bytes;
use contract::body::{CheckOtp, History};
use serde::Serialize;

use super::{Dialect, ExtraFields, NoCode, Timestamp};
use crate::reply::json;

/// The field that no documentation knows.
const EXTRA: &str = "\"undocumented\":true";

/// The answer to almost every poll, encoded once for each way to write it.
#[derive(Debug)]
pub(crate) struct Waiting {
    plain: Bytes,
    with_extra_field: Bytes,
}

/// A time as webhooks write it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Stamp {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Dialect {
    /// The bytes of a body.
    pub(crate) fn json(&self, body: &impl Serialize) -> Bytes {
        let plain = json(body);
        match self.extra_fields {
            ExtraFields::None => plain,
            ExtraFields::Some => with_extra_fields(&plain).into(),
        }
    }

    /// The bytes of a page of the history.
    pub(crate) fn history(&self, history: &History<'_>) -> Bytes {
        let page = self.json(history);
        if self.no_code != NoCode::Absent {
            return page;
        }
        // No value can look like this: inside one the quotation marks are escaped.
        let text = std::str::from_utf8(&page).expect("invariant: JSON is UTF-8");
        text.replace("\"sms_code\":null,", "").into()
    }

    /// A wall time as webhooks write it.
    pub(crate) fn stamp(&self, time: jiff::Timestamp) -> Stamp {
        match self.timestamp {
            Timestamp::Seconds => Stamp::Number(time.as_second()),
            Timestamp::Milliseconds => Stamp::Number(time.as_millisecond()),
            Timestamp::Text => Stamp::Text(time.as_second().to_string()),
        }
    }
}

impl Waiting {
    /// Encodes it.
    pub(crate) fn new() -> Self {
        let plain = json(&CheckOtp::waiting());
        Self {
            with_extra_field: with_extra_fields(&plain).into(),
            plain,
        }
    }

    /// As this dialect has it.
    pub(crate) fn of(&self, dialect: &Dialect) -> Bytes {
        match dialect.extra_fields {
            ExtraFields::None => self.plain.clone(),
            ExtraFields::Some => self.with_extra_field.clone(),
        }
    }
}

/// Compact JSON with [`EXTRA`] at the end of every object.
fn with_extra_fields(json: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(json.len() + 4 * EXTRA.len());
    let (mut in_text, mut escaped) = (false, false);
    for &byte in json {
        if byte == b'}' && !in_text {
            if written.last() != Some(&b'{') {
                written.push(b',');
            }
            written.extend_from_slice(EXTRA.as_bytes());
        }
        in_text ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        written.push(byte);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_one_more_field_and_no_text_changes() {
        for (plain, expected) in [
            ("{}", r#"{"undocumented":true}"#),
            (
                r#"{"a":[{"b":"}\"}"}]}"#,
                r#"{"a":[{"b":"}\"}","undocumented":true}],"undocumented":true}"#,
            ),
            (r#"{"a":"\\"}"#, r#"{"a":"\\","undocumented":true}"#),
        ] {
            let written = with_extra_fields(plain.as_bytes());
            assert_eq!(String::from_utf8_lossy(&written), expected);
        }
    }
}
