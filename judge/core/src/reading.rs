//! The first look at an answer: what its body is, before anybody asks what it says.

use serde_json::{Map, Value};

/// What a body is.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// One JSON object, and what follows it, if anything does.
    Object(Map<String, Value>, Option<String>),
    /// JSON, but no object.
    OtherJson,
    /// Not JSON.
    Text,
}

impl Body {
    /// Looks at a body.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        if bytes.trim_ascii().is_empty() {
            return Self::Empty;
        }
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(object))) => {
                let rest = bytes.get(values.byte_offset()..).unwrap_or_default();
                let rest = rest.trim_ascii();
                let rest = (!rest.is_empty()).then(|| String::from_utf8_lossy(rest).into_owned());
                Self::Object(object, rest)
            }
            Some(Ok(_)) => Self::OtherJson,
            _ => Self::Text,
        }
    }

    /// The object, if it is one.
    pub(crate) const fn object(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Object(object, _) => Some(object),
            _ => None,
        }
    }

    /// In a word.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Object(_, None) => "a JSON object",
            Self::Object(_, Some(_)) => "a JSON object with something after it",
            Self::OtherJson => "JSON that is no object",
            Self::Text => "no JSON",
        }
    }
}

/// A JSON value, short enough to be shown.
pub(crate) fn shown(value: &Value) -> String {
    shortened(&value.to_string(), 120)
}

/// Text, short enough to be shown, on one line.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(longest + 1)
        .collect();
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An integer that fits JSON's own numbers.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64()
}

/// An id, whether it is the documented integer or, wrongly, text.
pub(crate) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (None, Some(float)) if float.fract() == 0.0 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_object_is_seen() {
        let name = |text: &str| Body::read(text.as_bytes()).name();
        assert_eq!(name("{} \n"), "a JSON object");
        assert_eq!(name("{}{}"), "a JSON object with something after it");
        assert_eq!(name("{} x"), "a JSON object with something after it");
        assert_eq!(name("[]"), "JSON that is no object");
        assert_eq!(name("<html>"), "no JSON");
        assert_eq!(name(" "), "nothing");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("ääää\n", 2), "ää…");
        assert_eq!(shortened("a\nb", 3), "a b");
    }
}
