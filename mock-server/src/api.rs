//! The service that hyper calls for every request: decode, let the core decide,
//! deliver as it says. Waiting happens here, after the lock is released.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::Moment;
use contract::body::Refusal;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode, Version};
use mock_server_core::{Body, Connection, Delivery, Reply};

use crate::arrival::Arrival;
use crate::control;
use crate::door::{Entrance, Role};
use crate::ending::{Lingering, NoAnswer};
use crate::guard::Reach;
use crate::limits::BodyBytes;
use crate::metrics;
use crate::reply_body::{CutShort, ReplyBody};
use crate::request_body::ReadBody;
use crate::state::State;
use crate::stop::Stop;
use crate::translation;
use crate::trickle::Pace;
use crate::webhook;

/// The API as one connection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    state: Arc<State>,
    role: Role,
    reach: Reach,
    arrival: Arrival,
    /// Its number, and when it was taken.
    connection: (u64, Moment),
    lingering: Lingering,
    stop: Stop,
}

type Answer = Result<Response<ReplyBody>, NoAnswer>;

/// An answer that is there, or one that has to be waited for.
///
/// Polls are there when asked for; the box is for what waits anyway.
pub(crate) enum Answering {
    Ready(Option<Answer>),
    Later(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl Future for Answering {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match &mut *self {
            Self::Ready(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Later(waiting) => waiting.as_mut().poll(context),
        }
    }
}

impl Service<Request<Incoming>> for Api {
    type Response = Response<ReplyBody>;
    type Error = NoAnswer;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        if self.role.has_control() && control::is_for(request.uri().path()) {
            return Answering::Later(Box::pin(self.clone().control(request)));
        }
        if !self.role.has_api() {
            return Answering::Later(Box::pin(self.clone().beside_control(request)));
        }
        if request.method() == Method::POST {
            return Answering::Later(Box::pin(self.clone().answer_with_body(request)));
        }
        self.arrival.complete();
        if self.shows_metrics(request.uri().path()) {
            let headers = request.headers().clone();
            return Answering::Later(Box::pin(self.clone().metrics(headers)));
        }
        if let Some(response) = self.beside_the_api(request.uri().path()) {
            return Answering::Ready(Some(Ok(response)));
        }
        let head = (request.method(), request.uri(), request.headers());
        let mut request = translation::request(head, Body::Whole(&[]));
        request.connection = Some(self.connection());
        let (now, reply) = self.state.answer(&request);
        match reply.delivery {
            Delivery::Whole { at } if at <= now => Answering::Ready(Some(Ok(whole(&reply)))),
            _ => Answering::Later(Box::pin(self.clone().deliver(now, reply))),
        }
    }
}

impl Api {
    /// What the port at this entrance shows of `state`, until `stop`.
    pub(crate) fn new(
        (state, entrance): (Arc<State>, &Entrance),
        arrival: Arrival,
        lingering: Lingering,
        stop: Stop,
    ) -> Self {
        let number = state.connections.fetch_add(1, Ordering::Relaxed);
        Self {
            connection: (number, state.clock.now()),
            state,
            role: entrance.role,
            reach: entrance.reach,
            arrival,
            lingering,
            stop,
        }
    }

    /// What there is to say about it with the request that has just arrived.
    fn connection(&self) -> Connection {
        let (number, since) = self.connection;
        Connection {
            number,
            since,
            first: self.arrival.is_first(),
        }
    }

    /// What the server answers by itself, without a key and unknown to the mock.
    fn beside_the_api(&self, path: &str) -> Option<Response<ReplyBody>> {
        let body = match path {
            // The server answers, so it lives; it is bound before it answers, so it is ready.
            "/livez" | "/readyz" => Bytes::from_static(br#"{"status":"ok"}"#),
            "/openapi.json" if self.role.has_api() => self.state.description(),
            _ => return None,
        };
        Some(translation::json(ReplyBody::whole(body)))
    }

    async fn answer_with_body(self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let body = self
            .read(head.version, body, self.state.limits.body)
            .await?;
        self.arrival.complete();
        let head = (&head.method, &head.uri, &head.headers);
        let mut request = translation::request(head, body.as_core());
        request.connection = Some(self.connection());
        let (now, mut reply) = self.state.answer(&request);
        self.state.rented.notify_one();
        webhook::post_all(&self.state, reply.take_posts()).await;
        self.deliver(now, reply).await
    }

    async fn control(self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let limit = control::body_limit(&self.state, self.reach, &head);
        let body = self.read(head.version, body, limit).await?;
        self.arrival.complete();
        Ok(control::answer((self.state, self.reach), head, body, self.stop).await)
    }

    /// What is asked of a port that only has the control API, and is not that.
    async fn beside_control(self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        self.read(head.version, body, self.state.limits.body)
            .await?;
        self.arrival.complete();
        if self.shows_metrics(head.uri.path()) {
            return self.metrics(head.headers).await;
        }
        let response = self.beside_the_api(head.uri.path());
        Ok(response.unwrap_or_else(|| refused(StatusCode::NOT_FOUND, NO_API)))
    }

    /// Reads a body. The arrival of a request is watched over its connection, but for
    /// HTTP/2, where it shares that with others and is given up alone.
    async fn read(
        &self,
        version: Version,
        body: Incoming,
        limit: BodyBytes,
    ) -> Result<ReadBody, NoAnswer> {
        let reading = ReadBody::read(body, limit);
        if version != Version::HTTP_2 {
            return Ok(reading.await);
        }
        let time = self.state.limits.arrival_time.duration();
        let read = tokio::time::timeout(time, reading).await;
        read.map_err(|_| {
            self.state.tally.stalled.fetch_add(1, Ordering::Relaxed);
            NoAnswer::Stalled
        })
    }

    fn shows_metrics(&self, path: &str) -> bool {
        path == "/metrics" && self.role.has_control()
    }

    /// What is counted, for those who may also use the control API.
    async fn metrics(self, headers: HeaderMap) -> Answer {
        Ok(match self.state.guard.check(self.reach, &headers) {
            Ok(()) => {
                let text = ReplyBody::whole(metrics::text(&self.state).await);
                translation::of_type(HeaderValue::from_static(metrics::MEDIA), text)
            }
            Err(refusal) => refused(StatusCode::FORBIDDEN, &refusal.to_string()),
        })
    }

    async fn deliver(self, now: Moment, reply: Reply) -> Answer {
        if let Some(at) = reply.delivery.at() {
            self.wait(now, at).await;
        }
        let body = match reply.delivery {
            Delivery::Whole { .. } => ReplyBody::whole(reply.body.clone()),
            Delivery::Cut { bytes, .. } => ReplyBody::cut(&reply.body, bytes, CutShort::Close),
            Delivery::CutByReset { bytes, .. } => {
                ReplyBody::cut(&reply.body, bytes, CutShort::Reset)
            }
            Delivery::Trickle { at, over } => {
                let (clock, from) = (self.state.clock, at.max(now));
                ReplyBody::trickle(reply.body.clone(), Pace { clock, from, over })
            }
            Delivery::Linger { linger, .. } => {
                self.lingering.ask(linger);
                return Ok(translation::last(whole(&reply)));
            }
            Delivery::BrokenChunk { .. } => {
                return Err(NoAnswer::BrokenChunk(translation::status(&reply)));
            }
            Delivery::Raw { .. } => return Err(NoAnswer::Raw(reply.body)),
            Delivery::Empty { .. } => return Err(NoAnswer::Closed),
            Delivery::Reset { .. } => return Err(NoAnswer::Reset),
            // hyper notices by itself when the client leaves.
            Delivery::Never => {
                self.stop.requested().await;
                return Err(NoAnswer::Stopped);
            }
        };
        Ok(translation::response(&reply, body))
    }

    async fn wait(&self, now: Moment, at: Moment) {
        if at > now {
            self.state.clock.sleep_until(at).await;
        }
    }
}

fn whole(reply: &Reply) -> Response<ReplyBody> {
    translation::response(reply, ReplyBody::whole(reply.body.clone()))
}

const NO_API: &str = "this port is for /__admin/, /metrics, /livez and /readyz; \
                      the API is on the other one";

/// A refusal of the mock's own, which no dialect changes.
fn refused(status: StatusCode, message: &str) -> Response<ReplyBody> {
    let body = Refusal {
        success: false,
        message: message.into(),
    };
    let body = serde_json::to_vec(&body).expect("invariant: a refusal is plain text");
    let mut response = translation::json(ReplyBody::whole(body.into()));
    *response.status_mut() = status;
    response
}
