//! What a recording tells about the client: never a failure, always advice.

use std::time::Duration;

use serde_json::Value;

use crate::docket::{Docket, came};
use crate::evidence::Who;
use crate::reading::Body;
use crate::story::{Asked, Call, Case, Operation, Story};

/// Polling faster than this is rude to the vendor (C15).
const POLITE: Duration = Duration::from_secs(3);

/// Two equal rents so close together are one that was sent again.
const AGAIN: Duration = Duration::from_secs(60);

/// Names of what is wrong with a client, by clause: those of `otplab serve --lint`. The clauses
/// know less of time than it does, and more of the vendor.
pub const LINT: [(&str, &str); 8] = [
    ("B9", "no-backoff"),
    ("B9", "retry-after-ignored"),
    ("C11", "rental-leaked"),
    ("C13", "poll-after-terminal"),
    ("C15", "poll-too-fast"),
    ("R15", "rental-leaked"),
    ("R16", "unsafe-retry-of-rent"),
    ("R18", "undocumented-parameter"),
];

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    if !story.evidence.given.capture {
        return;
    }
    for call in &story.calls {
        request(call, docket);
    }
    resent(story, docket);
    polling(story, docket);
    limits(story, docket);
}

fn request(call: &Call<'_>, docket: &mut Docket) {
    let advice = |what: &str, right: &str| (format!("a client that {what}"), right.to_owned());
    if !matches!(call.operation, Operation::Other(_)) {
        docket.should("A1", call.who() != Who::Nobody, call, || {
            advice("sends no Auth", "Auth in every request")
        });
        docket.should(
            "A2",
            !matches!(call.who(), Who::OtherScheme(_)),
            call,
            || advice("wraps the key", "the bare key"),
        );
    }
    let Operation::Rent(asked) = &call.operation else {
        return;
    };
    docket.should("R1", matches!(asked, Asked::Service(_)), call, || {
        advice(
            "rents without a service that is text",
            "the parameter service, a string",
        )
    });
    if let Body::Object(object, _) = Body::read(&call.exchange.body) {
        let others: Vec<_> = object
            .keys()
            .filter(|name| *name != "service")
            .cloned()
            .collect();
        docket.should("R18", others.is_empty(), call, || {
            (
                format!("undocumented-parameter: {}", others.join(", ")),
                "service only".to_owned(),
            )
        });
    }
}

/// R16: a rent whose answer was lost is sent again.
fn resent(story: &Story<'_>, docket: &mut Docket) {
    let rents: Vec<_> = story.rents().collect();
    for pair in rents.windows(2) {
        let [(first, asked), (second, again)] = [pair[0], pair[1]];
        // Whoever is told 429 or 503 was refused, and has rented nothing.
        let lost = matches!(first.status, 0 | 408 | 500 | 502 | 504);
        let soon = second.sent() < first.sent() + AGAIN;
        let resent = lost && soon && asked == again && first.who() == second.who();
        docket.should("R16", !resent, second, || {
            let came = format!(
                "unsafe-retry-of-rent: sent again after {}",
                came(first.exchange)
            );
            (
                came,
                "a look at the history first: the number may be rented".to_owned(),
            )
        });
    }
}

/// C11, C13, C15, R15: what a client makes of the answers to its polls.
fn polling(story: &Story<'_>, docket: &mut Docket) {
    for rental in &story.rentals {
        let polls: Vec<_> = story.polls(rental).collect();
        docket.should("R15", !polls.is_empty(), &story.calls[rental.call], || {
            (
                "rental-leaked: it is never polled".to_owned(),
                "polls until its code or its end".to_owned(),
            )
        });
        for pair in polls.windows(2) {
            let apart = pair[1].sent().saturating_sub(pair[0].sent());
            docket.should("C15", apart >= POLITE, pair[1], || {
                (
                    format!("poll-too-fast: {} ms apart", apart.as_millis()),
                    "3 s or more at the vendor's".to_owned(),
                )
            });
            docket.should(
                "C13",
                !Story::may_have_ended(rental, pair[0].sent()),
                pair[1],
                || {
                    (
                        "poll-after-terminal: the rental had ended".to_owned(),
                        "a deadline by expires_in_seconds".to_owned(),
                    )
                },
            );
        }
        let gave_up = polls
            .last()
            .filter(|call| call.case() == Case::Waiting && call.succeeded() && polls.len() == 1);
        let success = |call: &&Call<'_>| {
            call.success_object()
                .and_then(|object| object.get("success"))
                == Some(&Value::Bool(true))
        };
        docket.should(
            "C11",
            !gave_up.as_ref().is_some_and(|call| success(call)),
            &story.calls[rental.call],
            || {
                (
                    "rental-leaked: one poll, which waits, and no more".to_owned(),
                    "success true is no code: sms_received tells".to_owned(),
                )
            },
        );
    }
}

/// B9: whoever is told to wait waits.
fn limits(story: &Story<'_>, docket: &mut Docket) {
    for (place, call) in story
        .calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.status == 429)
    {
        let Ok(answer) = &call.exchange.answer else {
            continue;
        };
        let told = answer.header("retry-after");
        let rule = told.map_or("no-backoff", |_| "retry-after-ignored");
        let wait = told
            .and_then(|after| after.trim().parse().ok())
            .unwrap_or(1);
        let until = call
            .exchange
            .answered
            .saturating_add(Duration::from_secs(wait));
        let next = story.calls[place + 1..]
            .iter()
            .find(|next| next.who() == call.who());
        docket.should(
            "B9",
            next.is_none_or(|next| next.sent() >= until),
            call,
            || {
                (
                    format!("{rule}: the next request came before"),
                    format!("a pause of {wait} s"),
                )
            },
        );
    }
}
