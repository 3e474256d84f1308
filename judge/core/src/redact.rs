//! Keys out of text: whatever is shown goes through here.

/// Knows what must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Vec<String>,
}

/// In place of a key.
const REDACTED: &str = "(a key)";

/// The beginning of a key that text may be cut off in: so much of it is still a key.
const BEGINNING: usize = 8;

impl Redactor {
    /// For these secrets.
    #[must_use]
    pub fn new(secrets: &[String]) -> Self {
        let mut secrets: Vec<_> = secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .cloned()
            .collect();
        // The longest first, lest a part of one be left.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// Text without them, and without the beginning of one that the end of the
    /// text cuts off.
    #[must_use]
    pub fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), REDACTED);
            if secret.len() > BEGINNING && secret.is_char_boundary(BEGINNING) {
                text = cut_off(&text, secret);
            }
        }
        text
    }
}

/// Replaces beginnings of a secret that are long enough to matter.
fn cut_off(text: &str, secret: &str) -> String {
    let beginning = &secret[..BEGINNING];
    let mut rest = text;
    let mut out = String::new();
    while let Some(place) = rest.find(beginning) {
        out += &rest[..place];
        let same = rest[place..]
            .bytes()
            .zip(secret.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        out += REDACTED;
        let end = (place + same..=rest.len()).find(|end| rest.is_char_boundary(*end));
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_gone_whole_or_cut() {
        let redactor = Redactor::new(&["abcdefghijklmnop".to_owned(), "abcdefgh".to_owned()]);
        assert_eq!(redactor.redacted("x abcdefghijklmnop y"), "x (a key) y");
        assert_eq!(redactor.redacted("x abcdefghijk…"), "x (a key)…");
        assert_eq!(redactor.redacted("abcdefg"), "abcdefg");
    }
}
