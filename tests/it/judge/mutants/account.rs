//! Mutants of keys, bodies and the profile.

use serde_json::{Value, json};

use super::{KEYS, Mutant, less, set};
use crate::judge::bent::Bend;

pub(super) const KEYS_AND_BODIES: &[Mutant] = &[
    (
        "A1",
        "A1",
        Bend::ask(|asked, _| {
            if asked.key().is_empty() {
                asked.message.set("auth", KEYS[0]);
            }
        }),
    ),
    (
        "A2",
        "A2",
        Bend::ask(|asked, _| {
            let key = asked.key();
            match key.strip_prefix("Bearer ") {
                Some(bare) => asked.message.set("auth", bare),
                None => asked.message.remove("auth"),
            }
        }),
    ),
    (
        "A4",
        "A4",
        Bend::answer(|answered, _| {
            let key = answered.key.clone();
            answered.alter("profile", |object| set(object, "api_key", json!(key)));
        }),
    ),
    (
        "B1",
        "B1",
        Bend::ask(|asked, _| {
            if asked.target().starts_with("/api/v1/number/rent?") {
                asked.redirect("POST", "/api/v1/number/rent");
                asked.message.set("content-type", "application/json");
                asked.message.body = br#"{"service":"whatsapp"}"#.to_vec();
            }
        }),
    ),
    (
        "B2",
        "B2",
        Bend::answer(|answered, _| {
            if answered.operation == "profile" && answered.status() == 200 {
                answered.message.body.extend_from_slice(b"{}");
            }
        }),
    ),
    (
        "B3",
        "B3",
        Bend::answer(|answered, _| {
            answered.alter("rent", |object| set(object, "success", json!(1)));
        }),
    ),
    (
        "B6",
        "P2",
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| drop(user.remove("name")));
        }),
    ),
];

pub(super) const PROFILE: &[Mutant] = &[
    (
        "P1",
        "P1",
        Bend::answer(|answered, _| {
            answered.alter("profile", |object| set(object, "user", json!([])));
        }),
    ),
    (
        "P2",
        "P2",
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| set(user, "name", Value::Null));
        }),
    ),
    (
        "P3",
        "P3",
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                set(user, "email", json!("nobody"));
            });
        }),
    ),
    (
        "P4",
        "P4",
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                let balance: f64 = user["balance"]
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or_default();
                set(user, "balance", json!(balance));
            });
        }),
    ),
    (
        "P5",
        "P5",
        Bend::answer(|answered, _| {
            answered.alter_in("profile", "user", |user| {
                let balance = format!("${}", user["balance"].as_str().unwrap_or_default());
                set(user, "balance", json!(balance));
            });
        }),
    ),
    (
        "P6",
        "P6",
        Bend::answer(|answered, memory| {
            if answered.operation != "profile" {
                return;
            }
            let reads = memory.count(&format!("profile {}", answered.key));
            less(answered, f64::from(reads) * 0.01);
        }),
    ),
    (
        "P7",
        "P7",
        Bend::answer(|answered, memory| {
            if answered.operation == "rent" && answered.status() < 300 {
                memory.count(&format!("rents {}", answered.key));
            }
            let rents = memory
                .counts
                .get(&format!("rents {}", answered.key))
                .copied()
                .unwrap_or(0);
            less(answered, f64::from(rents) * 1.44);
        }),
    ),
];
