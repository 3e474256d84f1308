//! What an account has at first, as people write it.

use std::fmt;
use std::str::FromStr;

use contract::Cents;
use contract::money::MoneyError;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// What an account has at first: nothing or more, and no more than anybody could count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr, SerializeDisplay)]
pub struct OpeningBalance(pub(crate) Cents);

/// Nothing an account could have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpeningBalanceError {
    /// Not even money.
    #[error(transparent)]
    NotMoney(#[from] MoneyError),
    /// Out of bounds.
    #[error(
        "an account has from 0.00 to 1,000,000,000,000.00 at first; write it like 1000.00, or \
         0.00 for one that can rent nothing"
    )]
    OutOfBounds,
}

/// A bound that keeps sums far from overflowing.
const MOST: Cents = Cents(100_000_000_000_000);

impl FromStr for OpeningBalance {
    type Err = OpeningBalanceError;

    fn from_str(text: &str) -> Result<Self, OpeningBalanceError> {
        let amount = text.parse()?;
        if !(Cents::ZERO..=MOST).contains(&amount) {
            return Err(OpeningBalanceError::OutOfBounds);
        }
        Ok(Self(amount))
    }
}

impl fmt::Display for OpeningBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_begins_with_a_debt_or_with_more_than_can_be_counted() {
        for text in ["0.00", "1000", "1,000,000,000,000.00"] {
            assert!(text.parse::<OpeningBalance>().is_ok(), "{text}");
        }
        for text in [
            "-0.01",
            "1,000,000,000,000.01",
            "92233720368547758.07",
            "$5",
        ] {
            let error = text.parse::<OpeningBalance>().expect_err(text);
            assert!(
                error.to_string().contains("write it like 1000.00"),
                "{error}"
            );
        }
    }
}
