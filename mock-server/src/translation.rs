//! Between hyper's types and the core's. No decisions.

use contract::truth;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Method, Response, StatusCode, Uri};
use mock_server_core::fault::mentions_fault;
use mock_server_core::{Body, Media, Reply, Request};

use crate::reply_body::ReplyBody;

static TRUTH: HeaderName = HeaderName::from_static(truth::HEADER);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// The core's view of a request.
pub(crate) fn request<'a>(
    (method, uri, headers): (&'a Method, &'a Uri, &'a HeaderMap),
    body: Body<'a>,
) -> Request<'a> {
    let mut request = Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query(),
        auth: None,
        content_type: None,
        accept: None,
        idempotency_key: None,
        connection: None,
        prefer: None,
        truth: false,
        sought: None,
        body,
    };
    // Clients send few headers: looking at each of them once takes a quarter of
    // the instructions that looking them all up does. The first of a name counts.
    let mut truth = None;
    for (name, value) in headers {
        match name.as_str() {
            "auth" => _ = request.auth.get_or_insert(value.as_bytes()),
            "content-type" => first_text(&mut request.content_type, value),
            "accept" => first_text(&mut request.accept, value),
            "idempotency-key" => first_text(&mut request.idempotency_key, value),
            // A client may send several, most of them about something else.
            "prefer" if request.prefer.is_none() => {
                request.prefer = value.to_str().ok().filter(|value| mentions_fault(value));
            }
            truth::HEADER => _ = truth.get_or_insert(value),
            _ => {}
        }
    }
    request.truth = truth.is_some_and(|value| value == "1");
    request
}

fn first_text<'a>(first: &mut Option<&'a str>, value: &'a HeaderValue) {
    *first = first.or_else(|| value.to_str().ok());
}

/// Status and headers of a reply, with this body.
pub(crate) fn response(reply: &Reply, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = if reply.body.is_empty() {
        Response::new(body)
    } else {
        let media = match reply.media {
            Media::Json => JSON,
            Media::Html => HTML,
        };
        of_type(media, body)
    };
    *response.status_mut() = status(reply);
    let headers = response.headers_mut();
    if let Some(seconds) = reply.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    for (name, value) in reply.headers() {
        let value = HeaderValue::try_from(value);
        headers.extend(
            value
                .ok()
                .map(|value| (HeaderName::from_static(name), value)),
        );
    }
    if let Some(truth) = reply.truth {
        let value = HeaderValue::try_from(truth.to_string());
        headers.extend(value.ok().map(|value| (TRUTH.clone(), value)));
    }
    response
}

/// The status of a reply; the core only names statuses that exist.
pub(crate) fn status(reply: &Reply) -> StatusCode {
    StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Status 200 with a body that is JSON.
pub(crate) fn json(body: ReplyBody) -> Response<ReplyBody> {
    of_type(JSON, body)
}

/// Status 200 with a body of server-sent events.
pub(crate) fn events(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = of_type(EVENTS, body);
    let fresh = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, fresh);
    response
}

/// A response, announced as the connection's last.
pub(crate) fn last(mut response: Response<ReplyBody>) -> Response<ReplyBody> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Status 200 with a body of this kind.
pub(crate) fn of_type(media: HeaderValue, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
