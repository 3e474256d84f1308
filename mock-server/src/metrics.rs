//! `GET /metrics`: what the server counts, in the text that Prometheus reads.
//! Nothing is kept in a registry: the counts lie where they are made, and are
//! fetched when somebody asks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use contract::Operation;
use mock_server_core::queue::Pending;
use mock_server_core::{Census, Figures, WebhookOutcome};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::door::Door;
use crate::state::State;

/// The `Content-Type` of the text.
pub(crate) const MEDIA: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the shell counts. None of it happens in the course of a good request.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Connections that were closed because their request did not arrive in time.
    pub(crate) stalled: AtomicU64,
    /// Requests that were no HTTP, or whose head was too long.
    pub(crate) malformed: AtomicU64,
    /// The most SMS that were ever told: a reset in the middle of a census hides some
    /// until the next, and no count goes back.
    sms: AtomicU64,
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    /// One attempt to post a webhook more.
    pub(crate) fn webhook(&self, outcome: WebhookOutcome) {
        let count = match outcome {
            WebhookOutcome::Acknowledged => &self.acknowledged,
            WebhookOutcome::Failed | WebhookOutcome::Gone => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The text at this moment.
pub(crate) async fn text(state: &Arc<State>) -> Bytes {
    let snapshot = Snapshot {
        figures: figures(state).await,
        state: Arc::clone(state),
    };
    let mut registry = Registry::with_prefix("otplab");
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("invariant: a string takes all text");
    text.into()
}

/// What the mock counts. Between the steps its lock is free, and this thread's other
/// connections have their turn.
async fn figures(state: &State) -> Figures {
    let mut census = Census::default();
    loop {
        let figures = state.with(|mock, now| mock.figures(now, &mut census));
        if let Some(mut figures) = figures {
            let before = state
                .tally
                .sms
                .fetch_max(figures.sms_delivered, Ordering::Relaxed);
            figures.sms_delivered = figures.sms_delivered.max(before);
            return figures;
        }
        tokio::task::yield_now().await;
    }
}

#[derive(Debug)]
struct Snapshot {
    figures: Figures,
    state: Arc<State>,
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        page.requests(&self.figures)?;
        page.connections(&self.state)?;
        page.rentals(&self.figures)?;
        page.journal(&self.figures)?;
        page.webhooks(&self.state.tally)?;
        page.pending_webhooks(self.state.pending_webhooks())
    }
}

/// One metric after the other. The format adds `_total` to the names of counters.
struct Page<'a>(DescriptorEncoder<'a>);

/// Label and value.
type Label<'a> = (&'static str, &'a str);

impl Page<'_> {
    fn requests(&mut self, figures: &Figures) -> fmt::Result {
        let help = "Requests to the API by operation and status; status none: not answered";
        let requests = figures.requests.iter().map(|(operation, status, count)| {
            let operation = operation.map_or("unmatched", Operation::name);
            let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            (operation, status, *count)
        });
        let requests: Vec<_> = requests.collect();
        let counts = requests.iter().map(|(operation, status, count)| {
            (
                [("operation", *operation), ("status", status.as_str())],
                *count,
            )
        });
        let counts: Vec<_> = counts.collect();
        self.counters("requests", help, &counts)
    }

    fn connections(&mut self, state: &State) -> fmt::Result {
        let each = |count: fn(&Door) -> u64| {
            let doors = state.doors.iter();
            let counts = doors.map(|door| ([("port", door.role.word())], count(door)));
            counts.collect::<Vec<_>>()
        };
        self.gauges(
            "connections_open",
            "Connections that are open",
            &each(Door::open),
        )?;
        self.counters(
            "connections",
            "Connections that were let in",
            &each(Door::admitted),
        )?;
        let help = "Connections that were answered with 503, because there were too many";
        self.counters("connections_refused", help, &each(Door::refused))?;
        let help = "Connections that were closed, because a request did not arrive in time";
        self.counter("connections_stalled", help, load(&state.tally.stalled))?;
        let help = "Requests that were no HTTP or had too long a head";
        self.counter("requests_malformed", help, load(&state.tally.malformed))
    }

    fn rentals(&mut self, figures: &Figures) -> fmt::Result {
        self.gauge("accounts", "Keys that were used", figures.accounts)?;
        let states = [
            ("pending", figures.pending),
            ("completed", figures.completed),
            ("expired", figures.expired),
        ];
        let states = states.map(|(state, count)| ([("state", state)], count));
        self.gauges("rentals", "Rentals by state; a reset forgets them", &states)?;
        let help = "Rentals that were made, forgotten ones too";
        self.counter("rentals_made", help, figures.rentals_made)?;
        let help = "SMS that arrived, forgotten ones too";
        self.counter("sms_delivered", help, figures.sms_delivered)
    }

    fn journal(&mut self, figures: &Figures) -> fmt::Result {
        let entries = figures.journal_entries;
        self.gauge(
            "journal_entries",
            "Requests that the journal holds",
            entries,
        )?;
        let bytes = figures.journal_bytes;
        self.gauge("journal_bytes", "Bytes that they take", bytes)?;
        let help = "Requests that the journal lost to newer ones";
        self.counter("journal_evicted", help, figures.journal_evicted)
    }

    fn webhooks(&mut self, tally: &Tally) -> fmt::Result {
        let outcomes = [
            ("acknowledged", load(&tally.acknowledged)),
            ("failed", load(&tally.failed)),
        ];
        let outcomes = outcomes.map(|(outcome, count)| ([("outcome", outcome)], count));
        self.counters("webhook_attempts", "Webhooks that were posted", &outcomes)
    }

    fn pending_webhooks(&mut self, pending: Pending) -> fmt::Result {
        let states = [
            ("scheduled", pending.scheduled),
            ("overdue", pending.overdue),
            ("posting", pending.posting),
        ];
        let states = states.map(|(state, count)| ([("state", state)], count));
        self.gauges(
            "webhooks_pending",
            "Webhooks that are to be posted",
            &states,
        )
    }

    fn counter(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(count).encode(encoder)
    }

    fn gauge(&mut self, name: &str, help: &str, amount: u64) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(amount).encode(encoder)
    }

    fn counters<const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        counts: &[([Label<'_>; LABELS], u64)],
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in counts {
            ConstCounter::new(*count).encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn gauges<const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        amounts: &[([Label<'_>; LABELS], u64)],
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, amount) in amounts {
            ConstGauge::new(*amount).encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
