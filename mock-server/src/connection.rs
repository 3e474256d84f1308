//! One connection from its first byte to its last. How it ends is `ending`'s.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::api::Api;
use crate::arrival::{Arrival, Watched};
use crate::ending::{self, Lingering};
use crate::leash::Leash;
use crate::state::State;
use crate::stop::Stop;

/// Bytes of a request's head at most: twice hyper's minimum, and a good deal
/// more than any client of this API sends.
const HEAD_LIMIT: usize = 16 * 1024;

/// Serves `stream` until the client leaves, a fault rule ends it, or the leash is pulled.
pub(crate) async fn serve(
    stream: TcpStream,
    state: Arc<State>,
    arrival: Arrival,
    leash: Leash,
    stop: Stop,
) {
    // Without this a small answer may wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let lingering = Lingering::default();
    let api = Api::new(state, arrival.clone(), lingering.clone(), stop.clone());
    let watched = Watched { stream, arrival };
    // Not with `pipeline_flush`: while unread bytes are buffered it flushes
    // nothing, so the 400 or 431 to a malformed head would never leave.
    let mut connection = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(watched), api);
    let mut finishing = false;
    // hyper keeps the socket to itself to the last; polled like this it gives
    // it back, so that the end of the connection is ours to choose.
    let end = poll_fn(|context| {
        leash.hold(context.waker());
        if !finishing && leash.is_called_back() {
            finishing = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(context)
    })
    .await;
    let watched = connection.into_parts().io.into_inner();
    ending::close(watched.stream, end, lingering, stop).await;
}
