//! hyper's HTTP/1.1 client behind the seam. Not the default: it is here for
//! what the lean one leaves out, and to be compared with.

use std::error::Error;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ::hyper::body::{Body, Incoming};
use ::hyper::client::conn::http1::{self, SendRequest};
use ::hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use ::hyper::{Request, Response};
use bytes::Bytes;
use contract::{ApiKey, truth};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use loadgen_core::answer::{self, Answer, Failure};
use loadgen_core::call::Order;
use loadgen_core::retry::retry_after;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Line, MAX_ANSWER};

const AUTH: HeaderName = HeaderName::from_static("auth");
const TRUTH: HeaderName = HeaderName::from_static(truth::HEADER);
const ONE: HeaderValue = HeaderValue::from_static("1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The headers that are the same in all requests of a worker.
#[derive(Debug)]
pub(crate) struct Shared {
    host: HeaderValue,
    /// The `Auth` header of each account.
    keys: Vec<HeaderValue>,
}

/// A connection, perhaps not open.
#[derive(Debug)]
pub(super) struct Wire {
    shared: Rc<Shared>,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// How long the latest answer asked to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Shared {
    pub(super) fn new(line: &Line) -> io::Result<Self> {
        Ok(Self {
            host: HeaderValue::from_str(&line.target.authority).map_err(io::Error::other)?,
            keys: line.keys.iter().map(auth).collect(),
        })
    }

    fn request(&self, line: &Line, order: &Order) -> Request<Full<Bytes>> {
        let operation = order.call.operation();
        let key = &self.keys[order.account as usize];
        let mut request = Request::builder()
            .method(operation.method())
            .uri(&*order.call.target())
            .header(HOST, &self.host)
            .header(AUTH, key);
        if line.truth {
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

fn auth(key: &ApiKey) -> HeaderValue {
    let mut value = HeaderValue::from_str(key.secret()).expect("a key is visible ASCII");
    value.set_sensitive(true);
    value
}

impl Wire {
    pub(super) const fn new(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            sender: None,
            retry_after: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        let sender = self.sender.as_ref();
        sender.is_some_and(|sender| !sender.is_closed())
    }

    pub(super) async fn open(&mut self, stream: TcpStream) -> io::Result<()> {
        // `Auth`, as the documentation writes it, not `auth`.
        let mut client = http1::Builder::new();
        client.title_case_headers(true);
        let handshake = client.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(io::Error::other)?;
        // Errors of the connection reach the request that suffers from them.
        tokio::task::spawn_local(connection);
        self.sender = Some(sender);
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.sender = None;
    }

    pub(super) async fn exchange(&mut self, line: &Line, order: &Order) -> Result<Answer, Failure> {
        let request = self.shared.request(line, order);
        self.retry_after = None;
        let exchange = async {
            let sender = self.sender.as_mut().ok_or(Failure::Connect)?;
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| classify(&error))?;
            let said = response.headers().get(RETRY_AFTER);
            self.retry_after = said.map(|value| retry_after(value.to_str().unwrap_or_default()));
            read(order, response).await
        };
        let outcome = timeout(line.request_timeout, exchange).await;
        outcome.unwrap_or(Err(Failure::Timeout))
    }
}

async fn read(order: &Order, response: Response<Incoming>) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    if body.size_hint().lower() > MAX_ANSWER as u64 {
        return Err(Failure::Protocol);
    }
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let body = body.map_err(|error| classify(&*error))?.to_bytes();
    let truth = head
        .headers
        .get(TRUTH)
        .and_then(|value| value.to_str().ok());
    answer::decode(&order.call, head.status.as_u16(), truth, &body)
}

/// Which kind of failure an error is, by the first telling link of its chain.
fn classify(error: &(dyn Error + 'static)) -> Failure {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return super::classify(error);
        }
        if error.is::<LengthLimitError>() {
            return Failure::Protocol;
        }
        if let Some(error) = error.downcast_ref::<::hyper::Error>()
            && error.is_parse()
        {
            return Failure::Protocol;
        }
        link = error.source();
    }
    Failure::Closed
}
