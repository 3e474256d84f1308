//! The 60-character API key. It names the account, and it is a secret: its
//! `Debug` shows six characters and nothing here prints the rest.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use serde_with::DeserializeFromStr;

use crate::dice::{Dice, Stream};

/// Characters in a key at most, where a dialect takes any.
pub const LONGEST: usize = 256;

/// A well-formed API key (CLAUSES A3: exactly 60 characters; visible ASCII,
/// because it has to travel in a header).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, DeserializeFromStr)]
pub struct ApiKey([u8; Self::LENGTH]);

impl ApiKey {
    /// Characters in a key (the documentation's line 7).
    pub const LENGTH: usize = 60;

    /// Reads the value of an `Auth` header.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when it is not 60 visible ASCII characters.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        // All of them rather than up to the first bad one: this way the compiler
        // looks at many at a time, and every request brings a key.
        let visible = |key: &[u8]| {
            key.iter()
                .fold(true, |all, one| all & one.is_ascii_graphic())
        };
        match <[u8; Self::LENGTH]>::try_from(bytes) {
            Ok(key) if visible(&key) => Ok(Self(key)),
            Ok(_) => Err(KeyError::Characters),
            Err(_) => Err(KeyError::Length(bytes.len())),
        }
    }

    /// Reads a key of any length from 1 to [`LONGEST`], where a dialect takes such.
    ///
    /// Keys of 60 characters are what they always are; a shorter one is filled up
    /// with spaces, which no other key has, and of a longer one the end becomes a
    /// hash. So different keys stay different accounts.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when it is empty, too long, or not visible ASCII.
    pub fn of_any_length(bytes: &[u8]) -> Result<Self, KeyError> {
        if !(1..=LONGEST).contains(&bytes.len()) {
            return Err(KeyError::Length(bytes.len()));
        }
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(KeyError::Characters);
        }
        let mut key = [b' '; Self::LENGTH];
        match bytes.len() {
            0..=Self::LENGTH => key[..bytes.len()].copy_from_slice(bytes),
            _ => {
                let hash = format!("{:032x}", fnv_128(bytes));
                let begin = Self::LENGTH - hash.len();
                // A space in between, so that it is no key of 60 characters.
                key[..begin - 1].copy_from_slice(&bytes[..begin - 1]);
                key[begin..].copy_from_slice(hash.as_bytes());
            }
        }
        Ok(Self(key))
    }

    /// Whether it has the documented 60 characters.
    pub fn is_documented(&self) -> bool {
        !self.0.contains(&b' ')
    }

    /// Enough of it to recognise it, and too little to use it: six characters,
    /// but never more than a quarter of a short one.
    pub fn beginning(&self) -> &str {
        let text = self.secret().trim_end();
        &text[..6.min(text.len() / 4)]
    }

    /// The key that load runs with this seed give to account `index`.
    ///
    /// It depends on the seed, so that two runs against one server do not
    /// share accounts unless they are told to.
    pub fn made_up(dice: Dice, index: u64) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut key = *b"otplab-made-up-key-000000000-000000000000000000000000000000.";
        let number = format!("{index:09}");
        key[19..19 + 9].copy_from_slice(&number.as_bytes()[..9]);
        let mut roll = dice.roll(index, Stream::Key, 0);
        for place in &mut key[29..] {
            *place = ALPHABET[(roll.next_u32() % 32) as usize];
        }
        Self(key)
    }

    /// A number for this account, the same in every process: what [`Dice`] are counted by.
    ///
    /// FNV-1a with 64 bits (offset basis and prime from its specification,
    /// draft-eastlake-fnv). Two keys of one run share a number with probability 2⁻⁶⁴.
    pub fn account(&self) -> u64 {
        self.0.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// The whole key, for the one place it belongs: the `Auth` header.
    pub fn secret(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a key is visible ASCII")
    }
}

impl FromStr for ApiKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.beginning())
    }
}

/// FNV-1a with 128 bits (offset basis and prime from draft-eastlake-fnv).
fn fnv_128(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

/// Not an API key. The message never shows the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Some other number of bytes.
    #[error("an API key has exactly 60 characters, this one has {0}")]
    Length(usize),
    /// A space, a control character or something outside ASCII.
    #[error("an API key consists of visible ASCII characters")]
    Characters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_sixty_characters() {
        assert!(ApiKey::from_bytes(&[b'k'; 60]).is_ok());
        assert_eq!(ApiKey::from_bytes(&[b'k'; 59]), Err(KeyError::Length(59)));
        assert_eq!(ApiKey::from_bytes(&[b'k'; 61]), Err(KeyError::Length(61)));
        assert_eq!(ApiKey::from_bytes(&[b' '; 60]), Err(KeyError::Characters));
    }

    #[test]
    fn keys_of_any_length_stay_different_and_the_documented_ones_the_same() {
        let read = |length: usize| ApiKey::of_any_length(&vec![b'k'; length]);
        assert_eq!(read(60), ApiKey::from_bytes(&[b'k'; 60]));
        let keys: std::collections::BTreeSet<_> = (1..=LONGEST)
            .map(|length| read(length).expect("in bounds"))
            .collect();
        assert_eq!(keys.len(), LONGEST);
        assert_eq!(keys.iter().filter(|key| key.is_documented()).count(), 1);
        assert_eq!(read(0), Err(KeyError::Length(0)));
        assert_eq!(read(LONGEST + 1), Err(KeyError::Length(LONGEST + 1)));
        assert_eq!(ApiKey::of_any_length(b"a b"), Err(KeyError::Characters));
    }

    #[test]
    fn a_short_key_is_not_given_away() {
        let shown = |key: &[u8]| ApiKey::of_any_length(key).map(|key| format!("{key:?}"));
        assert_eq!(shown(b"abc"), Ok("ApiKey(…)".to_owned()));
        assert_eq!(shown(b"abcdefgh"), Ok("ApiKey(ab…)".to_owned()));
    }

    #[test]
    fn debug_hides_the_secret() {
        let key = ApiKey::from_bytes(&[b'k'; 60]).expect("well-formed");
        assert_eq!(format!("{key:?}"), "ApiKey(kkkkkk…)");
    }

    #[test]
    fn made_up_keys_are_well_formed_and_distinct() {
        let dice = Dice::new(3);
        let keys: std::collections::BTreeSet<_> = (0..1000)
            .map(|index| ApiKey::made_up(dice, index))
            .collect();
        assert_eq!(keys.len(), 1000);
        for key in &keys {
            assert_eq!(ApiKey::from_bytes(key.secret().as_bytes()), Ok(*key));
        }
        assert_ne!(ApiKey::made_up(dice, 0), ApiKey::made_up(Dice::new(4), 0));
    }
}
