//! Telling an otplab server, by its control API, to post webhooks to a listener for
//! as long as a run lasts.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use contract::ApiKey;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::target::Target;

/// How long a control request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the control API calls the endpoints of webhooks.
const ENDPOINTS: &str = "/__admin/webhooks/endpoints";

/// An endpoint that a server has for as long as this lives.
#[derive(Debug)]
pub struct Wiring {
    target: Target,
    key: Option<ApiKey>,
    /// As the server calls it.
    id: String,
}

/// Why a server does not post webhooks to us.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// It has no control API, or none that is open to us.
    #[error("it has no control API of otplab's: {0}")]
    NoControl(String),
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Wiring {
    /// Has `target` post the webhooks of the account of `key`, or of all accounts, to
    /// `url`.
    ///
    /// # Errors
    ///
    /// [`WiringError`], and then nothing has changed there.
    pub fn to(target: &Target, key: Option<ApiKey>, url: &str) -> Result<Self, WiringError> {
        let body = json!({ "url": url, "truth": true, "retry": "none" });
        let (status, answer) = ask(target, key.as_ref(), Method::POST, ENDPOINTS, &body)?;
        let made: Option<Value> = serde_json::from_slice(&answer).ok();
        let id = made.as_ref().and_then(|made| made["id"].as_str());
        match id.filter(|_| status == StatusCode::OK) {
            Some(id) => Ok(Self {
                target: target.clone(),
                key,
                id: id.to_owned(),
            }),
            None => {
                let message = made.and_then(|made| Some(made["message"].as_str()?.to_owned()));
                let status = || format!("POST {ENDPOINTS} is answered with {status}");
                Err(WiringError::NoControl(message.unwrap_or_else(status)))
            }
        }
    }
}

impl Drop for Wiring {
    fn drop(&mut self) {
        let path = format!("{ENDPOINTS}/{}", self.id);
        // A server that is gone by now posts nothing either.
        let _ = ask(
            &self.target,
            self.key.as_ref(),
            Method::DELETE,
            &path,
            &Value::Null,
        );
    }
}

fn ask(
    target: &Target,
    key: Option<&ApiKey>,
    method: Method,
    path: &str,
    body: &Value,
) -> io::Result<(StatusCode, Bytes)> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &target.authority)
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("auth", key.secret());
    }
    let body = match body {
        Value::Null => Bytes::new(),
        body => body.to_string().into(),
    };
    let request = request.body(Full::new(body)).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let exchange = async {
        let stream = TcpStream::connect(target.address).await?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(io::Error::other)?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        let answered = tokio::select! {
            answered = &mut exchange => answered,
            _ = &mut connection => exchange.await,
        };
        answered.map_err(io::Error::other)
    };
    runtime.block_on(async {
        let answered = tokio::time::timeout(PATIENCE, exchange).await;
        answered.map_err(io::Error::from)?
    })
}
