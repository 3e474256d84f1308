//! One connection over which HTTP/2 is spoken. A request is a stream of it, and
//! what a fault rule does to a request is done to its stream alone: the others
//! on the connection may be another account's.
//!
//! | over HTTP/1.1 | over HTTP/2 |
//! | --- | --- |
//! | RST | `RST_STREAM` with `INTERNAL_ERROR` |
//! | FIN without an answer | `RST_STREAM` with `NO_ERROR` |
//! | bytes that are not HTTP, or no chunk | `RST_STREAM` with `PROTOCOL_ERROR` |
//! | FIN before the announced length | the end of the stream before it |
//! | the connection's end later than the answer's | the stream's end later than the body |

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{HOST, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::api::Api;
use crate::arrival::Arrival;
use crate::door::Entrance;
use crate::ending::{Lingering, NoAnswer};
use crate::frames::Frames;
use crate::leash::Leash;
use crate::reply_body::{CutShort, ReplyBody};
use crate::socket::Socket;
use crate::state::State;
use crate::stop::Stop;
use crate::translation;

/// How long a client that waits for nothing has to take note of the stop: many do
/// not read until they ask for something.
const FAREWELL: Duration = Duration::from_millis(200);

/// Serves `socket` until the client leaves or the leash is pulled.
pub(crate) async fn serve(
    (socket, entrance): (Socket, Entrance),
    state: Arc<State>,
    arrival: Arrival,
    leash: Leash,
    stop: Stop,
) {
    let head = state.limits.head.number() as u32;
    let open = Arc::new(());
    let streams = Streams {
        state: Arc::clone(&state),
        entrance,
        stop,
        open: Arc::clone(&open),
    };
    let watched = Watched {
        socket,
        arrival,
        frames: Frames::default(),
    };
    let mut connection = http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(head)
        .serve_connection(TokioIo::new(watched), streams);
    let (mut finishing, mut farewell) = (false, None);
    let end = poll_fn(|context| {
        leash.hold(context.waker());
        if !finishing && leash.is_called_back() {
            finishing = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        let end = Pin::new(&mut connection).poll(context);
        // One is ours, one the service's; each stream has another.
        if end.is_ready() || !finishing || Arc::strong_count(&open) > 2 {
            return end;
        }
        let farewell = farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
        farewell.as_mut().poll(context).map(Ok)
    })
    .await;
    if end.is_err_and(|error| is_malformed(&error)) {
        state.tally.malformed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the client said what is no HTTP/2; one that just left did not.
fn is_malformed(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| cause.is_go_away() && cause.is_library())
}

/// The API as one connection sees it, stream by stream.
struct Streams {
    state: Arc<State>,
    entrance: Entrance,
    stop: Stop,
    /// Counts the streams that are open.
    open: Arc<()>,
}

impl Service<Request<Incoming>> for Streams {
    type Response = Response<StreamBody>;
    type Error = StreamReset;
    type Future = Pin<Box<dyn Future<Output = Result<Response<StreamBody>, StreamReset>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        name_host(&mut request);
        let (lingering, stop) = (Lingering::default(), self.stop.clone());
        let api = Api::new(
            (Arc::clone(&self.state), &self.entrance),
            // What arrives over the connection is counted in frames.
            Arrival::default(),
            lingering.clone(),
            stop.clone(),
        );
        let (answering, open) = (api.call(request), Arc::clone(&self.open));
        Box::pin(async move {
            match answering.await {
                Ok(response) => {
                    let end = lingering.into_wait(stop).map_or(End::AtOnce, End::After);
                    Ok(response.map(|inner| StreamBody::new(inner, end, open)))
                }
                Err(NoAnswer::BrokenChunk(status)) => Ok(broken(status, open)),
                Err(NoAnswer::Reset) => Err(StreamReset::of(Reason::INTERNAL_ERROR)),
                Err(NoAnswer::Closed) => Err(StreamReset::of(Reason::NO_ERROR)),
                Err(NoAnswer::Raw(_)) => Err(StreamReset::of(Reason::PROTOCOL_ERROR)),
                Err(NoAnswer::Stopped | NoAnswer::Stalled) => Err(StreamReset::of(Reason::CANCEL)),
            }
        })
    }
}

/// The host stands in `:authority` here (RFC 9113, 8.3.1), and those who look for
/// it look in the header.
fn name_host(request: &mut Request<Incoming>) {
    let authority = request.uri().authority();
    let host = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
}

/// A head, and then something that is no body.
fn broken(status: StatusCode, open: Arc<()>) -> Response<StreamBody> {
    let end = End::Reset(StreamReset::of(Reason::PROTOCOL_ERROR));
    let mut response = translation::json(ReplyBody::whole(Bytes::new()));
    *response.status_mut() = status;
    response.map(|inner| StreamBody::new(inner, end, open))
}

/// The end of a stream before its time; hyper takes the reason from the cause.
#[derive(Debug, thiserror::Error)]
#[error("the stream is reset")]
pub(crate) struct StreamReset(#[source] h2::Error);

impl StreamReset {
    fn of(reason: Reason) -> Self {
        Self(reason.into())
    }
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body, and how its stream ends.
pub(crate) struct StreamBody {
    inner: ReplyBody,
    end: End,
    /// Whether hyper had its chance to send what it was given.
    has_waited: bool,
    _open: Arc<()>,
}

enum End {
    /// With the last byte.
    AtOnce,
    /// Some time after it.
    After(Wait),
    /// Not in order.
    Reset(StreamReset),
}

impl StreamBody {
    const fn new(inner: ReplyBody, end: End, open: Arc<()>) -> Self {
        Self {
            inner,
            end,
            has_waited: false,
            _open: open,
        }
    }

    fn poll_end(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamReset>>> {
        match &mut self.end {
            End::AtOnce => Poll::Ready(None),
            End::After(wait) => {
                ready!(wait.as_mut().poll(context));
                self.end = End::AtOnce;
                Poll::Ready(None)
            }
            // A reset takes back what is not sent yet, the head included.
            End::Reset(_) if !self.has_waited => {
                self.has_waited = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Reset(reset) => {
                let reason = reset.0.reason().unwrap_or(Reason::INTERNAL_ERROR);
                Poll::Ready(Some(Err(StreamReset::of(reason))))
            }
        }
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = StreamReset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamReset>>> {
        if let End::AtOnce | End::After(_) = self.end {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                None | Some(Err(CutShort::Close)) => {}
                Some(Err(CutShort::Reset)) => {
                    let reset = StreamReset::of(Reason::INTERNAL_ERROR);
                    return Poll::Ready(Some(Err(reset)));
                }
            }
        }
        self.poll_end(context)
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::AtOnce) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            // What is announced is more than what comes.
            End::Reset(_) => SizeHint::default(),
            End::AtOnce | End::After(_) => self.inner.size_hint(),
        }
    }
}

/// A socket that reports to an [`Arrival`] when something is half way in.
struct Watched {
    socket: Socket,
    arrival: Arrival,
    frames: Frames,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(context, buffer);
        if self.frames.pass(&buffer.filled()[before..]) {
            self.arrival.complete();
        }
        if self.frames.is_under_way() && buffer.filled().len() > before {
            self.arrival.begun();
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
