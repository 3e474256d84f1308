//! Rentals and webhooks over HTTP, and the tester's hand on them.

use hyper::Method;
use mock_server_core::control::EndpointView;
use mock_server_core::control::rentals::{DeliveryView, RentalQuery, RentalView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};

/// Deliveries that are listed if nobody says how many.
const LISTED: usize = 100;

/// Rentals, the newest first.
#[derive(Serialize, JsonSchema)]
struct Rentals {
    rentals: Vec<RentalView>,
}

/// Webhooks, the newest first.
#[derive(Serialize, JsonSchema)]
struct Deliveries {
    deliveries: Vec<DeliveryView>,
}

/// The receivers of webhooks.
#[derive(Serialize, JsonSchema)]
struct Endpoints {
    endpoints: Vec<EndpointView>,
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

/// Which webhooks are meant; what is left out means any.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeliveryQuery {
    /// About which rental.
    rental_id: Option<u32>,
    /// How many at most; 100 if unsaid.
    limit: Option<usize>,
}

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(rentals());
    routes.extend(webhooks());
    routes
}

fn rentals() -> [Route; 4] {
    [
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

fn webhooks() -> [Route; 3] {
    [
        Route::search(
            (Method::GET, "webhooks/deliveries"),
            "Lists what was posted, the newest first",
            |ask, query: DeliveryQuery| {
                let (scope, limit) = (ask.scope()?, query.limit.unwrap_or(LISTED));
                let rental = query.rental_id;
                let found = ask
                    .state
                    .with(|mock, _| mock.deliveries(scope, rental, limit));
                Ok(Deliveries { deliveries: found })
            },
        )
        .about("Each with its attempts. The last 10,000 are remembered."),
        Route::plain(
            (Method::GET, "webhooks/deliveries/{delivery_id}"),
            "Shows one delivery with its attempts",
            |ask| {
                let (scope, id) = (ask.scope()?, ask.number()?);
                let found = ask.state.with(|mock, _| mock.delivery(scope, id));
                found.ok_or(ControlError::NoSuchDelivery)
            },
        ),
        Route::plain(
            (Method::GET, "webhooks/endpoints"),
            "Shows the receivers of webhooks, and whether they are given up",
            |ask| {
                let scope = ask.scope()?;
                let endpoints = ask
                    .state
                    .with(|mock, now| mock.webhook_endpoints(now, scope));
                Ok(Endpoints { endpoints })
            },
        ),
    ]
}

fn shown(ask: &Ask) -> Outcome<RentalView> {
    let (scope, id) = (ask.scope()?, ask.number()?);
    let found = ask
        .state
        .with(|mock, now| mock.rental_shown(now, scope, id));
    found.ok_or(ControlError::NoSuchRental)
}
