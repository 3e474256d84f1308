//! The server's end of TLS: whose certificate it shows, and what it agrees to
//! speak. The certificate is its owner's, or made at the start and trusted by
//! those who are given it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;

/// HTTP/2, as clients ask for it (RFC 9113, 3.3).
pub(crate) const HTTP2: &[u8] = b"h2";

/// What is spoken, the best first.
const SPOKEN: [&[u8]; 2] = [HTTP2, b"http/1.1"];

/// Names that every certificate of our own is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate with its key, ready for use.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    certificate: Option<String>,
}

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the files.
    #[error("cannot read {what} from {}", path.display())]
    File {
        /// A certificate, or a private key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        reason: FileError,
    },
    /// The two files have nothing to do with each other.
    #[error(
        "the private key in {} does not belong to the first certificate in {}",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
    },
    /// A certificate cannot be for this.
    #[error("a certificate cannot be for {0:?}; write a host like otplab.test, or an address")]
    Name(String),
    /// The library's complaint.
    #[error("cannot set TLS up")]
    Library(#[from] Error),
    /// The library's complaint about a certificate of our own.
    #[error("cannot make a certificate")]
    Making(#[from] rcgen::Error),
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It has something else.
    #[error("there is none in it; it should be a PEM file")]
    None,
    /// It has one that needs a password.
    #[error("it is encrypted; write it without a password with `openssl pkey -in FILE -out FILE`")]
    Encrypted,
    /// It is no PEM.
    #[error("it is no PEM file: {0}")]
    Pem(String),
}

impl Tls {
    /// Makes a certificate for this machine's own names and `names`, and a key that is nowhere
    /// but in memory.
    ///
    /// # Errors
    ///
    /// [`TlsError::Name`] if a certificate cannot be for one of them.
    pub fn self_signed(names: &[String]) -> Result<Self, TlsError> {
        let mut all: Vec<_> = NAMES.map(str::to_owned).into();
        all.extend(
            names
                .iter()
                .filter(|name| !NAMES.contains(&name.as_str()))
                .cloned(),
        );
        if let Some(odd) = all.iter().find(|name| !is_name(name)) {
            return Err(TlsError::Name(odd.clone()));
        }
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "otplab");
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let config = config(vec![certificate.der().clone()], key.into())?;
        let certificate = Some(certificate.pem());
        Ok(Self {
            config,
            certificate,
        })
    }

    /// The certificates and the key of two PEM files.
    ///
    /// # Errors
    ///
    /// [`TlsError`] that says what is wrong with which of them.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = read_chain(certificate).map_err(|reason| TlsError::File {
            what: "certificates",
            path: certificate.to_owned(),
            reason,
        })?;
        let secret = read_key(key).map_err(|reason| TlsError::File {
            what: "a private key",
            path: key.to_owned(),
            reason,
        })?;
        let config = config(chain, secret).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            },
            error => TlsError::Library(error),
        })?;
        let certificate = None;
        Ok(Self {
            config,
            certificate,
        })
    }

    /// The certificate that was made, as PEM: who has it can trust the server.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Greets a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(Arc::clone(&self.config))
            .accept(stream)
            .await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Letters, digits, and what else stands in hosts and addresses.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:_*".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = SPOKEN.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let found = CertificateDer::pem_file_iter(path)?;
    let chain: Vec<_> = found.collect::<Result<_, _>>()?;
    if chain.is_empty() {
        return Err(FileError::None);
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    let text = std::fs::read(path)?;
    let found = PrivateKeyDer::from_pem_slice(&text);
    let encrypted = b"ENCRYPTED";
    let is_encrypted = text.windows(encrypted.len()).any(|part| part == encrypted);
    found.map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted => FileError::Encrypted,
        error => error.into(),
    })
}

impl From<pem::Error> for FileError {
    fn from(error: pem::Error) -> Self {
        match error {
            pem::Error::Io(error) => Self::Io(error),
            pem::Error::NoItemsFound => Self::None,
            error => Self::Pem(error.to_string()),
        }
    }
}
