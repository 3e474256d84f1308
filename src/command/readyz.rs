//! `otplab readyz`: whether a server answers `/readyz` with 200. Made for health
//! checks of containers, which have no other client at hand.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use contract::TimeSpan;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::cli::readyz::ReadyzArguments;
use crate::exit::Exit;

const USUAL: &str = "http://127.0.0.1:8080";

/// Between two questions: short enough for a test that waits, long enough to be
/// no load.
const PAUSE: Duration = Duration::from_millis(50);

/// More than the head of any answer that we give.
const LONGEST_HEAD: u64 = 16 * 1024;

/// Asks once, or until the answer is yes.
pub(crate) fn run(arguments: &ReadyzArguments) -> anyhow::Result<Exit> {
    let target = match &arguments.unix {
        Some(path) => Target::Unix(path.clone()),
        None => Target::read(
            arguments.url.as_deref().unwrap_or(USUAL),
            arguments.ca_file.as_deref(),
        )?,
    };
    let TimeSpan(patience) = arguments.timeout;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut last = None;
    let asking = async {
        loop {
            match target.ask().await {
                Ok(()) => return Ok(Exit::Passed),
                Err(error) if !arguments.wait => return Err(error),
                Err(error) => last = Some(error),
            }
            sleep(PAUSE).await;
        }
    };
    let answered = runtime.block_on(async { timeout(patience, asking).await });
    let outcome = answered.unwrap_or_else(|_| match last {
        Some(error) => Err(error.context(format!("not ready within {}", arguments.timeout))),
        None => bail!("no answer within {}", arguments.timeout),
    });
    outcome.with_context(|| target.to_string())
}

/// Where to ask.
enum Target {
    Unix(PathBuf),
    Tcp {
        host: String,
        port: u16,
        /// With HTTPS: what is trusted.
        tls: Option<(TlsConnector, ServerName<'static>)>,
    },
}

impl Target {
    fn read(text: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        let wrong = || {
            format!(
                "{text:?} is not the address of a server; write it like {USUAL}, \
                 https://localhost:8443 or unix:/run/otplab.sock"
            )
        };
        let (scheme, rest) = text.split_once("://").with_context(wrong)?;
        let is_secure = match scheme {
            "http" => false,
            "https" => true,
            _ => bail!(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let port_at = authority
            .rfind(':')
            .filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], authority[at + 1..].parse().ok()),
            None => (authority, Some(if is_secure { 443 } else { 80 })),
        };
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@?#\"".contains(c);
        ensure!(!plain.is_empty() && !plain.contains(odd), wrong());
        let tls = is_secure.then(|| -> anyhow::Result<_> {
            let name = ServerName::try_from(plain.to_owned()).with_context(wrong)?;
            Ok((TlsConnector::from(judge::trust(ca_file)?), name))
        });
        Ok(Self::Tcp {
            host: plain.to_owned(),
            port: port.with_context(wrong)?,
            tls: tls.transpose()?,
        })
    }

    /// Whether it is ready, or why not.
    async fn ask(&self) -> anyhow::Result<()> {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await.context("nobody listens")?;
                exchange(stream, "localhost").await
            }
            Self::Tcp { host, port, tls } => {
                let connected = TcpStream::connect((host.as_str(), *port)).await;
                let stream = connected.context("nobody listens")?;
                match tls {
                    None => exchange(stream, host).await,
                    Some((connector, name)) => {
                        let greeted = connector.connect(name.clone(), stream).await;
                        exchange(greeted.context("TLS failed")?, host).await
                    }
                }
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port, tls } => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                write!(f, "{scheme}://{host}:{port}")
            }
        }
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
) -> anyhow::Result<()> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    // A status that is there counts, however the connection ends.
    let end = stream.take(LONGEST_HEAD).read_to_end(&mut answer).await;
    if answer.is_empty() {
        end.context("it does not answer")?;
    }
    let line = answer
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    match line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
    {
        Some(status) if status.starts_with(b"200") => Ok(()),
        Some(status) => bail!("it answers {}", String::from_utf8_lossy(status)),
        None => bail!("it does not answer in HTTP"),
    }
}
