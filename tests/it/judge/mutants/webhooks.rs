//! Mutants of webhooks.

use serde_json::json;

use super::{Mutant, set};
use crate::judge::bent::{Bend, object};

pub(super) const WEBHOOKS: &[Mutant] = &[
    (
        "W1",
        "W1",
        Bend::webhook(|message, _| {
            message.first = message.first.replacen("POST", "PUT", 1);
            None
        }),
    ),
    (
        "W2",
        "W2",
        Bend::webhook(|message, _| {
            message.body = [b"[", message.body.as_slice(), b"]"].concat();
            None
        }),
    ),
    (
        "W3",
        "W3",
        Bend::webhook(|message, _| {
            object(message, |object| set(object, "event", json!("sms")));
            None
        }),
    ),
    (
        "W4",
        "W4",
        Bend::webhook(|message, _| {
            object(message, |object| {
                let milliseconds = object["timestamp"].as_i64().unwrap_or_default() * 1000;
                set(object, "timestamp", json!(milliseconds));
            });
            None
        }),
    ),
    (
        "W5",
        "W5",
        Bend::webhook(|message, _| {
            object(message, |object| {
                let id = object["rental_id"].to_string();
                set(object, "rental_id", json!(id));
            });
            None
        }),
    ),
    (
        "W6",
        "W6",
        Bend::webhook(|message, _| {
            object(message, |object| set(object, "phone", json!("12025550100")));
            None
        }),
    ),
    (
        "W7",
        "W7",
        Bend::webhook(|message, _| {
            object(message, |object| {
                set(object, "service_slug", json!("WhatsApp"));
            });
            None
        }),
    ),
    (
        "W8",
        "W8",
        Bend::webhook(|message, _| {
            object(message, |object| set(object, "sms_code", json!("1")));
            None
        }),
    ),
    (
        "W9",
        "W9",
        Bend::webhook(|message, _| {
            object(message, |object| {
                set(object, "raw_text", json!("A code has come."));
            });
            None
        }),
    ),
    (
        "W10",
        "W10",
        Bend {
            loses: |memory| memory.count("webhooks") < 6,
            ..Bend::NONE
        },
    ),
    (
        "W11",
        "W11",
        Bend::webhook(|message, _| {
            object(message, |object| set(object, "success", json!(true)));
            None
        }),
    ),
    (
        "W15",
        "W15",
        Bend::webhook(|message, memory| {
            let mut other = message.clone();
            object(&mut other, |object| {
                set(object, "rental_id", json!(7));
                set(object, "phone", json!("12025550100"));
                set(object, "raw_text", json!("Another's code: 111-111"));
                set(object, "sms_code", json!("111111"));
            });
            (memory.count("webhooks") == 0).then_some(other)
        }),
    ),
];
