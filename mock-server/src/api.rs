//! The service that hyper calls for every request: decode, let the core decide,
//! deliver as it says. Waiting happens here, after the lock is released.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::Moment;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Method, Request, Response};
use mock_server_core::{Body, Delivery, Reply};

use crate::arrival::Arrival;
use crate::control;
use crate::ending::{Lingering, NoAnswer};
use crate::reply_body::{CutShort, ReplyBody};
use crate::request_body::ReadBody;
use crate::state::State;
use crate::stop::Stop;
use crate::translation;
use crate::trickle::Pace;

/// The API as one connection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    state: Arc<State>,
    arrival: Arrival,
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
        if control::is_for(request.uri().path()) {
            return Answering::Later(Box::pin(self.clone().control(request)));
        }
        if request.method() == Method::POST {
            return Answering::Later(Box::pin(self.clone().answer_with_body(request)));
        }
        self.arrival.complete();
        if let Some(response) = self.beside_the_api(request.uri().path()) {
            return Answering::Ready(Some(Ok(response)));
        }
        let head = (request.method(), request.uri(), request.headers());
        let request = translation::request(head, Body::Whole(&[]));
        let (now, reply) = self.state.answer(&request);
        match reply.delivery {
            Delivery::Whole { at } if at <= now => Answering::Ready(Some(Ok(whole(&reply)))),
            _ => Answering::Later(Box::pin(self.clone().deliver(now, reply))),
        }
    }
}

impl Api {
    /// The API of `state`, until `stop`.
    pub(crate) const fn new(
        state: Arc<State>,
        arrival: Arrival,
        lingering: Lingering,
        stop: Stop,
    ) -> Self {
        Self {
            state,
            arrival,
            lingering,
            stop,
        }
    }

    /// What the server answers by itself, without a key and unknown to the mock.
    fn beside_the_api(&self, path: &str) -> Option<Response<ReplyBody>> {
        let body = match path {
            // The server answers, so it lives; it is bound before it answers, so it is ready.
            "/livez" | "/readyz" => Bytes::from_static(br#"{"status":"ok"}"#),
            "/openapi.json" => self.state.description(),
            _ => return None,
        };
        Some(translation::json(ReplyBody::whole(body)))
    }

    async fn answer_with_body(self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let body = ReadBody::read(body).await;
        self.arrival.complete();
        let head = (&head.method, &head.uri, &head.headers);
        let (now, reply) = self
            .state
            .answer(&translation::request(head, body.as_core()));
        self.state.rented.notify_one();
        self.deliver(now, reply).await
    }

    async fn control(self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let limit = control::body_limit(&self.state, &head);
        let body = ReadBody::read_up_to(limit, body).await;
        self.arrival.complete();
        Ok(control::answer(self.state, head, body, self.stop).await)
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
            Delivery::BrokenChunk { .. } => return Err(NoAnswer::broken_chunk(&reply)),
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
