//! One HTTP connection: a request out, raw bytes back. It opens itself again
//! when it was lost; whatever goes wrong becomes text.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use judge_core::evidence::Answer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::target::Target;

/// No documented answer comes near this size.
const MAX_BODY: usize = 1 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// A connection, perhaps not open yet.
#[derive(Debug)]
pub(crate) struct Line {
    target: Target,
    /// Whom to trust, for a target with a server name.
    trusted: Option<Arc<ClientConfig>>,
    sender: Option<Sender>,
}

type Sender = SendRequest<Full<Bytes>>;

impl Line {
    pub(crate) const fn new(target: Target, trusted: Option<Arc<ClientConfig>>) -> Self {
        Self {
            target,
            trusted,
            sender: None,
        }
    }

    /// Forgets the present connection, if there is one.
    pub(crate) fn hang_up(&mut self) {
        self.sender = None;
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn carry(&mut self, outgoing: &Outgoing) -> Result<Answer, String> {
        let exchange = timeout(PATIENCE, self.exchange(outgoing)).await;
        let outcome =
            exchange.unwrap_or_else(|_| Err(format!("nothing within {} s", PATIENCE.as_secs())));
        if outcome.is_err() {
            // A late answer must not be taken for that of the next request.
            self.sender = None;
        }
        outcome
    }

    async fn exchange(&mut self, outgoing: &Outgoing) -> Result<Answer, String> {
        let request = self.request(outgoing)?;
        let sender = self.ready().await?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body = body
            .map_err(|error| format!("the body broke off: {error}"))?
            .to_bytes();
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Answer {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.to_vec(),
        })
    }

    fn request(&self, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(outgoing.method.as_str())
            .uri(&outgoing.target)
            .header("host", &self.target.authority);
        for (name, value) in &outgoing.headers {
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::from(outgoing.body.clone()));
        request.body(body).map_err(|error| error.to_string())
    }

    /// An open connection: the present one, if the server has not closed it.
    async fn ready(&mut self) -> Result<&mut Sender, String> {
        if let Some(mut sender) = self.sender.take()
            && !sender.is_closed()
            && sender.ready().await.is_ok()
        {
            return Ok(self.sender.insert(sender));
        }
        let connected = TcpStream::connect(self.target.address).await;
        let stream = connected.map_err(|error| format!("no connection: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let sender = match (&self.target.server_name, &self.trusted) {
            (Some(name), Some(trusted)) => shaken(secured(name, trusted, stream).await?).await?,
            _ => shaken(stream).await?,
        };
        Ok(self.sender.insert(sender))
    }
}

async fn secured(
    name: &str,
    trusted: &Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + use<>, String> {
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let connected = TlsConnector::from(Arc::clone(trusted)).connect(name, stream);
    connected
        .await
        .map_err(|error| format!("no TLS: {error}; a private authority is named with --ca-file"))
}

async fn shaken(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Sender, String> {
    // `Auth`, as the documentation writes it, not `auth`.
    let mut client = http1::Builder::new();
    client.title_case_headers(true);
    let shaken = client.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| error.to_string())?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}
