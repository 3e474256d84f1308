//! One connection from its first byte to its last, including the bad ends that
//! fault rules ask for.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, interval_at};

use crate::api::{Api, NoAnswer};
use crate::arrival::{Arrival, Watched};
use crate::state::State;
use crate::stop::Stop;

/// Bytes of a request's head at most: twice hyper's minimum, and a good deal
/// more than any client of this API sends.
const HEAD_LIMIT: usize = 16 * 1024;

/// Serves `stream` until the client leaves, a fault rule ends it, or the server stops.
pub(crate) async fn serve(stream: TcpStream, state: Arc<State>, stop: Stop) {
    // Without this a small answer may wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let arrival = Arrival::default();
    let mut stall = Stall::new(arrival.clone(), state.arrival_time);
    let api = Api::new(state, arrival.clone(), stop.clone());
    let watched = Watched { stream, arrival };
    // Not with `pipeline_flush`: while unread bytes are buffered it flushes
    // nothing, so the 400 or 431 to a malformed head would never leave.
    let mut connection = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(watched), api);
    let mut stopping = pin!(stop.requested());
    let mut stop_heard = false;
    // hyper keeps the socket to itself to the last; polled like this it gives
    // it back, so that the end of the connection is ours to choose.
    let end = poll_fn(|context| {
        if !stop_heard && stopping.as_mut().poll(context).is_ready() {
            stop_heard = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        match connection.poll_without_shutdown(context) {
            Poll::Pending => stall.poll(context).map(Ok),
            end => end,
        }
    })
    .await;
    let watched = connection.into_parts().io.into_inner();
    close(watched.stream, end).await;
}

/// Finds requests that have begun and do not arrive.
struct Stall {
    arrival: Arrival,
    ticks: Interval,
    /// What was under way at the last tick.
    suspect: Option<u64>,
}

impl Stall {
    fn new(arrival: Arrival, time: Duration) -> Self {
        Self {
            arrival,
            ticks: interval_at(Instant::now() + time, time),
            suspect: None,
        }
    }

    /// Ready when one request was under way at two ticks in a row, which is
    /// after once to twice the time it had.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.ticks.poll_tick(context).is_ready() {
            let suspect = self.arrival.under_way();
            if suspect.is_some() && suspect == self.suspect {
                return Poll::Ready(());
            }
            self.suspect = suspect;
        }
        Poll::Pending
    }
}

async fn close(mut stream: TcpStream, end: hyper::Result<()>) {
    match end {
        Err(error) if wants_reset(&error) => {
            // A socket closed without lingering sends RST instead of FIN.
            let _ = stream.set_zero_linger();
        }
        _ => {
            let _ = stream.shutdown().await;
        }
    }
}

fn wants_reset(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause == Some(&NoAnswer::Reset)
}
