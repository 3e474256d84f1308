//! What was found about the clients, over HTTP. The rules are the core's.

use hyper::Method;

use super::route::Route;
use super::time;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "lint"),
            "Shows what clients should not have done",
            |ask| {
                let scope = ask.scope()?;
                Ok(ask.state.with(|mock, now| mock.lint_report(now, scope)))
            },
        )
        .about(
            "Each finding with its rule, an explanation and the requests that prove it, once \
             for each rule and rental. Nothing is found unless the server was started with \
             `--lint warn` or `--lint deny`; a reset of accounts forgets no finding.",
        ),
        Route::plain(
            (Method::DELETE, "lint"),
            "Forgets what was found about clients",
            |ask| {
                let scope = ask.scope()?;
                ask.state.with(|mock, _| mock.forget_findings(scope));
                Ok(time::changed(&ask.state, scope))
            },
        ),
    ]
}
