//! Where `otplab serve` listens and what is spoken there, as typed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use mock_server::Place;
use serde_with::DeserializeFromStr;

/// What was typed about places, sockets and certificates.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListeningArguments {
    /// Where to listen: an address, of which port 0 is any free one, or unix:FILE for a Unix
    /// socket; may be repeated [default: 127.0.0.1:8080]
    #[arg(
        long,
        env = "OTPLAB_LISTEN",
        value_name = "PLACE",
        value_delimiter = ';'
    )]
    pub(crate) listen: Option<Vec<Place>>,

    /// Who may connect to a Unix socket, as the permissions of a file [default: 0600]
    #[arg(long, env = "OTPLAB_SOCKET_MODE", value_name = "MODE")]
    pub(crate) socket_mode: Option<SocketMode>,

    /// Speak TLS, with HTTP/2 for those who ask for it and a certificate that is made at the
    /// start
    #[arg(long, env = "OTPLAB_TLS")]
    pub(crate) tls: bool,

    /// Write that certificate to this file, for those who are to trust it
    #[arg(long, env = "OTPLAB_TLS_CERT_OUT", value_name = "FILE")]
    pub(crate) tls_cert_out: Option<PathBuf>,

    /// A host that it is for, beside localhost and its addresses; may be repeated
    #[arg(
        long,
        env = "OTPLAB_TLS_NAME",
        value_name = "HOST",
        value_delimiter = ';'
    )]
    pub(crate) tls_name: Option<Vec<String>>,

    /// Speak TLS with the certificates of this PEM file, your own first
    #[arg(long, env = "OTPLAB_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key that belongs to it, as a PEM file
    #[arg(long, env = "OTPLAB_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// The permissions of a socket's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr)]
pub(crate) struct SocketMode(pub(crate) u32);

/// No permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketModeError(String);

impl fmt::Display for SocketModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} are not the permissions of a file; write them in octal digits like 0600, \
             or 0660 for its group as well"
        )
    }
}

impl std::error::Error for SocketModeError {}

impl FromStr for SocketMode {
    type Err = SocketModeError;

    fn from_str(text: &str) -> Result<Self, SocketModeError> {
        let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = u32::from_str_radix(text, 8).ok();
        mode.filter(|mode| is_octal && *mode <= 0o777)
            .map(Self)
            .ok_or_else(|| SocketModeError(text.to_owned()))
    }
}
