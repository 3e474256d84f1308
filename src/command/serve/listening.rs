//! Where to listen and whose certificate to show: from what was said to what
//! the server is given.

use std::borrow::Cow;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use mock_server::{Place, Server, Tls};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor, value};

use super::port_file;
use crate::cli::serve::listening::{ListeningArguments, SocketMode};

/// What one source says about it; the rest is another source's to say.
#[derive(Clone)]
pub(super) struct ListeningChoice {
    pub(super) listen: Option<Vec<Place>>,
    pub(super) socket_mode: Option<SocketMode>,
    pub(super) tls: Option<bool>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) names: Option<Vec<String>>,
    pub(super) cert_out: Option<PathBuf>,
}

impl ListeningChoice {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            socket_mode: self.socket_mode.or(other.socket_mode),
            tls: self.tls.or(other.tls),
            cert: self.cert.or(other.cert),
            key: self.key.or(other.key),
            names: self.names.or(other.names),
            cert_out: self.cert_out.or(other.cert_out),
        }
    }

    /// What is different in `after`, by its names in a file.
    pub(super) fn differences(&self, after: &Self) -> Vec<&'static str> {
        let each = [
            ("listen", self.listen != after.listen),
            ("socket_mode", self.socket_mode != after.socket_mode),
            ("tls", self.tls != after.tls),
            ("tls_cert", self.cert != after.cert),
            ("tls_key", self.key != after.key),
            ("tls_names", self.names != after.names),
            ("tls_cert_out", self.cert_out != after.cert_out),
        ];
        let different = each.into_iter().filter(|(_, differs)| *differs);
        different.map(|(name, _)| name).collect()
    }

    /// The places, or the usual one.
    pub(super) fn places(&self) -> Vec<Place> {
        let usual = || vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)).into()];
        self.listen.clone().unwrap_or_else(usual)
    }

    /// The permissions of a Unix socket.
    pub(super) fn socket_mode(&self) -> u32 {
        self.socket_mode
            .map_or(Server::SOCKET_MODE, |SocketMode(mode)| mode)
    }

    /// The certificate and its key, if TLS is to be spoken; one that is made is
    /// written where it is asked for.
    pub(super) fn certificate(&self) -> anyhow::Result<Option<Tls>> {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                for (flag, said) in [
                    ("--tls-cert-out", self.cert_out.is_some()),
                    ("--tls-name", self.names.is_some()),
                ] {
                    if said {
                        bail!(
                            "{flag} is about a certificate that is made; leave it out, or leave out --tls-cert"
                        );
                    }
                }
                Ok(Some(Tls::from_files(cert, key)?))
            }
            (Some(_), None) => {
                bail!("--tls-cert needs the private key as well; name it with --tls-key")
            }
            (None, Some(_)) => {
                bail!("--tls-key needs the certificate as well; name it with --tls-cert")
            }
            (None, None) if self.tls == Some(true) => self.made().map(Some),
            (None, None) if self.cert_out.is_some() => {
                bail!("--tls-cert-out writes the certificate of --tls; add --tls")
            }
            (None, None) => Ok(None),
        }
    }

    fn made(&self) -> anyhow::Result<Tls> {
        let tls = Tls::self_signed(self.names.as_deref().unwrap_or_default())?;
        if let (Some(path), Some(certificate)) = (&self.cert_out, tls.certificate()) {
            write(path, certificate)
                .with_context(|| format!("cannot write the certificate to {}", path.display()))?;
        }
        Ok(tls)
    }
}

/// Under another name first, so that nobody reads half of it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = port_file::unfinished(path);
    fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path))
}

impl From<ListeningArguments> for ListeningChoice {
    fn from(typed: ListeningArguments) -> Self {
        Self {
            listen: typed.listen,
            socket_mode: typed.socket_mode,
            tls: typed.tls.then_some(true),
            cert: typed.tls_cert,
            key: typed.tls_key,
            names: typed.tls_name,
            cert_out: typed.tls_cert_out,
        }
    }
}

/// `listen = "127.0.0.1:0"`, or a list of such.
pub(super) struct Places(pub(super) Vec<Place>);

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Places;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text like \"127.0.0.1:8080\", or a list of such")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Places, E> {
                let place = text.parse().map_err(E::custom)?;
                Ok(Places(vec![place]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Places, A::Error> {
                let places = Vec::deserialize(value::SeqAccessDeserializer::new(list))?;
                if places.is_empty() {
                    return Err(Error::custom(
                        "a server has to listen somewhere; write it like \"127.0.0.1:8080\"",
                    ));
                }
                Ok(Places(places))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}

impl JsonSchema for Places {
    fn schema_name() -> Cow<'static, str> {
        "Places".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string" });
        json_schema!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] })
    }
}
