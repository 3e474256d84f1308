//! One rental at every endpoint: X1, X5, X6.

use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::docket::{Docket, Place};
use crate::evidence::Who;
use crate::judge::rent::same_service;
use crate::reading::{Body, id_text};
use crate::story::{Call, Case, Operation, Rental, Story, by_any_name};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    for rental in &story.rentals {
        traced(story, rental, docket);
        clocks(story, rental, docket);
    }
    others(story, docket);
}

/// X1: what each endpoint says about a rental whose code is there.
fn traced(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let Some(poll) = story.received(rental) else {
        return;
    };
    let row = super::history::last_row(story, rental).filter(|(call, _)| call.index > poll.index);
    let Some((call, row)) = row else {
        return;
    };
    let text = |object: &Map<String, Value>, name: &str| {
        by_any_name(object, name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let mut differences = Vec::new();
    let mut compare = |what: &str, ours: Option<String>, theirs: Option<String>| {
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours != theirs
        {
            differences.push(format!("{what} {ours} and {theirs}"));
        }
    };
    compare(
        "id",
        Some(rental.id.clone()),
        by_any_name(row, "id").and_then(id_text),
    );
    compare("phone", rental.phone.clone(), text(row, "phone_number"));
    let name = text(row, "service_name").filter(|name| {
        !same_service(name, &rental.slug)
            && !rental
                .service
                .as_deref()
                .is_some_and(|shown| same_service(name, shown))
    });
    compare("service", Some(rental.slug.clone()), name);
    let cost = row.get("cost").and_then(Amount::of);
    compare(
        "cost",
        rental.cost.map(|cost| cost.to_string()),
        cost.map(|cost| cost.to_string()),
    );
    let codes: Vec<_> = story.polls(rental).filter_map(Call::code).collect();
    let code =
        text(row, "sms_code").filter(|code| !story.polls(rental).any(|call| call.shows(code)));
    compare("code", codes.last().cloned(), code);
    for event in &story.evidence.events {
        webhook(story, rental, &event.body, &mut compare);
    }
    docket.must("X1", differences.is_empty(), call, || {
        (
            format!("of rental {}: {}", rental.id, differences.join("; ")),
            "the same everywhere".to_owned(),
        )
    });
}

/// Takes note of two values that should be one.
type Compare<'c> = dyn FnMut(&str, Option<String>, Option<String>) + 'c;

fn webhook(story: &Story<'_>, rental: &Rental, body: &[u8], compare: &mut Compare<'_>) {
    let Body::Object(event, _) = Body::read(body) else {
        return;
    };
    if by_any_name(&event, "rental_id").and_then(id_text).as_ref() != Some(&rental.id) {
        return;
    }
    let text = |name: &str| {
        by_any_name(&event, name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    compare("phone", rental.phone.clone(), text("phone"));
    let polls: Vec<_> = story
        .polls(rental)
        .filter(|call| call.case() == Case::Received)
        .collect();
    let Some(first) = polls.first() else {
        return;
    };
    let poll = polls
        .iter()
        .find(|call| call.code() == text("sms_code"))
        .unwrap_or(first);
    let code = text("sms_code").filter(|code| !poll.shows(code));
    compare("code", poll.code(), code);
    compare("text", poll.text().map(str::to_owned), text("raw_text"));
}

/// X5: never judged, because the documentation's own examples disagree.
fn clocks(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let row = super::history::last_row(story, rental);
    let created = row.and_then(|(_, row)| row.get("created_at")?.as_str());
    let mut stamps =
        story
            .evidence
            .events
            .iter()
            .filter_map(|event| match Body::read(&event.body) {
                Body::Object(object, _)
                    if by_any_name(&object, "rental_id").and_then(id_text).as_ref()
                        == Some(&rental.id) =>
                {
                    object.get("timestamp").cloned()
                }
                _ => None,
            });
    if let (Some(created), Some(stamp)) = (created, stamps.next_back()) {
        docket.record("X5", format!("created_at {created}, timestamp {stamp}"));
    }
}

/// X6: what one key sees of another.
fn others(story: &Story<'_>, docket: &mut Docket) {
    for (who, other) in [(Who::Second, Who::First), (Who::First, Who::Second)] {
        let theirs: Vec<_> = story.rentals_of(other).collect();
        for call in story
            .calls
            .iter()
            .filter(|call| call.who() == who && call.granted())
        {
            let Ok(answer) = &call.exchange.answer else {
                continue;
            };
            let text = String::from_utf8_lossy(&answer.body);
            let asked_for = |rental: &Rental| matches!(&call.operation, Operation::CheckOtp(id) if *id == rental.id);
            let shows = |rental: &&&Rental| {
                let phone = rental
                    .phone
                    .as_deref()
                    .is_some_and(|phone| phone.len() >= 8 && text.contains(phone));
                let own_phone = story.rentals_of(who).any(|own| own.phone == rental.phone);
                let code = asked_for(rental) && call.case() == Case::Received;
                rental.call < call.index && ((phone && !own_phone) || code)
            };
            let seen = theirs.iter().find(shows);
            if !theirs.is_empty() {
                docket.must("X6", seen.is_none(), call, || {
                    (
                        format!(
                            "data of the other key's rental {}",
                            seen.map_or("", |rental| &rental.id)
                        ),
                        "own data only".to_owned(),
                    )
                });
            }
        }
        profiles(story, (who, other), docket);
    }
}

/// X6 for money: the balance of a key that did nothing stays, whatever the other rents.
fn profiles(story: &Story<'_>, (who, other): (Who, Who), docket: &mut Docket) {
    let user = |call: &Call<'_>| {
        call.success_object()
            .and_then(|object| object.get("user"))
            .cloned()
    };
    let reads: Vec<_> = story
        .profiles(who)
        .filter(|call| call.balance().is_some())
        .collect();
    for pair in reads.windows(2) {
        let own = story
            .rentals_of(who)
            .any(|rental| rental.call < pair[1].index);
        if own {
            break;
        }
        let (Some(before), Some(after)) = (pair[0].balance(), pair[1].balance()) else {
            continue;
        };
        let theirs = story.calls[..pair[1].index]
            .iter()
            .rev()
            .find(|call| call.who() == other && call.operation == Operation::Profile);
        let is_theirs =
            theirs.is_some_and(|theirs| user(theirs) == user(pair[1])) && !before.same(after);
        let rented = story.rentals_of(other).any(|rental| {
            rental.call > pair[0].index
                && rental.call < pair[1].index
                && rental
                    .cost
                    .is_some_and(|cost| before.less(after).same(cost))
        });
        docket.must("X6", !is_theirs && !rented, Place::from(pair[1]), || {
            (
                format!(
                    "the balance went from {before} to {after} while only the other key rented"
                ),
                format!("{before}"),
            )
        });
    }
}
