//! Waiting for something to happen, as a question that can be asked again: has
//! it happened, and if not, when could it by itself? The shell does the waiting.

use contract::Moment;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::deliveries::{Delivery, Standing};
use crate::mock::Mock;
use crate::rental::State;
use crate::requests::Matcher;
use crate::scope::Scope;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "for", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// So many matching requests in the journal.
    Request {
        /// Which requests; all, if it is left out.
        #[serde(default, rename = "match")]
        matcher: Matcher,
        /// How many; one, if it is left out.
        #[serde(default = "one")]
        count: u64,
    },
    /// A rental that has come to a certain state.
    Rental {
        /// Which.
        rental_id: u32,
        /// Which state; any but pending, if it is left out.
        #[serde(default)]
        state: Goal,
    },
    /// So many SMS: of a rental, or of all.
    Sms {
        /// Which rental; any, if it is left out.
        rental_id: Option<u32>,
        /// How many; one, if it is left out.
        #[serde(default = "one")]
        count: u64,
    },
    /// A webhook about a rental that has come so far.
    Delivery {
        /// Which rental.
        rental_id: u32,
        /// How far; acknowledged, if it is left out.
        #[serde(default)]
        outcome: DeliveryGoal,
    },
    /// No webhook to be posted any more: each is acknowledged or given up, and none
    /// is still to come.
    Webhooks {},
}

/// How far a webhook should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryGoal {
    /// The receiver took it.
    #[default]
    Acknowledged,
    /// The last attempt failed, and none will follow.
    GivenUp,
    /// An attempt has ended, however.
    Attempted,
}

const fn one() -> u64 {
    1
}

/// How far a rental should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// It has its SMS.
    Completed,
    /// It ended without one.
    Expired,
    /// Either.
    #[default]
    Ended,
}

/// How a wish stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// It has come true.
    Happened,
    /// Not by itself before this moment of the server's time; [`Moment::NEVER`] if
    /// only a request or a tester's hand can make it come true.
    NotBefore(Moment),
    /// There is no such rental.
    NoSuchRental,
}

impl Mock {
    /// How a wish stands.
    pub fn watch(&mut self, now: Moment, scope: Scope, wish: &Wish) -> Watch {
        let now = self.advance(now);
        match wish {
            Wish::Request { matcher, count } => {
                let matched = self.matching(scope, matcher) as u64;
                if matched >= *count {
                    Watch::Happened
                } else {
                    Watch::NotBefore(Moment::NEVER)
                }
            }
            Wish::Rental { rental_id, state } => self.watch_rental(now, scope, *rental_id, *state),
            Wish::Sms { rental_id, count } => self.watch_sms(now, scope, *rental_id, *count),
            Wish::Delivery { rental_id, outcome } => {
                self.watch_delivery(scope, *rental_id, *outcome)
            }
            Wish::Webhooks {} => self.watch_webhooks(scope),
        }
    }

    fn watch_sms(&self, now: Moment, scope: Scope, rental: Option<u32>, count: u64) -> Watch {
        if rental.is_some_and(|id| self.rental_of(scope, id).is_none()) {
            return Watch::NoSuchRental;
        }
        let (mut arrived, mut next) = (0, Moment::NEVER);
        for place in self.places(scope) {
            let account = &self.accounts[place as usize];
            let local = account.clock.local(now);
            let first = account.rentals().iter();
            let first = first.filter_map(|rental| Some((rental.id, rental.sms_at()?)));
            for (id, at) in first.chain(account.following_sms()) {
                if rental.is_some_and(|wanted| wanted != id) {
                    continue;
                }
                if at <= local {
                    arrived += 1;
                } else {
                    next = next.min(account.clock.server(at));
                }
            }
        }
        if arrived >= count {
            return Watch::Happened;
        }
        Watch::NotBefore(next)
    }

    fn watch_webhooks(&self, scope: Scope) -> Watch {
        let places = self.places(scope).into_iter();
        let mut outboxes = places.map(|place| &self.accounts[place as usize].webhooks);
        if outboxes.all(|outbox| outbox.is_empty()) {
            return Watch::Happened;
        }
        Watch::NotBefore(Moment::NEVER)
    }

    fn watch_delivery(&self, scope: Scope, rental: u32, goal: DeliveryGoal) -> Watch {
        if self.rental_of(scope, rental).is_none() {
            return Watch::NoSuchRental;
        }
        let reached = |delivery: &Delivery| match goal {
            DeliveryGoal::Acknowledged => delivery.standing == Standing::Acknowledged,
            DeliveryGoal::GivenUp => delivery.standing == Standing::GivenUp,
            DeliveryGoal::Attempted => {
                let first = delivery.attempts.first();
                first.is_some_and(|first| first.outcome.is_some())
            }
        };
        if self.deliveries.about(rental).any(reached) {
            return Watch::Happened;
        }
        Watch::NotBefore(Moment::NEVER)
    }

    fn watch_rental(&self, now: Moment, scope: Scope, id: u32, goal: Goal) -> Watch {
        let Some((owner, rental)) = self.rental_of(scope, id) else {
            return Watch::NoSuchRental;
        };
        let owner = &self.accounts[owner as usize];
        let now = owner.clock.local(now);
        let arrival = rental.sms_at();
        let end = Some(owner.end(rental)).filter(|_| !owner.has_sms_in_time(rental));
        let due = match goal {
            Goal::Completed => arrival,
            Goal::Expired => end,
            Goal::Ended => [arrival, end].into_iter().flatten().min(),
        };
        match (owner.state(rental, now), goal) {
            (State::Completed, Goal::Completed | Goal::Ended)
            | (State::Expired, Goal::Expired | Goal::Ended) => Watch::Happened,
            _ => {
                // What is over, an end before a late SMS, does not come again.
                let due = due.filter(|due| *due > now);
                Watch::NotBefore(due.map_or(Moment::NEVER, |due| owner.clock.server(due)))
            }
        }
    }
}
