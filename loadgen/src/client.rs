//! The seam between a worker and the network: an order in, its outcome back,
//! over a connection that opens itself again when it was lost. Two HTTP clients
//! fit behind it, and whatever goes wrong in either becomes a [`Failure`].

mod hyper;
mod lean;

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Moment};
use loadgen_core::answer::{Answer, Failure};
use loadgen_core::call::Order;
use loadgen_core::fleet::Fleet;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::target::Target;

/// Which HTTP client carries the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Client {
    /// Our own: HTTP/1.1 as this API needs it, at the least cost per request.
    #[default]
    Lean,
    /// hyper's: slower, and the measure of what the lean one has to understand.
    Hyper,
}

/// No documented answer comes near this size.
const MAX_ANSWER: usize = 1 << 20;

/// What all connections of a worker have in common.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) target: Target,
    pub(crate) keys: Arc<[ApiKey]>,
    /// Whether to ask the server for ground truth.
    pub(crate) truth: bool,
    pub(crate) request_timeout: Duration,
    pub(crate) clock: Clock,
}

/// Makes the connections of one worker.
#[derive(Debug)]
pub(crate) enum Factory {
    Lean(Rc<lean::Shared>),
    Hyper(Rc<hyper::Shared>),
}

/// What came of the wish for an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It was open.
    WasOpen,
    /// It took so long.
    Took(Duration),
    /// This machine has no more file descriptors or ports.
    LimitHit,
    /// The server cannot be reached.
    Failed,
}

/// How it went with an order.
#[derive(Debug)]
pub(crate) struct Carried {
    /// What came of opening the connection.
    pub(crate) opening: Opening,
    /// When the request was sent.
    pub(crate) sent: Moment,
    pub(crate) outcome: Result<Answer, Failure>,
    /// How long the answer asked to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// A connection, perhaps not open yet.
#[derive(Debug)]
pub(crate) struct Connection {
    line: Rc<Line>,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Lean(lean::Wire),
    Hyper(hyper::Wire),
}

impl Factory {
    pub(crate) fn new(client: Client, line: &Line) -> io::Result<Self> {
        Ok(match client {
            Client::Lean => Self::Lean(Rc::new(lean::Shared::new(line))),
            Client::Hyper => Self::Hyper(Rc::new(hyper::Shared::new(line)?)),
        })
    }

    pub(crate) fn connection(&self, line: &Rc<Line>) -> Connection {
        Connection {
            line: Rc::clone(line),
            wire: match self {
                Self::Lean(shared) => Wire::Lean(lean::Wire::new(Rc::clone(shared))),
                Self::Hyper(shared) => Wire::Hyper(hyper::Wire::new(Rc::clone(shared))),
            },
        }
    }
}

impl Connection {
    /// Opens the connection, if it is not open.
    pub(crate) async fn open(&mut self) -> io::Result<Opening> {
        if self.wire.is_open() {
            return Ok(Opening::WasOpen);
        }
        let begin = self.line.clock.now();
        let connecting = TcpStream::connect(self.line.target.address);
        let stream = timeout(self.line.request_timeout, connecting).await??;
        let took = self.line.clock.now().since(begin);
        stream.set_nodelay(true)?;
        match &mut self.wire {
            Wire::Lean(wire) => wire.open(stream),
            Wire::Hyper(wire) => wire.open(stream).await?,
        }
        Ok(Opening::Took(took))
    }

    /// Sends an order and reads its answer.
    pub(crate) async fn carry(&mut self, order: &Order) -> Carried {
        let opened = self.open().await;
        let sent = self.line.clock.now();
        let opening = match opened {
            Ok(opening) => opening,
            Err(error) => {
                return Carried {
                    opening: Opening::failed(&error),
                    sent,
                    outcome: Err(Failure::Connect),
                    retry_after: None,
                };
            }
        };
        let (outcome, retry_after) = match &mut self.wire {
            Wire::Lean(wire) => (wire.exchange(&self.line, order).await, wire.retry_after),
            Wire::Hyper(wire) => (wire.exchange(&self.line, order).await, wire.retry_after),
        };
        if matches!(outcome, Err(failure) if !failure.was_answered()) {
            // A late answer must not be taken for that of the next request.
            self.wire.close();
        }
        Carried {
            opening,
            sent,
            outcome,
            retry_after,
        }
    }
}

impl Opening {
    pub(crate) fn failed(error: &io::Error) -> Self {
        // EMFILE and ENFILE, which have no portable name, are the same on all Unixes.
        let limit = error.kind() == io::ErrorKind::AddrNotAvailable
            || matches!(error.raw_os_error(), Some(23 | 24));
        if limit { Self::LimitHit } else { Self::Failed }
    }

    pub(crate) fn count(self, fleet: &mut Fleet) {
        match self {
            Self::Took(took) => fleet.connected(took),
            Self::LimitHit => fleet.limit_hit(),
            Self::WasOpen | Self::Failed => {}
        }
    }
}

impl Wire {
    fn is_open(&self) -> bool {
        match self {
            Self::Lean(wire) => wire.is_open(),
            Self::Hyper(wire) => wire.is_open(),
        }
    }

    fn close(&mut self) {
        match self {
            Self::Lean(wire) => wire.close(),
            Self::Hyper(wire) => wire.close(),
        }
    }
}

/// Which kind of failure an error of the operating system is.
fn classify(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Failure::Reset,
        // What hyper makes of a chunk that is none.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Failure::Protocol,
        _ => Failure::Closed,
    }
}

#[cfg(test)]
mod tests;
