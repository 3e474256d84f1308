//! Mutants of rent.

use serde_json::{Value, json};

use super::{Mutant, set};
use crate::judge::bent::{Answered, Bend, object};

/// In place of the phones of all rentals.
const PHONE: &str = "15012774216";

pub(super) const RENTING: &[Mutant] = &[
    (
        "R1",
        "R1",
        Bend::ask(|asked, _| {
            let body = String::from_utf8_lossy(&asked.message.body).replace("service", "product");
            asked.message.body = body.into_bytes();
        }),
    ),
    (
        "R2",
        "R2",
        Bend::ask(|asked, _| {
            if asked.operation() == "rent" && asked.message.body == b"{}" {
                asked.message.body = br#"{"service":"whatsapp"}"#.to_vec();
            }
        }),
    ),
    (
        "R3",
        "R3",
        Bend::ask(|asked, _| {
            let body = String::from_utf8_lossy(&asked.message.body)
                .replace("telegram", "otplab-unknown-service");
            asked.message.body = body.into_bytes();
        }),
    ),
    (
        "R6",
        "R6",
        Bend::answer(|answered, _| {
            answered.alter("rent", |object| set(object, "message", json!("")));
        }),
    ),
    (
        "R7",
        "R7",
        Bend::answer(|answered, _| {
            answered.alter("rent", |object| {
                let rental = object["rental"].clone();
                set(object, "rental", json!([rental]));
            });
        }),
    ),
    (
        "R8",
        "R8",
        Bend::answer(|answered, _| {
            rental(
                |rental| {
                    let id = rental["id"].to_string();
                    set(rental, "id", json!(id));
                },
                answered,
            );
        }),
    ),
    (
        "R9",
        "R9",
        Bend::answer(|answered, _| {
            rental(
                |rental| {
                    let phone: u64 = rental["phone"]
                        .as_str()
                        .and_then(|text| text.parse().ok())
                        .unwrap_or_default();
                    set(rental, "phone", json!(phone));
                },
                answered,
            );
        }),
    ),
    (
        "R10",
        "R10",
        Bend::answer(|answered, _| rental(|rental| set(rental, "service", json!(7)), answered)),
    ),
    (
        "R11",
        "R11",
        Bend::answer(|answered, _| rental(cost_as_number, answered)),
    ),
    (
        "X3",
        "R11",
        Bend::answer(|answered, _| rental(cost_as_number, answered)),
    ),
    (
        "R12",
        "R12",
        Bend::answer(|answered, _| {
            rental(
                |rental| set(rental, "expires_in_seconds", json!("1200")),
                answered,
            );
        }),
    ),
    (
        "R13",
        "R13",
        Bend {
            answer: |answered, _| {
                rental(|rental| set(rental, "phone", json!(PHONE)), answered);
                answered.rows(|row| set(row, "phone_number", json!(PHONE)));
            },
            webhook: |message, _| {
                object(message, |object| set(object, "phone", json!(PHONE)));
                None
            },
            ..Bend::NONE
        },
    ),
    (
        "R14",
        "R14",
        Bend::answer(|answered, memory| {
            if answered.operation == "check_otp"
                && memory.count(&format!("poll {}", answered.id)) == 0
            {
                answered.replace(404, r#"{"success":false,"message":"No such rental."}"#);
            }
        }),
    ),
];

fn rental(change: fn(&mut serde_json::Map<String, Value>), answered: &mut Answered<'_>) {
    answered.alter_in("rent", "rental", change);
}

fn cost_as_number(rental: &mut serde_json::Map<String, Value>) {
    let cost = rental["cost"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches('$')
        .to_owned();
    set(
        rental,
        "cost",
        json!(cost.parse::<f64>().unwrap_or_default()),
    );
}
