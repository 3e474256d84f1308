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
    let signed: Vec<_> = event
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| name.contains("signature"))
        .collect();
    docket.record(
        "W12",
        if signed.is_empty() {
            "unsigned".to_owned()
        } else {
            format!("signed: {}", signed.join(", "))
        },
    );
    let media = event
        .headers
        .iter()
        .find(|(name, _)| name == "content-type");
    docket.record(
        "W14",
        format!("content type {}", media.map_or("none", |(_, value)| value)),
    );
    let Body::Object(object, _) = body else {
        return;
    };
    envelope(&object, &place, docket);
    if !docket.is_broken("W3")
        && object
            .get("event")
            .is_some_and(|name| name.is_string() && name != "sms.received")
    {
        docket.must("W3", false, place.clone(), || {
            (
                format!("\"event\": {}", shown(&object["event"])),
                "\"sms.received\"".to_owned(),
            )
        });
    }
    time(story, event, &object, docket);
    let (id, phone, slug) = identity(&object, &place, docket);
    let code = docket.field(
        &object,
        Field {
            clause: "W8",
            name: "sms_code",
            kind: Kind::Text,
        },
        &place,
    );
    let text = docket.field(
        &object,
        Field {
            clause: "W9",
            name: "raw_text",
            kind: Kind::Text,
        },
        &place,
    );
    let Some(rental) = told.rental else {
        docket.must("W15", false, place, || {
            (
                "a webhook about no rental of these keys".to_owned(),
                "own rentals only".to_owned(),
            )
        });
        return;
    };
    let mut same = |clause, name: &str, came: Option<&str>, ours: Option<&str>| {
        if let (Some(came), Some(ours)) = (came, ours) {
            docket.must(clause, came == ours, place.clone(), || {
                (format!("{name:?}: {came:?}"), format!("{ours:?}"))
            });
        }
    };
    same("W5", "rental_id", id.as_deref(), Some(&rental.id));
    same("W6", "phone", phone.as_deref(), rental.phone.as_deref());
    same(
        "W7",
        "service_slug",
        slug.as_deref(),
        Some(&rental.slug.to_lowercase())
            .filter(|slug| !slug.is_empty())
            .map(String::as_str),
    );
    let polls: Vec<_> = story
        .polls(rental)
        .filter(|call| call.case() == Case::Received)
        .collect();
    if let Some(first) = polls.first() {
        let code = code.and_then(Value::as_str);
        let showing = polls
            .iter()
            .find(|call| code.is_some_and(|code| call.shows(code)));
        let known = showing.unwrap_or(first);
        if showing.is_none() {
            same("W8", "sms_code", code, known.code().as_deref());
        }
        same("W9", "raw_text", text.and_then(Value::as_str), known.text());
    }
}

fn envelope(object: &Map<String, Value>, place: &Place, docket: &mut Docket) {
    docket.should(
        "W11",
        !object.contains_key("success"),
        place.clone(),
        || {
            (
                "a field \"success\"".to_owned(),
                "the seven documented fields without an envelope".to_owned(),
            )
        },
    );
    docket.field(
        object,
        Field {
            clause: "W3",
            name: "event",
            kind: Kind::Text,
        },
        place,
    );
}

/// W5 to W7, as far as the event itself shows them.
fn identity(
    object: &Map<String, Value>,
    place: &Place,
    docket: &mut Docket,
) -> (Option<String>, Option<String>, Option<String>) {
    let mut field = |clause, name, kind| docket.field(object, Field { clause, name, kind }, place);
    let id = field("W5", "rental_id", Kind::Integer).and_then(id_text);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let phone = text(field("W6", "phone", Kind::Text));
    let slug = text(field("W7", "service_slug", Kind::Text));
    (id, phone, slug)
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
