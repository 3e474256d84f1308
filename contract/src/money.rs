//! Money as integer cents, and the three ways in which the API writes it.
//!
//! The documentation shows `"340.50"` in the profile, `"$1.44"` in the rental
//! and `1.44` in the history, on purpose (CLAUSES X3). [`decimal`], [`dollars`]
//! and [`number`] are those three, to be named in `#[serde(with = …)]`; the
//! `schema` of each is for `#[schemars(schema_with = …)]`.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer, de};
use serde_with::DeserializeFromStr;

/// An amount in United States cents; negative is a debt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);
}

/// Writes `340.50`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// Not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount of money; write it like 1000.00")]
pub struct MoneyError(String);

/// Reads `340.50`, `340.5` and `340`, with or without a minus sign and thousands commas.
impl FromStr for Cents {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse(text).ok_or_else(|| MoneyError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Cents> {
    let (negative, amount) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "00"));
    let cents = match fraction.len() {
        1 => digits(fraction)? * 10,
        2 => digits(fraction)?,
        _ => return None,
    };
    let dollars = ungroup(whole)?;
    let total = dollars.checked_mul(100)?.checked_add(cents)?;
    Some(Cents(if negative { -total } else { total }))
}

/// `1,234` and `1234` alike; a comma anywhere else is refused.
fn ungroup(whole: &str) -> Option<i64> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.len() > 3 {
            return None;
        }
        joined.push_str(group);
    }
    digits(&joined)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// `"340.50"`: a string without a sign of currency (profile).
pub mod decimal {
    use super::{
        Cents, Deserialize, Deserializer, Schema, SchemaGenerator, Serializer, de, json_schema,
    };

    /// Writes `"340.50"`.
    pub fn serialize<S: Serializer>(amount: &Cents, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    /// Reads `"340.50"`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }

    /// What [`serialize`] writes, as JSON Schema.
    pub fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$" })
    }
}

/// `"$1.44"`: a string with the sign of currency (rent).
pub mod dollars {
    use super::{
        Cents, Deserialize, Deserializer, Schema, SchemaGenerator, Serializer, de, json_schema,
    };

    /// Writes `"$1.44"`.
    pub fn serialize<S: Serializer>(amount: &Cents, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("${amount}"))
    }

    /// Reads `"$1.44"`; without the sign it is an error (CLAUSES R11).
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix('$')
            .ok_or_else(|| de::Error::custom(format_args!("{text:?} has no $ sign")))?
            .parse()
            .map_err(de::Error::custom)
    }

    /// What [`serialize`] writes of a price, as JSON Schema.
    pub fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\$[0-9]+\.[0-9]{2}$" })
    }
}

/// `1.44`: a JSON number (history).
pub mod number {
    use super::{
        Cents, Deserialize, Deserializer, Schema, SchemaGenerator, Serializer, de, json_schema,
    };

    /// Writes `1.44`.
    pub fn serialize<S: Serializer>(amount: &Cents, serializer: S) -> Result<S::Ok, S::Error> {
        // The nearest double of a whole number of cents prints as that number
        // of cents, up to 2^53 of them.
        serializer.serialize_f64(amount.0 as f64 / 100.0)
    }

    /// Reads `1.44`; fractions of a cent are an error (CLAUSES H8).
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        let amount = f64::deserialize(deserializer)?;
        let cents = (amount * 100.0).round();
        // serde_json reads a number to within its last bit, so allow for that much.
        let error = (amount - cents / 100.0).abs();
        if cents.abs() > 9e15 || error > 2.0 * f64::EPSILON * amount.abs() {
            return Err(de::Error::custom(format_args!(
                "{amount} is not a whole number of cents"
            )));
        }
        Ok(Cents(cents as i64))
    }

    /// What [`serialize`] writes of a price, as JSON Schema. It does not say
    /// `multipleOf`, because 0.58 is no multiple of 0.01 in binary.
    pub fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct ThreeSpellings {
        #[serde(with = "decimal")]
        balance: Cents,
        #[serde(with = "dollars")]
        rent: Cents,
        #[serde(with = "number")]
        history: Cents,
    }

    #[test]
    fn reads_what_people_write() {
        for (text, cents) in [
            ("340.50", 34050),
            ("340.5", 34050),
            ("340", 34000),
            ("-0.05", -5),
            ("1,060.12", 106_012),
        ] {
            assert_eq!(text.parse(), Ok(Cents(cents)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_money() {
        for text in [
            "", "-", ".", "1.", "1.234", "$1.44", "1e3", "1,06.12", "+1", "12,34", " 1",
        ] {
            assert!(text.parse::<Cents>().is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_each_spelling(cents in -900_000_000_000_i64..900_000_000_000) {
            let amount = Cents(cents);
            let written = ThreeSpellings { balance: amount, rent: amount, history: amount };
            let json = serde_json::to_string(&written).expect("plain data");
            let read: ThreeSpellings = serde_json::from_str(&json).expect("our own text");
            prop_assert_eq!(read, written, "{}", json);
        }
    }
}
