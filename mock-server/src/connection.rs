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
use crate::door::{self, Entrance};
use crate::ending::{self, Lingering};
use crate::http2;
use crate::leash::Leash;
use crate::socket::Socket;
use crate::state::State;
use crate::stop::Stop;
use crate::tls::Tls;
use crate::wire::Wire;

/// Bytes that are read ahead at least: twice hyper's minimum.
const BUFFER: usize = 16 * 1024;

/// Serves `socket` until the client leaves, a fault rule ends it, or the leash is pulled.
pub(crate) async fn serve(
    (socket, entrance): (Socket, Entrance),
    state: Arc<State>,
    arrival: Arrival,
    leash: Leash,
    stop: Stop,
) {
    socket.hurry();
    let socket = match (socket, &entrance.tls) {
        (Socket::Tcp(stream), Some(tls)) => {
            // Boxed, so that a connection without TLS is no larger for it.
            match Box::pin(secured(stream, tls, &arrival, stop.clone())).await {
                Some(socket) => socket,
                None => return,
            }
        }
        (socket, _) => socket,
    };
    if socket.speaks_http2() {
        Box::pin(http2::serve(
            (socket, entrance),
            state,
            arrival,
            leash,
            stop,
        ))
        .await;
    } else {
        serve_http1((socket, entrance), state, arrival, leash, stop).await;
    }
}

/// What a TLS record of a greeting begins with (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// Greets a client. One that speaks HTTP without TLS is told so.
async fn secured(stream: TcpStream, tls: &Tls, arrival: &Arrival, stop: Stop) -> Option<Socket> {
    let greeted = async {
        let mut first = [0];
        if stream.peek(&mut first).await.ok()? == 0 {
            return None;
        }
        arrival.begun();
        if first[0].is_ascii_uppercase() {
            door::tell_plainly(stream).await;
            return None;
        }
        if first[0] != HANDSHAKE {
            return None;
        }
        let stream = tls.accept(stream).await.ok()?;
        arrival.complete();
        Some(Socket::Secure(Box::new(stream)))
    };
    tokio::select! {
        socket = greeted => socket,
        () = stop.requested() => None,
    }
}

async fn serve_http1(
    (socket, entrance): (Socket, Entrance),
    state: Arc<State>,
    arrival: Arrival,
    leash: Leash,
    stop: Stop,
) {
    let lingering = Lingering::default();
    let head = state.limits.head.number();
    let api = Api::new(
        (Arc::clone(&state), &entrance),
        arrival.clone(),
        lingering.clone(),
        stop.clone(),
    );
    let wire = Wire::new(socket);
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
        && let Some(socket) = wire.into_socket()
    {
        ending::close(socket, end, lingering, stop).await;
    }
}
