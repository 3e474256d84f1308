//! Which server is loaded, and the refusal to load one that is not ours: a
//! target beyond this machine has to be allowed by name.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use hyper::Uri;
use hyper::http::uri::Scheme;
use loadgen_core::budget::{Bounds, Budget};

/// A server to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As connections need it.
    pub address: SocketAddr,
    /// Host and port, as the `Host` header has them.
    pub authority: String,
}

/// Why a server is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not an address.
    #[error("{0:?} is not the address of a server; write it like http://127.0.0.1:8080")]
    Malformed(String),
    /// Only plain HTTP is built.
    #[error("{0:?} is not plain HTTP; write it like http://127.0.0.1:8080")]
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
        "{host} is not this machine, and load on a server that is not yours does harm; \
         if it is yours, allow it by name with --allow-host {host}"
    )]
    Foreign {
        /// As written.
        host: String,
    },
}

impl Target {
    /// Reads `http://HOST:PORT`. A host that is not loopback has to be in `allowed`.
    ///
    /// # Errors
    ///
    /// [`TargetError`] if it cannot or must not be loaded.
    pub fn parse(text: &str, allowed: &[String]) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(_) => return Err(TargetError::Scheme(text.to_owned())),
            None => return Err(malformed()),
        }
        let host = uri.host().ok_or_else(malformed)?;
        let authority = uri.authority().ok_or_else(malformed)?.as_str();
        if uri.path() != "/" || uri.query().is_some() || authority.contains('@') {
            return Err(malformed());
        }
        let foreign = || TargetError::Foreign {
            host: host.to_owned(),
        };
        let allowed = allowed.iter().any(|name| name == host);
        // A name that is not allowed is not even looked up.
        if !allowed && !may_be_loopback(host) {
            return Err(foreign());
        }
        let address = resolve(text, host, uri.port_u16().unwrap_or(80))?;
        if !allowed && !address.ip().is_loopback() {
            return Err(foreign());
        }
        Ok(Self {
            address,
            authority: authority.to_owned(),
        })
    }

    /// What a run may do to it, if `asked` is what somebody asked for: a server
    /// beyond this machine is treated with care where nobody says otherwise, and
    /// its `Retry-After` is heeded in any case.
    pub fn budget(&self, asked: Bounds) -> Budget {
        if self.is_loopback() {
            Budget::new(asked, false)
        } else {
            Budget::new(asked.or(Bounds::foreign()), true)
        }
    }

    /// Whether it runs on this machine.
    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

fn may_be_loopback(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || plain
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn resolve(target: &str, host: &str, port: u16) -> Result<SocketAddr, TargetError> {
    let unknown = |reason| TargetError::Unknown {
        target: target.to_owned(),
        reason,
    };
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<_> = (plain, port).to_socket_addrs().map_err(unknown)?.collect();
    // A name may have several addresses; one beyond loopback makes it foreign.
    let foreign = addresses.iter().find(|address| !address.ip().is_loopback());
    let v4_first = addresses.iter().find(|address| address.is_ipv4());
    foreign
        .or(v4_first)
        .or_else(|| addresses.first())
        .copied()
        .ok_or_else(|| TargetError::Malformed(target.to_owned()))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Target, String> {
        Target::parse(text, &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn loopback_is_loaded_without_asking() {
        for text in [
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://127.3.2.1",
        ] {
            assert!(parsed(text).expect(text).is_loopback());
        }
    }

    #[test]
    fn another_machine_has_to_be_allowed_by_name() {
        // 192.0.2.0/24 is set aside for documentation: nothing answers there, and nothing is sent.
        let error = parsed("http://192.0.2.7:80").expect_err("foreign");
        assert!(error.contains("--allow-host 192.0.2.7"), "{error}");
        assert!(Target::parse("http://192.0.2.7:80", &["192.0.2.7".to_owned()]).is_ok());
        assert!(Target::parse("http://192.0.2.7:80", &["192.0.2.8".to_owned()]).is_err());
        let error = parsed("http://otp.invalid").expect_err("never looked up");
        assert!(error.contains("--allow-host otp.invalid"), "{error}");
    }

    #[test]
    fn a_server_elsewhere_is_treated_with_care() {
        let asked = Bounds {
            rentals: Some(3),
            ..Bounds::default()
        };
        // Nothing is sent to either.
        let here = Target::parse("http://127.0.0.2:80", &[]).expect("loopback");
        let budget = here.budget(asked);
        assert_eq!((budget.bounds(), budget.is_polite()), (asked, false));
        let allowed = ["192.0.2.7".to_owned()];
        let there = Target::parse("http://192.0.2.7:80", &allowed).expect("allowed");
        let budget = there.budget(asked);
        assert!(budget.is_polite());
        let bounds = budget.bounds();
        assert_eq!(
            (bounds.rentals, bounds.spend),
            (Some(3), Bounds::foreign().spend)
        );
        assert!(bounds.rate.is_some());
        assert!(Bounds::foreign().rentals.is_some_and(|most| most <= 10));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for text in [
            "127.0.0.1:8080",
            "http://",
            "http://127.0.0.1:8080/api/v1",
            "nonsense",
            "http://user:password@127.0.0.1:8080",
        ] {
            assert!(
                parsed(text)
                    .expect_err(text)
                    .contains("write it like http://"),
                "{text}"
            );
        }
        assert!(
            parsed("https://127.0.0.1")
                .expect_err("TLS")
                .contains("not plain HTTP")
        );
    }
}
