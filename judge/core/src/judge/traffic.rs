//! What holds for all requests and answers: B1 to B9.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::docket::{Docket, came};
use crate::evidence::Who;
use crate::reading::{Body, shown};
use crate::story::{Asked, Call, Case, DOCUMENTED, Operation, PREFIX, Story};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    paths(story, docket);
    renting_by_other_methods(story, docket);
    for call in story
        .calls
        .iter()
        .filter(|call| call.is_ours() && call.status != 0)
    {
        if expected_to_succeed(story, call) {
            body(call, docket);
        }
        if call.granted() {
            success(call, docket);
            docket.record("B4", format!("{} on success", call.status));
            let answer = call.exchange.answer.as_ref().ok();
            let media = answer.and_then(|answer| answer.header("content-type"));
            docket.record("B5", media.unwrap_or("no content type").to_owned());
        }
        limits(call, docket);
    }
    refusals(story, docket);
}

/// Whether an operation is of one kind.
type Meant<'m> = &'m dyn Fn(&Operation) -> bool;

/// The documented methods and paths exist.
fn paths(story: &Story<'_>, docket: &mut Docket) {
    let ours = || {
        story
            .calls
            .iter()
            .filter(|call| call.who() == Who::First && call.status != 0)
    };
    let all_are_missing = |meant: Meant<'_>| {
        let calls: Vec<_> = ours().filter(|call| meant(&call.operation)).collect();
        let missing = |call: &&&Call<'_>| matches!(call.status, 301 | 308 | 404 | 405 | 501);
        let all = !calls.is_empty() && calls.iter().filter(missing).count() == calls.len();
        (calls.first().map(|call| call.index), all)
    };
    let kinds: [(&str, Meant<'_>); 3] = [
        ("GET profile", &|operation| *operation == Operation::Profile),
        ("POST number/rent", &|operation| {
            matches!(operation, Operation::Rent(_))
        }),
        ("GET rentals/history", &|operation| {
            matches!(operation, Operation::History(_))
        }),
    ];
    for (name, meant) in kinds {
        let (Some(index), all) = all_are_missing(meant) else {
            continue;
        };
        // Where there is no stock, a rent may well be a 404; one without a service is not.
        let call = &story.calls[index];
        docket.must("B1", !all, call, || {
            (came(call.exchange), format!("{PREFIX}: {name} is there"))
        });
    }
}

/// A GET that rents.
fn renting_by_other_methods(story: &Story<'_>, docket: &mut Docket) {
    for call in &story.calls {
        let Operation::Other(path) = &call.operation else {
            continue;
        };
        if call.status == 0 || !call.is_ours() || !path.contains(PREFIX) {
            continue;
        }
        let form = format!(
            "{} {}: {}",
            call.exchange.method,
            path.trim_start_matches(PREFIX),
            call.status
        );
        docket.record("B8", form);
        if !path.ends_with("/number/rent") {
            continue;
        }
        let made = call
            .success_object()
            .and_then(|object| object.get("rental"));
        let id = made
            .and_then(|rental| rental.get("id"))
            .and_then(crate::reading::id_text);
        let lives = id.is_some_and(|id| {
            story.calls.iter().any(|poll| {
                poll.operation == Operation::CheckOtp(id.clone())
                    && matches!(poll.case(), Case::Received | Case::Waiting)
            })
        });
        docket.must("B1", !lives, call, || {
            (came(call.exchange), "only a POST rents a number".to_owned())
        });
    }
}

/// Whether an honest server has to grant a request.
fn expected_to_succeed(story: &Story<'_>, call: &Call<'_>) -> bool {
    match &call.operation {
        Operation::Profile => true,
        Operation::History(query) => query.is_empty(),
        Operation::Rent(Asked::Service(slug)) => {
            DOCUMENTED.contains(&slug.as_str()) && !matches!(call.body, Body::Empty)
        }
        Operation::CheckOtp(id) => story.rental(id).is_some_and(|rental| {
            rental.who == call.who() && !Story::may_have_ended(rental, call.sent())
        }),
        Operation::Rent(_) | Operation::Other(_) => false,
    }
}

fn body(call: &Call<'_>, docket: &mut Docket) {
    if !call.is_2xx() {
        return;
    }
    let one = matches!(call.body, Body::Object(_, None));
    docket.must("B2", one, call, || {
        let came = format!("{}: {}", call.body.name(), came(call.exchange));
        (came, "one JSON object and nothing after it".to_owned())
    });
}

fn success(call: &Call<'_>, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        return;
    };
    let value = object.get("success");
    docket.must("B3", value == Some(&Value::Bool(true)), call, || {
        let came = value.map_or_else(
            || "no field \"success\"".to_owned(),
            |value| format!("\"success\": {}", shown(value)),
        );
        (came, "\"success\": true, a JSON boolean".to_owned())
    });
    if matches!(value, None | Some(Value::String(_) | Value::Number(_))) {
        docket.must("B6", false, call, || {
            (
                "\"success\" is no boolean".to_owned(),
                "\"success\": true".to_owned(),
            )
        });
    }
}

fn limits(call: &Call<'_>, docket: &mut Docket) {
    let Ok(answer) = &call.exchange.answer else {
        return;
    };
    if call.status != 429 {
        return;
    }
    let headers: BTreeSet<_> = answer
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name == "retry-after" || name.contains("ratelimit"))
        .collect();
    let told = match headers.len() {
        0 => "without a header that says when to come back".to_owned(),
        _ => format!(
            "with {}",
            headers.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    docket.record("B9", format!("429 {told}, after which the probe waited"));
}

/// What refusals look like.
fn refusals(story: &Story<'_>, docket: &mut Docket) {
    let refused = story
        .calls
        .iter()
        .filter(|call| call.status != 0 && !call.granted());
    let mut forms = BTreeSet::new();
    for call in refused {
        let form = match &call.body {
            Body::Object(object, _) => {
                let names: Vec<_> = object.keys().map(String::as_str).collect();
                format!("JSON with {}", names.join(", "))
            }
            other => other.name().to_owned(),
        };
        forms.insert(format!("{} {form}", call.status));
    }
    if !forms.is_empty() {
        let forms: Vec<_> = forms.into_iter().collect();
        docket.record("B7", forms.join("; "));
    }
}
