//! Keys: A1 to A5.

use serde_json::Value;

use crate::docket::{Docket, Place, came};
use crate::evidence::Who;
use crate::story::{Call, Operation, Story};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    without_key(story, docket);
    bare_key(story, docket);
    length(story, docket);
    secrecy(story, docket);
    wrong_key(story, docket);
}

fn without_key(story: &Story<'_>, docket: &mut Docket) {
    let calls = story.calls.iter().filter(|call| call.who() == Who::Nobody);
    for call in
        calls.filter(|call| !matches!(call.operation, Operation::Other(_)) && call.status != 0)
    {
        let truth = |object: &serde_json::Map<String, Value>| {
            object
                .get("success")
                .is_some_and(|value| *value == Value::Bool(true))
        };
        let granted = call.granted() || call.success_object().is_some_and(truth);
        docket.must("A1", !granted, call, || {
            let came = format!("without Auth: {}", came(call.exchange));
            (came, "a refusal: no key, no data".to_owned())
        });
    }
}

fn bare_key(story: &Story<'_>, docket: &mut Docket) {
    let ours = || {
        story
            .calls
            .iter()
            .filter(|call| call.who() == Who::First && call.status != 0)
    };
    let other = || {
        story
            .calls
            .iter()
            .filter(|call| matches!(call.who(), Who::OtherScheme(_)))
    };
    if ours().any(Call::granted) {
        docket.hold("A2");
        for call in other().filter(|call| call.status != 0) {
            let what = if call.granted() {
                "taken too"
            } else {
                "refused"
            };
            let Who::OtherScheme(scheme) = call.who() else {
                continue;
            };
            docket.record("A2", format!("{scheme} is {what}"));
        }
        return;
    }
    let Some(refused) = ours()
        .find(|call| matches!(call.status, 301..=303 | 307 | 400 | 401 | 403) || call.is_2xx())
    else {
        return;
    };
    if let Some(call) = other().find(|call| call.granted()) {
        docket.must("A2", false, call, || {
            let came = format!(
                "the bare key is refused, and another form of it is taken: {}",
                came(call.exchange)
            );
            (
                came,
                "`Auth: KEY` with nothing around it is taken".to_owned(),
            )
        });
        return;
    }
    if refused.is_2xx() {
        return;
    }
    docket.excuse(
        "A2",
        format!(
            "the key is refused with {}; is it a key of this server?",
            refused.status
        ),
    );
}

fn length(story: &Story<'_>, docket: &mut Docket) {
    for length in &story.evidence.given.key_lengths {
        let place = Place::words("the key that was given");
        docket.should("A3", *length == 60, place, || {
            (
                format!("a key of {length} characters"),
                "60 characters".to_owned(),
            )
        });
    }
}

fn secrecy(story: &Story<'_>, docket: &mut Docket) {
    let secrets = &story.evidence.secrets;
    let shows = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        secrets
            .iter()
            .any(|secret| secret.len() >= 8 && text.contains(secret.as_str()))
    };
    let finding = || {
        (
            "the key that was sent".to_owned(),
            "no key anywhere".to_owned(),
        )
    };
    for call in &story.calls {
        let Ok(answer) = &call.exchange.answer else {
            continue;
        };
        let header = answer
            .headers
            .iter()
            .any(|(_, value)| shows(value.as_bytes()));
        docket.must("A4", !header && !shows(&answer.body), call, finding);
    }
    for event in &story.evidence.events {
        let header = event
            .headers
            .iter()
            .any(|(_, value)| shows(value.as_bytes()));
        docket.must(
            "A4",
            !header && !shows(&event.body),
            Place::words("a webhook"),
            finding,
        );
    }
}

fn wrong_key(story: &Story<'_>, docket: &mut Docket) {
    let strangers = story
        .calls
        .iter()
        .filter(|call| call.who() == Who::Stranger && call.status != 0);
    for call in strangers {
        if call.granted() {
            docket.record("A5", "a key that nobody has given opens an account");
        } else {
            let form = call.body.name();
            docket.record(
                "A5",
                format!("a wrong key is refused with {} and {form}", call.status),
            );
        }
    }
}
