//! Who an account belongs to: an invented name and an address that can reach
//! nobody, both from the account's own dice.

use contract::{Dice, Stream};
use fake::Fake;
use fake::faker::name::en::{FirstName, LastName};

/// The owner of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// First and last name.
    pub(crate) name: String,
    /// An address at a domain that RFC 2606 reserves.
    pub(crate) email: String,
}

impl Person {
    /// The owner of `account`.
    pub(crate) fn invent(dice: Dice, account: u64) -> Self {
        let mut roll = dice.roll(account, Stream::Person, 0);
        let first: &str = FirstName().fake_with_rng(&mut roll);
        let last: &str = LastName().fake_with_rng(&mut roll);
        Self {
            name: format!("{first} {last}"),
            email: format!("{}.{}@example.com", plain(first), plain(last)),
        }
    }
}

/// Lower case letters only: `O'Hara` becomes `ohara`.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_same_every_time_and_unlike_the_next() {
        let person = |account| Person::invent(Dice::new(1), account);
        assert_eq!(person(1), person(1));
        assert_ne!(person(1), person(2));
        assert!(person(1).email.ends_with("@example.com"));
        assert!(person(1).name.contains(' '));
    }
}
