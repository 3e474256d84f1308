//! The history: H1 to H12, row by row.

use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::docket::{Docket, Field, Kind, Place, came};
use crate::evidence::Who;
use crate::judge::rent::same_service;
use crate::reading::{id_text, integer, shown};
use crate::story::{Call, Case, Operation, Rental, Story, by_any_name};

type Row = Map<String, Value>;

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    for who in [Who::First, Who::Second] {
        for call in story
            .histories(who)
            .filter(|call| call.status != 0 && call.status != 429)
        {
            let plain = call.operation == Operation::History(String::new());
            if plain || call.granted() {
                page(story, call, plain, docket);
            }
        }
    }
    for rental in &story.rentals {
        completed(story, rental, docket);
    }
}

/// H1 to H4, and each row.
fn page(story: &Story<'_>, call: &Call<'_>, plain: bool, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        let busy = call.status >= 500 || (call.is_2xx() && call.body.object().is_none());
        if !busy {
            docket.must("H1", false, call, || {
                (
                    came(call.exchange),
                    "the history, with success true".to_owned(),
                )
            });
        }
        return;
    };
    let success = object.get("success");
    if success.is_none_or(Value::is_boolean) {
        docket.must("H1", success == Some(&Value::Bool(true)), call, || {
            (came(call.exchange), "\"success\": true".to_owned())
        });
    }
    let place = Place::from(call);
    let field = |clause, name, kind| Field { clause, name, kind };
    if let Some(page) = docket.field(object, field("H2", "current_page", Kind::Integer), &place) {
        let number = integer(page).unwrap_or_default();
        let finding = |right: &str| {
            (
                format!("\"current_page\": {}", shown(page)),
                right.to_owned(),
            )
        };
        docket.must("H2", number >= 1, call, || finding("1 or more"));
        docket.should("H2", !plain || number == 1 || number < 1, call, || {
            finding("1 without parameters")
        });
    }
    let total = docket
        .field(object, field("H3", "total_records", Kind::Integer), &place)
        .and_then(integer);
    let data = docket.field(object, field("H4", "data", Kind::Array), &place);
    if let Some(rows) = data.and_then(Value::as_array) {
        self::rows(story, call, (rows, total), docket);
    }
}

/// H3, and each row.
fn rows(
    story: &Story<'_>,
    call: &Call<'_>,
    (rows, total): (&[Value], Option<i64>),
    docket: &mut Docket,
) {
    if let Some(total) = total {
        docket.must("H3", total >= 0 && total >= rows.len() as i64, call, || {
            (
                format!("\"total_records\": {total} with {} rows", rows.len()),
                "at least as many as there are rows".to_owned(),
            )
        });
    }
    for row in rows {
        let Value::Object(row) = row else {
            docket.must("H4", false, call, || {
                (
                    format!("the row {}", shown(row)),
                    "an object for each rental".to_owned(),
                )
            });
            continue;
        };
        self::row(story, call, row, docket);
    }
    order(call, rows, docket);
}

/// Types and values of one row.
fn row(story: &Story<'_>, call: &Call<'_>, row: &Row, docket: &mut Docket) {
    let place = Place::from(call);
    let field = |clause, name, kind| Field { clause, name, kind };
    docket.field(row, field("H5", "id", Kind::Integer), &place);
    let phone = docket
        .field(row, field("H6", "phone_number", Kind::Text), &place)
        .and_then(Value::as_str);
    let name = docket
        .field(row, field("H7", "service_name", Kind::Text), &place)
        .and_then(Value::as_str);
    let cost = docket
        .field(row, field("H8", "cost", Kind::Number), &place)
        .and_then(Amount::of);
    docket.field(row, field("H10", "status", Kind::Text), &place);
    if let Some(Value::String(created)) =
        docket.field(row, field("H11", "created_at", Kind::Text), &place)
    {
        docket.must("H11", is_date_and_time(created), call, || {
            (
                format!("\"created_at\": {created:?}"),
                "a date and a time like \"2026-06-11 03:20:14\"".to_owned(),
            )
        });
    }
    let Some(rental) = rental_of(story, call, row) else {
        return;
    };
    values(rental, (call, row), (phone, name, cost), docket);
    early_code(story, rental, (call, row), docket);
}

/// H5 to H8: the values, against what rent said.
fn values(
    rental: &Rental,
    (call, row): (&Call<'_>, &Row),
    (phone, name, cost): (Option<&str>, Option<&str>, Option<Amount>),
    docket: &mut Docket,
) {
    let id = by_any_name(row, "id").and_then(id_text);
    docket.should("H5", id.as_deref() == Some(&rental.id), call, || {
        (
            format!("\"id\": {}", id.clone().unwrap_or_default()),
            format!("the id of the rental, {}", rental.id),
        )
    });
    let same = |ours: Option<&str>, theirs: Option<&str>| {
        ours.is_none() || theirs.is_none() || ours == theirs
    };
    docket.must("H6", same(rental.phone.as_deref(), phone), call, || {
        (
            format!("\"phone_number\": {:?}", phone.unwrap_or_default()),
            format!(
                "the phone of the rental, {:?}",
                rental.phone.as_deref().unwrap_or_default()
            ),
        )
    });
    if let Some(name) = name {
        let known = same_service(name, &rental.slug)
            || rental
                .service
                .as_deref()
                .is_some_and(|shown| same_service(name, shown));
        docket.must("H7", known, call, || {
            (
                format!("\"service_name\": {name:?}"),
                format!("{:?} in any case", rental.slug),
            )
        });
    }
    if let (Some(ours), Some(theirs)) = (rental.cost, cost) {
        docket.should("H8", ours.same(theirs), call, || {
            (
                format!("\"cost\": {theirs}"),
                format!("the price of the rental, {ours}"),
            )
        });
    }
}

/// No code before its message: a row must not show a code that the poll still denies.
fn early_code(
    story: &Story<'_>,
    rental: &Rental,
    (call, row): (&Call<'_>, &Row),
    docket: &mut Docket,
) {
    let Some(code) = row
        .get("sms_code")
        .and_then(Value::as_str)
        .filter(|code| code.len() > 1)
    else {
        return;
    };
    let before = story
        .received(rental)
        .is_some_and(|poll| poll.index < call.index);
    let denied = story
        .polls(rental)
        .find(|poll| poll.index > call.index && poll.case() == Case::Waiting && poll.succeeded());
    if let (false, Some(_)) = (before, denied) {
        docket.must("H9", false, call, || {
            (
                format!("\"sms_code\": {code:?}, which a later poll still denies"),
                "null until the SMS is there".to_owned(),
            )
        });
    }
}

/// The rental that a row is about: by its id, or by its phone.
fn rental_of<'s>(story: &'s Story<'_>, call: &Call<'_>, row: &Row) -> Option<&'s Rental> {
    let id = by_any_name(row, "id").and_then(id_text);
    let phone = by_any_name(row, "phone_number").and_then(Value::as_str);
    let own = |rental: &&Rental| rental.who == call.who() && rental.call < call.index;
    let by_id = story
        .rentals
        .iter()
        .filter(own)
        .find(|rental| Some(&rental.id) == id.as_ref());
    by_id.or_else(|| {
        // A phone may have been rented before, but hardly twice while we look.
        let fresh = |rental: &&Rental| phone.is_some() && rental.phone.as_deref() == phone;
        let mut found = story.rentals.iter().filter(own).filter(fresh);
        let one = found.next();
        let in_page = call.rows().any(|other| {
            let other = by_any_name(other, "id").and_then(id_text);
            one.is_some_and(|rental| Some(&rental.id) == other.as_ref())
        });
        one.filter(|_| found.next().is_none() && !in_page)
    })
}

/// The row of a rental in the latest history that has it.
pub(super) fn last_row<'s>(
    story: &'s Story<'_>,
    rental: &Rental,
) -> Option<(&'s Call<'s>, &'s Row)> {
    let calls: Vec<_> = story
        .histories(rental.who)
        .filter(|call| call.index > rental.call)
        .collect();
    calls.into_iter().rev().find_map(|call| {
        let row = call
            .rows()
            .find(|row| rental_of(story, call, row).is_some_and(|found| found.id == rental.id));
        row.map(|row| (call, row))
    })
}

/// H9 and H10: the last row of a rental whose code was seen before.
fn completed(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let (Some(poll), Some((call, row))) = (story.received(rental), last_row(story, rental)) else {
        return;
    };
    if call.index < poll.index {
        return;
    }
    let field = Field {
        clause: "H9",
        name: "sms_code",
        kind: Kind::Text,
    };
    let shown_codes: Vec<_> = story.polls(rental).filter_map(Call::code).collect();
    if let Some(Value::String(code)) = docket.field(row, field, &Place::from(call)) {
        let known = story.polls(rental).any(|call| call.shows(code));
        docket.must("H9", known || shown_codes.is_empty(), call, || {
            (
                format!("\"sms_code\": {code:?}"),
                format!(
                    "the code that was polled, {:?}",
                    shown_codes.last().map_or("", String::as_str)
                ),
            )
        });
    }
    if let Some(status) = row.get("status").and_then(Value::as_str) {
        docket.should("H10", status == "completed", call, || {
            (
                format!("\"status\": {status:?}"),
                "\"completed\", once the code is there".to_owned(),
            )
        });
    }
}

/// H12: times and ids go one way.
fn order(call: &Call<'_>, rows: &[Value], docket: &mut Docket) {
    let times: Vec<_> = rows
        .iter()
        .filter_map(|row| row.get("created_at")?.as_str())
        .collect();
    let ids: Vec<_> = rows
        .iter()
        .filter_map(|row| row.get("id")?.as_i64())
        .collect();
    if rows.len() < 2 || times.len() != rows.len() {
        return;
    }
    let rising = times.is_sorted() && (ids.is_sorted() || ids.len() != rows.len());
    let falling = times.is_sorted_by(|a, b| a >= b)
        && (ids.is_sorted_by(|a, b| a >= b) || ids.len() != rows.len());
    docket.should("H12", rising || falling, call, || {
        (
            format!("created_at {}", times.join(", ")),
            "the order of time, one way or the other".to_owned(),
        )
    });
    if falling && !rising {
        docket.record("H12", "the newest first");
    } else if rising && !falling {
        docket.record("H12", "the oldest first");
    }
}

/// `YYYY-MM-DD hh:mm:ss`, and a day that exists.
fn is_date_and_time(text: &str) -> bool {
    let form = "dddd-dd-dd dd:dd:dd";
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, kind)| match kind {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            });
    let part =
        |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (part(11..13), part(14..16), part(17..19))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    fits && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist() {
        for good in [
            "2026-06-11 03:20:14",
            "2024-02-29 00:00:00",
            "2000-02-29 23:59:59",
        ] {
            assert!(is_date_and_time(good), "{good}");
        }
        for bad in [
            "2026-02-29 00:00:00",
            "1900-02-29 00:00:00",
            "2026-06-11T03:20:14",
            "2026-13-01 00:00:00",
            "2026-06-11 24:00:00",
            "2026-06-11 03:20:14Z",
            "",
        ] {
            assert!(!is_date_and_time(bad), "{bad}");
        }
    }
}
