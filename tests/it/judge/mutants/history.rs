//! Mutants of the history, and of what spans endpoints.

use serde_json::{Value, json};

use super::{KEYS, Mutant, set};
use crate::judge::bent::Bend;

pub(super) const HISTORY: &[Mutant] = &[
    (
        "H1",
        "H1",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| set(object, "success", json!(false)));
        }),
    ),
    (
        "H2",
        "H2",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| set(object, "current_page", json!("1")));
        }),
    ),
    (
        "H3",
        "H3",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| {
                set(object, "total_records", json!("450"));
            });
        }),
    ),
    (
        "H4",
        "H4",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| set(object, "data", json!({})));
        }),
    ),
    (
        "H5",
        "H5",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                let id = row["id"].to_string();
                set(row, "id", json!(id));
            });
        }),
    ),
    (
        "H6",
        "H6",
        Bend::answer(|answered, _| {
            answered.rows(|row| set(row, "phone_number", json!("12025550100")));
        }),
    ),
    (
        "H7",
        "H7",
        Bend::answer(|answered, _| {
            answered.rows(|row| set(row, "service_name", json!("Pigeon Post")));
        }),
    ),
    (
        "H8",
        "H8",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                let cost = row["cost"].to_string();
                set(row, "cost", json!(cost));
            });
        }),
    ),
    (
        "H9",
        "H9",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                if row["sms_code"].is_string() {
                    set(row, "sms_code", json!("1"));
                }
            });
        }),
    ),
    (
        "H10",
        "H10",
        Bend::answer(|answered, _| answered.rows(|row| set(row, "status", json!(2)))),
    ),
    (
        "H11",
        "H11",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                let zoned = row["created_at"]
                    .as_str()
                    .unwrap_or_default()
                    .replace(' ', "T")
                    + "Z";
                set(row, "created_at", json!(zoned));
            });
        }),
    ),
    (
        "H12",
        "H12",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| {
                if let Some(Value::Array(rows)) = object.get_mut("data")
                    && rows.len() > 2
                {
                    rows.rotate_left(1);
                }
            });
        }),
    ),
    (
        "H13",
        "H13",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| {
                let Some(Value::Array(rows)) = object.get_mut("data") else {
                    return;
                };
                rows.retain(|row| row["service_name"] != "Telegram");
                let total = rows.len();
                set(object, "total_records", json!(total));
            });
        }),
    ),
    (
        "H14",
        "H14",
        Bend::answer(|answered, _| {
            answered.alter("history", |object| set(object, "total_records", json!(450)));
        }),
    ),
    (
        "H16",
        "H16",
        Bend::ask(|asked, _| {
            if asked.operation() == "history" && asked.key() == KEYS[1] {
                asked.message.set("auth", KEYS[0]);
            }
        }),
    ),
    (
        "X1",
        "X1",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                let cost = row["cost"].as_f64().unwrap_or_default();
                set(row, "cost", json!(cost + 0.1));
            });
        }),
    ),
    (
        "X2",
        "X2",
        Bend::answer(|answered, _| {
            answered.rows(|row| {
                let phone = row.remove("phone_number").unwrap_or_default();
                set(row, "phone", phone);
            });
        }),
    ),
    (
        "X6",
        "X6",
        Bend::ask(|asked, _| {
            if asked.operation() == "profile" && asked.key() == KEYS[1] {
                asked.message.set("auth", KEYS[0]);
            }
        }),
    ),
];
