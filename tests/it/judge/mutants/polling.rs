//! Mutants of check-otp.

use serde_json::{Value, json};

use super::{Mutant, less, set};
use crate::judge::bent::{Bend, object};

const WAITING: &str = r#"{"success":true,"sms_received":false,"message":"Waiting for inbound SMS traffic payload instance..."}"#;

pub(super) const POLLING: &[Mutant] = &[
    (
        "C1",
        "C1",
        Bend::answer(|answered, _| {
            if answered.operation == "check_otp" {
                answered.replace(404, r#"{"success":false,"message":"No such rental."}"#);
            }
        }),
    ),
    (
        "C2",
        "C2",
        Bend::answer(|answered, _| {
            answered.poll(false, |object| set(object, "sms_received", json!("false")));
        }),
    ),
    (
        "C3",
        "C3",
        Bend::answer(|answered, _| {
            answered.poll(false, |object| {
                set(object, "message", json!("Please wait."));
            });
        }),
    ),
    (
        "C4",
        "C4",
        Bend::answer(|answered, _| {
            answered.poll(false, |object| set(object, "sms_code", json!("000000")));
        }),
    ),
    (
        "C5",
        "C5",
        Bend::answer(|answered, _| {
            answered.poll(true, |object| set(object, "full_message", Value::Null));
        }),
    ),
    (
        "C6",
        "C6",
        Bend {
            answer: |answered, _| {
                answered.poll(true, |object| {
                    set(object, "sms_code", json!(12345));
                    set(object, "full_message", json!("Your code is 012345"));
                });
                answered.rows(|row| {
                    if row["sms_code"].is_string() {
                        set(row, "sms_code", json!("012345"));
                    }
                });
            },
            webhook: |message, _| {
                object(message, |object| {
                    set(object, "sms_code", json!("012345"));
                    set(object, "raw_text", json!("Your code is 012345"));
                });
                None
            },
            ..Bend::NONE
        },
    ),
    (
        "C7",
        "C7",
        Bend {
            answer: |answered, _| {
                answered.poll(true, |object| {
                    set(object, "full_message", json!("Your code: 1-2-3"));
                });
            },
            webhook: |message, _| {
                object(message, |object| {
                    set(object, "raw_text", json!("Your code: 1-2-3"));
                });
                None
            },
            ..Bend::NONE
        },
    ),
    (
        "C8",
        "C8",
        Bend::answer(|answered, _| {
            answered.poll(true, |object| set(object, "message", json!("Received.")));
        }),
    ),
    (
        "C9",
        "C9",
        Bend::answer(|answered, memory| {
            let polls = format!("polls {}", answered.key);
            if answered.operation == "check_otp" && answered.status() == 200 {
                memory.count(&polls);
            }
            let polls = memory.counts.get(&polls).copied().unwrap_or(0).min(3);
            less(answered, f64::from(polls) * 0.01);
        }),
    ),
    (
        "C10",
        "C10",
        Bend::answer(|answered, memory| {
            let id = answered.id.clone();
            let mut flips = false;
            answered.poll(true, |_| {
                flips = memory.count(&format!("received {id}")) % 2 == 1;
            });
            if flips {
                answered.replace(200, WAITING);
            }
        }),
    ),
    (
        "C11",
        "C2",
        Bend::answer(|answered, _| {
            answered.poll(false, |object| set(object, "success", json!(false)));
        }),
    ),
    (
        "C12",
        "C12",
        Bend::answer(|answered, _| {
            if answered.operation == "check_otp" && answered.id == "9007199254740991" {
                answered.replace(200, r#"{"success":true,"sms_received":true,"sms_code":"123456","full_message":"Code 123456"}"#);
            }
        }),
    ),
    (
        "C16",
        "C16",
        Bend::ask(|asked, memory| {
            if let Some(owner) = memory
                .owners
                .get(&asked.id())
                .filter(|_| asked.operation() == "check_otp" && !asked.key().is_empty())
            {
                asked.message.set("auth", owner);
            }
        }),
    ),
];
