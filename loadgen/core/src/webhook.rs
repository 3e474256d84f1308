//! Webhooks as the customers of a run get them: what is in one, whom it is for,
//! and which came before its time, twice, late, or never. Listening for them is
//! the shell's business, and what a customer does with one is its own.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use contract::{Truth, body};
use serde::Deserialize;

use crate::call::UserId;

/// A webhook that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// About which rental.
    pub rental: u64,
    /// The bare code.
    pub code: Box<str>,
    /// If the server is a mock that tells: how long the SMS had been readable when
    /// this was posted.
    pub truth: Option<Truth>,
    /// Equal in posts with the same bytes.
    mark: u64,
}

/// As much of the body as a customer needs; how its time is written is for the
/// dialect to say.
#[derive(Deserialize)]
struct Body {
    event: String,
    rental_id: u64,
    sms_code: Box<str>,
}

impl Pushed {
    /// What a post says. `truth` is the value of the mock's truth header. `None` if
    /// it is not the documented webhook.
    pub fn read(body: &[u8], truth: Option<&str>) -> Option<Self> {
        let read: Body = serde_json::from_slice(body).ok()?;
        (read.event == body::SMS_RECEIVED).then(|| Self {
            rental: read.rental_id,
            code: read.sms_code,
            truth: truth.and_then(|text| text.parse().ok()),
            // The default hasher's keys are fixed when it is built this way.
            mark: BuildHasherDefault::<DefaultHasher>::default().hash_one(body),
        })
    }
}

/// Webhooks about rentals that nobody has yet which are kept at most; those of
/// other workers' customers are among them. The oldest go first.
const UNCLAIMED: usize = 65_536;

/// The webhooks of one fleet.
#[derive(Debug, Default)]
pub(crate) struct Postbox {
    receipts: BTreeMap<u64, Standing>,
    /// About rentals that nobody has yet, and how often each came again.
    unclaimed: BTreeMap<u64, (Pushed, u64)>,
    /// Their rentals, in the order in which they came.
    order: VecDeque<u64>,
    missing: u64,
}

/// How it stands with the webhook of a rental.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// This user waits for it.
    Awaited(UserId),
    /// A poll had the code first, so that there has to be one.
    Missing,
    /// The customer is gone without a code; there need not be one.
    Left,
    /// It came, with this mark.
    Came(u64),
}

/// What a webhook is to its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// News.
    For(UserId, Pushed),
    /// News that came too late.
    Late,
    /// What came before.
    Duplicate,
    /// About a later SMS.
    Other,
    /// About a rental that nobody here has so far.
    Unclaimed,
}

impl Postbox {
    /// Takes a webhook.
    pub(crate) fn arrive(&mut self, pushed: Pushed) -> Arrival {
        let Some(standing) = self.receipts.get_mut(&pushed.rental) else {
            self.keep(pushed);
            return Arrival::Unclaimed;
        };
        match std::mem::replace(standing, Standing::Came(pushed.mark)) {
            Standing::Awaited(user) => Arrival::For(user, pushed),
            Standing::Missing => {
                self.missing -= 1;
                Arrival::Late
            }
            Standing::Left => Arrival::Late,
            Standing::Came(mark) if mark == pushed.mark => Arrival::Duplicate,
            Standing::Came(_) => Arrival::Other,
        }
    }

    /// From now on `user` waits for the webhook of its rental. Gives what is there
    /// already, and how often that came again.
    pub(crate) fn claim(&mut self, rental: u64, user: UserId) -> Option<(Pushed, u64)> {
        let early = self.unclaimed.remove(&rental);
        let standing = match &early {
            Some((pushed, _)) => Standing::Came(pushed.mark),
            None => Standing::Awaited(user),
        };
        self.receipts.insert(rental, standing);
        early
    }

    /// Its customer knows the code from a poll.
    pub(crate) fn miss(&mut self, rental: u64) {
        if let Some(standing @ Standing::Awaited(_)) = self.receipts.get_mut(&rental) {
            *standing = Standing::Missing;
            self.missing += 1;
        }
    }

    /// Its customer is gone.
    pub(crate) fn leave(&mut self, rental: u64) {
        if let Some(standing @ Standing::Awaited(_)) = self.receipts.get_mut(&rental) {
            *standing = Standing::Left;
        }
    }

    /// Webhooks that have to come and have not.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    fn keep(&mut self, pushed: Pushed) {
        let rental = pushed.rental;
        if let Some((_, again)) = self.unclaimed.get_mut(&rental) {
            *again += 1;
            return;
        }
        self.unclaimed.insert(rental, (pushed, 0));
        self.order.push_back(rental);
        if self.order.len() > UNCLAIMED
            && let Some(oldest) = self.order.pop_front()
        {
            self.unclaimed.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(rental: u64, code: &str) -> Pushed {
        let body = format!(
            r#"{{"event":"sms.received","timestamp":1,"rental_id":{rental},"phone":"1","service_slug":"x","raw_text":"","sms_code":"{code}"}}"#
        );
        Pushed::read(body.as_bytes(), None).expect("documented")
    }

    #[test]
    fn other_posts_are_no_webhooks() {
        for body in [
            "",
            "{}",
            r#"{"event":"sms.sent","rental_id":1,"sms_code":"1"}"#,
            r#"{"event":"sms.received","rental_id":1,"sms_code":null}"#,
        ] {
            assert_eq!(Pushed::read(body.as_bytes(), None), None, "{body}");
        }
    }

    #[test]
    fn a_webhook_is_news_once() {
        let mut postbox = Postbox::default();
        assert_eq!(postbox.claim(7, UserId(3)), None);
        let news = postbox.arrive(pushed(7, "1"));
        assert_eq!(news, Arrival::For(UserId(3), pushed(7, "1")));
        assert_eq!(postbox.arrive(pushed(7, "1")), Arrival::Duplicate);
        assert_eq!(
            postbox.arrive(pushed(7, "2")),
            Arrival::Other,
            "a second SMS"
        );
        assert_eq!(postbox.missing(), 0);
    }

    #[test]
    fn what_came_before_its_rental_waits_for_it() {
        let mut postbox = Postbox::default();
        assert_eq!(postbox.arrive(pushed(7, "1")), Arrival::Unclaimed);
        assert_eq!(postbox.arrive(pushed(7, "1")), Arrival::Unclaimed);
        assert_eq!(postbox.claim(7, UserId(3)), Some((pushed(7, "1"), 1)));
        assert_eq!(postbox.arrive(pushed(7, "1")), Arrival::Duplicate);
    }

    #[test]
    fn what_a_poll_found_first_is_missing_until_it_comes_late() {
        let mut postbox = Postbox::default();
        for rental in [1, 2, 3] {
            postbox.claim(rental, UserId(0));
        }
        postbox.miss(1);
        postbox.miss(2);
        postbox.leave(3);
        assert_eq!(postbox.missing(), 2);
        assert_eq!(postbox.arrive(pushed(1, "1")), Arrival::Late);
        assert_eq!(postbox.arrive(pushed(3, "1")), Arrival::Late);
        assert_eq!(postbox.arrive(pushed(3, "1")), Arrival::Duplicate);
        assert_eq!(postbox.missing(), 1);
    }

    #[test]
    fn what_nobody_claims_is_forgotten_in_the_end() {
        let mut postbox = Postbox::default();
        for rental in 0..=UNCLAIMED as u64 {
            postbox.arrive(pushed(rental, "1"));
        }
        assert_eq!(
            (postbox.unclaimed.len(), postbox.order.len()),
            (UNCLAIMED, UNCLAIMED)
        );
        assert_eq!(postbox.claim(0, UserId(0)), None);
        assert!(postbox.claim(1, UserId(0)).is_some());
    }
}
