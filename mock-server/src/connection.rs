//! One connection from its first byte to its last. How it ends is `ending`'s.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

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
use crate::wire::Wire;

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
    let wire = Wire::new(stream);
    let watched = Watched {
        wire: wire.clone(),
        arrival,
    };
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
        let end = connection.poll_without_shutdown(context);
        // hyper waits now, for whatever it is: nothing that is said may wait with it.
        match wire.poll_send(context) {
            Poll::Ready(Err(_)) => Poll::Ready(Ok(())),
            Poll::Pending | Poll::Ready(Ok(())) => end,
        }
    })
    .await;
    if end.as_ref().is_err_and(hyper::Error::is_parse) {
        state.tally.malformed.fetch_add(1, Ordering::Relaxed);
    }
    drop(connection);
    if poll_fn(|context| wire.poll_send(context)).await.is_ok()
        && let Some(stream) = wire.into_stream()
    {
        ending::close(stream, end, lingering, stop).await;
    }
}
