//! SMS in words of their own: those that follow the first of a rental, and a
//! first one that a tester's hand brought. What was drawn with a rental is in
//! the rental itself, because a server may hold millions of those.

use std::borrow::Cow;
use std::collections::BTreeMap;

use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An SMS that is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sms {
    /// When it arrives; [`Moment::NEVER`] if something came before it.
    pub(crate) at: Moment,
    /// The one-time password.
    pub(crate) code: Box<str>,
    /// The whole of it.
    pub(crate) text: Box<str>,
}

/// What an SMS says, whether it was written out or drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// The one-time password.
    pub(crate) code: Cow<'a, str>,
    /// The whole of it.
    pub(crate) text: Cow<'a, str>,
}

impl<'a> From<&'a Sms> for Message<'a> {
    fn from(sms: &'a Sms) -> Self {
        Self {
            code: Cow::Borrowed(&sms.code),
            text: Cow::Borrowed(&sms.text),
        }
    }
}

/// The number of a rental's first SMS.
pub(crate) const FIRST: u32 = 0;

/// The written SMS of an account, by rental and number. Those of one rental
/// arrive in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct SmsBook {
    entries: BTreeMap<(u32, u32), Sms>,
}

impl SmsBook {
    /// Writes the first SMS of a rental, in place of the one that was drawn.
    pub(crate) fn write_first(&mut self, rental: u32, sms: Sms) -> u32 {
        self.entries.insert((rental, FIRST), sms);
        FIRST
    }

    /// Writes one more SMS of a rental, and says which number it has.
    pub(crate) fn write_next(&mut self, rental: u32, sms: Sms) -> u32 {
        let last = self.of(rental).next_back();
        let number = last.map_or(FIRST, |(number, _)| number) + 1;
        self.entries.insert((rental, number), sms);
        number
    }

    /// The SMS with this number, if it is written here.
    pub(crate) fn get(&self, rental: u32, number: u32) -> Option<&Sms> {
        self.entries.get(&(rental, number))
    }

    /// Whether one that is written here comes after `now`.
    pub(crate) fn follows(&self, rental: u32, now: Moment) -> bool {
        let mut written = self.of(rental);
        written.any(|(_, sms)| sms.at > now && sms.at != Moment::NEVER)
    }

    /// The latest that has come by `now`, with its number.
    pub(crate) fn latest(&self, rental: u32, now: Moment) -> Option<(u32, &Sms)> {
        // Nothing is written of almost all rentals.
        if self.entries.is_empty() {
            return None;
        }
        let mut newest_first = self.of(rental).rev();
        newest_first.find(|(_, sms)| sms.at <= now)
    }

    /// What has not come by `now` never will. What it said stays written, so that
    /// no other SMS gets its number.
    pub(crate) fn cancel_after(&mut self, rental: u32, now: Moment) {
        let entries = self.entries.range_mut((rental, FIRST)..=(rental, u32::MAX));
        for (_, sms) in entries.filter(|(_, sms)| sms.at > now) {
            sms.at = Moment::NEVER;
        }
    }

    /// Everything written that comes some day, but for first SMS: rental and moment.
    pub(crate) fn following(&self) -> impl Iterator<Item = (u32, Moment)> {
        let entries = self.entries.iter();
        let following =
            entries.filter(|((_, number), sms)| *number != FIRST && sms.at != Moment::NEVER);
        following.map(|((rental, _), sms)| (*rental, sms.at))
    }

    fn of(&self, rental: u32) -> impl DoubleEndedIterator<Item = (u32, &Sms)> {
        let entries = self.entries.range((rental, FIRST)..=(rental, u32::MAX));
        entries.map(|((_, number), sms)| (*number, sms))
    }
}

/// An SMS of an account, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSms {
    rental: u32,
    number: u32,
    /// In nanoseconds of the account's time; null if something came before it.
    at: Option<u64>,
    code: String,
    text: String,
}

impl SavedSms {
    /// The how-manieth of its rental.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }
}

impl SmsBook {
    /// Written down.
    pub(crate) fn save(&self) -> Vec<SavedSms> {
        let entries = self.entries.iter();
        let saved = entries.map(|((rental, number), sms)| SavedSms {
            rental: *rental,
            number: *number,
            at: (sms.at != Moment::NEVER).then(|| sms.at.nanoseconds()),
            code: sms.code.to_string(),
            text: sms.text.to_string(),
        });
        saved.collect()
    }

    /// As it was written down.
    pub(crate) fn restore(saved: Vec<SavedSms>) -> Self {
        let entries = saved.into_iter().map(|saved| {
            let sms = Sms {
                at: saved.at.map_or(Moment::NEVER, Moment::from_nanoseconds),
                code: saved.code.into(),
                text: saved.text.into(),
            };
            ((saved.rental, saved.number), sms)
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// The rentals of which something is written.
    pub(crate) fn rentals(&self) -> impl Iterator<Item = u32> {
        self.entries.keys().map(|(rental, _)| *rental)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    fn sms(seconds: u64) -> Sms {
        Sms {
            at: at(seconds),
            code: seconds.to_string().into(),
            text: "".into(),
        }
    }

    #[test]
    fn the_latest_is_the_one_that_came_last() {
        let mut book = SmsBook::default();
        assert_eq!(book.write_next(7, sms(5)), 1);
        assert_eq!(book.write_next(7, sms(9)), 2);
        book.write_next(8, sms(1));
        assert_eq!(book.latest(7, at(4)), None);
        assert_eq!(book.latest(7, at(8)), Some((1, &sms(5))));
        assert_eq!(book.latest(7, at(9)), Some((2, &sms(9))));
    }

    #[test]
    fn what_is_cancelled_never_comes_and_keeps_its_number() {
        let mut book = SmsBook::default();
        book.write_next(7, sms(5));
        book.cancel_after(7, at(4));
        assert_eq!(book.write_next(7, sms(4)), 2);
        assert_eq!(book.latest(7, at(99)), Some((2, &sms(4))));
        assert_eq!(book.following().collect::<Vec<_>>(), [(7, at(4))]);
    }
}
