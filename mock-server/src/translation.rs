//! Between hyper's types and the core's. No decisions.

use contract::truth;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Response, StatusCode, Uri};
use mock_server_core::{Body, Reply, Request};

use crate::reply_body::ReplyBody;

static AUTH: HeaderName = HeaderName::from_static("auth");
static TRUTH: HeaderName = HeaderName::from_static(truth::HEADER);

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
        content_type: headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok()),
        truth: headers.get(&TRUTH).is_some_and(|value| value == "1"),
        body,
    }
}

/// Status and headers of a reply, with this body.
pub(crate) fn response(reply: &Reply, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = if reply.body.is_empty() {
        Response::new(body)
    } else {
        json(body)
    };
    // The core only names statuses that exist.
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(method) = reply.allow {
        headers.insert(ALLOW, HeaderValue::from_static(method));
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Some(truth) = reply.truth {
        let value = HeaderValue::try_from(truth.to_string());
        headers.extend(value.ok().map(|value| (TRUTH.clone(), value)));
    }
    response
}

/// Status 200 with a body that is JSON.
pub(crate) fn json(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    let value = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}
