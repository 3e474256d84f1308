//! Between hyper's types and the core's. No decisions.

use contract::truth;
use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Method, Response, StatusCode, Uri};
use mock_server_core::fault::mentions_fault;
use mock_server_core::{Body, Media, Reply, Request};

use crate::reply_body::ReplyBody;

static AUTH: HeaderName = HeaderName::from_static("auth");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static PREFER: HeaderName = HeaderName::from_static("prefer");
static TRUTH: HeaderName = HeaderName::from_static(truth::HEADER);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// The core's view of a request.
pub(crate) fn request<'a>(
    (method, uri, headers): (&'a Method, &'a Uri, &'a HeaderMap),
    body: Body<'a>,
) -> Request<'a> {
    Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query(),
        auth: headers.get(&AUTH).map(HeaderValue::as_bytes),
        content_type: text(headers, &CONTENT_TYPE),
        accept: text(headers, &ACCEPT),
        idempotency_key: text(headers, &IDEMPOTENCY_KEY),
        // A client may send several, most of them about something else.
        prefer: headers
            .get_all(&PREFER)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find(|value| mentions_fault(value)),
        truth: headers.get(&TRUTH).is_some_and(|value| value == "1"),
        body,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
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

/// The same, announced as the connection's last.
pub(crate) fn last(mut response: Response<ReplyBody>) -> Response<ReplyBody> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn of_type(media: HeaderValue, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
