//! A rental as a function of time. Everything about it is decided when it is
//! made; looking at it changes nothing.

use std::time::Duration;

use contract::dice::{Roll, unit};
use contract::{Dice, Law, Moment, Service, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, NameId, Offer};
use crate::phone::Phone;
use crate::sms::{Message, Sms};

/// One rented number, in 40 bytes and without text of its own: a server may
/// hold millions of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rental {
    /// What it is for.
    pub(crate) service: &'static Service,
    /// What that is called, if it is not in the table.
    pub(crate) name: Option<NameId>,
    /// When it was rented.
    pub(crate) created: Moment,
    /// When the SMS arrives, or [`Moment::NEVER`].
    arrival: Moment,
    /// What the API calls it.
    pub(crate) id: u32,
    /// The number.
    pub(crate) phone: Phone,
    /// The one-time password as a number; leading zeros are added in writing.
    code: u32,
}

/// Where on its line of time a rental stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The SMS may still come.
    Pending,
    /// The SMS is there.
    Completed,
    /// It ended without an SMS.
    Expired,
}

/// What every rental of a server has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    /// The chances of the run.
    pub(crate) dice: Dice,
    /// From rent to SMS.
    pub(crate) sms_delay: &'a Law,
    /// From rent to end.
    pub(crate) life: Duration,
    /// Whether an SMS at or after the end arrives all the same.
    pub(crate) keeps_late_sms: bool,
}

impl Rental {
    /// Decides the rental with number `index` of `account`, whose SMS comes as
    /// much `later` as a fault wants, or never.
    pub(crate) fn decide(
        terms: Terms<'_>,
        (account, index): (u64, u64),
        (id, offer, phone): (u32, Offer, Phone),
        (now, later): (Moment, Option<Duration>),
    ) -> Self {
        let drawn = terms
            .sms_delay
            .sample(&mut terms.dice.roll(account, Stream::SmsDelay, index));
        let delay = drawn
            .zip(later)
            .map(|(delay, later)| delay.saturating_add(later));
        // An SMS at or after the end is late: the number is somebody else's by then.
        let arrival = delay
            .filter(|delay| terms.keeps_late_sms || *delay < terms.life)
            .map_or(Moment::NEVER, |delay| now + delay);
        let Offer { service, name } = offer;
        Self {
            service,
            name,
            created: now,
            arrival,
            id,
            phone,
            code: code(terms.dice.roll(account, Stream::Code, index), service),
        }
    }

    /// The second SMS of the rental with number `index` of `account`, which comes
    /// `after` the first; `None` if it would come too late.
    pub(crate) fn second_sms(
        &self,
        terms: Terms<'_>,
        (account, index): (u64, u64),
        after: Duration,
    ) -> Option<Sms> {
        let at = self.sms_at()? + after;
        if !terms.keeps_late_sms && at >= self.created + terms.life {
            return None;
        }
        let code = code(
            terms.dice.roll(account, Stream::SecondCode, index),
            self.service,
        );
        // Another code is what the fault is about, so chance must not repeat the first.
        let code = if code == self.code {
            (code + 1) % codes(self.service)
        } else {
            code
        };
        let code = written(code, self.service);
        let text = self.service.message(&code).into();
        let code = code.into();
        Some(Sms { at, code, text })
    }

    /// Where it stands at `now`, if it ends at `end`.
    pub(crate) fn state(&self, now: Moment, end: Moment) -> State {
        // An account's clock may have come to the end of time, which is never.
        if self.sms_at().is_some_and(|arrival| arrival <= now) {
            State::Completed
        } else if end <= now {
            State::Expired
        } else {
            State::Pending
        }
    }

    /// When the SMS arrives, if it does.
    pub(crate) fn sms_at(&self) -> Option<Moment> {
        (self.arrival != Moment::NEVER).then_some(self.arrival)
    }

    /// The SMS arrives at `moment` instead.
    pub(crate) fn deliver(&mut self, moment: Moment) {
        self.arrival = moment;
    }

    /// No SMS arrives any more.
    pub(crate) fn lose_sms(&mut self) {
        self.arrival = Moment::NEVER;
    }

    /// The one-time password that was drawn, with its leading zeros.
    pub(crate) fn code(&self) -> String {
        written(self.code, self.service)
    }

    /// What the SMS says that was drawn.
    pub(crate) fn message(&self) -> Message<'static> {
        let code = self.code();
        Message {
            text: self.service.message(&code).into(),
            code: code.into(),
        }
    }
}

/// A rental, written down. Moments are nanoseconds of its account's time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedRental {
    id: u32,
    service: String,
    /// What that is called, if it is not in the table.
    name: Option<String>,
    /// The number's place among all.
    phone: u32,
    created: u64,
    sms_at: Option<u64>,
    code: u32,
}

impl Rental {
    /// Written down.
    pub(crate) fn save(&self, catalogue: &Catalogue) -> SavedRental {
        let name = self.name.map(|_| catalogue.names(self).slug.to_owned());
        SavedRental {
            id: self.id,
            service: self.service.slug.to_owned(),
            name,
            phone: self.phone.place(),
            created: self.created.nanoseconds(),
            sms_at: self.sms_at().map(Moment::nanoseconds),
            code: self.code,
        }
    }
}

impl SavedRental {
    /// The rental, if there is such a service, such a number and such a code.
    pub(crate) fn restore(self, catalogue: &mut Catalogue) -> Option<Rental> {
        let Offer { service, name } = match self.name {
            None => Service::find(&self.service)?.into(),
            Some(name) => catalogue.restore(&name)?,
        };
        Some(Rental {
            service,
            name,
            created: Moment::from_nanoseconds(self.created),
            arrival: self.sms_at.map_or(Moment::NEVER, Moment::from_nanoseconds),
            id: self.id,
            phone: Phone::at(self.phone)?,
            code: (self.code < codes(service)).then_some(self.code)?,
        })
    }
}

fn code(mut roll: Roll, service: &Service) -> u32 {
    (unit(&mut roll) * f64::from(codes(service))) as u32
}

fn written(code: u32, service: &Service) -> String {
    format!("{code:0width$}", width = service.code_digits as usize)
}

/// How many codes there are with the service's number of digits.
const fn codes(service: &Service) -> u32 {
    10_u32.pow(service.code_digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::PhoneBook;

    const LIFE: Duration = Duration::from_secs(1200);

    fn rental(law: &str, index: u64) -> Rental {
        let dice = Dice::new(11);
        let sms_delay = law.parse().expect(law);
        let terms = Terms {
            dice,
            sms_delay: &sms_delay,
            life: LIFE,
            keeps_late_sms: false,
        };
        let phone = PhoneBook::new(dice, 1)
            .take(Moment::START, Moment::START + LIFE)
            .expect("a free number");
        let service = Service::find("whatsapp").expect("in the table");
        let made = (Moment::START, Some(Duration::ZERO));
        Rental::decide(terms, (1, index), (7, service.into(), phone), made)
    }

    #[test]
    fn a_rental_is_a_function_of_time() {
        let at = |law, seconds| {
            let now = Moment::START + Duration::from_millis(seconds);
            rental(law, 0).state(now, Moment::START + LIFE)
        };
        assert_eq!(at("2s", 1_999), State::Pending);
        assert_eq!(at("2s", 2_000), State::Completed);
        assert_eq!(at("2s", 9_999_999), State::Completed);
        assert_eq!(at("never", 1_199_999), State::Pending);
        assert_eq!(at("never", 1_200_000), State::Expired);
    }

    #[test]
    fn an_sms_at_the_end_or_later_is_dropped() {
        assert_eq!(rental("1200s", 0).sms_at(), None);
        assert_eq!(rental("1201s", 0).sms_at(), None);
        assert!(rental("1199999ms", 0).sms_at().is_some());
    }

    #[test]
    fn an_sms_that_never_comes_has_not_come_at_the_end_of_time() {
        assert_eq!(
            rental("never", 0).state(Moment::NEVER, Moment::START + LIFE),
            State::Expired
        );
    }

    #[test]
    fn codes_keep_their_leading_zeros() {
        let codes: Vec<_> = (0..200).map(|index| rental("2s", index).code()).collect();
        assert!(codes.iter().all(|code| code.len() == 6));
        assert!(codes.iter().any(|code| code.starts_with('0')));
    }

    #[test]
    fn a_rental_is_small() {
        assert_eq!(size_of::<Rental>(), 40);
    }
}
