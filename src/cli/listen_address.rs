//! An address to listen at, where nothing else will do: `localhost` may be
//! written for it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A socket address, or `localhost` with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

/// Not a place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddressError(String);

impl fmt::Display for ListenAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is not an address with a port; write it like 127.0.0.1:8080, \
             or 127.0.0.1:0 for any free port"
        )
    }
}

impl std::error::Error for ListenAddressError {}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let local = |port: &str| Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into());
        text.parse()
            .ok()
            .or_else(|| text.strip_prefix("localhost:").and_then(local))
            .map(Self)
            .ok_or_else(|| ListenAddressError(text.to_owned()))
    }
}
