//! How a connection ends: in order, or one of the bad ways that fault rules ask
//! for. hyper gives the socket back for this.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use mock_server_core::Reply;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::reply_body::CutShort;
use crate::stop::Stop;
use crate::translation;

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
    /// The server stopped while a fault rule kept the client waiting.
    #[error("the server stopped")]
    Stopped,
}

/// What stands where the first chunk of a body should: not even a size.
const NO_CHUNK: &str = "this is no chunk\r\nand no size of one\r\n";

impl NoAnswer {
    /// The head of `reply` for a body in chunks, and then no chunk.
    pub(crate) fn broken_chunk(reply: &Reply) -> Self {
        let status = translation::status(reply);
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{NO_CHUNK}"
        );
        Self::Raw(head.into())
    }
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

    async fn wait(&self, stop: Stop) {
        if let Some(time) = self.0.get() {
            tokio::select! {
                () = tokio::time::sleep(*time) => {}
                () = stop.requested() => {}
            }
        }
    }
}

/// Ends `stream` as what hyper ended with, `end`, says.
pub(crate) async fn close(
    mut stream: TcpStream,
    end: hyper::Result<()>,
    lingering: Lingering,
    stop: Stop,
) {
    match Farewell::after(end) {
        // A socket closed without lingering sends RST instead of FIN.
        Farewell::Reset => {
            let _ = stream.set_zero_linger();
            return;
        }
        Farewell::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Farewell::Close => lingering.wait(stop).await,
    }
    let _ = stream.shutdown().await;
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
            _ => Self::Close,
        }
    }
}
