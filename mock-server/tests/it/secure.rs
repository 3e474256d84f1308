//! TLS and HTTP/2 over it: the same answers as without, and what a fault of the
//! transport looks like where a request is a stream among others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use hyper::{Method, Request, StatusCode};
use mock_server::{Limits, Running, Server, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::arm::{Ask, exchange, get, key, over_http, rent, settings, written};
use crate::transport::PROFILE;

/// A server that speaks TLS, and those who trust its certificate.
struct Secure {
    running: Running,
    connector: [TlsConnector; 2],
}

const HTTP1: usize = 0;
const HTTP2: usize = 1;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(5);

impl Secure {
    fn start(toml: &str) -> Self {
        Self::with(toml, Limits::DEFAULT)
    }

    fn with(toml: &str, limits: Limits) -> Self {
        let tls = Tls::self_signed(&["otplab.test".to_owned()]).expect("a certificate");
        let pem = tls.certificate().expect("it was made").to_owned();
        let server = Server {
            tls: Some(tls),
            limits,
            ..Server::local()
        };
        let running = server.start(settings(toml)).expect("a free port");
        let connector = [&b"http/1.1"[..], b"h2"].map(|protocol| trusting(&pem, protocol));
        Self { running, connector }
    }

    async fn connect(&self, protocol: usize) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.running.address()).await;
        let name = ServerName::try_from("otplab.test").expect("a name");
        let connecting = self.connector[protocol].connect(name, stream.expect("it listens"));
        let stream = connecting.await.expect("it is trusted");
        let spoken = stream.get_ref().1.alpn_protocol().map(<[u8]>::len);
        assert_eq!(spoken, Some([8, 2][protocol]), "as asked for");
        stream
    }

    /// Stops the server while this runtime lets its client take note.
    async fn stop(self) {
        let stopping = tokio::task::spawn_blocking(move || self.running.stop());
        stopping.await.expect("it stops");
    }

    async fn open(&self) -> SendRequest<Bytes> {
        let (client, connection) = h2::client::handshake(self.connect(HTTP2).await)
            .await
            .expect("both speak it");
        tokio::spawn(connection);
        client
    }
}

fn trusting(pem: &str, protocol: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    roots.add(certificate).expect("a good one");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// How a stream went: the status, the body as far as it came, and how it ended.
#[derive(Debug, PartialEq)]
struct Stream {
    status: Option<StatusCode>,
    body: String,
    end: Result<(), Reason>,
}

fn send(client: &mut SendRequest<Bytes>, ask: Ask<'_>, authority: &str) -> ResponseFuture {
    let uri = format!("https://{authority}{}", ask.target);
    let mut request = Request::builder().method(ask.method).uri(uri);
    let headers = [("auth", ask.key), ("content-type", ask.content_type)];
    for (name, value) in headers {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let request = request.body(()).expect("a request");
    let is_all = ask.body.is_empty();
    let sent = client.send_request(request, is_all);
    let (response, mut body) = sent.expect("there is room");
    if !is_all {
        let bytes = Bytes::copy_from_slice(ask.body.as_bytes());
        body.send_data(bytes, true).expect("there is room");
    }
    response
}

async fn answer(response: ResponseFuture) -> Stream {
    let reason = |error: h2::Error| error.reason().expect("a reset");
    let (status, mut body) = match response.await {
        Ok(response) => (response.status(), response.into_body()),
        Err(error) => {
            return Stream {
                status: None,
                body: String::new(),
                end: Err(reason(error)),
            };
        }
    };
    let (mut text, mut end) = (String::new(), Ok(()));
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => text += std::str::from_utf8(&data).expect("text"),
            Err(error) => {
                end = Err(reason(error));
                break;
            }
        }
    }
    Stream {
        status: Some(status),
        body: text,
        end,
    }
}

async fn ask(client: &mut SendRequest<Bytes>, ask: Ask<'_>) -> Stream {
    let mut ready = client.clone().ready().await.expect("it goes on");
    answer(send(&mut ready, ask, "localhost")).await
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let test = async { timeout(PATIENCE, test).await.expect("in time") };
    runtime.expect("a runtime").block_on(test);
}

#[test]
fn answers_are_the_same_with_tls_and_with_http2() {
    let plain = Server::local().start(settings("")).expect("a free port");
    let secure = Secure::start("");
    run(async {
        let mut client = secure.open().await;
        let key = key(1);
        for one in [
            get(&key, PROFILE),
            rent(&key, "service=whatsapp"),
            get(&key, "/api/v1/number/check-otp/1"),
            get("too-short", PROFILE),
        ] {
            let expected = over_http(plain.address(), one);
            let Stream { status, body, end } = ask(&mut client, one).await;
            let status = status.map(|status| status.as_u16());
            assert_eq!((status, end), (Some(expected.status), Ok(())));
            assert_eq!(body, expected.body);
        }
        let mut stream = secure.connect(HTTP1).await;
        let request = written(get(&key, PROFILE), "Connection: close\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut text = String::new();
        stream
            .read_to_string(&mut text)
            .await
            .expect("closed in order");
        assert!(
            text.starts_with("HTTP/1.1 200 OK") && text.ends_with("}}"),
            "{text}"
        );
    });
}

/// What a fault makes of a profile request, and of what else is on the connection.
async fn stricken(fault: &str) -> Stream {
    let secure = Secure::start(&format!("faults = [\"profile: {fault}\"]"));
    let mut client = secure.open().await;
    let key = key(1);
    let stricken = send(&mut client, get(&key, PROFILE), "localhost");
    let stricken = answer(stricken).await;
    // The connection goes on.
    let other = ask(&mut client, get(&key, "/api/v1/rentals/history")).await;
    assert_eq!(other.status, Some(StatusCode::OK), "{fault}");
    assert_eq!(other.end, Ok(()), "{fault}");
    secure.stop().await;
    stricken
}

#[test]
fn a_fault_of_the_transport_ends_one_stream_and_no_other() {
    run(async {
        for (fault, reason) in [
            ("reset_peer", Reason::INTERNAL_ERROR),
            ("reset_peer after_commit", Reason::INTERNAL_ERROR),
            ("empty_response", Reason::NO_ERROR),
            ("random_data", Reason::PROTOCOL_ERROR),
        ] {
            let Stream { status, body, end } = stricken(fault).await;
            assert_eq!((status, body.as_str()), (None, ""), "{fault}");
            assert_eq!(end, Err(reason), "{fault}");
        }
        for (fault, length, reason) in [
            ("malformed_chunk", 0, Reason::PROTOCOL_ERROR),
            ("reset_after_bytes(0)", 0, Reason::INTERNAL_ERROR),
            ("reset_after_bytes(25)", 25, Reason::INTERNAL_ERROR),
            // The server ends the stream in order; the client misses what was announced.
            ("truncate_body(25)", 25, Reason::PROTOCOL_ERROR),
        ] {
            let Stream { status, body, end } = stricken(fault).await;
            assert_eq!(status, Some(StatusCode::OK), "{fault}");
            assert_eq!((body.len(), end), (length, Err(reason)), "{fault}");
        }
        let status = stricken("status(503)").await.status;
        assert_eq!(status, Some(StatusCode::SERVICE_UNAVAILABLE));
        let json = stricken("malformed_json").await;
        assert!(json.end.is_ok() && serde_json::from_str::<serde_json::Value>(&json.body).is_err());
    });
}

#[test]
fn what_takes_its_time_takes_it_here_too() {
    run(async {
        for (fault, milliseconds) in [
            ("latency(60ms)", 60),
            ("slow_body(60ms)", 60),
            ("slow_close(60ms)", 60),
        ] {
            let begun = Instant::now();
            let Stream { body, end, .. } = stricken(fault).await;
            assert!(
                begun.elapsed() >= Duration::from_millis(milliseconds),
                "{fault}"
            );
            assert!(end.is_ok() && body.ends_with("}}"), "{fault}: {body}");
        }
        // The whole body is there before the stream ends.
        let secure = Secure::start("faults = [\"profile: slow_close(2h)\"]");
        let mut client = secure.open().await;
        let response = send(&mut client, get(&key(1), PROFILE), "localhost").await;
        let response = response.expect("a head");
        let announced = response.headers()["content-length"]
            .to_str()
            .map(str::to_owned);
        let mut body = response.into_body();
        let data = body.data().await.expect("a body").expect("whole");
        assert_eq!(announced.ok(), Some(data.len().to_string()));
        let shortly = Duration::from_millis(30);
        assert!(
            timeout(shortly, body.data()).await.is_err(),
            "it has not ended"
        );
    });
}

#[test]
fn a_timeout_is_silence_on_one_stream_until_the_server_stops() {
    let secure = Secure::start("faults = [\"profile: timeout\"]");
    run(async {
        let mut client = secure.open().await;
        let key = key(1);
        let silent = send(&mut client, get(&key, PROFILE), "localhost");
        let other = ask(&mut client, get(&key, "/api/v1/rentals/history")).await;
        assert_eq!(other.status, Some(StatusCode::OK));
        let silent = tokio::spawn(answer(silent));
        let begun = Instant::now();
        secure.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(1), "no grace for it");
        assert_eq!(silent.await.expect("it ends").end, Err(Reason::CANCEL));
    });
}

#[test]
fn the_control_api_is_guarded_by_the_authority() {
    let secure = Secure::start("");
    run(async {
        let mut client = secure.open().await;
        for (authority, status) in [
            ("localhost", 200),
            ("127.0.0.1:8443", 200),
            ("evil.example", 403),
        ] {
            let asked = Ask {
                key: None,
                ..get("", "/__admin/health")
            };
            let told = answer(send(&mut client, asked, authority)).await;
            assert_eq!(
                told.status.map(|status| status.as_u16()),
                Some(status),
                "{authority}"
            );
        }
        // A header cannot say otherwise.
        let request = Request::builder().method(Method::GET);
        let request = request.uri("https://evil.example/__admin/health");
        let request = request
            .header("host", "localhost")
            .body(())
            .expect("a request");
        let (response, _) = client.send_request(request, true).expect("there is room");
        let status = response.await.expect("an answer").status();
        assert_eq!(status, StatusCode::FORBIDDEN);
    });
}

#[test]
fn what_does_not_arrive_is_given_up() {
    let limits = Limits {
        arrival_time: "40ms".parse().expect("a time"),
        ..Limits::DEFAULT
    };
    let secure = Secure::with("", limits);
    run(async {
        let mut client = secure.open().await;
        let request = Request::post("https://localhost/api/v1/number/rent").header("auth", key(1));
        let request = request.body(()).expect("a request");
        let (response, _body) = client.send_request(request, false).expect("room");
        assert_eq!(answer(response).await.end, Err(Reason::CANCEL));
        let other = ask(&mut client, get(&key(1), PROFILE)).await;
        assert_eq!(
            other.status,
            Some(StatusCode::OK),
            "only the stream is given up"
        );
        // Half a frame, and it is the connection.
        let mut stream = secure.connect(HTTP2).await;
        let begun = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x09\x01";
        stream.write_all(begun).await.expect("it reads");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        // Neither has one that never greets.
        let mut silent = TcpStream::connect(secure.running.address())
            .await
            .expect("it listens");
        silent.write_all(&[22, 3, 1]).await.expect("it reads");
        let _ = silent.read_to_end(&mut rest).await;
        let idle = ask(&mut client, get(&key(1), PROFILE)).await;
        assert_eq!(idle.status, Some(StatusCode::OK), "who only waits may stay");
    });
}

#[test]
fn http_without_tls_is_told_what_to_write() {
    let secure = Secure::start("");
    let answer = exchange(
        secure.running.address(),
        &written(get(&key(1), PROFILE), "Connection: close\r\n"),
    );
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("https://"), "{answer:?}");
}

#[test]
fn one_connection_too_many_is_told_so_over_tls() {
    let limits = Limits {
        connections: "1".parse().expect("one"),
        ..Limits::DEFAULT
    };
    let secure = Secure::with("", limits);
    run(async {
        let mut client = secure.open().await;
        assert_eq!(ask(&mut client, get(&key(1), PROFILE)).await.end, Ok(()));
        let mut second = secure.connect(HTTP1).await;
        let request = written(get(&key(1), PROFILE), "");
        second
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut text = String::new();
        second
            .read_to_string(&mut text)
            .await
            .expect("closed in order");
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    });
}

#[test]
fn a_certificate_of_ones_own_is_shown_or_what_is_wrong_with_it_said() {
    let directory = std::env::temp_dir().join(format!("otplab-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("a writable directory");
        path
    };
    let made = |name: &str| {
        rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate")
    };
    let (ours, other) = (made("otplab.test"), made("other.test"));
    let certificate = write("cert.pem", &ours.cert.pem());
    let key = write("key.pem", &ours.signing_key.serialize_pem());
    let other_key = write("other.pem", &other.signing_key.serialize_pem());
    let nothing = write("nothing.pem", "no PEM\n");
    let locked = write(
        "locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    assert!(Tls::from_files(&certificate, &key).is_ok());
    let absent = directory.join("absent.pem");
    for (certificate, key, expected) in [
        (
            &certificate,
            &other_key,
            "does not belong to the first certificate in",
        ),
        (&nothing, &key, "cannot read certificates from"),
        (&certificate, &nothing, "cannot read a private key from"),
        (&certificate, &locked, "openssl pkey"),
        (&absent, &key, "absent.pem: No such file"),
        (&certificate, &certificate, "there is none in it"),
    ] {
        let error = Tls::from_files(certificate, key).expect_err(expected);
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let told = format!("{error}: {}", cause.unwrap_or_default());
        assert!(told.contains(expected), "{told}");
    }
    let odd = Tls::self_signed(&["no host".to_owned()]).expect_err("no host");
    assert!(odd.to_string().contains("write a host"), "{odd}");
    std::fs::remove_dir_all(&directory).expect("it was ours");
}
