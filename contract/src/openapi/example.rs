//! The bodies that the vendor's documentation shows, as examples.
//! `tests/it/documented.rs` holds our types to the same files.

use serde_json::Value;

pub(super) fn profile() -> Value {
    parsed(include_str!("../../documented/profile.json"))
}

pub(super) fn rent() -> Value {
    parsed(include_str!("../../documented/rent.json"))
}

pub(super) fn received() -> Value {
    parsed(include_str!("../../documented/check_otp_received.json"))
}

pub(super) fn waiting() -> Value {
    parsed(include_str!("../../documented/check_otp_waiting.json"))
}

pub(super) fn history() -> Value {
    parsed(include_str!("../../documented/history.json"))
}

pub(super) fn webhook() -> Value {
    parsed(include_str!("../../documented/webhook.json"))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("invariant: the documentation's examples are JSON")
}
