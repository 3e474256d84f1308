//! Rentals and their webhooks as a tester may see them: everything that the
//! mock knows, also what has not happened yet.

use std::collections::BTreeMap;

use contract::{Cents, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deliveries::{Attempt, Delivery, Standing};
use crate::endpoint::EndpointId;
use crate::history;
use crate::journal::What;
use crate::mock::Mock;
use crate::rental::{Rental, State};
use crate::scope::{Scope, redacted};
use crate::sms;
use crate::webhook::WebhookOutcome;

/// Which rentals are meant; what is left out means any.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RentalQuery {
    /// Where they stand.
    pub state: Option<StateWord>,
    /// How many at most, the newest first; 100 if unsaid.
    pub limit: Option<usize>,
}

/// Where a rental stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    /// The SMS may still come.
    Pending,
    /// The SMS is there.
    Completed,
    /// It ended without an SMS.
    Expired,
}

/// A rental, with all that the mock knows about it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RentalView {
    /// What the API calls it.
    pub rental_id: u32,
    /// Whose: the first characters of the key, and a number to tell it apart.
    pub account: String,
    /// The number.
    pub phone: String,
    /// The slug.
    pub service: String,
    /// Its price.
    #[serde(with = "contract::money::decimal")]
    #[schemars(schema_with = "contract::money::decimal::schema")]
    pub cost: Cents,
    /// Where it stands.
    pub state: StateWord,
    /// When it was rented, in the account's time, in UTC.
    pub created_at: String,
    /// When its first SMS arrives or arrived; null if none ever does.
    pub sms_at: Option<String>,
    /// The newest code; of a pending rental, the one to come.
    pub code: String,
    /// The newest SMS; of a pending rental, the one to come.
    pub text: String,
    /// When it ends or ended.
    pub expires_at: String,
    /// How many polls of it the journal holds.
    pub polls: usize,
    /// What was posted about it.
    pub deliveries: Vec<DeliveryView>,
}

/// A webhook, over all its attempts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveryView {
    /// From 1, over the whole server.
    pub id: u64,
    /// Whose.
    pub account: String,
    /// About which rental.
    pub rental_id: u32,
    /// To which endpoint.
    #[schemars(with = "String")]
    pub endpoint: EndpointId,
    /// What a receiver knows the event by: the same at every attempt and in duplicates.
    pub message_id: String,
    /// Where the last attempt went.
    pub url: String,
    /// `posting`, `failed` (another attempt will follow), `acknowledged`, `given_up`,
    /// `scheduled` (to be replayed), or `dropped` by a fault rule.
    pub state: &'static str,
    /// When the next attempt is due, in the account's time, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// What fault rules do to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<&'static str>,
    /// Every post.
    pub attempts: Vec<AttemptView>,
}

/// One post.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AttemptView {
    /// From 1.
    pub attempt: u32,
    /// When it began, in the account's time, in UTC.
    pub at: String,
    /// `acknowledged`, `failed`, or `gone` if the endpoint wants no more; null while it is under way.
    pub outcome: Option<&'static str>,
    /// The receiver's status; null if there was none.
    pub status: Option<u16>,
    /// Why there was none; null if there was.
    pub error: Option<String>,
    /// Real time from its beginning to its end.
    pub milliseconds: f64,
}

impl Mock {
    /// The rentals that are meant, the newest first.
    pub fn rentals(&mut self, now: Moment, scope: Scope, query: &RentalQuery) -> Vec<RentalView> {
        let now = self.advance(now);
        let limit = query.limit.unwrap_or(100);
        let polls = self.polls(scope);
        let mut found = Vec::new();
        for place in self.places(scope) {
            let account = &self.accounts[place as usize];
            let local = account.clock.local(now);
            let newest_first = account.rentals().iter().rev();
            let meant = newest_first.filter(|rental| {
                let state = account.state(rental, local).into();
                query.state.is_none_or(|wanted| wanted == state)
            });
            found.extend(meant.take(limit).map(|rental| (place, local, rental)));
        }
        found.sort_by_key(|(.., rental)| std::cmp::Reverse(rental.id));
        let shown = found.into_iter().take(limit);
        shown
            .map(|(place, local, rental)| self.rental_view(place, local, rental, &polls))
            .collect()
    }

    /// One rental.
    pub fn rental_shown(&mut self, now: Moment, scope: Scope, id: u32) -> Option<RentalView> {
        let now = self.advance(now);
        let polls = self.polls(scope);
        let (place, rental) = self.rental_of(scope, id)?;
        let local = self.accounts[place as usize].clock.local(now);
        Some(self.rental_view(place, local, rental, &polls))
    }

    /// A rental that is in this scope: an account knows its own only.
    pub(crate) fn rental_of(&self, scope: Scope, id: u32) -> Option<(u32, &Rental)> {
        let asking = scope.place();
        self.rental(id)
            .filter(|(owner, _)| asking.is_none_or(|place| place == *owner))
    }

    /// What was posted, the newest first: about one rental, or about all.
    pub fn deliveries(&self, scope: Scope, rental: Option<u32>, limit: usize) -> Vec<DeliveryView> {
        let newest_first = self.deliveries.all().rev();
        let meant = newest_first.filter(|delivery| {
            let mine = scope.place().is_none_or(|place| place == delivery.account);
            mine && rental.is_none_or(|id| id == delivery.id.rental)
        });
        let shown = meant.take(limit);
        shown.map(|delivery| self.delivery_view(delivery)).collect()
    }

    /// How many deliveries were forgotten to make room for newer ones.
    pub const fn deliveries_evicted(&self) -> u64 {
        self.deliveries.evicted()
    }

    /// One delivery.
    pub fn delivery(&self, scope: Scope, number: u64) -> Option<DeliveryView> {
        let mine =
            |delivery: &&Delivery| scope.place().is_none_or(|place| place == delivery.account);
        let delivery = self.deliveries.get(number).filter(mine);
        delivery.map(|delivery| self.delivery_view(delivery))
    }

    /// How many polls of each rental the journal holds.
    fn polls(&self, scope: Scope) -> BTreeMap<u32, usize> {
        let mut polls = BTreeMap::new();
        for entry in self.journal.of(scope.place()) {
            if let What::Poll(id) = entry.what {
                *polls.entry(id).or_default() += 1;
            }
        }
        polls
    }

    fn rental_view(
        &self,
        place: u32,
        local: Moment,
        rental: &Rental,
        polls: &BTreeMap<u32, usize>,
    ) -> RentalView {
        let account = &self.accounts[place as usize];
        let date = |moment| history::created_at(self.epoch, moment);
        let message = account.shown(rental, local);
        let first = account.sms(rental, sms::FIRST).map(|(at, _)| at);
        let deliveries = self.deliveries.about(rental.id);
        RentalView {
            rental_id: rental.id,
            account: self.name(place),
            phone: rental.phone.digits(),
            service: self.catalogue.names(rental).slug.to_owned(),
            cost: rental.service.price,
            state: account.state(rental, local).into(),
            created_at: date(rental.created),
            sms_at: first.map(date),
            code: message.code.into_owned(),
            text: message.text.into_owned(),
            expires_at: date(account.end(rental)),
            polls: polls.get(&rental.id).copied().unwrap_or_default(),
            deliveries: deliveries
                .map(|delivery| self.delivery_view(delivery))
                .collect(),
        }
    }

    pub(crate) fn delivery_view(&self, delivery: &Delivery) -> DeliveryView {
        let attempts = delivery.attempts.iter();
        DeliveryView {
            id: delivery.number,
            account: self.name(delivery.account),
            rental_id: delivery.id.rental,
            endpoint: delivery.id.endpoint,
            message_id: delivery.id.message(),
            url: delivery.url.clone(),
            state: delivery.standing.word(),
            next_at: delivery
                .next
                .map(|next| history::created_at(self.epoch, next)),
            faults: delivery.faults.clone(),
            attempts: attempts.map(|attempt| self.attempt_view(attempt)).collect(),
        }
    }

    fn attempt_view(&self, attempt: &Attempt) -> AttemptView {
        AttemptView {
            attempt: attempt.number,
            at: history::created_at(self.epoch, attempt.at),
            outcome: attempt.outcome.map(|outcome| match outcome {
                WebhookOutcome::Acknowledged => "acknowledged",
                WebhookOutcome::Failed => "failed",
                WebhookOutcome::Gone => "gone",
            }),
            status: attempt.report.status,
            error: attempt.report.error.clone(),
            milliseconds: attempt.report.took.as_secs_f64() * 1000.0,
        }
    }

    /// An account as answers name it.
    pub(crate) fn name(&self, place: u32) -> String {
        let owner = self.accounts.get_index(place as usize);
        owner.map(|(key, _)| redacted(key)).unwrap_or_default()
    }
}

impl From<State> for StateWord {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Completed => Self::Completed,
            State::Expired => Self::Expired,
        }
    }
}

impl Standing {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Posting => "posting",
            Self::Failed => "failed",
            Self::Acknowledged => "acknowledged",
            Self::GivenUp => "given_up",
            Self::Scheduled => "scheduled",
            Self::Dropped => "dropped",
        }
    }
}
