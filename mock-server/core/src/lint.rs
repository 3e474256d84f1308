//! Is the client as it should be? Rules over what the mock sees of it: requests
//! as they come, rentals, and how it answers webhooks. Everything is reckoned in
//! the account's own time, so that a compressed run is judged like a real one;
//! only how long a receiver takes is real, as its patience is.
//!
//! A finding needs what a reasonable client does not do, and says which requests
//! prove it. Where a service might be meant either way, nothing is found.

mod customer;
mod finding;
mod line;
mod mode;
mod past;
mod polls;
mod receiver;
mod refused;
mod rents;
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
use self::past::{Pace, Past};
use self::receiver::Answered;
pub use self::rule::{Rule, RuleError};
use crate::account::Account;
use crate::deliveries::Delivery;
use crate::dialect::{Expired, Idempotency, WebhookSignature};
use crate::journal::{Entry, What};
use crate::mock::Mock;
use crate::register::Place;
use crate::rent_body;
use crate::rental::State;
use crate::reply::Reply;
use crate::request::{Body, Request};
use crate::scope::Scope;
use crate::webhook::{DeliveryId, WebhookOutcome};

/// Where the end of a rental is not told, it has to be known: by a clock that began with
/// the rent's answer, and at the pace of the polls.
const GRACE: Duration = Duration::from_secs(60);

/// Senders without an account that are remembered.
const STRANGERS: usize = 1000;

/// What is remembered of the clients, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Lint {
    /// By account.
    customers: BTreeMap<u32, Customer>,
    /// Those without one, by what they said that they are.
    strangers: Strangers,
    findings: Findings,
    /// How many requests it has looked at, by account.
    seen: BTreeMap<Option<u32>, u64>,
    /// How many rentals there were when it last looked.
    made: u64,
}

impl Lint {
    /// A look at the clients, if one is wanted.
    pub(crate) fn of(mode: LintMode) -> Option<Box<Self>> {
        (mode != LintMode::Off).then(Box::default)
    }
}

/// Those without an account that are remembered; which of them is forgotten does not matter.
#[derive(Debug, Default)]
struct Strangers(BTreeMap<u64, Customer>);

impl Strangers {
    fn sender(&mut self, request: &Request<'_>) -> &mut Customer {
        let name = hash(&[request.auth.unwrap_or_default()]);
        if self.0.len() >= STRANGERS && !self.0.contains_key(&name) {
            self.0.pop_first();
        }
        self.0.entry(name).or_default()
    }
}

impl Mock {
    /// Looks at the request that came last, and at the reply to it.
    #[cold]
    pub(crate) fn examine_request(
        &mut self,
        now: Moment,
        owner: (Option<u32>, Moment),
        (request, reply): (&Request<'_>, &Reply),
    ) {
        let Some(mut lint) = self.lint.take() else {
            return;
        };
        *lint.seen.entry(owner.0).or_default() += 1;
        let entry = self.journal.latest(owner, request, reply);
        let past = Past::new(entry, now, (request.connection, reply));
        let made = self.rentals_made();
        let is_new = made > lint.made;
        lint.made = made;
        let account = owner.0.map(|place| &self.accounts[place as usize]);
        let seen = self.seen((past, is_new), (account, request), reply);
        let clock = account.map(|account| account.clock);
        match owner.0 {
            Some(place) => lint.customers.entry(place).or_default(),
            None => lint.strangers.sender(request),
        }
        .see(seen, clock, &mut lint.findings);
        self.lint = Some(lint);
    }

    /// What the mock knows about a request.
    fn seen<'a>(
        &self,
        (past, is_new): (Past, bool),
        (account, request): (Option<&Account>, &Request<'a>),
        reply: &Reply,
    ) -> Seen<'a> {
        let what = &past.entry.what;
        let rents = *what == What::Plain(Operation::Rent);
        let dialect = account.map(|account| &account.settings.dialect);
        let honours_keys =
            dialect.is_some_and(|dialect| dialect.idempotency != Idempotency::Ignored);
        let made = account.filter(|_| is_new && rents);
        let body = match request.body {
            Body::Whole(bytes) => bytes,
            Body::TooLarge | Body::Incomplete => &[],
        };
        // There may be numbers some other time.
        let passes =
            |status| rents && dialect.is_some_and(|dialect| dialect.no_numbers.code() == status);
        let refused = |status| {
            (400..500).contains(&status)
                && !matches!(status, 408 | 409 | 425 | 429)
                && !passes(status)
        };
        let posts = match *what {
            What::Poll(rental) => self
                .deliveries
                .about(rental)
                .map(|it| it.attempts.len())
                .sum(),
            _ => 0,
        };
        Seen {
            over: self.is_over(&past.entry),
            refused_for_good: past.entry.status.is_some_and(refused),
            posts,
            made: made
                .and_then(|it| it.rentals().last())
                .map(|rental| rental.id),
            undocumented: rents
                .then(|| rent_body::other_name(request.content_type, request.body))
                .flatten(),
            content: hash(&[request.auth.unwrap_or_default(), body]),
            key: request.idempotency_key.filter(|_| honours_keys),
            retry_after: reply.retry_after.map(|s| Duration::from_secs(s.into())),
            pace: Pace::REAL,
            closed: None,
            past,
        }
    }

    /// Whether an entry is a poll of a rental from which nothing more is to come.
    fn is_over(&self, entry: &Entry) -> bool {
        let at = entry.at;
        let What::Poll(id) = entry.what else {
            return false;
        };
        let Some((owner, rental)) = self.rental(id) else {
            return false;
        };
        let account = &self.accounts[owner as usize];
        entry.account == Some(owner)
            && !account.expects_sms(rental, at)
            && match account.state(rental, at) {
                State::Pending => false,
                State::Completed => true,
                State::Expired => {
                    let told = account.settings.dialect.expired != Expired::Waiting;
                    told || at >= account.end(rental) + GRACE
                }
            }
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
        let owner = &self.accounts[account as usize];
        let signed = is_signed(owner, id);
        let customer = lint.customers.entry(account).or_default();
        let about = || self.deliveries.about(id.rental);
        if let Some(delivery) = about().find(|it| it.id == id) {
            if outcome == WebhookOutcome::Acknowledged {
                let proven = signed && !receiver::is_forged(delivery);
                customer.acknowledged(id.rental, at, proven);
            }
            let same = |it: &&Delivery| it.id.is_same_event(&id);
            let answered = Answered {
                delivery,
                pair: &about().filter(same).collect::<Vec<_>>(),
                rent: customer.made.get(&id.rental),
                patience: owner.settings.dialect.webhook_timeout,
                signed,
                pace: owner.clock.pace(),
            };
            receiver::judge(&answered, &mut lint.findings);
        }
        self.lint = Some(lint);
    }

    /// An account begins anew: what was found about its client stays, and its
    /// rentals are judged for the last time.
    pub(crate) fn lint_farewell(&mut self, place: u32, now: Moment) {
        let Some(lint) = &mut self.lint else { return };
        if let Some(customer) = lint.customers.remove(&place) {
            let account = &self.accounts[place as usize];
            tenancy::judge((place, account), &customer, now, &mut lint.findings);
        }
    }

    /// Forgets what was found, of an account or of all.
    pub fn forget_findings(&mut self, scope: Scope) {
        if let Some(lint) = &mut self.lint {
            lint.findings.clear(scope.place());
            match scope.place() {
                Some(place) => _ = lint.customers.remove(&place),
                None => {
                    lint.customers.clear();
                    lint.strangers.0.clear();
                }
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
        for (place, customer) in &lint.customers {
            let account = &self.accounts[*place as usize];
            tenancy::judge((*place, account), customer, now, &mut findings);
        }
        findings.skip(&self.settings.lint_skip);
        let seen = match scope.place() {
            None => lint.seen.values().sum(),
            place => lint.seen.get(&place).copied().unwrap_or_default(),
        };
        LintReport {
            mode,
            skipped: self
                .settings
                .lint_skip
                .iter()
                .map(|rule| rule.id())
                .collect(),
            requests: seen,
            ..findings.report(self, scope)
        }
    }
}

/// Whether what is posted to an endpoint is signed; one that is no more may have been.
fn is_signed(account: &Account, delivery: DeliveryId) -> bool {
    let by_all = !matches!(
        account.settings.dialect.webhook_signature,
        WebhookSignature::None
    );
    let endpoint = account.webhooks.get(delivery.endpoint);
    by_all || endpoint.is_none_or(|endpoint| endpoint.settings.secret.is_some())
}

/// A number that is the same for the same bytes.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = FxHasher::default();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.finish()
}
