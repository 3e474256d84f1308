//! Everything that the control API does, as functions: for one account, or for all
//! of them. What is done is decided in the core, like there.

use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Moment};
use mock_server_core::control::accounts::{AccountView, Change, Manner};
use mock_server_core::control::faults::{FaultError, FaultView};
use mock_server_core::control::rentals::{DeliveryView, RentalQuery, RentalView};
use mock_server_core::control::snapshot::{Snapshot, SnapshotError};
use mock_server_core::control::{
    ClockError, ClockView, EndpointError, EndpointMade, EndpointView, Fired, Instant, LedgerView,
    Scope, WrittenEndpoint,
};
use mock_server_core::endpoint::EndpointId;
use mock_server_core::fault::{FaultRule, FaultRuleError, RuleId};
use mock_server_core::queue::ReplayError;
use mock_server_core::requests::{Matcher, RequestView, Times, Verification};
use mock_server_core::settings::{AccountPatch, TimeScale};
use mock_server_core::watch::Wish;
use mock_server_core::{HandError, LintReport, Mock};

use super::underway::{Hands, Underway};
use crate::control;
use crate::state::State;
use crate::wait::{self, Waited};

/// What a tester may do: to the account that it is of, or to all.
///
/// # Panics
///
/// All functions do if their account was forgotten on a server that only knows certain keys.
#[derive(Clone, Debug)]
pub struct Control {
    state: Arc<State>,
    hands: Hands,
    key: Option<ApiKey>,
}

/// What an SMS says; what is left out is as the mock would have had it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sms<'s> {
    /// The code; otherwise the one that was drawn for the rental.
    pub code: Option<&'s str>,
    /// The whole SMS; otherwise the service's sentence with the code.
    pub text: Option<&'s str>,
}

impl<'s> Sms<'s> {
    /// With this code, in the service's sentence.
    pub const fn code(code: &'s str) -> Self {
        Self {
            code: Some(code),
            text: None,
        }
    }
}

/// Why there is no such fault rule now.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not a rule.
    #[error(transparent)]
    Rule(#[from] FaultRuleError),
    /// One that cannot be there.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// Why webhooks do not go there.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not an endpoint that can be.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// It is not on this machine.
    #[error(transparent)]
    Host(#[from] ForeignHost),
}

/// Webhooks would leave this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("webhooks only go to this machine unless a host is allowed by name, and {0} is not")]
pub struct ForeignHost(pub String);

/// Why a snapshot is not gone on from.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It says what cannot be.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It has webhooks that would leave this machine.
    #[error(transparent)]
    Host(#[from] ForeignHost),
}

impl Control {
    pub(super) fn new(state: &Arc<State>, hands: Hands, key: Option<ApiKey>) -> Self {
        Self {
            state: Arc::clone(state),
            hands,
            key,
        }
    }

    /// The same for one account.
    pub(super) fn of(&self, key: ApiKey) -> Self {
        Self {
            key: Some(key),
            ..self.clone()
        }
    }

    pub(super) fn with<T>(&self, action: impl FnOnce(&mut Mock, Moment) -> T) -> T {
        self.state.with(action)
    }

    fn scope(&self) -> Scope {
        let Some(key) = self.key else {
            return Scope::Server;
        };
        let scope = self.with(|mock, now| mock.scope(now, key));
        scope.expect("the account was forgotten, and this server only knows certain keys")
    }

    /// Does something that may make others wait no longer.
    fn change<T>(&self, action: impl FnOnce(&mut Mock, Moment, Scope) -> T) -> T {
        let scope = self.scope();
        let done = self.with(|mock, now| action(mock, now, scope));
        control::tell(&self.state);
        done
    }

    fn ask<T>(&self, question: impl FnOnce(&mut Mock, Moment, Scope) -> T) -> T {
        let scope = self.scope();
        self.with(|mock, now| question(mock, now, scope))
    }
}

/// Time.
impl Control {
    /// What time it is, and how fast it runs.
    pub fn clocks(&self) -> Vec<ClockView> {
        self.ask(Mock::clocks)
    }

    /// Moves time forward, whether it runs or stands still; done when everything that fell
    /// due has happened, in order: SMS, webhooks with their retries, expiries and refunds,
    /// of which it tells.
    pub fn advance(&self, duration: Duration) -> Underway<Vec<Fired>> {
        let (state, scope) = (Arc::clone(&self.state), self.scope());
        self.hands
            .begin(async move { control::advance(&state, scope, duration).await })
    }

    /// Moves time forward to a date, like `"2026-06-11T04:00:00Z".parse()`; otherwise as
    /// [`Self::advance`].
    ///
    /// # Errors
    ///
    /// [`ClockError`] if it is later already; then no clock is moved.
    pub fn advance_to(&self, instant: Instant) -> Result<Underway<Vec<Fired>>, ClockError> {
        let state = Arc::clone(&self.state);
        let begun = self.ask(|mock, now, scope| mock.begin_set(now, scope, instant))?;
        let ending = async move { control::finish_moving(&state, begun).await };
        Ok(self.hands.begin(ending))
    }

    /// Lets time run at this pace: `TimeScale::FROZEN`, `TimeScale::REAL`, or any that is
    /// parsed.
    pub fn set_pace(&self, pace: TimeScale) {
        self.change(|mock, now, scope| mock.set_pace(now, scope, pace));
    }

    /// Makes it fresh again: rentals, money, counts, requests and added fault rules are
    /// forgotten, and the same numbers and codes come again.
    pub fn reset(&self) {
        self.change(Mock::reset);
    }

    /// Waits until something has happened, for so long at most; at once if it has already.
    pub fn wait(&self, wish: Wish, patience: Duration) -> Underway<Waited> {
        let (state, scope) = (Arc::clone(&self.state), self.scope());
        self.hands
            .begin(async move { wait::wait(&state, scope, &wish, patience).await })
    }
}

/// Rentals and webhooks.
impl Control {
    /// Rentals, the newest first, with all that the mock knows, also what is to come.
    pub fn rentals(&self, query: &RentalQuery) -> Vec<RentalView> {
        self.ask(|mock, now, scope| mock.rentals(now, scope, query))
    }

    /// One of them.
    pub fn rental(&self, rental_id: u32) -> Option<RentalView> {
        self.ask(|mock, now, scope| mock.rental_shown(now, scope, rental_id))
    }

    /// Delivers an SMS now. A pending rental is completed by it; for one that has its SMS
    /// it is another. Its webhook is posted at once.
    ///
    /// # Errors
    ///
    /// [`HandError`], and then nothing has changed.
    pub fn send_sms(&self, rental_id: u32, sms: Sms<'_>) -> Result<(), HandError> {
        self.change(|mock, now, scope| mock.deliver_sms(now, scope, rental_id, sms.code, sms.text))
    }

    /// Ends a rental now, without an SMS.
    ///
    /// # Errors
    ///
    /// [`HandError`], and then nothing has changed.
    pub fn expire(&self, rental_id: u32) -> Result<(), HandError> {
        self.change(|mock, now, scope| mock.expire(now, scope, rental_id))
    }

    /// Webhooks that were posted, the newest first, of one rental or of all.
    pub fn deliveries(&self, rental_id: Option<u32>) -> Vec<DeliveryView> {
        self.ask(|mock, _, scope| mock.deliveries(scope, rental_id, usize::MAX))
    }

    /// Posts a webhook once more, whatever became of it; `delivery` is its `id`.
    ///
    /// # Errors
    ///
    /// [`ReplayError`], and then nothing is posted.
    pub fn replay(&self, delivery: u64) -> Result<(), ReplayError> {
        self.change(|mock, now, scope| mock.replay_delivery(now, scope, delivery))
    }

    /// Where webhooks go, and what waits for each endpoint.
    pub fn endpoints(&self) -> Vec<EndpointView> {
        self.ask(Mock::endpoints)
    }

    /// Adds an endpoint, to which webhooks of rentals that are made from now on go as well.
    ///
    /// # Errors
    ///
    /// [`AddressError`], and then nothing has changed.
    pub fn add_endpoint(&self, endpoint: WrittenEndpoint) -> Result<EndpointMade, AddressError> {
        self.allowed(endpoint.url.host())?;
        Ok(self.change(|mock, now, scope| mock.add_endpoint(now, scope, endpoint))?)
    }

    /// Puts another endpoint in the place of one, and enables it.
    ///
    /// # Errors
    ///
    /// [`AddressError`], and then nothing has changed.
    pub fn replace_endpoint(
        &self,
        id: EndpointId,
        endpoint: WrittenEndpoint,
    ) -> Result<EndpointMade, AddressError> {
        self.allowed(endpoint.url.host())?;
        Ok(self.change(|mock, now, scope| mock.replace_endpoint(now, scope, id, endpoint))?)
    }

    /// Takes an endpoint away, and what waits for it.
    ///
    /// # Errors
    ///
    /// [`EndpointError`], and then nothing has changed.
    pub fn remove_endpoint(&self, id: EndpointId) -> Result<(), EndpointError> {
        self.change(|mock, now, scope| mock.remove_endpoint(now, scope, id))
    }
}

/// Faults.
impl Control {
    /// Fault rules, in the order in which they are asked.
    pub fn faults(&self) -> Vec<FaultView> {
        self.ask(|mock, _, scope| mock.faults(scope))
    }

    /// Adds a rule, such as `check_otp: status(503) first 2`.
    ///
    /// # Errors
    ///
    /// [`RuleError`] says what would be understood.
    pub fn add_fault(&self, rule: &str) -> Result<FaultView, RuleError> {
        let rule: FaultRule = rule.parse()?;
        Ok(self.change(|mock, now, scope| mock.add_fault(now, scope, rule))?)
    }

    /// Puts another rule in the place of one.
    ///
    /// # Errors
    ///
    /// [`RuleError`], and then nothing has changed.
    pub fn replace_fault(&self, id: RuleId, rule: &str) -> Result<FaultView, RuleError> {
        let rule: FaultRule = rule.parse()?;
        Ok(self.change(|mock, now, scope| mock.replace_fault(now, scope, id, rule))?)
    }

    /// Takes a rule away.
    ///
    /// # Errors
    ///
    /// [`FaultError`], and then nothing has changed.
    pub fn remove_fault(&self, id: RuleId) -> Result<(), FaultError> {
        self.change(|mock, _, scope| mock.remove_fault(scope, id))
    }

    /// Takes away all rules that were added.
    pub fn remove_faults(&self) {
        self.change(|mock, _, scope| mock.remove_faults(scope));
    }
}

/// Requests and clients.
impl Control {
    /// Matching requests, the newest first. One is there before its answer is sent.
    pub fn requests(&self, matcher: &Matcher) -> Vec<RequestView> {
        self.ask(|mock, _, scope| mock.requests(scope, matcher, usize::MAX))
    }

    /// Whether requests came as often as they should have.
    pub fn verify(&self, matcher: &Matcher, times: Times) -> Verification {
        self.ask(|mock, _, scope| mock.verify(scope, matcher, times))
    }

    /// Forgets requests.
    pub fn forget_requests(&self) {
        self.change(|mock, _, scope| mock.forget_requests(scope));
    }

    /// What clients should not have done, if they are looked at.
    pub fn lint(&self) -> LintReport {
        self.ask(Mock::lint_report)
    }

    /// Forgets what was found about clients.
    pub fn forget_findings(&self) {
        self.change(|mock, _, scope| mock.forget_findings(scope));
    }
}

/// Accounts and their state.
impl Control {
    /// Accounts: money, rentals, clock and settings.
    pub fn accounts(&self) -> Vec<AccountView> {
        self.ask(Mock::accounts)
    }

    /// How the money stands.
    pub fn ledgers(&self) -> Vec<LedgerView> {
        self.ask(Mock::ledgers)
    }

    /// Changes what is said, from now on; of all accounts: of those to come.
    ///
    /// # Errors
    ///
    /// [`ForeignHost`], and then nothing has changed.
    pub fn amend(&self, patch: AccountPatch) -> Result<(), ForeignHost> {
        if let Some(url) = &patch.webhook_url {
            self.allowed(url.host())?;
        }
        self.settle(Change {
            patch,
            silent: false,
        });
        Ok(())
    }

    /// Posts no webhooks any more.
    pub fn end_webhooks(&self) {
        self.settle(Change {
            silent: true,
            ..Change::default()
        });
    }

    fn settle(&self, change: Change) {
        self.change(|mock, now, _| match self.key {
            None => mock.change_default(change, Manner::Amend),
            Some(key) => {
                mock.change_account(now, key, change, Manner::Amend);
            }
        });
    }

    /// Takes the state, of the account or of the whole server.
    pub fn snapshot(&self) -> Snapshot {
        self.ask(Mock::snapshot)
    }

    /// Goes on from a snapshot of the account, or of the whole server.
    ///
    /// # Errors
    ///
    /// [`RestoreError`], and then nothing has changed.
    pub fn restore(&self, snapshot: Snapshot) -> Result<(), RestoreError> {
        for host in snapshot.webhook_hosts() {
            self.allowed(host)?;
        }
        Ok(self.change(|mock, now, _| mock.restore(now, self.key, snapshot))?)
    }

    fn allowed(&self, host: &str) -> Result<(), ForeignHost> {
        let allowed = self.state.webhook_hosts.allow(host);
        allowed
            .then_some(())
            .ok_or_else(|| ForeignHost(host.to_owned()))
    }
}
