//! A connection's socket, whatever it is made of: TCP, TLS over TCP, or a Unix
//! socket. Who reads and writes need not know.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use crate::tls;

/// One end of a connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// The same on its way from one thread to another.
#[derive(Debug)]
pub(crate) enum Parcel {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Parcel {
    /// Lets the runtime of the present thread look after it.
    pub(crate) fn open(self) -> io::Result<Socket> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Socket::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Socket::Unix),
        }
    }
}

impl Socket {
    /// Takes it from the runtime of the present thread; `None` if it cannot move.
    pub(crate) fn pack(self) -> Option<Parcel> {
        match self {
            Self::Tcp(stream) => stream.into_std().ok().map(Parcel::Tcp),
            Self::Unix(stream) => stream.into_std().ok().map(Parcel::Unix),
            Self::Secure(_) => None,
        }
    }

    /// Lets small answers leave at once.
    pub(crate) fn hurry(&self) {
        if let Some(stream) = self.tcp() {
            // Without this a small answer may wait for the client's delayed acknowledgement.
            let _ = stream.set_nodelay(true);
        }
    }

    /// Ends it with RST instead of FIN, where there is such a thing.
    pub(crate) fn reset(self) {
        if let Some(stream) = self.tcp() {
            let _ = stream.set_zero_linger();
        }
    }

    /// Says this and closes, as far as it can be done without waiting: a fresh socket has room
    /// for so little.
    pub(crate) fn tell_at_once(self, bytes: &[u8]) {
        let _ = match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Secure(_) => Ok(0),
        };
    }

    /// Whether the client and we have agreed on HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        match self {
            Self::Secure(stream) => stream.get_ref().1.alpn_protocol() == Some(tls::HTTP2),
            Self::Tcp(_) | Self::Unix(_) => false,
        }
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Secure(stream) => Some(stream.get_ref().0),
            Self::Unix(_) => None,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    /// Only TLS keeps anything back.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(())),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
