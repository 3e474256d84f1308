//! Renting: R1 to R18.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::amount::is_plain;
use crate::docket::{Docket, Field, Kind, Place, came};
use crate::evidence::Who;
use crate::reading::{integer, shown};
use crate::story::{Asked, Call, Case, DOCUMENTED, Operation, Rental, Story};

/// What the documentation's example says.
const RENTED: &str = "Number rented successfully.";

/// The documentation's life of a rental, in seconds.
const LIFE: i64 = 1200;

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    services(story, docket);
    odd_services(story, docket);
    for (call, _) in story.rents().filter(|(call, _)| call.granted()) {
        answer(call, docket);
    }
    numbers(story, docket);
    for rental in &story.rentals {
        at_once(story, rental, docket);
    }
}

/// R1, R3, R4, R17.
fn services(story: &Story<'_>, docket: &mut Docket) {
    let documented = |asked: &Asked| matches!(asked, Asked::Service(slug) if DOCUMENTED.contains(&slug.as_str()));
    let rents: Vec<_> = story
        .rents()
        .filter(|(call, asked)| documented(asked) && call.status != 0 && call.status != 429)
        .collect();
    let omitted = story
        .rents()
        .find(|(call, asked)| **asked == Asked::Nothing && call.status != 0);
    for (call, _) in &rents {
        let media = call
            .exchange
            .content_type
            .as_deref()
            .unwrap_or("no content type");
        let media = media.split(';').next().unwrap_or(media);
        let taken = if call.granted() { "taken" } else { "refused" };
        docket.record("R4", format!("{media} is {taken}"));
    }
    if let Some((call, _)) = rents.iter().find(|(call, _)| call.granted()) {
        docket.must("R1", true, *call, || (String::new(), String::new()));
    } else if let Some((call, _)) = rents.first() {
        let like_omitted = omitted.is_some_and(|(omitted, _)| {
            omitted.status == call.status
                && body(omitted) == body(call)
                && matches!(call.status, 400 | 422)
        });
        if like_omitted || call.status == 405 || call.status == 501 {
            docket.must("R1", false, *call, || {
                (
                    came(call.exchange),
                    "a rental: the body says which service".to_owned(),
                )
            });
        }
        docket.excuse(
            "R1",
            format!("no rental could be made: {}", came(call.exchange)),
        );
    }
    for (name, status) in &story.evidence.lacking {
        let what = name.replace('_', " ");
        docket.record("R17", format!("{what}, made so by a fault rule: {status}"));
    }
    known(&rents, story, docket);
}

fn body<'a>(call: &'a Call<'_>) -> &'a [u8] {
    call.exchange
        .answer
        .as_ref()
        .map_or(&[], |answer| &answer.body)
}

/// R3: a documented slug that is refused as an unknown one is.
fn known(rents: &[(&Call<'_>, &Asked)], story: &Story<'_>, docket: &mut Docket) {
    let unknown = story.rents().find_map(|(call, asked)| match asked {
        Asked::Service(slug) if slug.contains("otplab-unknown") && !call.granted() => Some(call),
        _ => None,
    });
    for slug in DOCUMENTED {
        let asked_for = |asked: &Asked| *asked == Asked::Service(slug.to_owned());
        let calls: Vec<_> = rents.iter().filter(|(_, asked)| asked_for(asked)).collect();
        if calls.iter().any(|(call, _)| call.granted()) {
            docket.hold("R3");
            continue;
        }
        for (call, _) in calls {
            let like_unknown = unknown.is_some_and(|unknown| {
                unknown.status == call.status
                    && body(unknown) == body(call)
                    && unknown.exchange.content_type == call.exchange.content_type
            });
            if like_unknown {
                docket.should("R3", false, *call, || {
                    (
                        came(call.exchange),
                        format!("a rental: {slug} is a documented service"),
                    )
                });
            } else {
                docket.record("R17", format!("{slug} is refused with {}", call.status));
            }
        }
    }
}

/// R2, R5, R16.
fn odd_services(story: &Story<'_>, docket: &mut Docket) {
    for (call, asked) in story
        .rents()
        .filter(|(call, _)| call.status != 0 && call.status != 429)
    {
        let outcome = if call.granted() {
            "rents".to_owned()
        } else {
            call.status.to_string()
        };
        match asked {
            Asked::Nothing => {
                docket.must("R2", !call.granted(), call, || {
                    (
                        came(call.exchange),
                        "a refusal: which service is not said".to_owned(),
                    )
                });
                rows(story, call, docket);
            }
            Asked::Odd(json) => docket.record("R5", format!("service {json}: {outcome}")),
            Asked::Service(slug) if !DOCUMENTED.contains(&slug.as_str()) => {
                docket.record("R5", format!("service {slug:?}: {outcome}"));
            }
            Asked::Service(_) => {}
        }
    }
    let mut made: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for rental in story.rentals_of(Who::First) {
        made.entry(&rental.slug).or_default().insert(&rental.id);
    }
    let rents = |slug: &str| {
        story
            .rentals_of(Who::First)
            .filter(|rental| rental.slug == slug)
            .count()
    };
    if let Some((slug, ids)) = made.iter().find(|(slug, _)| rents(slug) > 1) {
        let what = if ids.len() == rents(slug) {
            "two equal rents are two rentals"
        } else {
            "two equal rents are one rental"
        };
        docket.record("R16", what);
    }
}

/// R2: no new row, seen by the totals right before and right after.
fn rows(story: &Story<'_>, call: &Call<'_>, docket: &mut Docket) {
    let pages = || {
        story
            .first_pages(call.who())
            .filter(|page| page.total().is_some())
    };
    let before = pages().filter(|page| page.index < call.index).last();
    let after = pages().find(|page| page.index > call.index);
    let (Some(before), Some(after)) = (before, after) else {
        return;
    };
    let rented = story
        .rentals
        .iter()
        .any(|rental| rental.call > before.index && rental.call < after.index);
    if rented {
        return;
    }
    docket.must("R2", before.total() == after.total(), after, || {
        let totals = (
            before.total().unwrap_or_default(),
            after.total().unwrap_or_default(),
        );
        (
            format!("total_records went from {} to {}", totals.0, totals.1),
            "no new row".to_owned(),
        )
    });
}

/// R6 to R12: the answer.
fn answer(call: &Call<'_>, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        return;
    };
    let place = Place::from(call);
    let field = |clause, name, kind| Field { clause, name, kind };
    if let Some(Value::String(message)) =
        docket.field(object, field("R6", "message", Kind::Text), &place)
    {
        let finding = || (format!("\"message\": {message:?}"), format!("{RENTED:?}"));
        docket.must("R6", !message.is_empty(), call, finding);
        docket.should("R6", message == RENTED || message.is_empty(), call, finding);
    }
    let Some(Value::Object(rental)) =
        docket.field(object, field("R7", "rental", Kind::Object), &place)
    else {
        return;
    };
    if let Some(id) = docket.field(rental, field("R8", "id", Kind::Integer), &place) {
        let fits = integer(id).is_some_and(|id| id > 0 && id < 1 << 53);
        docket.must("R8", fits, call, || {
            (
                format!("\"id\": {}", shown(id)),
                "an integer from 1 to 2^53 - 1".to_owned(),
            )
        });
    }
    let value = docket.field(rental, field("R9", "phone", Kind::Text), &place);
    phone(value, call, docket);
    let value = docket.field(rental, field("R10", "service", Kind::Text), &place);
    service(value, call, docket);
    price_and_life(rental, call, docket);
}

/// R11 and R12.
fn price_and_life(rental: &Map<String, Value>, call: &Call<'_>, docket: &mut Docket) {
    let place = Place::from(call);
    let field = |clause, name, kind| Field { clause, name, kind };
    if let Some(Value::String(cost)) =
        docket.field(rental, field("R11", "cost", Kind::Text), &place)
    {
        let plain = cost
            .strip_prefix('$')
            .is_some_and(|amount| is_plain(amount, 2..=2));
        docket.should("R11", plain, call, || {
            (
                format!("\"cost\": {cost:?}"),
                "a price like \"$1.44\"".to_owned(),
            )
        });
    }
    if let Some(life) = docket.field(
        rental,
        field("R12", "expires_in_seconds", Kind::Integer),
        &place,
    ) {
        let finding = |right: &str| {
            (
                format!("\"expires_in_seconds\": {}", shown(life)),
                right.to_owned(),
            )
        };
        let seconds = integer(life).unwrap_or_default();
        docket.must("R12", seconds > 0, call, || finding("more than 0"));
        docket.should("R12", seconds == LIFE || seconds <= 0, call, || {
            finding("1200, as in the example")
        });
    }
}

fn phone(value: Option<&Value>, call: &Call<'_>, docket: &mut Docket) {
    let Some(phone) = value.and_then(Value::as_str) else {
        return;
    };
    let finding = |right: &str| (format!("\"phone\": {phone:?}"), right.to_owned());
    let digits = !phone.is_empty() && phone.bytes().all(|byte| byte.is_ascii_digit());
    docket.must("R9", digits, call, || finding("digits only"));
    let bytes = phone.as_bytes();
    let big = |place: usize| {
        bytes
            .get(place)
            .is_some_and(|byte| (b'2'..=b'9').contains(byte))
    };
    let american = bytes.len() == 11 && bytes[0] == b'1' && big(1) && big(4);
    docket.should("R9", american || !digits, call, || {
        finding("a US number of 11 digits like 15012774216")
    });
}

fn service(value: Option<&Value>, call: &Call<'_>, docket: &mut Docket) {
    let (Some(name), Operation::Rent(Asked::Service(slug))) =
        (value.and_then(Value::as_str), &call.operation)
    else {
        return;
    };
    docket.should("R10", same_service(name, slug), call, || {
        (
            format!("\"service\": {name:?}"),
            format!("{slug:?} in any case"),
        )
    });
}

/// Whether two spellings mean one service.
pub(super) fn same_service(name: &str, slug: &str) -> bool {
    name.to_lowercase() == slug.to_lowercase()
}

/// R8 and R13 over all rentals.
fn numbers(story: &Story<'_>, docket: &mut Docket) {
    for (place, rental) in story.rentals.iter().enumerate() {
        let call = &story.calls[rental.call];
        for other in &story.rentals[..place] {
            // Two equal rents may be one rental (R16).
            let repeated = other.who == rental.who && other.slug == rental.slug;
            docket.must("R8", other.id != rental.id || repeated, call, || {
                (
                    format!("the id {} again", rental.id),
                    "an id of its own".to_owned(),
                )
            });
            if Story::may_have_ended(other, rental.sent) || other.id == rental.id {
                continue;
            }
            let shared = other.phone.is_some() && other.phone == rental.phone;
            docket.should("R13", !shared, call, || {
                let phone = rental.phone.as_deref().unwrap_or_default();
                (
                    format!(
                        "the phone {phone} of rental {}, which still lives",
                        other.id
                    ),
                    "a phone of its own".to_owned(),
                )
            });
        }
    }
}

/// R14: the first second of a rental.
fn at_once(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let early = |call: &&Call<'_>| {
        let live = !Story::may_have_ended(rental, call.sent());
        live && call.sent() < rental.answered + Duration::from_secs(1)
    };
    for call in story
        .polls(rental)
        .filter(early)
        .filter(|call| call.status != 0 && call.status != 429)
    {
        let bound = call.case() != Case::Refused || call.status != 404 && !call.is_2xx();
        docket.should("R14", bound, call, || {
            (
                came(call.exchange),
                "an answer of the API: the number is bound instantly".to_owned(),
            )
        });
    }
}
