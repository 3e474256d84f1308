//! What happens, as server-sent events.

use hyper::Method;
use mock_server_core::feed::What;

use super::route::Route;
use crate::feed;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::listen::<What>(
            (Method::GET, "events"),
            "Tells what happens, as server-sent events",
            |ask| Ok(feed::listen(&ask.state, ask.scope()?, ask.stop.clone())),
        )
        .about(
            "From the moment at which the head of the answer is there: `request`, \
             `rental.made`, `sms.received`, `rental.expired`, `webhook.posted`, \
             `clock.changed`, `account.reset`, `config.reloaded` and `config.refused`, each \
             with an id. Nothing is told \
             again. Who reads too slowly loses the oldest of 1000 events, and is told \
             how many by `lagged` with {\"lost\": 12}.",
        ),
    ]
}
