//! One connection from its first byte to its last. How it ends is `ending`'s.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::api::Api;
use crate::arrival::{Arrival, Watched};
use crate::door::Role;
use crate::ending::{self, Lingering};
use crate::leash::Leash;
use crate::state::State;
use crate::stop::Stop;

/// Bytes that are read ahead at least: twice hyper's minimum.
const BUFFER: usize = 16 * 1024;

/// Serves `stream` until the client leaves, a fault rule ends it, or the leash is pulled.
pub(crate) async fn serve(
    (stream, role): (TcpStream, Role),
    state: Arc<State>,
    arrival: Arrival,
    leash: Leash,
    stop: Stop,
) {
    // Without this a small answer may wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let lingering = Lingering::default();
    let head = state.limits.head.number();
    let api = Api::new(
        (Arc::clone(&state), role),
        arrival.clone(),
        lingering.clone(),
        stop.clone(),
    );
    let watched = Watched { stream, arrival };
    // Not with `pipeline_flush`: while unread bytes are buffered it flushes
    // nothing, so the 400 or 431 to a malformed head would never leave.
    let mut connection = http1::Builder::new()
        .max_header_size(head)
        .max_buf_size(head.max(BUFFER))
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
    if end.as_ref().is_err_and(hyper::Error::is_parse) {
        state.tally.malformed.fetch_add(1, Ordering::Relaxed);
    }
    let watched = connection.into_parts().io.into_inner();
    ending::close(watched.stream, end, lingering, stop).await;
}
