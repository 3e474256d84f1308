//! Webhooks: W1 to W15.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::docket::{Docket, Field, Kind, Place};
use crate::evidence::Event;
use crate::reading::{Body, id_text, integer, shortened, shown};
use crate::story::{Call, Case, Rental, Story, by_any_name};

/// How late a webhook may be.
const SOON: Duration = Duration::from_secs(3);

/// How far a webhook may be ahead of the poll.
const AHEAD: Duration = Duration::from_secs(1);

/// How far `timestamp` may be from the moment of receipt, in seconds.
const DRIFT: f64 = 5.0;

/// An event and the rental that it is about.
struct Told<'s> {
    event: &'s Event,
    rental: Option<&'s Rental>,
}

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    let told: Vec<_> = story
        .evidence
        .events
        .iter()
        .map(|event| tell(story, event))
        .collect();
    for one in &told {
        event(story, one, docket);
    }
    arrivals(story, &told, docket);
    repeats(&told, docket);
}

fn object(event: &Event) -> Option<Map<String, Value>> {
    match Body::read(&event.body) {
        Body::Object(object, _) => Some(object),
        _ => None,
    }
}

fn tell<'s>(story: &'s Story<'_>, event: &'s Event) -> Told<'s> {
    let object = object(event).unwrap_or_default();
    let id = by_any_name(&object, "rental_id").and_then(id_text);
    let phone = by_any_name(&object, "phone").and_then(Value::as_str);
    let text = by_any_name(&object, "raw_text").and_then(Value::as_str);
    let by_id = id.and_then(|id| story.rental(&id));
    let by_phone = || {
        story
            .rentals
            .iter()
            .rev()
            .find(|rental| phone.is_some() && rental.phone.as_deref() == phone)
    };
    let by_text = || {
        story
            .rentals
            .iter()
            .find(|rental| text.is_some() && story.received(rental).and_then(Call::text) == text)
    };
    Told {
        event,
        rental: by_id.or_else(by_phone).or_else(by_text),
    }
}

fn place(event: &Event) -> Place {
    let body = String::from_utf8_lossy(&event.body);
    Place::words(format!(
        "webhook {} {} {}",
        event.method,
        event.target,
        shortened(&body, 160)
    ))
}

fn event(story: &Story<'_>, told: &Told<'_>, docket: &mut Docket) {
    let event = told.event;
    let place = place(event);
    docket.must("W1", event.method == "POST", place.clone(), || {
        (format!("a {}", event.method), "a POST".to_owned())
    });
    let body = Body::read(&event.body);
    docket.must(
        "W2",
        matches!(body, Body::Object(_, None)),
        place.clone(),
        || (body.name().to_owned(), "one JSON object".to_owned()),
    );
    headers(event, docket);
    let Body::Object(object, _) = body else {
        return;
    };
    envelope(&object, &place, docket);
    time(story, event, &object, docket);
    let says = Says {
        id: says(&object, ("W5", "rental_id", Kind::Integer), &place, docket),
        phone: says(&object, ("W6", "phone", Kind::Text), &place, docket),
        slug: says(&object, ("W7", "service_slug", Kind::Text), &place, docket),
        code: says(&object, ("W8", "sms_code", Kind::Text), &place, docket),
        text: says(&object, ("W9", "raw_text", Kind::Text), &place, docket),
    };
    match told.rental {
        Some(rental) => values(story, rental, &says, (&place, docket)),
        None => {
            docket.must("W15", false, place, || {
                let came = "a webhook about no rental of these keys".to_owned();
                (came, "own rentals only".to_owned())
            });
        }
    }
}

/// What an event says, as far as it says it in the documented types.
struct Says {
    id: Option<String>,
    phone: Option<String>,
    slug: Option<String>,
    code: Option<String>,
    text: Option<String>,
}

/// A documented field of an event, as text.
fn says(
    object: &Map<String, Value>,
    (clause, name, kind): (&'static str, &'static str, Kind),
    place: &Place,
    docket: &mut Docket,
) -> Option<String> {
    let value = docket.field(object, Field { clause, name, kind }, place)?;
    value.as_str().map(str::to_owned).or_else(|| id_text(value))
}

/// W5 to W9: the values, against what rent and polls said.
fn values(story: &Story<'_>, rental: &Rental, says: &Says, (place, docket): (&Place, &mut Docket)) {
    let mut same = |clause, name: &str, came: Option<&String>, ours: Option<&str>| {
        if let (Some(came), Some(ours)) = (came, ours) {
            docket.must(clause, came == ours, place.clone(), || {
                (format!("{name:?}: {came:?}"), format!("{ours:?}"))
            });
        }
    };
    let slug = rental.slug.to_lowercase();
    let slug = Some(slug.as_str()).filter(|slug| !slug.is_empty());
    same("W5", "rental_id", says.id.as_ref(), Some(&rental.id));
    same("W6", "phone", says.phone.as_ref(), rental.phone.as_deref());
    same("W7", "service_slug", says.slug.as_ref(), slug);
    let received = |call: &&Call<'_>| call.case() == Case::Received;
    let polls: Vec<_> = story.polls(rental).filter(received).collect();
    let Some(first) = polls.first() else {
        return;
    };
    let code = says.code.as_deref();
    let showing = polls
        .iter()
        .find(|call| code.is_some_and(|code| call.shows(code)));
    let known = showing.unwrap_or(first);
    if showing.is_none() {
        same(
            "W8",
            "sms_code",
            says.code.as_ref(),
            known.code().as_deref(),
        );
    }
    same("W9", "raw_text", says.text.as_ref(), known.text());
}

/// W12 and W14.
fn headers(event: &Event, docket: &mut Docket) {
    let names = event.headers.iter().map(|(name, _)| name.as_str());
    let signed: Vec<_> = names.filter(|name| name.contains("signature")).collect();
    let signed = match signed.as_slice() {
        [] => "unsigned".to_owned(),
        names => format!("signed: {}", names.join(", ")),
    };
    docket.record("W12", signed);
    let media = event
        .headers
        .iter()
        .find(|(name, _)| name == "content-type");
    let media = media.map_or("none", |(_, value)| value);
    docket.record("W14", format!("content type {media}"));
}

fn envelope(object: &Map<String, Value>, place: &Place, docket: &mut Docket) {
    docket.should(
        "W11",
        !object.contains_key("success"),
        place.clone(),
        || {
            let right = "the seven documented fields without an envelope".to_owned();
            ("a field \"success\"".to_owned(), right)
        },
    );
    let field = Field {
        clause: "W3",
        name: "event",
        kind: Kind::Text,
    };
    if let Some(name) = docket.field(object, field, place) {
        docket.must("W3", name == "sms.received", place.clone(), || {
            (
                format!("\"event\": {}", shown(name)),
                "\"sms.received\"".to_owned(),
            )
        });
    }
}

/// W4.
fn time(story: &Story<'_>, event: &Event, object: &Map<String, Value>, docket: &mut Docket) {
    let place = place(event);
    let field = Field {
        clause: "W4",
        name: "timestamp",
        kind: Kind::Integer,
    };
    let Some(stamp) = docket.field(object, field, &place).and_then(integer) else {
        return;
    };
    let seconds = (1_000_000_000..10_000_000_000).contains(&stamp);
    docket.must("W4", seconds, place.clone(), || {
        (
            format!("\"timestamp\": {stamp}"),
            "seconds since 1970".to_owned(),
        )
    });
    let Some(began) = story.evidence.began.filter(|_| seconds) else {
        return;
    };
    let (earliest, latest) = (
        began + event.earliest.as_secs_f64(),
        began + event.latest.as_secs_f64(),
    );
    let near = stamp as f64 >= earliest - DRIFT && stamp as f64 <= latest + DRIFT;
    docket.should("W4", near, place, || {
        (
            format!("\"timestamp\": {stamp}, received at {latest:.0}"),
            "the time of the SMS, seconds before receipt".to_owned(),
        )
    });
}

/// W1, W10, W15: which came, and when.
fn arrivals(story: &Story<'_>, told: &[Told<'_>], docket: &mut Docket) {
    if !story.evidence.given.webhooks {
        return;
    }
    // One that nobody can read may be the one that seems to be missing.
    let unread = told.iter().any(|one| one.rental.is_none());
    let certain = story.evidence.given.webhooks_set || !told.is_empty();
    let end = story.calls.iter().map(Call::sent).max().unwrap_or_default();
    for rental in &story.rentals {
        let of_it = || {
            told.iter()
                .filter(|one| one.rental.is_some_and(|other| other.id == rental.id))
        };
        early(story, rental, of_it(), docket);
        let Some(shown) = story.received(rental) else {
            continue;
        };
        match of_it().next() {
            Some(one) => {
                docket.should(
                    "W10",
                    one.event.earliest <= shown.exchange.answered + SOON,
                    place(one.event),
                    || {
                        let late = one.event.earliest.saturating_sub(shown.exchange.answered);
                        (
                            format!("{:.1} s after the poll showed the code", late.as_secs_f64()),
                            "at most 3 s after it".to_owned(),
                        )
                    },
                );
            }
            None if certain && !unread && end > shown.exchange.answered + SOON => {
                docket.must(
                    "W1",
                    false,
                    Place::words(format!("the SMS of rental {}", rental.id)),
                    || {
                        (
                            "no webhook".to_owned(),
                            "a POST to the URL that was set".to_owned(),
                        )
                    },
                );
            }
            None => {}
        }
    }
    if told.is_empty() && !certain {
        docket.excuse(
            "W1",
            "nothing came; does the server post its webhooks to --webhook-listen?",
        );
    }
}

/// W15: a poll that still waits well after the webhook.
fn early<'s>(
    story: &Story<'_>,
    rental: &Rental,
    events: impl Iterator<Item = &'s Told<'s>>,
    docket: &mut Docket,
) {
    let first_shown = story.received(rental).map(|call| call.index);
    for one in events {
        let late_denial = story.polls(rental).find(|call| {
            call.case() == Case::Waiting
                && call.sent() > one.event.latest + AHEAD
                && first_shown.is_none_or(|shown| call.index < shown)
                && !Story::may_have_ended(rental, call.sent())
        });
        docket.must("W15", late_denial.is_none(), place(one.event), || {
            let poll = late_denial.map_or(Duration::ZERO, |call| {
                call.sent().saturating_sub(one.event.latest)
            });
            (
                format!("{:.1} s later the poll still waits", poll.as_secs_f64()),
                "no webhook without an SMS".to_owned(),
            )
        });
    }
}

/// W13.
fn repeats(told: &[Told<'_>], docket: &mut Docket) {
    let twice = told.iter().enumerate().filter(|(place, one)| {
        told[..*place]
            .iter()
            .any(|other| other.event.body == one.event.body)
    });
    match twice.count() {
        _ if told.is_empty() => {}
        0 => docket.record("W13", "each came once"),
        count => docket.record("W13", format!("{count} came again")),
    }
}
