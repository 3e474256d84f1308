//! Polling: C1 to C8, C11 to C16. What repeated polls show is in `repeat`.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::docket::{Docket, Field, Kind, Place, came};
use crate::evidence::Who;
use crate::reading::shown;
use crate::story::{Call, Case, Operation, Rental, Story};

/// The documentation's sentence while there is no SMS.
const WAITING: &str = "Waiting for inbound SMS traffic payload instance...";

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    for rental in &story.rentals {
        rental_polls(story, rental, docket);
    }
    if !story.rentals.is_empty() && story.evidence.given.ended_early.is_none() {
        let reason = if story.evidence.given.capture {
            "the capture shows no poll of a rental after its end"
        } else {
            "no rental was polled after its end: see --wait-expiry"
        };
        docket.excuse("C13", reason);
    }
    unknown_ids(story, docket);
    isolation(story, docket);
    docket.record(
        "C15",
        match story.evidence.given.poll_interval {
            Some(interval) => format!("polled every {} ms at most", interval.as_millis()),
            None => "not measured".to_owned(),
        },
    );
}

fn rental_polls(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let polls: Vec<_> = story
        .polls(rental)
        .filter(|call| call.status != 0 && call.status != 429)
        .collect();
    let live: Vec<_> = polls
        .iter()
        .filter(|call| !Story::may_have_ended(rental, call.sent()))
        .collect();
    if let Some(first) = live.first() {
        let missing = |call: &&&&Call<'_>| matches!(call.status, 404 | 405 | 501);
        // A single one may have come too early, which is R14's to tell.
        let all = live.iter().filter(missing).count() == live.len() && live.len() > 1;
        docket.must("C1", !all, **first, || {
            (
                came(first.exchange),
                "an answer about the rental: the id is that of its rent".to_owned(),
            )
        });
    }
    let received = polls.iter().position(|call| call.case() == Case::Received);
    for (place, call) in polls.iter().enumerate() {
        match call.case() {
            Case::Received => code(call, docket),
            Case::Waiting if received.is_none_or(|first| place < first) => {
                waiting(rental, call, docket);
            }
            Case::Waiting => {}
            Case::Odd => odd(call, docket),
            Case::Refused if !Story::may_have_ended(rental, call.sent()) => {
                refused(rental, call, docket);
            }
            Case::Refused => {}
        }
        if Story::may_have_ended(rental, call.sent()) {
            let had_code = received.is_some_and(|first| first < place);
            let which = if had_code {
                " of one with its code"
            } else {
                ""
            };
            docket.record("C13", format!("after the end{which}: {}", form(call)));
        }
    }
    both_succeed(rental, &polls, docket);
}

/// C11.
fn both_succeed(rental: &Rental, polls: &[&Call<'_>], docket: &mut Docket) {
    let seen = |case: Case| {
        polls
            .iter()
            .any(|call| call.case() == case && call.succeeded())
    };
    if seen(Case::Waiting) && seen(Case::Received) {
        docket.hold("C11");
    }
    let denied = |call: &&&Call<'_>| {
        let live = !Story::may_have_ended(rental, call.sent());
        let success = call
            .success_object()
            .and_then(|object| object.get("success"));
        let case = matches!(call.case(), Case::Waiting | Case::Received);
        live && case && success == Some(&Value::Bool(false))
    };
    if let Some(call) = polls.iter().find(denied) {
        docket.must("C11", false, *call, || {
            (
                came(call.exchange),
                "success true, whether the SMS came or not".to_owned(),
            )
        });
    }
}

fn form(call: &Call<'_>) -> String {
    match (
        call.case(),
        call.success_object()
            .and_then(|object| object.get("success")),
    ) {
        (Case::Waiting, Some(Value::Bool(true))) => format!("{} and still waiting", call.status),
        (Case::Received, _) => format!("{} with the code", call.status),
        _ => format!("{} with {}", call.status, call.body.name()),
    }
}

/// A live rental that is not answered: R14 in its first second, C2 later.
fn refused(rental: &Rental, call: &Call<'_>, docket: &mut Docket) {
    let early = call.sent() < rental.answered + Duration::from_secs(1);
    let busy = call.status == 429 || call.status >= 500;
    if (early && call.status == 404) || busy || (call.is_2xx() && call.body.object().is_none()) {
        return;
    }
    docket.must("C2", false, call, || {
        (
            came(call.exchange),
            "success true, sms_received false and a message: the rental lives".to_owned(),
        )
    });
}

/// `sms_received` is neither true nor false.
fn odd(call: &Call<'_>, docket: &mut Docket) {
    let object = call.success_object();
    let value = object.and_then(|object| object.get("sms_received"));
    let has_code = object.is_some_and(|object| {
        object
            .get("sms_code")
            .is_some_and(|code| !code.is_null() && code != "")
    });
    let clause = if has_code { "C5" } else { "C2" };
    let finding = || {
        let came = value.map_or_else(
            || "no field \"sms_received\"".to_owned(),
            |value| format!("\"sms_received\": {}", shown(value)),
        );
        (
            came,
            format!("\"sms_received\": {has_code}, a JSON boolean"),
        )
    };
    docket.must(clause, false, call, finding);
    docket.must("B6", false, call, finding);
}

fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value == "")
}

/// C2, C3, C4.
fn waiting(rental: &Rental, call: &Call<'_>, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        return;
    };
    let ended = Story::may_have_ended(rental, call.sent());
    let place = Place::from(call);
    let success = object.get("success");
    let boolean = success.is_none_or(Value::is_boolean);
    let finding = || {
        (
            came(call.exchange),
            "\"success\": true: the rental waits".to_owned(),
        )
    };
    if boolean && !ended {
        docket.must("C2", success == Some(&Value::Bool(true)), call, finding);
    }
    let field = Field {
        clause: "C2",
        name: "message",
        kind: Kind::Text,
    };
    if let Some(Value::String(message)) = docket.field(object, field, &place)
        && success == Some(&Value::Bool(true))
    {
        docket.should("C3", message == WAITING, call, || {
            (format!("\"message\": {message:?}"), format!("{WAITING:?}"))
        });
    }
    let empty = is_nothing(object.get("sms_code")) && is_nothing(object.get("full_message"));
    docket.should("C4", empty, call, || {
        (
            came(call.exchange),
            "no sms_code and no full_message".to_owned(),
        )
    });
}

/// C5, C6, C7, C8.
fn code(call: &Call<'_>, docket: &mut Docket) {
    let Some(object) = call.success_object() else {
        return;
    };
    let place = Place::from(call);
    let success = object.get("success");
    if success.is_none_or(Value::is_boolean) {
        docket.must("C5", success == Some(&Value::Bool(true)), call, || {
            (came(call.exchange), "\"success\": true".to_owned())
        });
    }
    let text = Field {
        clause: "C5",
        name: "full_message",
        kind: Kind::Text,
    };
    let text = docket.field(object, text, &place).and_then(Value::as_str);
    let holds = sms_code(object, call, docket);
    if let (Some(code), Some(text), true) = (call.code(), text, holds) {
        let number = object.get("sms_code").is_some_and(Value::is_number);
        let found = carried(&code, text, number);
        docket.must("C7", found.is_some(), call, || {
            (
                format!("the code {code:?} and the text {text:?}"),
                "the code in the text".to_owned(),
            )
        });
        docket.should(
            "C6",
            found.is_none_or(|written| written == bare(&code)),
            call,
            || {
                (
                    format!("\"sms_code\": {code}, and the text {text:?}"),
                    "the code with its leading zero: a string".to_owned(),
                )
            },
        );
    }
    docket.should("C8", !object.contains_key("message"), call, || {
        (
            "a field \"message\" beside the code".to_owned(),
            "no message: it belongs to the other case".to_owned(),
        )
    });
}

/// C5, C6: whether there is a code to go on with.
fn sms_code(object: &Map<String, Value>, call: &Call<'_>, docket: &mut Docket) -> bool {
    let value = object.get("sms_code");
    let finding = || {
        let came = value.map_or_else(
            || "no field \"sms_code\"".to_owned(),
            |value| format!("\"sms_code\": {}", shown(value)),
        );
        (came, "\"sms_code\", a string that is not empty".to_owned())
    };
    let there = match value {
        Some(Value::String(code)) => !code.is_empty(),
        Some(Value::Number(number)) => {
            docket.record("C6", "the code is a number");
            number.is_i64() || number.is_u64()
        }
        _ => false,
    };
    docket.must("C5", there, call, finding);
    docket.must("B6", there, call, finding);
    there
}

/// A code without separators.
fn bare(code: &str) -> String {
    code.chars()
        .filter(|character| character.is_alphanumeric())
        .collect()
}

/// The code as the text has it, without separators: one piece of the text, or
/// several that only spaces and dashes part.
fn carried(code: &str, text: &str, number: bool) -> Option<String> {
    let code = bare(code);
    let significant = |written: &str| written.trim_start_matches('0').to_owned();
    let pieces: Vec<_> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|piece| !piece.is_empty())
        .collect();
    for start in 0..pieces.len() {
        let mut joined = String::new();
        for piece in &pieces[start..] {
            joined += piece;
            if joined == code
                || (number && significant(&joined) == significant(&code) && !code.is_empty())
            {
                return Some(joined);
            }
            if joined.len() > code.len() + 8 {
                break;
            }
        }
    }
    None
}

/// C12.
fn unknown_ids(story: &Story<'_>, docket: &mut Docket) {
    for call in story
        .calls
        .iter()
        .filter(|call| call.is_ours() && call.status != 0)
    {
        let Operation::CheckOtp(id) = &call.operation else {
            continue;
        };
        let known = story.rental(id).is_some() || in_a_history(story, id);
        if known || story.evidence.given.capture {
            continue;
        }
        docket.must(
            "C12",
            call.case() != Case::Received && call.code().is_none(),
            call,
            || {
                (
                    came(call.exchange),
                    "no code: there is no such rental".to_owned(),
                )
            },
        );
        docket.record("C12", format!("{} with {}", call.status, call.body.name()));
    }
}

fn in_a_history(story: &Story<'_>, id: &str) -> bool {
    let pages = story
        .histories(Who::First)
        .chain(story.histories(Who::Second));
    pages.flat_map(Call::rows).any(|row| {
        let value = row.get("id").and_then(crate::reading::id_text);
        value.is_some_and(|value| value == *id)
    })
}

/// C16: under another key, and under another rental.
fn isolation(story: &Story<'_>, docket: &mut Docket) {
    for call in story
        .calls
        .iter()
        .filter(|call| call.is_ours() && call.status != 0)
    {
        let Operation::CheckOtp(id) = &call.operation else {
            continue;
        };
        let Some(rental) = story.rental(id).filter(|rental| rental.who != call.who()) else {
            continue;
        };
        let shows = call.case() == Case::Received || call.code().is_some();
        docket.must("C16", !shows, call, || {
            (
                format!("under another key: {}", came(call.exchange)),
                "no code: the rental is another account's".to_owned(),
            )
        });
        // Before the SMS nothing could have been seen.
        if story
            .received(rental)
            .is_none_or(|poll| poll.index > call.index)
        {
            docket.entry("C16").judged -= usize::from(!shows);
        }
    }
    for rental in &story.rentals {
        borrowed(story, rental, docket);
    }
}

/// A rental that shows the code of another although the history knows its own.
fn borrowed(story: &Story<'_>, rental: &Rental, docket: &mut Docket) {
    let Some(poll) = story.received(rental) else {
        return;
    };
    let others = story
        .rentals
        .iter()
        .filter(|other| other.id != rental.id && other.who == rental.who);
    for other in others {
        let Some(theirs) = story.received(other) else {
            continue;
        };
        let same =
            poll.code().is_some() && poll.code() == theirs.code() && poll.text() == theirs.text();
        if !same {
            continue;
        }
        let own = super::history::last_row(story, rental)
            .and_then(|(_, row)| row.get("sms_code")?.as_str());
        let stolen = own.is_some_and(|own| own.len() > 1 && !poll.shows(own));
        if stolen {
            docket.must("C16", false, poll, || {
                (
                    format!("the code of rental {}", other.id),
                    format!("its own, {}", own.unwrap_or_default()),
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_the_text_divides_it() {
        let found = |code: &str, text: &str| carried(code, text, false).is_some();
        assert!(found(
            "489201",
            "Your WhatsApp verification code is: 489-201"
        ));
        assert!(found("489201", "code 489 201, do not share"));
        assert!(found("489-201", "code 489201"));
        assert!(found("123456", "G-123456 is your code"));
        assert!(found("G123456", "G-123456 is your code"));
        assert!(found("aB3x", "Use aB3x."));
        assert!(!found("489202", "code 489-201"));
        assert!(!found("4892", "code 489201"));
        assert_eq!(
            carried("12345", "code 012345", true).as_deref(),
            Some("012345")
        );
        assert_eq!(carried("12345", "code 012345", false), None);
    }
}
