//! One HTTP connection: an order in, its outcome back. It opens itself again
//! when it was lost, and whatever goes wrong becomes a [`Failure`].

use std::error::Error;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use contract::{Moment, truth};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use loadgen_core::answer::{self, Answer, Failure};
use loadgen_core::call::Order;
use loadgen_core::retry::retry_after;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::target::Target;

/// What all connections of a worker have in common.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) target: Target,
    pub(crate) host: HeaderValue,
    /// The `Auth` header of each account.
    pub(crate) keys: Vec<HeaderValue>,
    /// Whether to ask the server for ground truth.
    pub(crate) truth: bool,
    pub(crate) request_timeout: Duration,
    pub(crate) clock: Clock,
}

/// No documented answer comes near this size.
const MAX_BODY: usize = 1 << 20;

const AUTH: HeaderName = HeaderName::from_static("auth");
const TRUTH: HeaderName = HeaderName::from_static(truth::HEADER);
const ONE: HeaderValue = HeaderValue::from_static("1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A connection, perhaps not open yet.
#[derive(Debug)]
pub(crate) struct Connection {
    line: Rc<Line>,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// What the latest answer said about when to ask again.
    retry_after: Option<Duration>,
}

impl Connection {
    pub(crate) const fn new(line: Rc<Line>) -> Self {
        Self {
            line,
            sender: None,
            retry_after: None,
        }
    }

    /// Opens the connection, if it is not open.
    pub(crate) async fn open(&mut self) -> io::Result<()> {
        if self
            .sender
            .as_ref()
            .is_some_and(|sender| !sender.is_closed())
        {
            return Ok(());
        }
        let connecting = TcpStream::connect(self.line.target.address);
        let stream = timeout(self.line.request_timeout, connecting).await??;
        stream.set_nodelay(true)?;
        // `Auth`, as the documentation writes it, not `auth`.
        let mut client = http1::Builder::new();
        client.title_case_headers(true);
        let (sender, connection) = client
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Errors of the connection reach the request that suffers from them.
        tokio::task::spawn_local(connection);
        self.sender = Some(sender);
        Ok(())
    }

    /// How long the latest answer asked to wait.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Sends an order and reads its answer; says when it was sent.
    pub(crate) async fn carry(&mut self, order: &Order) -> (Moment, Result<Answer, Failure>) {
        self.retry_after = None;
        let opened = self.open().await;
        let sent = self.line.clock.now();
        if opened.is_err() {
            return (sent, Err(Failure::Connect));
        }
        let outcome = timeout(self.line.request_timeout, self.exchange(order)).await;
        let outcome = outcome.unwrap_or(Err(Failure::Timeout));
        if outcome
            .as_ref()
            .is_err_and(|failure| !failure.was_answered())
        {
            // A late answer must not be taken for that of the next request.
            self.sender = None;
        }
        (sent, outcome)
    }

    async fn exchange(&mut self, order: &Order) -> Result<Answer, Failure> {
        let request = self.line.request(order);
        let sender = self.sender.as_mut().ok_or(Failure::Connect)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| classify(&error))?;
        let said = response.headers().get(RETRY_AFTER);
        self.retry_after = said.map(|value| retry_after(value.to_str().unwrap_or_default()));
        read(order, response).await
    }
}

async fn read(order: &Order, response: Response<Incoming>) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| classify(&*error))?.to_bytes();
    let truth = head
        .headers
        .get(TRUTH)
        .and_then(|value| value.to_str().ok());
    answer::decode(&order.call, head.status.as_u16(), truth, &body)
}

impl Line {
    fn request(&self, order: &Order) -> Request<Full<Bytes>> {
        let operation = order.call.operation();
        let key = &self.keys[order.account as usize];
        let mut request = Request::builder()
            .method(operation.method())
            .uri(&*order.call.target())
            .header(HOST, &self.host)
            .header(AUTH, key);
        if self.truth {
            request = request.header(TRUTH, ONE);
        }
        let body = order.call.body().map(Bytes::from);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request
            .body(Full::new(body.unwrap_or_default()))
            .expect("a call's target is a valid path")
    }
}

/// Which kind of failure an error is, by the first telling link of its chain.
fn classify(error: &(dyn Error + 'static)) -> Failure {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Failure::Reset,
                _ => Failure::Closed,
            };
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_parse()
        {
            return Failure::Protocol;
        }
        link = error.source();
    }
    Failure::Closed
}
