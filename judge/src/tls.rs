//! Whose certificates an `https://` server may show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of `--ca-file`.
    #[error("cannot read certificates from {0}: {1}; it should be a PEM file")]
    File(PathBuf, String),
    /// The system's store.
    #[error("this system has no certificates of authorities; name a PEM file with --ca-file")]
    System,
    /// The library's complaint.
    #[error("cannot set TLS up: {0}")]
    Library(#[from] Error),
}

/// Trusts the authorities of the file, or those of the system if there is none.
/// The system's store heeds `SSL_CERT_FILE`.
///
/// # Errors
///
/// [`TrustError`] if there are none to trust.
pub fn trust(file: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = file {
        let wrong = |reason: String| TrustError::File(file.to_owned(), reason);
        let found =
            CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("there are none in it".to_owned()));
        }
    } else {
        // What the system has and we cannot read is no reason to trust nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TrustError::System);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
