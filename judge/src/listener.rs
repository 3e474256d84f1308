//! The receiver of webhooks: takes any path, answers 200 at once, writes
//! everything down.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use judge_core::evidence::Event;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::seen::Seen;

/// A webhook is far smaller.
const MAX_BODY: usize = 1 << 20;

/// Listens from now on, until the runtime's local tasks end; says where.
pub(crate) async fn listen(
    address: SocketAddr,
    evidence: Seen,
    clock: Rc<Clock>,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (evidence, clock) = (evidence.clone(), Rc::clone(&clock));
            let service =
                service_fn(move |request| receive(request, evidence.clone(), Rc::clone(&clock)));
            tokio::task::spawn_local(async move {
                // What is wrong with a sender's connection is the sender's to notice.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(bound)
}

async fn receive(
    request: Request<Incoming>,
    evidence: Seen,
    clock: Rc<Clock>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (earliest, latest) = (clock.now(), clock.latest());
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body
        .map(|body| body.to_bytes().to_vec())
        .unwrap_or_default();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    evidence.lock().events.push(Event {
        method: head.method.to_string(),
        target: head.uri.path().to_owned(),
        headers: headers.collect(),
        body,
        earliest,
        latest,
    });
    Ok(Response::new(Full::default()))
}
