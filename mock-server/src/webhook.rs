//! Posting webhooks: waits for what the core says is due, posts it, and tells
//! the core what became of it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::TimeSpan;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use mock_server_core::deliveries::AttemptReport;
use mock_server_core::queue::Pending;
use mock_server_core::{WebhookAttempt, WebhookOutcome};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::state::State;
use crate::stop::Stop;

/// How long a stop waits for webhooks that are due or under way.
const DRAIN: Duration = Duration::from_secs(5);

/// Posts until the stop, and then, if that is wanted, what is due by then. How many
/// at once is for the core to say.
pub(crate) async fn send_all(state: Arc<State>, stop: Stop) {
    let mut posts = JoinSet::new();
    let mut stopping = pin!(stop.requested());
    loop {
        while let Some(attempt) = state.take_due_webhook() {
            posts.spawn(post_and_tell(Arc::clone(&state), attempt));
        }
        let due = state.next_webhook_due();
        tokio::select! {
            () = &mut stopping => break,
            () = state.rented.notified() => {}
            Some(_) = posts.join_next() => {}
            () = state.clock.sleep_until(due.unwrap_or(contract::Moment::NEVER)) => {}
        }
    }
    if state.drains.load(Ordering::Acquire) {
        let end = state.clock.now() + DRAIN;
        tokio::select! {
            () = drain(&state, &mut posts) => {}
            () = state.clock.sleep_until(end) => {}
        }
    }
}

/// Posts until nothing is due or under way. What is to be posted later stays.
async fn drain(state: &Arc<State>, posts: &mut JoinSet<WebhookOutcome>) {
    loop {
        while let Some(attempt) = state.take_due_webhook() {
            posts.spawn(post_and_tell(Arc::clone(state), attempt));
        }
        let Pending {
            overdue, posting, ..
        } = state.pending_webhooks();
        if overdue + posting == 0 {
            return;
        }
        tokio::select! {
            () = state.rented.notified() => {}
            Some(_) = posts.join_next() => {}
        }
    }
}

/// Posts all of these at once, and returns when the last was answered or given up.
pub(crate) async fn post_all(state: &Arc<State>, attempts: Vec<WebhookAttempt>) {
    let posts: Vec<_> = attempts
        .into_iter()
        // Tasks of their own: the client may leave, and what was begun must end.
        .map(|attempt| tokio::spawn(post_and_tell(Arc::clone(state), attempt)))
        .collect();
    for post in posts {
        let _ = post.await;
    }
}

/// Posts this and says what became of it.
pub(crate) async fn post_one(state: &Arc<State>, attempt: WebhookAttempt) -> WebhookOutcome {
    // A task of its own, for the same reason.
    let post = tokio::spawn(post_and_tell(Arc::clone(state), attempt));
    post.await.unwrap_or(WebhookOutcome::Failed)
}

async fn post_and_tell(state: Arc<State>, attempt: WebhookAttempt) -> WebhookOutcome {
    let delivery = attempt.delivery;
    let posted = post(&attempt, state.clock).await;
    let outcome = posted.outcome;
    state.webhook_answered(delivery, posted);
    outcome
}

/// How an attempt went.
pub(crate) struct Posted {
    pub(crate) outcome: WebhookOutcome,
    pub(crate) report: AttemptReport,
}

/// Posts once, and says how that went.
async fn post(attempt: &WebhookAttempt, clock: Clock) -> Posted {
    let begun = clock.now();
    let (status, error) = match timeout(attempt.timeout, exchange(attempt)).await {
        Ok(Ok(status)) => (Some(status.as_u16()), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => {
            let patience = TimeSpan(attempt.timeout);
            (None, Some(format!("no answer within {patience}")))
        }
    };
    let failed = WebhookOutcome::Failed;
    let report = AttemptReport {
        status,
        error,
        took: clock.now().since(begun),
    };
    Posted {
        outcome: status.map_or(failed, |status| attempt.outcome(status)),
        report,
    }
}

/// Why an attempt got no status, for the record: to the core it failed.
#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
    #[error(transparent)]
    Exchange(#[from] hyper::Error),
}

/// One post over a connection of its own, so that attempts share no fate.
async fn exchange(attempt: &WebhookAttempt) -> Result<StatusCode, PostError> {
    let url = &attempt.receiver.url;
    let stream = TcpStream::connect((url.host(), url.port())).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::post(url.path())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in &attempt.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(attempt.body.clone()))?;
    let mut answer = pin!(sender.send_request(request));
    tokio::select! {
        response = &mut answer => Ok(response?.status()),
        // A receiver that closes at once ends the connection with its answer:
        // by now that, or the error, has been handed over.
        _ = connection => Ok(answer.await?.status()),
    }
}
