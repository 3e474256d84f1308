//! Money as text and as JSON numbers, compared exactly.

use serde_json::Value;

/// Money in ten-thousandths, which is as fine as four decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub i64);

const SCALE: i64 = 10_000;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads `340.50`, `1,340.5`, `$1.44` or `-3.00`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let text = text.strip_prefix('$').unwrap_or(text).replace(',', "");
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 4 {
            return None;
        }
        let decimals: i64 = format!("{decimals:0<4}").parse().ok()?;
        let value = whole.parse::<i64>().ok()?.checked_mul(SCALE)?;
        let value = value.checked_add(decimals)?;
        Some(Self(if negative { -value } else { value }))
    }

    /// Reads a string or a number.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::read(text),
            Value::Number(number) => {
                let scaled = number.as_f64()? * SCALE as f64;
                (scaled.abs() < 1e15).then(|| Self(scaled.round() as i64))
            }
            _ => None,
        }
    }

    /// Equal to the cent.
    #[must_use]
    pub const fn same(self, other: Self) -> bool {
        self.less(other).0.saturating_abs() < SCALE / 200
    }

    /// The difference.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cents = self.0.saturating_abs().saturating_add(SCALE / 200) / (SCALE / 100);
        let sign = if self.0 < 0 && cents > 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// Whether text is digits in groups of three or in one, with so many decimals.
pub(crate) fn is_plain(text: &str, decimals: std::ops::RangeInclusive<usize>) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = whole.contains(',');
    digits(first)
        && (!grouped || first.len() <= 3)
        && groups.all(|group| digits(group) && group.len() == 3)
        && digits(fraction)
        && decimals.contains(&fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_however_it_is_written() {
        for (text, expected) in [
            ("340.50", "340.50"),
            ("$1.44", "1.44"),
            ("1,340.5", "1340.50"),
            ("-3.00", "-3.00"),
            ("7", "7.00"),
        ] {
            let amount = Amount::read(text).expect(text);
            assert_eq!(amount.to_string(), expected);
        }
        for text in ["", "$", "1.2.3", "EUR 3", "1.00000"] {
            assert_eq!(Amount::read(text), None, "{text}");
        }
        let number = serde_json::json!(1.44);
        assert!(Amount::of(&number).expect("a number").same(Amount(14_400)));
    }

    #[test]
    fn plain_means_grouped_by_three_or_not_at_all() {
        assert!(is_plain("1,234.50", 2..=2) && is_plain("1234.5", 1..=4));
        assert!(
            !is_plain("12,34.50", 2..=2) && !is_plain("1234", 1..=4) && !is_plain("$1.44", 2..=2)
        );
    }
}
