//! Two ways to ask the mock: the core alone, and the server over loopback. A
//! scenario that holds in both arms is a scenario the core may be trusted for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use contract::{Moment, Truth};
use mock_server::{Running, Server};
use mock_server_core::{Body, Delivery, Mock, Request, Settings, SettingsFile, WebhookSettings};
use serde_json::Value;

/// What a test asks.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    /// With the query.
    pub(crate) target: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a str,
    pub(crate) truth: bool,
}

/// What it is told.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    pub(crate) allow: Option<String>,
    pub(crate) truth: Option<Truth>,
    /// Rate limits and the like, but for when a window ends.
    pub(crate) extras: BTreeMap<String, String>,
    pub(crate) body: String,
}

fn is_extra(name: &str) -> bool {
    matches!(
        name,
        "x-ratelimit-limit" | "x-ratelimit-remaining" | "idempotent-replayed"
    )
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// A key that differs in its last two digits.
pub(crate) fn key(number: u32) -> String {
    format!("{number:k>60}")
}

pub(crate) fn get<'a>(key: &'a str, target: &'a str) -> Ask<'a> {
    Ask {
        method: "GET",
        target,
        key: Some(key),
        content_type: None,
        body: "",
        truth: false,
    }
}

pub(crate) fn rent<'a>(key: &'a str, body: &'a str) -> Ask<'a> {
    Ask {
        method: "POST",
        content_type: Some("application/x-www-form-urlencoded"),
        body,
        ..get(key, "/api/v1/number/rent")
    }
}

/// Either arm.
pub(crate) trait Arm {
    fn ask(&mut self, ask: Ask<'_>) -> Answer;
}

/// Settings from the body of a `[mock]` table, with seed 7.
pub(crate) fn settings(toml: &str) -> Settings {
    let file: SettingsFile = contract::document::parse("settings", toml).expect(toml);
    file.resolve(7)
}

/// The same, with a receiver for the webhooks of every account.
pub(crate) fn posting(receiver: WebhookSettings, toml: &str) -> Settings {
    let mut settings = settings(toml);
    Arc::make_mut(&mut settings.account).webhook = Some(Arc::new(receiver));
    settings
}

/// Runs one scenario against both arms.
pub(crate) fn both(toml: &str, scenario: impl Fn(&mut dyn Arm)) {
    scenario(&mut CoreArm(Mock::new(
        settings(toml),
        jiff::Timestamp::UNIX_EPOCH,
    )));
    let running = Server::local().start(settings(toml)).expect("a free port");
    scenario(&mut ServerArm(&running));
}

struct CoreArm(Mock);

impl Arm for CoreArm {
    fn ask(&mut self, ask: Ask<'_>) -> Answer {
        let (path, query) = match ask.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (ask.target, None),
        };
        let request = Request {
            method: ask.method,
            path,
            query,
            auth: ask.key.map(str::as_bytes),
            content_type: ask.content_type,
            accept: None,
            idempotency_key: None,
            connection: None,
            prefer: None,
            truth: ask.truth,
            sought: None,
            body: Body::Whole(ask.body.as_bytes()),
        };
        let reply = self.0.handle(Moment::START, &request);
        assert!(matches!(reply.delivery, Delivery::Whole { .. }));
        Answer {
            status: reply.status,
            retry_after: reply.retry_after.map(u64::from),
            allow: reply
                .headers()
                .find(|(name, _)| *name == "allow")
                .map(|(_, value)| value.to_owned()),
            truth: reply.truth,
            extras: reply
                .headers()
                .filter(|(name, _)| is_extra(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8(reply.body.to_vec()).expect("text"),
        }
    }
}

struct ServerArm<'a>(&'a Running);

impl Arm for ServerArm<'_> {
    fn ask(&mut self, ask: Ask<'_>) -> Answer {
        over_http(self.0.address(), ask)
    }
}

/// One request over a connection of its own.
pub(crate) fn over_http(address: SocketAddr, ask: Ask<'_>) -> Answer {
    exchange(address, &written(ask, "Connection: close\r\n"))
}

/// The same for a request that is written already; it has to ask for the end
/// of the connection.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .write_all(request.as_bytes())
        .expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers in text");
    parse(&answer)
}

/// The bytes of a request.
pub(crate) fn written(ask: Ask<'_>, more_headers: &str) -> String {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: localhost\r\n{more_headers}",
        ask.method, ask.target
    );
    let length = (!ask.body.is_empty()).then(|| ask.body.len().to_string());
    let truth = ask.truth.then_some("1");
    for (name, value) in [
        ("Auth", ask.key),
        ("Content-Type", ask.content_type),
        ("Content-Length", length.as_deref()),
        ("X-Otplab-Truth", truth),
    ] {
        if let Some(value) = value {
            head += &format!("{name}: {value}\r\n");
        }
    }
    format!("{head}\r\n{}", ask.body)
}

fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a complete head");
    let header = |wanted: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.to_owned())
    };
    Answer {
        status: head[9..12].parse().expect("a status"),
        retry_after: header("retry-after").map(|seconds| seconds.parse().expect("seconds")),
        allow: header("allow"),
        truth: header("x-otplab-truth").map(|truth| truth.parse().expect("truth")),
        extras: head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| is_extra(name))
            .collect(),
        body: body.to_owned(),
    }
}
