//! What all connections share: the mock behind its lock, and the clock that it
//! is told the time by.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use bytes::Bytes;
use contract::Moment;
use contract::openapi::{self, Answers};
use mock_server_core::queue::Pending;
use mock_server_core::{
    DeliveryId, Dialect, DialectFile, Mock, Reply, Request, Settings, WebhookAttempt,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::door::Door;
use crate::feed::Listeners;
use crate::guard::{Guard, WebhookHosts};
use crate::limits::Limits;
use crate::metrics::Tally;
use crate::wait::Watchers;
use crate::webhook::Posted;

/// The state of a server.
#[derive(Debug)]
pub(crate) struct State {
    /// One lock around everything. A decision takes well under a microsecond,
    /// while a request costs its thread several in the kernel, so workers seldom
    /// meet here; it is held for the decision only and never across an await.
    mock: Mutex<Mock>,
    /// Measured under the lock, so that the mock sees time in order.
    pub(crate) clock: Clock,
    /// Told whenever a rental may have brought the next webhook forward, or an answer
    /// has made room for it.
    pub(crate) rented: Notify,
    /// Told whenever a webhook was answered or given up.
    pub(crate) answered: Notify,
    /// How much a client may ask for.
    pub(crate) limits: Limits,
    /// How many connections there were, so that each has a number.
    pub(crate) connections: AtomicU64,
    /// The ports, and who is there.
    pub(crate) doors: Vec<Arc<Door>>,
    /// Those who wait for something to happen.
    pub(crate) watchers: Watchers,
    /// What the shell counts.
    pub(crate) tally: Tally,
    /// Those who listen to what happens.
    pub(crate) listeners: Listeners,
    /// Who may use the control API.
    pub(crate) guard: Guard,
    /// Where webhooks may go.
    pub(crate) webhook_hosts: WebhookHosts,
    /// Whether the end waits for webhooks that are due.
    pub(crate) drains: AtomicBool,
    /// Built when it is first asked for; most servers never are.
    description: OnceLock<Bytes>,
}

/// What the document is not about.
const OTHER_DIALECT: &str = "This document describes the default dialect, and the accounts of this \
                             server speak another: `x-dialect` has the settings in which they \
                             differ, and where they do, the answers are not as described.";

impl State {
    /// A server without accounts; its time starts now.
    pub(crate) fn new(
        settings: Settings,
        limits: Limits,
        doors: Vec<Arc<Door>>,
        (guard, webhook_hosts): (Guard, WebhookHosts),
    ) -> Self {
        let (clock, epoch) = Clock::start();
        Self {
            guard,
            webhook_hosts,
            drains: AtomicBool::new(false),
            listeners: Listeners::default(),
            description: OnceLock::new(),
            answered: Notify::new(),
            watchers: Watchers::default(),
            mock: Mutex::new(Mock::new(settings, epoch)),
            clock,
            rented: Notify::new(),
            limits,
            connections: AtomicU64::new(0),
            doors,
            tally: Tally::default(),
        }
    }

    /// The OpenAPI document of the API: of the default dialect, and where accounts
    /// speak another, it says in what that differs.
    pub(crate) fn description(&self) -> Bytes {
        let spoken = self.mock().default_settings().dialect;
        let default = DialectFile::of(&Dialect::default());
        let Some(spoken) = spoken.filter(|dialect| *dialect != default) else {
            let build = || openapi::text(&openapi::document(&Answers::default())).into();
            return self.description.get_or_init(build).clone();
        };
        let mut document = openapi::document(&Answers::default());
        let info = &mut document["info"];
        let words = info["description"].as_str().unwrap_or_default();
        info["description"] = format!("{words} {OTHER_DIALECT}").into();
        info["x-dialect"] = json!(spoken);
        openapi::text(&document).into()
    }

    /// The mock's reply, and the moment at which it decided.
    pub(crate) fn answer(&self, request: &Request<'_>) -> (Moment, Reply) {
        let answer = self.with(|mock, now| (now, mock.handle(now, request)));
        self.watchers.tell();
        answer
    }

    /// See [`Mock::next_webhook_due`].
    pub(crate) fn next_webhook_due(&self) -> Option<Moment> {
        self.mock().next_webhook_due()
    }

    /// See [`Mock::take_due_webhook`].
    pub(crate) fn take_due_webhook(&self) -> Option<WebhookAttempt> {
        let attempt = self.with(|mock, now| mock.take_due_webhook(now));
        // What was due may have been dropped.
        self.watchers.tell();
        attempt
    }

    /// See [`Mock::pending_webhooks`].
    pub(crate) fn pending_webhooks(&self) -> Pending {
        self.with(|mock, now| mock.pending_webhooks(now))
    }

    /// See [`Mock::webhook_answered`].
    pub(crate) fn webhook_answered(&self, delivery: DeliveryId, posted: Posted) {
        self.tally.webhook(posted.outcome);
        self.with(|mock, now| {
            mock.webhook_reported(delivery, posted.report);
            mock.webhook_answered(now, delivery, posted.outcome);
        });
        self.answered.notify_waiters();
        self.rented.notify_one();
        self.watchers.tell();
    }

    /// Does something with the mock at the present moment, and tells those who
    /// listen what happened.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut Mock, Moment) -> T) -> T {
        let mut mock = self.mock();
        let now = self.clock.now();
        let done = action(&mut mock, now);
        if self.listeners.any() {
            self.listeners.tell(&mock.take_happenings(now));
        }
        done
    }

    fn mock(&self) -> MutexGuard<'_, Mock> {
        self.mock
            .lock()
            .expect("invariant: the mock does not panic")
    }
}
