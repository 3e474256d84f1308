//! What an account has to post: its endpoints, each with a queue of its own, so
//! that one that hangs keeps no other waiting; and what fault rules have in mind
//! for the webhooks of single rentals.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::WebhookRetry;
use crate::endpoint::{EndpointId, SavedEndpoint};
use crate::fault::{Origin, WebhookPlan};
use crate::queue::{Followed, Pending, ReplayError, SavedQueue, WebhookQueue};
use crate::settings::WebhookSettings;
use crate::webhook::{DeliveryId, WebhookOutcome};
use crate::webhook_url::WebhookUrl;

/// An account's webhooks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    endpoints: BTreeMap<EndpointId, Endpoint>,
    /// How many endpoints testers ever made for this account.
    made: u32,
    /// By rental, where there is anything.
    plans: BTreeMap<u32, WebhookPlan>,
}

/// An endpoint, and what waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) settings: Arc<WebhookSettings>,
    pub(crate) queue: WebhookQueue,
}

/// A post that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) delivery: DeliveryId,
    /// Which attempt of it this is, from 1, since it was last planned.
    pub(crate) number: u32,
    pub(crate) receiver: Arc<WebhookSettings>,
    pub(crate) plan: WebhookPlan,
}

impl Outbox {
    /// With the endpoint that the settings name, and no other.
    pub(crate) fn of(settings: Option<&Arc<WebhookSettings>>) -> Self {
        let mut outbox = Self::default();
        outbox.follow(settings);
        outbox
    }

    /// The endpoint of the settings is this one from now on.
    pub(crate) fn follow(&mut self, settings: Option<&Arc<WebhookSettings>>) {
        let id = EndpointId::SETTINGS;
        match (settings, self.endpoints.get(&id)) {
            (None, _) => self.remove(id),
            (Some(new), Some(old)) if **new == *old.settings => {}
            (Some(new), _) => self.put(id, Arc::clone(new)),
        }
    }

    /// The same endpoints that testers made, with nothing to be posted.
    pub(crate) fn adopt(&mut self, former: &Self) {
        self.made = former.made;
        for (id, endpoint) in &former.endpoints {
            if id.origin == Origin::Account {
                self.put(*id, Arc::clone(&endpoint.settings));
            }
        }
    }

    /// Has one more endpoint, or another of the same name, for which the same waits.
    /// It is enabled.
    pub(crate) fn put(&mut self, id: EndpointId, settings: Arc<WebhookSettings>) {
        if id.origin == Origin::Account {
            self.made = self.made.max(id.number);
        }
        let queue = WebhookQueue::default();
        let fresh = Endpoint { settings, queue };
        match self.endpoints.get_mut(&id) {
            Some(same) => {
                same.settings = fresh.settings;
                same.queue.enable();
            }
            None => {
                self.endpoints.insert(id, fresh);
            }
        }
    }

    /// How many endpoints testers ever made for this account.
    pub(crate) const fn made(&self) -> u32 {
        self.made
    }

    /// Is without the endpoint of this name, and what waits for it.
    pub(crate) fn remove(&mut self, id: EndpointId) {
        self.endpoints.remove(&id);
    }

    /// All endpoints.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint)> {
        self.endpoints.iter().map(|(id, endpoint)| (*id, endpoint))
    }

    /// The endpoint of this name.
    pub(crate) fn get(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.get(&id)
    }

    /// From now on this is to happen to the webhooks of a rental.
    pub(crate) fn remember(&mut self, rental: u32, plan: WebhookPlan) {
        if plan != WebhookPlan::ORDINARY {
            self.plans.insert(rental, plan);
        }
    }

    /// What is to happen to the webhooks of a rental.
    pub(crate) fn plan_of(&self, rental: u32) -> WebhookPlan {
        let plan = self.plans.get(&rental).copied();
        plan.unwrap_or(WebhookPlan::ORDINARY)
    }

    /// Plans an event that is due at `moment`, for every endpoint.
    pub(crate) fn plan(&mut self, moment: Moment, event: DeliveryId) {
        for (id, endpoint) in &mut self.endpoints {
            endpoint.queue.plan(moment, event.to(*id));
        }
    }

    /// Plans a delivery once more.
    pub(crate) fn replay(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        planned: Option<Moment>,
    ) -> Result<(), ReplayError> {
        let endpoint = self.endpoints.get_mut(&delivery.endpoint);
        let endpoint = endpoint.ok_or(ReplayError::Gone)?;
        endpoint.queue.replay(now, delivery, planned)
    }

    /// When the next attempt is due, if one more can be under way.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let endpoints = self.endpoints.values();
        let due = endpoints.filter_map(|endpoint| endpoint.queue.next_due());
        due.min()
    }

    /// Begins the next attempt that is due by `now`.
    pub(crate) fn begin(&mut self, now: Moment) -> Option<Begun> {
        let plans = &self.plans;
        let endpoints = self.endpoints.values_mut();
        // The earliest is found first; what is held back shows the one behind it.
        let mut ready: Vec<_> = endpoints
            .filter_map(|endpoint| Some((endpoint.queue.next_due()?, endpoint)))
            .collect();
        ready.sort_by_key(|(due, _)| *due);
        ready.into_iter().find_map(|(_, endpoint)| {
            let is_overtaken = |delivery: DeliveryId| {
                let plan = plans.get(&delivery.rental);
                plan.is_some_and(|plan| plan.reordered && !plan.dropped)
            };
            let begun = endpoint.queue.begin(now, is_overtaken)?;
            Some(endpoint.begun(begun, plans))
        })
    }

    /// The same for an event about one rental that was planned for this very moment.
    pub(crate) fn begin_about(&mut self, now: Moment, rental: u32) -> Option<Begun> {
        let plans = &self.plans;
        self.endpoints.values_mut().find_map(|endpoint| {
            let begun = endpoint.queue.begin_about(now, rental)?;
            Some(endpoint.begun(begun, plans))
        })
    }

    /// Forgets the events that are `unwanted`.
    pub(crate) fn cancel(&mut self, unwanted: impl Fn(DeliveryId) -> bool) {
        for endpoint in self.endpoints.values_mut() {
            endpoint.queue.cancel(&unwanted);
        }
    }

    /// Whether an attempt is under way.
    pub(crate) fn is_posting(&self) -> bool {
        let mut endpoints = self.endpoints.values();
        endpoints.any(|endpoint| endpoint.queue.is_posting())
    }

    /// Whether nothing is to be posted, and nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        let mut endpoints = self.endpoints.values();
        endpoints.all(|endpoint| endpoint.queue.is_empty())
    }

    /// Ends an attempt that is not made after all.
    pub(crate) fn drop(&mut self, delivery: DeliveryId) {
        if let Some(endpoint) = self.endpoints.get_mut(&delivery.endpoint) {
            endpoint.queue.drop(delivery);
        }
    }

    /// Ends an attempt; `retry` counts where the endpoint has no policy of its own.
    pub(crate) fn end(
        &mut self,
        now: Moment,
        delivery: DeliveryId,
        outcome: WebhookOutcome,
        retry: WebhookRetry,
    ) -> Followed {
        let Some(endpoint) = self.endpoints.get_mut(&delivery.endpoint) else {
            return Followed::default();
        };
        let retry = endpoint.settings.retry.unwrap_or(retry);
        endpoint.queue.end(now, delivery, outcome, retry)
    }

    /// What is still before all of it at `now`.
    pub(crate) fn pending(&self, now: Moment) -> Pending {
        let mut all = Pending::default();
        for endpoint in self.endpoints.values() {
            all += endpoint.queue.pending(now);
        }
        all
    }
}

impl Endpoint {
    fn begun(
        &self,
        (delivery, number): (DeliveryId, u32),
        plans: &BTreeMap<u32, WebhookPlan>,
    ) -> Begun {
        let plan = plans.get(&delivery.rental).copied();
        Begun {
            delivery,
            number,
            receiver: Arc::clone(&self.settings),
            plan: plan.unwrap_or(WebhookPlan::ORDINARY),
        }
    }
}

/// What is to be posted for an account, written down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedOutbox {
    endpoints: Vec<(SavedEndpoint, SavedQueue)>,
    endpoints_made: u32,
    /// What fault rules have in mind for the webhooks of single rentals.
    plans: Vec<(u32, WebhookPlan)>,
}

impl SavedOutbox {
    /// Where webhooks go.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &WebhookUrl> {
        self.endpoints.iter().map(|(endpoint, _)| &endpoint.url)
    }
}

impl Outbox {
    /// Written down, but for secrets.
    pub(crate) fn save(&self) -> SavedOutbox {
        let endpoints = self.endpoints.iter().map(|(id, endpoint)| {
            let saved = SavedEndpoint::of(*id, &endpoint.settings);
            (saved, endpoint.queue.save())
        });
        SavedOutbox {
            endpoints: endpoints.collect(),
            endpoints_made: self.made,
            plans: self.plans.iter().map(|(id, plan)| (*id, *plan)).collect(),
        }
    }

    /// As it was written down; the settings say what their endpoint is like.
    pub(crate) fn restore(saved: SavedOutbox, settings: Option<&Arc<WebhookSettings>>) -> Self {
        let endpoints = saved.endpoints.into_iter().map(|(endpoint, queue)| {
            let id = endpoint.id;
            let settings = endpoint.settings();
            let queue = WebhookQueue::restore(queue, id);
            (id, Endpoint { settings, queue })
        });
        let mut outbox = Self {
            endpoints: endpoints.collect(),
            made: saved.endpoints_made,
            plans: saved.plans.into_iter().collect(),
        };
        match (settings, outbox.endpoints.get_mut(&EndpointId::SETTINGS)) {
            (Some(settings), Some(endpoint)) => endpoint.settings = Arc::clone(settings),
            _ => outbox.follow(settings),
        }
        outbox
    }

    /// Signs as `former` did, where an endpoint is the same: no secret is written down.
    pub(crate) fn sign_as(&mut self, former: &Self) {
        for (id, endpoint) in &mut self.endpoints {
            let same = former.endpoints.get(id).map(|former| &former.settings);
            if let Some(same) = same.filter(|same| same.url == endpoint.settings.url) {
                let settings = Arc::make_mut(&mut endpoint.settings);
                settings.secret.clone_from(&same.secret);
            }
        }
    }

    /// The rentals that something is said about.
    pub(crate) fn rentals(&self) -> impl Iterator<Item = u32> {
        let queues = self.endpoints.values();
        let queued = queues.flat_map(|endpoint| endpoint.queue.rentals());
        queued.chain(self.plans.keys().copied())
    }
}
