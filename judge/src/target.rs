//! Which server is checked, and the refusal to check one that is not ours: a
//! check rents numbers, so a host beyond this machine has to be allowed by name.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use hyper::Uri;
use hyper::http::uri::Scheme;

/// A server to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As connections need it.
    pub address: SocketAddr,
    /// Host and port, as the `Host` header has them.
    pub authority: String,
    /// With HTTPS, the name that the server's certificate has to have.
    pub server_name: Option<String>,
}

/// Why a server is not checked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not an address.
    #[error("{0:?} is not the address of a server; write it like http://127.0.0.1:8080")]
    Malformed(String),
    /// Neither HTTP nor HTTPS.
    #[error("{0:?} is neither HTTP nor HTTPS; write it like http://127.0.0.1:8080")]
    Scheme(String),
    /// The host has no address.
    #[error("the host of {target:?} has no address: {reason}")]
    Unknown {
        /// As written.
        target: String,
        /// The resolver's complaint.
        reason: std::io::Error,
    },
    /// Not this machine.
    #[error(
        "{host} is not this machine, and a check rents numbers there; \
         if that is meant, allow it by name with --allow-host {host}"
    )]
    Foreign {
        /// As written.
        host: String,
    },
}

impl Target {
    /// Reads `http://HOST:PORT` or `https://HOST:PORT`. A host that is not loopback has to be in `allowed`.
    ///
    /// # Errors
    ///
    /// [`TargetError`] if it cannot or must not be checked.
    pub fn parse(text: &str, allowed: &[String]) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(_) => return Err(TargetError::Scheme(text.to_owned())),
            None => return Err(malformed()),
        };
        let (host, authority) = (uri.host(), uri.authority());
        let (host, authority) = host.zip(authority).ok_or_else(malformed)?;
        if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(malformed());
        }
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = allowed.iter().any(|name| name == host);
        let foreign = || TargetError::Foreign {
            host: host.to_owned(),
        };
        let literal: Option<IpAddr> = plain.parse().ok();
        // A name that is not allowed is not even looked up.
        if !allowed && host != "localhost" && !literal.is_some_and(|address| address.is_loopback())
        {
            return Err(foreign());
        }
        let unknown = |reason| TargetError::Unknown {
            target: text.to_owned(),
            reason,
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses: Vec<_> = (plain, port).to_socket_addrs().map_err(unknown)?.collect();
        if !allowed && addresses.iter().any(|address| !address.ip().is_loopback()) {
            return Err(foreign());
        }
        let v4_first = addresses.iter().find(|address| address.is_ipv4());
        Ok(Self {
            address: *v4_first
                .or_else(|| addresses.first())
                .ok_or_else(malformed)?,
            authority: authority.as_str().to_owned(),
            server_name: secure.then(|| plain.to_owned()),
        })
    }

    /// A server on this machine.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            authority: address.to_string(),
            server_name: None,
        }
    }

    /// Whether it runs on this machine.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.server_name.as_ref().map_or("http", |_| "https");
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_has_to_be_allowed_by_name() {
        assert!(
            Target::parse("http://127.0.0.1:8080", &[])
                .expect("loopback")
                .is_loopback()
        );
        // 192.0.2.0/24 is set aside for documentation: nothing answers there, and nothing is sent.
        let error = Target::parse("http://192.0.2.7:80", &[]).expect_err("foreign");
        assert!(
            error.to_string().contains("--allow-host 192.0.2.7"),
            "{error}"
        );
        assert!(Target::parse("http://192.0.2.7:80", &["192.0.2.7".to_owned()]).is_ok());
        for text in [
            "127.0.0.1:8080",
            "http://127.0.0.1/api/v1",
            "nonsense",
            "ftp://127.0.0.1",
        ] {
            let error = Target::parse(text, &[]).expect_err(text).to_string();
            assert!(error.contains("write it like http://"), "{error}");
        }
    }
}
