//! A lean HTTP/1.1 client: a request is one write of bytes that were mostly
//! prepared, an answer is one read into a buffer that all connections of the
//! worker share. It knows what this API needs and refuses the rest: no TLS, no
//! HTTP/2, no HEAD, one request at a time.

mod chunks;
mod request;
mod response;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use loadgen_core::answer::{self, Answer, Failure};
use loadgen_core::call::Order;
use loadgen_core::retry::retry_after;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::chunks::Broken;
use self::request::Template;
use self::response::Reader;
use super::{Line, classify};

/// Room for a page of the history, so that nearly every answer takes one read.
const BUFFER: usize = 64 << 10;

/// What the connections of a worker share. One of them runs at a time, so they
/// need no buffers of their own.
#[derive(Debug)]
pub(crate) struct Shared {
    template: Template,
    request: RefCell<String>,
    answer: RefCell<Box<[u8]>>,
}

/// A connection, perhaps not open.
#[derive(Debug)]
pub(super) struct Wire {
    shared: Rc<Shared>,
    stream: Option<TcpStream>,
    reader: Reader,
    /// How long the latest answer asked to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Shared {
    pub(super) fn new(line: &Line) -> Self {
        Self {
            template: Template::new(line),
            request: RefCell::default(),
            answer: RefCell::new(vec![0; BUFFER].into()),
        }
    }
}

impl Wire {
    pub(super) fn new(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            stream: None,
            reader: Reader::default(),
            retry_after: None,
        }
    }

    /// Whether the connection can carry a request: the server has neither
    /// closed it nor said anything unasked since its last answer.
    pub(super) fn is_open(&self) -> bool {
        let stream = self.stream.as_ref();
        stream.is_some_and(|stream| {
            let unasked = stream.try_read(&mut [0]);
            unasked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        })
    }

    pub(super) fn open(&mut self, stream: TcpStream) {
        self.stream = Some(stream);
    }

    pub(super) fn close(&mut self) {
        self.stream = None;
    }

    pub(super) async fn exchange(&mut self, line: &Line, order: &Order) -> Result<Answer, Failure> {
        self.retry_after = None;
        let exchange = async {
            self.send(line, order)
                .await
                .map_err(|error| classify(&error))?;
            self.reader.clear();
            poll_fn(|context| self.poll_answer(order, context)).await
        };
        let outcome = timeout(line.request_timeout, exchange).await;
        outcome.unwrap_or(Err(Failure::Timeout))
    }

    async fn send(&mut self, line: &Line, order: &Order) -> io::Result<()> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let key = &line.keys[order.account as usize];
        let rest = {
            let mut request = self.shared.request.borrow_mut();
            self.shared.template.write(order, key, &mut request);
            let written = match stream.try_write(request.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                written => written?,
            };
            if written == request.len() {
                return Ok(());
            }
            request.as_bytes()[written..].to_vec()
        };
        // The kernel's buffer was full, which a single small request hardly ever sees.
        stream.write_all(&rest).await
    }

    fn poll_answer(
        &mut self,
        order: &Order,
        context: &mut Context<'_>,
    ) -> Poll<Result<Answer, Failure>> {
        let stream = self.stream.as_mut().ok_or(Failure::Closed)?;
        let mut buffer = self.shared.answer.borrow_mut();
        loop {
            let mut space = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut space))
                .map_err(|error| classify(&error))?;
            let response = match space.filled() {
                [] => self.reader.end().map(Some),
                fresh => self.reader.feed(fresh),
            };
            if let Some(response) = response.map_err(Failure::from)? {
                let reusable = response.reusable;
                self.retry_after = response.retry_after.map(retry_after);
                let (status, truth) = (response.status, response.truth);
                let outcome = answer::decode(&order.call, status, truth, response.body);
                if !reusable {
                    self.stream = None;
                }
                return Poll::Ready(outcome);
            }
        }
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Cut => Self::Closed,
            Broken::Malformed => Self::Protocol,
        }
    }
}
