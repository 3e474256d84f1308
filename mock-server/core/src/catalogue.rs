//! What can be rented: the services of the table, and, in a dialect that
//! accepts any, those that somebody asked for. These have only a name of their
//! own; price, code and text are the same for all of them.

use std::borrow::Cow;
use std::num::NonZeroU16;

use contract::{Cents, Problem, Service};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::dialect::{Dialect, SlugCase, UnknownService};
use crate::rental::Rental;

/// How many names are kept at most, so that no client can fill the memory.
const MOST: usize = 1000;

/// Characters of a slug at most.
const LONGEST: usize = 64;

/// What every service is that is not in the table.
static ACCEPTED: Service = Service {
    slug: "accepted",
    rent_name: "Accepted",
    history_name: "Accepted",
    price: Cents(100),
    code_digits: 6,
    template: "Your verification code is: {code}",
};

/// The names of the services that are not in the table, in the order in which
/// they were first asked for.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    accepted: IndexSet<Box<str>, FxBuildHasher>,
}

/// Something that can be rented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Price, code and text.
    pub(crate) service: &'static Service,
    /// Its name, if it is not the table's.
    pub(crate) name: Option<NameId>,
}

/// A name in the catalogue: its place, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameId(NonZeroU16);

/// How a service is called where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    /// In webhooks.
    pub(crate) slug: &'a str,
    /// In the answer of rent.
    pub(crate) rent: Cow<'a, str>,
    /// In the history.
    pub(crate) history: Cow<'a, str>,
}

impl From<&'static Service> for Offer {
    fn from(service: &'static Service) -> Self {
        let name = None;
        Self { service, name }
    }
}

impl Catalogue {
    /// What a slug means.
    ///
    /// # Errors
    ///
    /// [`Problem::UnknownService`], and nothing has changed.
    pub(crate) fn find(&mut self, slug: &str, dialect: &Dialect) -> Result<Offer, Problem> {
        let slug = match dialect.slug_case {
            SlugCase::Any => Cow::Owned(slug.to_ascii_lowercase()),
            SlugCase::Lower => Cow::Borrowed(slug),
        };
        if let Some(service) = Service::find(&slug).filter(|service| service.slug == slug) {
            return Ok(service.into());
        }
        Some(slug)
            .filter(|slug| dialect.unknown_service == UnknownService::Accept && is_slug(slug))
            .and_then(|slug| self.accept(&slug))
            .ok_or(Problem::UnknownService)
    }

    /// What a slug means that was accepted elsewhere; `None` if it is none.
    pub(crate) fn restore(&mut self, slug: &str) -> Option<Offer> {
        is_slug(slug).then(|| self.accept(slug))?
    }

    fn accept(&mut self, slug: &str) -> Option<Offer> {
        let place = match self.accepted.get_index_of(slug) {
            Some(place) => place,
            None if self.accepted.len() < MOST => self.accepted.insert_full(slug.into()).0,
            None => return None,
        };
        let number = NonZeroU16::new(u16::try_from(place + 1).ok()?)?;
        Some(Offer {
            service: &ACCEPTED,
            name: Some(NameId(number)),
        })
    }

    /// How the service of a rental is called.
    pub(crate) fn names(&self, rental: &Rental) -> Names<'_> {
        let Some(NameId(number)) = rental.name else {
            return Names {
                slug: rental.service.slug,
                rent: rental.service.rent_name.into(),
                history: rental.service.history_name.into(),
            };
        };
        let slug = self.accepted.get_index(usize::from(number.get()) - 1);
        let slug = slug.expect("invariant: names are never forgotten");
        let name = capitalised(slug);
        Names {
            slug,
            rent: name.clone().into(),
            history: name.into(),
        }
    }
}

/// Lower case letters, digits, hyphens and underscores, not too many.
fn is_slug(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() <= LONGEST && text.bytes().all(fits)
}

fn capitalised(slug: &str) -> String {
    let (first, rest) = slug.split_at(1);
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting() -> Dialect {
        Dialect {
            unknown_service: UnknownService::Accept,
            ..Dialect::default()
        }
    }

    #[test]
    fn a_name_is_kept_once_and_the_number_of_names_is_bounded() {
        let mut catalogue = Catalogue::default();
        let mut find = |slug: &str| catalogue.find(slug, &accepting());
        assert_eq!(find("nokia"), find("Nokia"));
        for number in 1..MOST {
            assert!(find(&format!("service-{number}")).is_ok());
        }
        assert_eq!(find("one-too-many"), Err(Problem::UnknownService));
        assert!(find("nokia").is_ok());
        assert_eq!(find("whatsapp").map(|offer| offer.name), Ok(None));
    }

    #[test]
    fn what_is_no_slug_is_no_service() {
        let mut catalogue = Catalogue::default();
        for text in ["no kia", "<b>", "n\u{f6}kia", "a\"b", &"x".repeat(65)] {
            let refused = Err(Problem::UnknownService);
            assert_eq!(catalogue.find(text, &accepting()), refused, "{text}");
        }
        let strict = Dialect {
            slug_case: SlugCase::Lower,
            ..accepting()
        };
        for text in ["Nokia", "WhatsApp"] {
            assert!(catalogue.find(text, &strict).is_err(), "{text}");
        }
        let default = Dialect::default();
        assert!(catalogue.find("nokia", &default).is_err());
    }
}
