//! Who is let in. The ports of one kind have so many seats together; who comes when all are taken is told
//! so at once, because a connection that hangs tells a tester nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::guard::Reach;
use crate::limits::ConnectionCount;
use crate::socket::Socket;
use crate::tls::Tls;

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The API, the control API and the metrics.
    Everything,
    /// The API alone: the rest has a port of its own.
    Api,
    /// The control API and the metrics.
    Control,
}

impl Role {
    /// Whether the API is here.
    pub(crate) const fn has_api(self) -> bool {
        !matches!(self, Self::Control)
    }

    /// Whether the control API and the metrics are here.
    pub(crate) const fn has_control(self) -> bool {
        !matches!(self, Self::Api)
    }

    /// As a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Everything | Self::Api => "main",
            Self::Control => "admin",
        }
    }
}

/// Where somebody came in.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) role: Role,
    pub(crate) reach: Reach,
    /// Whether TLS is spoken there.
    pub(crate) tls: Option<Tls>,
}

/// The door of all ports of one role.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) role: Role,
    seats: ConnectionCount,
    taken: AtomicUsize,
    admitted: AtomicU64,
    refused: AtomicU64,
    /// Those who are being told that there is no seat.
    waved_off: AtomicUsize,
    crowded: Notify,
}

/// A connection's right to be there, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Door>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Refusals at one moment at most; one beyond them is told without being listened to.
const REFUSALS: usize = 64;

/// How long a refused client has to say what it wanted, and then to leave.
const PATIENCE: Duration = Duration::from_secs(1);

const BODY: &str = r#"{"success":false,"message":"The mock has as many connections as it may have; close some, or raise --max-connections."}"#;

impl Door {
    /// An open door.
    pub(crate) fn new(role: Role, seats: ConnectionCount) -> Self {
        Self {
            role,
            seats,
            taken: AtomicUsize::new(0),
            admitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            waved_off: AtomicUsize::new(0),
            crowded: Notify::new(),
        }
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> u64 {
        self.taken.load(Ordering::Relaxed) as u64
    }

    /// Connections that were let in.
    pub(crate) fn admitted(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// Connections that were not.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until somebody is refused for the first time. One may wait for it.
    pub(crate) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// A seat, if one is free. Only the thread that accepts gives seats away, so
    /// nobody takes one between the look and the taking.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Seat> {
        if self.taken.load(Ordering::Relaxed) >= self.seats.number() {
            if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                self.crowded.notify_one();
            }
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.admitted.fetch_add(1, Ordering::Relaxed);
        Some(Seat(Arc::clone(self)))
    }

    /// Answers `socket` with 503 and closes it.
    pub(crate) fn turn_away(self: &Arc<Self>, socket: Socket, tls: Option<&Tls>) {
        if self.waved_off.fetch_add(1, Ordering::Relaxed) < REFUSALS {
            let (door, tls) = (Arc::clone(self), tls.cloned());
            tokio::spawn(async move {
                match (socket, tls) {
                    (Socket::Tcp(stream), Some(tls)) => {
                        let greeted = timeout(PATIENCE, tls.accept(stream)).await;
                        if let Ok(Ok(stream)) = greeted {
                            wave_off(Socket::Secure(Box::new(stream))).await;
                        }
                    }
                    (socket, _) => wave_off(socket).await,
                }
                door.waved_off.fetch_sub(1, Ordering::Relaxed);
            });
        } else {
            self.waved_off.fetch_sub(1, Ordering::Relaxed);
            if tls.is_none() {
                socket.tell_at_once(full().as_bytes());
            }
        }
    }
}

fn full() -> String {
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

const PLAIN: &str =
    r#"{"success":false,"message":"This port speaks TLS: write https:// instead of http://."}"#;

/// Answers with 400 somebody who did not know that TLS is spoken here.
pub(crate) async fn tell_plainly(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{PLAIN}",
        PLAIN.len()
    );
    tell(&mut stream, &answer).await;
}

async fn wave_off(mut socket: Socket) {
    tell(&mut socket, &full()).await;
}

/// An answer that comes before its request confuses some clients, and a socket
/// that is closed with unread bytes takes the answer away again: so the client
/// is listened to before and after.
async fn tell(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &str) {
    let mut sink = [0; 1024];
    let _ = timeout(PATIENCE, stream.read(&mut sink)).await;
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    if let Ok(Ok(())) = timeout(PATIENCE, told).await {
        let left = async { while stream.read(&mut sink).await.is_ok_and(|bytes| bytes > 0) {} };
        let _ = timeout(PATIENCE, left).await;
    }
}
