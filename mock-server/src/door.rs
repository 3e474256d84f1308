//! Who is let in. A port has so many seats; who comes when all are taken is told
//! so at once, because a connection that hangs tells a tester nothing.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::limits::ConnectionCount;

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

/// The door of one port.
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

impl Seat {
    /// What the port is for.
    pub(crate) fn role(&self) -> Role {
        self.0.role
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

    /// Answers `stream` with 503 and closes it.
    pub(crate) fn turn_away(self: &Arc<Self>, stream: TcpStream) {
        if self.waved_off.fetch_add(1, Ordering::Relaxed) < REFUSALS {
            let door = Arc::clone(self);
            tokio::spawn(async move {
                wave_off(stream).await;
                door.waved_off.fetch_sub(1, Ordering::Relaxed);
            });
        } else {
            self.waved_off.fetch_sub(1, Ordering::Relaxed);
            let _ = tell(stream);
        }
    }
}

/// An answer that comes before its request confuses some clients, and a socket
/// that is closed with unread bytes takes the answer away again: so the client
/// is listened to before and after.
async fn wave_off(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    let _ = timeout(PATIENCE, stream.read(&mut sink)).await;
    let Ok(Ok(mut stream)) = tell(stream).map(TcpStream::from_std) else {
        return;
    };
    let left = async { while stream.read(&mut sink).await.is_ok_and(|bytes| bytes > 0) {} };
    let _ = timeout(PATIENCE, left).await;
}

/// Does not wait: a fresh socket has room for so little.
fn tell(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    let mut stream = stream.into_std()?;
    write!(
        stream,
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    )?;
    stream.shutdown(Shutdown::Write)?;
    Ok(stream)
}
