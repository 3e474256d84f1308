//! The profile: P1 to P5 and P8.

use serde_json::Value;

use crate::amount::is_plain;
use crate::docket::{Docket, Field, Kind, Place};
use crate::reading::shown;
use crate::story::{Call, Operation, Story};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    let profiles = story
        .calls
        .iter()
        .filter(|call| call.operation == Operation::Profile);
    for call in profiles.filter(|call| call.is_ours() && call.granted()) {
        profile(call, docket);
    }
}

fn profile(call: &Call<'_>, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        return;
    };
    let place = Place::from(call);
    let text = |clause, name| Field {
        clause,
        name,
        kind: Kind::Text,
    };
    let user = Field {
        clause: "P1",
        name: "user",
        kind: Kind::Object,
    };
    let Some(Value::Object(user)) = docket.field(object, user, &place) else {
        return;
    };
    docket.field(user, text("P2", "name"), &place);
    if let Some(Value::String(email)) = docket.field(user, text("P3", "email"), &place) {
        docket.must("P3", email.contains('@'), call, || {
            (
                format!("\"email\": {email:?}"),
                "an address with an @".to_owned(),
            )
        });
    }
    let Some(balance) = docket.field(user, text("P4", "balance"), &place) else {
        return;
    };
    let plain = balance.as_str().unwrap_or_default();
    let plain = plain.strip_prefix('-').unwrap_or(plain);
    docket.should("P5", is_plain(plain, 1..=4), call, || {
        (
            format!("\"balance\": {}", shown(balance)),
            "a decimal number like \"340.50\"".to_owned(),
        )
    });
    let currency = if plain.contains('$') {
        "US dollars, by its sign"
    } else {
        "no sign; US dollars are assumed"
    };
    docket.record("P8", currency);
}
