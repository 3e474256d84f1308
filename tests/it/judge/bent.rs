//! A bent server: a layer that alters what the mock is asked, what it answers
//! and what its webhooks say. The mock itself has no switch for any of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};

use super::relay::{self, Message};

/// What the layer remembers from one request to the next.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) counts: BTreeMap<String, u32>,
    /// Which key rented which id.
    pub(super) owners: BTreeMap<String, String>,
    /// Where webhooks really go.
    receiver: Option<SocketAddr>,
}

impl Memory {
    /// How often this has been asked before.
    pub(super) fn count(&mut self, what: &str) -> u32 {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}

/// A request on its way to the mock.
pub(super) struct Asked<'a> {
    pub(super) message: &'a mut Message,
}

impl Asked<'_> {
    pub(super) fn method(&self) -> &str {
        self.message.first.split(' ').next().unwrap_or_default()
    }

    pub(super) fn target(&self) -> &str {
        self.message.first.split(' ').nth(1).unwrap_or_default()
    }

    pub(super) fn operation(&self) -> &'static str {
        let path = self.target().split('?').next().unwrap_or_default();
        match (self.method(), path.trim_start_matches("/api/v1")) {
            ("GET", "/profile") => "profile",
            ("POST", "/number/rent") => "rent",
            ("GET", "/rentals/history") => "history",
            ("GET", path) if path.starts_with("/number/check-otp/") => "check_otp",
            _ => "",
        }
    }

    /// The id at the end of the path.
    pub(super) fn id(&self) -> String {
        self.target()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    pub(super) fn key(&self) -> String {
        self.message.header("auth").unwrap_or_default().to_owned()
    }

    pub(super) fn redirect(&mut self, method: &str, target: &str) {
        self.message.first = format!("{method} {target} HTTP/1.1");
    }
}

/// An answer on its way back, for a request of this kind.
pub(super) struct Answered<'a> {
    pub(super) operation: &'static str,
    pub(super) key: String,
    pub(super) id: String,
    pub(super) message: &'a mut Message,
}

impl Answered<'_> {
    pub(super) fn status(&self) -> u16 {
        self.message
            .first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    pub(super) fn replace(&mut self, status: u16, body: &str) {
        self.message.first = format!("HTTP/1.1 {status} Bent");
        self.message.body = body.as_bytes().to_vec();
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.message.body).unwrap_or_default()
    }

    /// Alters the object of a granted answer of this operation.
    pub(super) fn alter(&mut self, operation: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        if self.operation != operation || self.status() >= 300 {
            return;
        }
        if let Value::Object(mut object) = self.json()
            && object.get("success") == Some(&Value::Bool(true))
        {
            change(&mut object);
            self.message.body = Value::Object(object).to_string().into_bytes();
        }
    }

    /// Alters an object inside the answer.
    pub(super) fn alter_in(
        &mut self,
        operation: &str,
        name: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        self.alter(operation, |object| {
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                change(inner);
            }
        });
    }

    /// Alters each row of the history.
    pub(super) fn rows(&mut self, change: impl Fn(&mut Map<String, Value>)) {
        self.alter("history", |object| {
            if let Some(Value::Array(rows)) = object.get_mut("data") {
                rows.iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(change);
            }
        });
    }

    /// Alters a poll of one of the two cases.
    pub(super) fn poll(&mut self, received: bool, change: impl FnOnce(&mut Map<String, Value>)) {
        self.alter("check_otp", |object| {
            if object.get("sms_received") == Some(&Value::Bool(received)) {
                change(object);
            }
        });
    }
}

/// What one mutant does; each part does nothing by default.
#[derive(Clone, Copy)]
pub(super) struct Bend {
    pub(super) ask: fn(&mut Asked<'_>, &mut Memory),
    pub(super) answer: fn(&mut Answered<'_>, &mut Memory),
    /// Alters a webhook; may return a second one.
    pub(super) webhook: fn(&mut Message, &mut Memory) -> Option<Message>,
    /// Whether a webhook is lost: answered with 500, so that it comes again.
    pub(super) loses: fn(&mut Memory) -> bool,
}

impl Bend {
    pub(super) const NONE: Self = Self {
        ask: |_, _| {},
        answer: |_, _| {},
        webhook: |_, _| None,
        loses: |_| false,
    };

    pub(super) const fn answer(answer: fn(&mut Answered<'_>, &mut Memory)) -> Self {
        Self {
            answer,
            ..Self::NONE
        }
    }

    pub(super) const fn ask(ask: fn(&mut Asked<'_>, &mut Memory)) -> Self {
        Self { ask, ..Self::NONE }
    }

    pub(super) const fn webhook(webhook: fn(&mut Message, &mut Memory) -> Option<Message>) -> Self {
        Self {
            webhook,
            ..Self::NONE
        }
    }
}

/// Alters the object of a webhook.
pub(super) fn object(message: &mut Message, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Ok(Value::Object(mut object)) = serde_json::from_slice(&message.body) {
        change(&mut object);
        message.body = Value::Object(object).to_string().into_bytes();
    }
}

/// Puts the layer before a server; says where.
pub(super) fn bend(server: SocketAddr, bend: Bend) -> SocketAddr {
    let bend = Arc::new(bend);
    let memory = Arc::new(Mutex::new(Memory::default()));
    let webhooks = {
        let (bend, memory) = (Arc::clone(&bend), Arc::clone(&memory));
        relay::serve(move |message| deliver(message, &bend, &memory))
    };
    relay::serve(move |mut message| {
        if message.first.contains("/__admin") {
            divert(&mut message, webhooks, &memory);
            return relay::forward(server, &message);
        }
        let mut asked = Asked {
            message: &mut message,
        };
        let (operation, id, key) = (asked.operation(), asked.id(), asked.key());
        (bend.ask)(&mut asked, &mut memory.lock().expect("no mutant panics"));
        let mut reply = relay::forward(server, &message)?;
        let mut memory = memory.lock().expect("no mutant panics");
        let mut answered = Answered {
            operation,
            key: key.clone(),
            id,
            message: &mut reply,
        };
        if operation == "rent"
            && let Some(id) = answered.json().pointer("/rental/id")
        {
            memory.owners.insert(id.to_string(), key);
        }
        (bend.answer)(&mut answered, &mut memory);
        Some(reply)
    })
}

/// The judge sets its listener at the mock; the mock is told ours.
fn divert(message: &mut Message, webhooks: SocketAddr, memory: &Mutex<Memory>) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&message.body) else {
        return;
    };
    let Some(url) = body.get("webhook_url").and_then(Value::as_str) else {
        return;
    };
    let receiver = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default();
    memory.lock().expect("no mutant panics").receiver = receiver.parse().ok();
    body["webhook_url"] = Value::from(format!("http://{webhooks}/relay"));
    message.body = body.to_string().into_bytes();
}

fn deliver(mut message: Message, bend: &Bend, memory: &Mutex<Memory>) -> Option<Message> {
    let (receiver, again) = {
        let mut memory = memory.lock().expect("no mutant panics");
        if (bend.loses)(&mut memory) {
            return Some(Message {
                first: "HTTP/1.1 500 Lost".to_owned(),
                ..Message::default()
            });
        }
        let again = (bend.webhook)(&mut message, &mut memory);
        (memory.receiver?, again)
    };
    if let Some(again) = again {
        relay::forward(receiver, &again);
    }
    relay::forward(receiver, &message)
}
