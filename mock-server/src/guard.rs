//! Who may use the control API, and where webhooks may go. The control API
//! moves time and money, so a web page that
//! posts to localhost, or that has its own name resolve to 127.0.0.1, must not
//! reach it.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, ORIGIN};

use crate::place::Place;

/// The rule of a server.
#[derive(Debug)]
pub(crate) struct Guard {
    token: Option<String>,
}

/// Who can reach the place at which a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine.
    Machine,
    /// Other machines, too.
    Network,
    /// Whom the permissions of a Unix socket let in: no web page, so the `Host`
    /// header, which has no meaning there, is not looked at.
    File,
}

impl Reach {
    /// Of what listens here.
    pub(crate) const fn of(place: &Place) -> Self {
        match place {
            Place::Unix(_) => Self::File,
            Place::Tcp(address) if address.ip().is_loopback() => Self::Machine,
            Place::Tcp(_) => Self::Network,
        }
    }
}

/// Why a control request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the control API is for this machine: the Host header names another")]
    ForeignHost,
    #[error("the control API is not for web pages of another origin")]
    ForeignOrigin,
    #[error("the control API wants `Authorization: Bearer TOKEN` with the token of --admin-token")]
    Token,
    #[error("a server that other machines can reach has no control API without --admin-token")]
    NoToken,
}

impl Guard {
    /// The guard of a server whose token is this.
    pub(crate) const fn new(token: Option<String>) -> Self {
        Self { token }
    }

    /// Whether a request with these headers may pass.
    pub(crate) fn check(&self, reach: Reach, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.contains_key(ORIGIN) {
            // Only browsers send it, and we serve no page that would have to.
            return Err(Refusal::ForeignOrigin);
        }
        match (&self.token, reach) {
            (Some(token), _) if brings(headers, token) => Ok(()),
            (Some(_), _) => Err(Refusal::Token),
            (None, Reach::Network) => Err(Refusal::NoToken),
            (None, Reach::File) => Ok(()),
            (None, Reach::Machine) if names_this_machine(headers) => Ok(()),
            (None, Reach::Machine) => Err(Refusal::ForeignHost),
        }
    }
}

/// Where webhooks may go: to this machine, and to hosts that are allowed by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookHosts(pub(crate) Vec<String>);

impl WebhookHosts {
    /// Whether webhooks may go to this host.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>();
        let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        here || self.0.iter().any(|name| name == host)
    }
}

fn brings(headers: &HeaderMap, token: &str) -> bool {
    let value = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    // The scheme's name is so in any case of its letters (RFC 9110, 11.1).
    let given = value.and_then(|value| value.split_at_checked(b"Bearer ".len()));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
    given.is_some_and(|(_, given)| same(given, token.as_bytes()))
}

/// In a time that does not tell how far the two agree.
fn same(given: &[u8], token: &[u8]) -> bool {
    let differences = given.iter().zip(token).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == token.len() && differences == 0
}

/// A name that resolves to loopback may be an attacker's; an address is not.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    let address: Result<IpAddr, _> = plain.parse();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn checked(
        (guard, reach): (&Guard, Reach),
        headers: &[(&'static str, &'static str)],
    ) -> Result<(), Refusal> {
        let pairs = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        guard.check(reach, &pairs.collect())
    }

    #[test]
    fn only_this_machine_and_no_web_page() {
        let guard = (&Guard::new(None), Reach::Machine);
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "[::1]:80",
            "LOCALHOST:1",
        ] {
            assert_eq!(checked(guard, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "192.0.2.1",
        ] {
            assert_eq!(
                checked(guard, &[("host", host)]),
                Err(Refusal::ForeignHost),
                "{host}"
            );
        }
        assert_eq!(checked(guard, &[]), Err(Refusal::ForeignHost));
        let page = [("host", "localhost"), ("origin", "http://localhost")];
        assert_eq!(checked(guard, &page), Err(Refusal::ForeignOrigin));
    }

    #[test]
    fn beyond_this_machine_a_token_is_needed() {
        let host = ("host", "mock.example");
        let open = Guard::new(None);
        assert_eq!(
            checked((&open, Reach::Network), &[host]),
            Err(Refusal::NoToken)
        );
        let guard = Guard::new(Some("secret".to_owned()));
        let guard = (&guard, Reach::Network);
        assert_eq!(checked(guard, &[host]), Err(Refusal::Token));
        for wrong in ["Bearer secre", "Bearer secrets", "Basic secret", "secret"] {
            assert_eq!(
                checked(guard, &[host, ("authorization", wrong)]),
                Err(Refusal::Token)
            );
        }
        for right in ["Bearer secret", "bearer secret"] {
            assert_eq!(checked(guard, &[host, ("authorization", right)]), Ok(()));
        }
    }

    #[test]
    fn a_unix_socket_is_guarded_by_its_permissions() {
        let open = Guard::new(None);
        let guard = (&open, Reach::File);
        assert_eq!(checked(guard, &[("host", "whatever")]), Ok(()));
        assert_eq!(checked(guard, &[]), Ok(()));
        let page = [("origin", "http://localhost")];
        assert_eq!(checked(guard, &page), Err(Refusal::ForeignOrigin));
        let tight = Guard::new(Some("secret".to_owned()));
        assert_eq!(checked((&tight, Reach::File), &[]), Err(Refusal::Token));
    }
}
