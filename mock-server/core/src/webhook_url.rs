//! The address of a webhook receiver. Only as much of a URL as a local receiver
//! needs: plain HTTP, a host, a port and a path.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};

/// An `http://` address.
#[derive(Clone, Debug, PartialEq, Eq, DeserializeFromStr, SerializeDisplay)]
pub struct WebhookUrl {
    /// Name or address; an IPv6 address without its brackets.
    host: String,
    port: u16,
    /// Path and query, with the leading slash.
    path: String,
}

impl WebhookUrl {
    /// Name or address of the receiver; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 80 if none was written.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they go into the request line.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port, as they go into the `Host` header.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path)
    }
}

/// Not an address that webhooks can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a webhook address; write it like http://127.0.0.1:9000/hook (https is not spoken)"
)]
pub struct WebhookUrlError(String);

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;

    fn from_str(text: &str) -> Result<Self, WebhookUrlError> {
        read(text).ok_or_else(|| WebhookUrlError(text.to_owned()))
    }
}

fn read(text: &str) -> Option<WebhookUrl> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let rest = text.strip_prefix("http://").filter(|_| visible)?;
    let rest = rest.split('#').next()?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = host_and_port(authority)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(WebhookUrl {
        host: host.to_owned(),
        port,
        path: format!("{slash}{path}"),
    })
}

fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port {
        "" => 80,
        written => written.strip_prefix(':')?.parse().ok()?,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_local_receiver_needs() {
        for (text, whole) in [
            (
                "http://127.0.0.1:9000/hook?a=b",
                "http://127.0.0.1:9000/hook?a=b",
            ),
            ("http://localhost", "http://localhost:80/"),
            ("http://[::1]:9000", "http://[::1]:9000/"),
            ("http://hooks.test?x#part", "http://hooks.test:80/?x"),
        ] {
            let url: WebhookUrl = text.parse().expect(text);
            assert_eq!(url.to_string(), whole);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "localhost:9000",
            "https://localhost/",
            "http://",
            "http://:80/",
            "http://host:port/",
            "http://user@host/",
            "http://host:70000/",
            "http://a b/",
            "http://host/\r\nX: y",
        ] {
            assert!(text.parse::<WebhookUrl>().is_err(), "{text:?} was accepted");
        }
    }
}
