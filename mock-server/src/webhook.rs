//! Posting webhooks: waits for what the core says is due, posts it, and tells
//! the core what became of it.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use contract::TimeSpan;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use mock_server_core::deliveries::AttemptReport;
use mock_server_core::{WebhookAttempt, WebhookOutcome, WebhookSettings};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::state::State;
use crate::stop::Stop;

/// Posts under way at one moment at most. A receiver that hangs holds each for
/// seconds, and every one costs a socket.
const CONCURRENT_POSTS: usize = 256;

/// Posts until the stop.
pub(crate) async fn send_all(state: Arc<State>, stop: Stop) {
    let mut posts = JoinSet::new();
    let mut stopping = pin!(stop.requested());
    loop {
        while posts.len() < CONCURRENT_POSTS
            && let Some(attempt) = state.take_due_webhook()
        {
            let state = Arc::clone(&state);
            posts.spawn(async move {
                let delivery = attempt.delivery;
                let posted = post(attempt, state.clock).await;
                state.webhook_answered(delivery, posted);
            });
        }
        let due = state.next_webhook_due();
        let may_post = posts.len() < CONCURRENT_POSTS;
        tokio::select! {
            () = &mut stopping => return,
            () = state.rented.notified() => {}
            Some(_) = posts.join_next() => {}
            () = state.clock.sleep_until(due.unwrap_or(contract::Moment::NEVER)), if may_post => {}
        }
    }
}

/// How an attempt went.
pub(crate) struct Posted {
    pub(crate) outcome: WebhookOutcome,
    pub(crate) report: AttemptReport,
}

/// Posts once, and says how that went.
pub(crate) async fn post(attempt: WebhookAttempt, clock: Clock) -> Posted {
    let receiver = &attempt.receiver;
    let begun = clock.now();
    let answer = timeout(receiver.timeout, exchange(attempt.body, receiver)).await;
    let (outcome, status, error) = match answer {
        Ok(Ok(status)) if status.is_success() => (WebhookOutcome::Acknowledged, Some(status), None),
        Ok(Ok(status)) => (WebhookOutcome::Failed, Some(status), None),
        Ok(Err(error)) => (WebhookOutcome::Failed, None, Some(error.to_string())),
        Err(_) => {
            let patience = TimeSpan(receiver.timeout);
            let error = format!("no answer within {patience}");
            (WebhookOutcome::Failed, None, Some(error))
        }
    };
    let report = AttemptReport {
        status: status.map(|status| status.as_u16()),
        error,
        took: clock.now().since(begun),
    };
    Posted { outcome, report }
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
async fn exchange(body: Bytes, receiver: &WebhookSettings) -> Result<StatusCode, PostError> {
    let url = &receiver.url;
    let stream = TcpStream::connect((url.host(), url.port())).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(url.path())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(body))?;
    let mut answer = pin!(sender.send_request(request));
    tokio::select! {
        response = &mut answer => Ok(response?.status()),
        // A receiver that closes at once ends the connection with its answer:
        // by now that, or the error, has been handed over.
        _ = connection => Ok(answer.await?.status()),
    }
}
