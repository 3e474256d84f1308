//! Where a server listens: an address with a port, or a socket in the file system.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

/// One place to listen.
#[derive(Clone, Debug, PartialEq, Eq, DeserializeFromStr)]
pub enum Place {
    /// An address of a network; port 0 is any free one.
    Tcp(SocketAddr),
    /// A Unix socket with this name.
    Unix(PathBuf),
}

/// What a Unix socket's place begins with.
const UNIX: &str = "unix:";

/// Not a place to listen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an address with a port; write it like 127.0.0.1:8080, or 127.0.0.1:0 for any \
     free port, or unix:/run/otplab.sock for a Unix socket"
)]
pub struct PlaceError(String);

impl Place {
    /// Its address, if it has one.
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.strip_prefix(UNIX) {
            Some("") => Err(PlaceError(text.to_owned())),
            Some(path) => Ok(Self::Unix(path.into())),
            None => {
                let local = |port: &str| Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into());
                let address = text.parse().ok();
                address
                    .or_else(|| text.strip_prefix("localhost:").and_then(local))
                    .map(Self::Tcp)
                    .ok_or_else(|| PlaceError(text.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_is_written() {
        for text in ["127.0.0.1:8080", "[::1]:0", "unix:/run/otplab.sock"] {
            let place: Place = text.parse().expect(text);
            assert_eq!(place.to_string(), text);
        }
        let local: Place = "localhost:80".parse().expect("a name for this machine");
        assert_eq!(local.to_string(), "127.0.0.1:80");
        for text in ["", "8080", "unix:", "example.com:80", "127.0.0.1"] {
            let error = text.parse::<Place>().expect_err(text).to_string();
            assert!(error.contains("write it like 127.0.0.1:8080"), "{error}");
        }
    }
}
