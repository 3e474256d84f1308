//! A check over HTTPS: a certificate that is trusted, one that is not, one of
//! another name.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::CertifiedKey;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

use super::{KEYS, mock};
use crate::binary::otplab;

/// Adds TLS to a server, with a certificate for these names; says where, and
/// gives the certificate. Its thread lives as long as the test's process.
fn secured(to: SocketAddr, names: &[&str]) -> (SocketAddr, String) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], signing_key.into())
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await
                        && let Ok(mut server) = TcpStream::connect(to).await
                    {
                        let _ = copy_bidirectional(&mut stream, &mut server).await;
                    }
                });
            }
        });
    });
    (address, cert.pem())
}

fn check(arguments: &[&str]) -> (Option<i32>, String) {
    let output = otplab()
        .arg("check")
        .args(arguments)
        .args(["--key-env", "KEY"])
        .env("KEY", KEYS[0])
        .output()
        .expect("the binary runs");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
    (output.status.code(), text.concat())
}

#[test]
fn a_certificate_is_trusted_if_its_authority_and_its_name_are_right() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ca.pem");
    let path = file.to_str().expect("UTF-8");
    let server = mock("default");
    let (address, pem) = secured(server.address(), &["localhost", "127.0.0.1"]);
    std::fs::write(&file, pem).expect("written");
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}", address.port());
        let (code, out) = check(&[&url, "--ca-file", path]);
        assert_eq!(code, Some(0), "{out}");
        assert!(
            out.contains("held C5 ") && out.contains(&format!("{url}: ")),
            "{out}"
        );
    }
    let url = format!("https://{address}");
    let (code, out) = check(&[&url]);
    assert!(
        code == Some(2) && out.contains("UnknownIssuer") && out.contains("--ca-file"),
        "{out}"
    );
    // The right authority, and the name of another server.
    let (address, pem) = secured(server.address(), &["staging.example"]);
    std::fs::write(&file, pem).expect("written");
    let url = format!("https://{address}");
    let (code, out) = check(&[&url, "--ca-file", path]);
    assert!(code == Some(2) && out.contains("not valid for"), "{out}");
    std::fs::write(&file, "no certificate").expect("written");
    let (code, out) = check(&[&url, "--ca-file", path]);
    assert!(code == Some(2) && out.contains("a PEM file"), "{out}");
}
