//! Is the client as it should be? Rules over what the mock sees of it: requests
//! as they come, rentals, and how it answers webhooks. Everything is reckoned in
//! the account's own time, so that a compressed run is judged like a real one;
//! only how long a receiver takes is real, as its patience is.
//!
//! A finding needs what a reasonable client does not do, and says which requests
//! prove it. Where a service might be meant either way, nothing is found.

mod customer;
mod finding;
mod mode;
mod receiver;
mod rule;
mod tenancy;

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::Duration;

use contract::{Moment, Operation};
use rustc_hash::FxHasher;

use self::customer::{Customer, Seen};
use self::finding::Findings;
pub use self::finding::{Finding, LintReport};
pub use self::mode::{LintMode, LintModeError};
pub use self::rule::Rule;
use crate::dialect::Idempotency;
use crate::journal::{Entry, What};
use crate::mock::Mock;
use crate::register::Place;
use crate::rental::State;
use crate::reply::{Delivery, Reply};
use crate::request::{Body, Request};
use crate::scope::Scope;
use crate::webhook::{DeliveryId, WebhookOutcome};

/// What is remembered of the clients, and what was found.
#[derive(Debug)]
pub(crate) struct Lint {
    /// By account; requests without one are told apart by nothing.
    customers: BTreeMap<Option<u32>, Customer>,
    findings: Findings,
    /// How many rentals there were when it last looked.
    made: u64,
}

impl Lint {
    /// A look at the clients, if one is wanted.
    pub(crate) fn of(mode: LintMode) -> Option<Box<Self>> {
        (mode != LintMode::Off).then(|| {
            Box::new(Self {
                customers: BTreeMap::new(),
                findings: Findings::default(),
                made: 0,
            })
        })
    }
}

impl Mock {
    /// Looks at the request that was just written down.
    #[cold]
    pub(crate) fn examine_request(
        &mut self,
        (owner, at): (Option<u32>, Moment),
        request: &Request<'_>,
        reply: &Reply,
    ) {
        let Some(entry) = self.journal.latest().cloned() else {
            return;
        };
        let Some(mut lint) = self.lint.take() else {
            return;
        };
        let account = owner.map(|place| &self.accounts[place as usize]);
        let honours_keys = account
            .is_some_and(|account| account.settings.dialect.idempotency != Idempotency::Ignored);
        let made = self.rentals_made();
        let rented = account
            .filter(|_| made > lint.made && entry.what == What::Plain(Operation::Rent))
            .and_then(|account| account.rentals().last());
        let seen = Seen {
            entry: &entry,
            timed: account.is_none_or(|account| account.clock.pace() > 0.0),
            retry_after: reply.retry_after.map(|s| Duration::from_secs(s.into())),
            fresh_connection: request.fresh_connection,
            closes: !matches!(
                reply.delivery,
                Delivery::Whole { .. } | Delivery::Trickle { .. }
            ),
            content: hash(request),
            key: request.idempotency_key.filter(|_| honours_keys),
            over: self.is_over(&entry, at),
            made: rented.map(|rental| rental.id),
        };
        let customer = lint.customers.entry(owner).or_default();
        customer.see(&seen, &mut lint.findings);
        lint.made = made;
        self.lint = Some(lint);
    }

    /// Whether an entry is a poll of a rental from which nothing more is to come.
    fn is_over(&self, entry: &Entry, at: Moment) -> bool {
        let What::Poll(id) = entry.what else {
            return false;
        };
        let Some((owner, rental)) = self.rental(id) else {
            return false;
        };
        let account = &self.accounts[owner as usize];
        entry.account == Some(owner)
            && account.state(rental, at) != State::Pending
            && !account.expects_sms(rental, at)
    }

    /// Looks at how an attempt of a webhook was answered.
    #[cold]
    pub(crate) fn examine_webhook(&mut self, id: DeliveryId, outcome: WebhookOutcome, at: Moment) {
        let Some(Place { account, .. }) = self.register.place(id.rental) else {
            return;
        };
        let Some(mut lint) = self.lint.take() else {
            return;
        };
        let patience = self.accounts[account as usize]
            .settings
            .dialect
            .webhook_timeout;
        let customer = lint.customers.entry(Some(account)).or_default();
        if outcome == WebhookOutcome::Acknowledged {
            customer.acknowledged(id.rental, at);
        }
        if let Some(delivery) = self.deliveries.about(id.rental).find(|it| it.id == id) {
            let pair = self.deliveries.about(id.rental);
            let pair: Vec<_> = pair
                .filter(|it| it.id.sms == id.sms && it.id.by_hand == id.by_hand)
                .collect();
            receiver::judge((delivery, &pair), patience, &mut lint.findings);
        }
        self.lint = Some(lint);
    }

    /// An account begins anew: what was found about its client stays, and its
    /// rentals are judged for the last time.
    pub(crate) fn lint_farewell(&mut self, place: u32, now: Moment) {
        let Some(lint) = &mut self.lint else { return };
        if let Some(customer) = lint.customers.remove(&Some(place)) {
            let account = &self.accounts[place as usize];
            tenancy::judge((place, account), &customer, now, &mut lint.findings);
        }
    }

    /// Forgets what was found, of an account or of all.
    pub fn forget_findings(&mut self, scope: Scope) {
        if let Some(lint) = &mut self.lint {
            lint.findings.clear(scope.place());
            match scope.place() {
                Some(place) => _ = lint.customers.remove(&Some(place)),
                None => lint.customers.clear(),
            }
        }
    }

    /// What was found, of an account or of all, as things stand at `now`.
    pub fn lint_report(&mut self, now: Moment, scope: Scope) -> LintReport {
        let now = self.advance(now);
        let mode = self.settings.lint;
        let Some(lint) = &self.lint else {
            return LintReport::empty(mode);
        };
        let mut findings = lint.findings.clone();
        for (owner, customer) in &lint.customers {
            let Some(place) = *owner else { continue };
            let account = &self.accounts[place as usize];
            tenancy::judge((place, account), customer, now, &mut findings);
        }
        findings.report(self, mode, scope)
    }
}

/// A number that is the same for equal bodies of equal type.
fn hash(request: &Request<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    if let Body::Whole(bytes) = request.body {
        hasher.write(bytes);
    }
    hasher.finish()
}
