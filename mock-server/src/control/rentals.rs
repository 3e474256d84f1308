//! Rentals over HTTP, and the tester's hand on them.

use hyper::Method;
use mock_server_core::control::rentals::{RentalQuery, RentalView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};

/// Rentals, the newest first.
#[derive(Serialize, JsonSchema)]
struct Rentals {
    rentals: Vec<RentalView>,
}

/// What the SMS says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SmsBody {
    /// The code; if it is left out, the one that was drawn for the rental.
    code: Option<String>,
    /// The whole SMS; if it is left out, the service's sentence with the code.
    text: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::search(
            (Method::GET, "rentals"),
            "Lists rentals, the newest first",
            |ask, query: RentalQuery| {
                let scope = ask.scope()?;
                let rentals = ask.state.with(|mock, now| mock.rentals(now, scope, &query));
                Ok(Rentals { rentals })
            },
        )
        .about(
            "With all that the mock knows, also what has not happened yet: when the \
             SMS comes, and its code.",
        ),
        Route::plain(
            (Method::GET, "rentals/{rental_id}"),
            "Shows a rental, with all that the mock knows",
            shown,
        ),
        Route::send(
            (Method::POST, "rentals/{rental_id}/sms"),
            "Delivers an SMS now",
            r#"{"code": "123456"}"#,
            |ask, sms: SmsBody| {
                let (scope, id) = (ask.scope()?, ask.number()?);
                let (code, text) = (sms.code.as_deref(), sms.text.as_deref());
                ask.state
                    .with(|mock, now| mock.deliver_sms(now, scope, id, code, text))?;
                super::tell(&ask.state);
                shown(ask)
            },
        )
        .or_nothing()
        .about(
            "A pending rental is completed by it; for one that has its SMS it is \
             another, whose code is shown from now on. Either way it has a webhook of \
             its own.",
        )
        .refusing(&[409]),
        Route::plain(
            (Method::POST, "rentals/{rental_id}/expire"),
            "Ends a rental now, without an SMS",
            |ask| {
                let (scope, id) = (ask.scope()?, ask.number()?);
                ask.state.with(|mock, now| mock.expire(now, scope, id))?;
                super::tell(&ask.state);
                shown(ask)
            },
        )
        .about("It is refunded as it would be at its end. One that has ended is left as it is.")
        .refusing(&[409]),
    ]
}

fn shown(ask: &Ask) -> Outcome<RentalView> {
    let (scope, id) = (ask.scope()?, ask.number()?);
    let found = ask
        .state
        .with(|mock, now| mock.rental_shown(now, scope, id));
    found.ok_or(ControlError::NoSuchRental)
}
