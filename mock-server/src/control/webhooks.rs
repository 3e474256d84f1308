//! Webhooks over HTTP: where they go, what became of them, and making one once more.

use hyper::Method;
use mock_server_core::control::rentals::DeliveryView;
use mock_server_core::control::{EndpointMade, EndpointView, WrittenEndpoint};
use mock_server_core::endpoint::EndpointId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::refusal::ControlError;
use super::route::{Outcome, Route};

/// Deliveries that are listed if nobody says how many.
const LISTED: usize = 100;

const EXAMPLE: &str = r#"{"url": "http://127.0.0.1:9000/sms", "secret": "auto"}"#;

/// Webhooks, the newest first.
#[derive(Serialize, JsonSchema)]
struct Deliveries {
    deliveries: Vec<DeliveryView>,
    /// How many were forgotten, on the whole server, to make room for newer ones.
    evicted: u64,
}

/// Where webhooks go.
#[derive(Serialize, JsonSchema)]
struct Endpoints {
    endpoints: Vec<EndpointView>,
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
    let mut routes = deliveries();
    routes.extend(endpoints());
    routes.extend(endpoint());
    routes
}

fn deliveries() -> Vec<Route> {
    vec![
        Route::search(
            (Method::GET, "webhooks/deliveries"),
            "Lists what was posted, the newest first",
            |ask, query: DeliveryQuery| {
                let (scope, limit) = (ask.scope()?, query.limit.unwrap_or(LISTED));
                let rental = query.rental_id;
                Ok(ask.state.with(|mock, _| Deliveries {
                    deliveries: mock.deliveries(scope, rental, limit),
                    evicted: mock.deliveries_evicted(),
                }))
            },
        )
        .about("Each with its attempts. The last 10,000 are remembered."),
        Route::plain(
            (Method::GET, "webhooks/deliveries/{delivery_id}"),
            "Shows one delivery with its attempts",
            delivery,
        ),
        Route::plain(
            (Method::POST, "webhooks/deliveries/{delivery_id}/replay"),
            "Posts a webhook once more, whatever became of it",
            |ask| {
                let (scope, id) = (ask.scope()?, ask.number()?);
                ask.state
                    .with(|mock, now| mock.replay_delivery(now, scope, id))?;
                super::tell(&ask.state);
                delivery(ask)
            },
        )
        .about(
            "At once, with the same bytes and the same message id, and with as many \
             attempts as a new one has.",
        )
        .refusing(&[409]),
    ]
}

fn endpoints() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "webhooks/endpoints"),
            "Lists where webhooks go, and what waits for each endpoint",
            |ask| {
                let scope = ask.scope()?;
                let endpoints = ask.state.with(|mock, now| mock.endpoints(now, scope));
                Ok(Endpoints { endpoints })
            },
        )
        .about(
            "Without the Auth header: those that every account has, then those of all \
             accounts.",
        ),
        Route::send(
            (Method::POST, "webhooks/endpoints"),
            "Adds an endpoint that webhooks go to",
            EXAMPLE,
            |ask, written: WrittenEndpoint| {
                let scope = ask.scope()?;
                check_host(ask, &written)?;
                let made = ask
                    .state
                    .with(|mock, now| mock.add_endpoint(now, scope, written))?;
                super::tell(&ask.state);
                Ok(made)
            },
        )
        .about(
            "Webhooks of rentals that are made from now on go to it as well. Without the \
             Auth header every account gets it, present and to come. It outlives a reset.",
        )
        .refusing(&[409]),
    ]
}

fn endpoint() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "webhooks/endpoints/{endpoint_id}"),
            "Shows an endpoint",
            |ask| {
                let (scope, id) = (ask.scope()?, id(ask)?);
                let found = ask.state.with(|mock, now| mock.endpoint(now, scope, id));
                found.ok_or(ControlError::NoSuchEndpoint)
            },
        ),
        Route::send(
            (Method::PUT, "webhooks/endpoints/{endpoint_id}"),
            "Puts another endpoint in the place of one, and enables it",
            EXAMPLE,
            |ask, written: WrittenEndpoint| replaced(ask, written),
        )
        .about("What waits for the one goes to the other.")
        .refusing(&[409]),
        Route::plain(
            (Method::DELETE, "webhooks/endpoints/{endpoint_id}"),
            "Takes an endpoint away, and what waits for it",
            |ask| {
                let (scope, id) = (ask.scope()?, id(ask)?);
                ask.state
                    .with(|mock, now| mock.remove_endpoint(now, scope, id))?;
                super::tell(&ask.state);
                let endpoints = ask.state.with(|mock, now| mock.endpoints(now, scope));
                Ok(Endpoints { endpoints })
            },
        )
        .refusing(&[409]),
    ]
}

fn id(ask: &Ask) -> Outcome<EndpointId> {
    Ok(ask.id.parse()?)
}

fn delivery(ask: &Ask) -> Outcome<DeliveryView> {
    let (scope, id) = (ask.scope()?, ask.number()?);
    let found = ask.state.with(|mock, _| mock.delivery(scope, id));
    found.ok_or(ControlError::NoSuchDelivery)
}

fn replaced(ask: &Ask, written: WrittenEndpoint) -> Outcome<EndpointMade> {
    let (scope, id) = (ask.scope()?, id(ask)?);
    check_host(ask, &written)?;
    let made = ask
        .state
        .with(|mock, now| mock.replace_endpoint(now, scope, id, written))?;
    super::tell(&ask.state);
    Ok(made)
}

/// Webhooks stay on this machine, unless the server was told otherwise.
fn check_host(ask: &Ask, written: &WrittenEndpoint) -> Outcome<()> {
    let host = written.url.host();
    if ask.state.webhook_hosts.allow(host) {
        return Ok(());
    }
    Err(ControlError::WebhookHost(host.to_owned()))
}
