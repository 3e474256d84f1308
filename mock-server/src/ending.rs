//! How a connection ends: in order, or one of the bad ways that fault rules ask
//! for. hyper gives the socket back for this.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use tokio::io::AsyncWriteExt;

use crate::reply_body::CutShort;
use crate::socket::Socket;
use crate::stop::Stop;

/// Why a request gets no answer from hyper, and so the end of its connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The connection is to be reset.
    #[error("reset by a fault rule")]
    Reset,
    /// The connection is to end in order.
    #[error("closed by a fault rule")]
    Closed,
    /// These bytes are to be sent, which hyper would not, and then the
    /// connection is to end in order.
    #[error("answered with something else than HTTP by a fault rule")]
    Raw(Bytes),
    /// The head of an answer with this status, and something that is no body.
    #[error("answered with a malformed body by a fault rule")]
    BrokenChunk(StatusCode),
    /// The request did not arrive in time.
    #[error("the request did not arrive in time")]
    Stalled,
    /// The server stopped while a fault rule kept the client waiting.
    #[error("the server stopped")]
    Stopped,
}

/// What stands where the first chunk of a body should: not even a size.
const NO_CHUNK: &str = "this is no chunk\r\nand no size of one\r\n";

/// The head of an answer with a body in chunks, and then no chunk.
fn broken_chunk(status: StatusCode) -> Bytes {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{NO_CHUNK}"
    );
    head.into()
}

/// How long a connection stays open after its last answer: the connection's
/// task reads what one of its requests wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lingering(Arc<OnceLock<Duration>>);

impl Lingering {
    /// Keeps the connection open for `time` when all is said.
    pub(crate) fn ask(&self, time: Duration) {
        // The answer that asks for it is the connection's last, so there is but one.
        let _ = self.0.set(time);
    }

    /// The wait that was asked for, if one was; a stop ends it.
    pub(crate) fn into_wait(self, stop: Stop) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let time = *self.0.get()?;
        Some(Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = stop.requested() => {}
            }
        }))
    }
}

/// Ends `socket` as what hyper ended with, `end`, says.
pub(crate) async fn close(
    mut socket: Socket,
    end: hyper::Result<()>,
    lingering: Lingering,
    stop: Stop,
) {
    match Farewell::after(end) {
        // A socket closed without lingering sends RST instead of FIN.
        Farewell::Reset => return socket.reset(),
        Farewell::Raw(bytes) => {
            let _ = socket.write_all(&bytes).await;
        }
        Farewell::Close => {
            if let Some(wait) = lingering.into_wait(stop) {
                wait.await;
            }
        }
    }
    let _ = socket.shutdown().await;
}

/// The last that a client sees of a connection.
enum Farewell {
    /// RST.
    Reset,
    /// These bytes and FIN.
    Raw(Bytes),
    /// FIN.
    Close,
}

impl Farewell {
    fn after(end: hyper::Result<()>) -> Self {
        let Err(error) = end else {
            return Self::Close;
        };
        let cause = error.source();
        let cut = cause.and_then(|cause| cause.downcast_ref());
        let no_answer = cause.and_then(|cause| cause.downcast_ref());
        match (cut, no_answer) {
            (Some(CutShort::Reset), _) | (_, Some(NoAnswer::Reset)) => Self::Reset,
            (_, Some(NoAnswer::Raw(bytes))) => Self::Raw(bytes.clone()),
            (_, Some(NoAnswer::BrokenChunk(status))) => Self::Raw(broken_chunk(*status)),
            _ => Self::Close,
        }
    }
}
