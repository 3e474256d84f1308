//! Fault rules over HTTP.

use hyper::Method;
use mock_server_core::control::faults::{FaultError, FaultView, WrittenRule};
use mock_server_core::fault::RuleId;
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::Ask;
use super::route::{Outcome, Route};

const EXAMPLE: &str = r#"{"rule": "check_otp: status(503) first 2"}"#;

/// Rules, in the order in which they are asked.
#[derive(Serialize, JsonSchema)]
struct Faults {
    faults: Vec<FaultView>,
}

pub(super) fn routes() -> Vec<Route> {
    let mut routes = of_all();
    routes.extend(of_one());
    routes
}

fn of_all() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "faults"),
            "Lists fault rules, with what they have seen and done",
            listed,
        )
        .about(
            "Of an account: its own, then those of the whole server, then those of \
             its settings, which is also the order in which they are asked. Without \
             the Auth header: those that every account has, counted over all \
             accounts.",
        ),
        Route::send(
            (Method::POST, "faults"),
            "Adds a fault rule",
            EXAMPLE,
            |ask, rule: WrittenRule| {
                let (scope, rule) = (ask.scope()?, rule.read()?);
                Ok(ask
                    .state
                    .with(|mock, now| mock.add_fault(now, scope, rule))?)
            },
        )
        .about(
            "Without the Auth header every account gets it, present and to come, and \
             each counts for itself. In one line, or in its parts: {\"operation\": \
             \"check_otp\", \"fault\": \"status(503)\", \"when\": \"first 2\", \
             \"phase\": \"after_commit\", \"ttl\": \"30s\"}. Its ttl runs from now \
             on. A reset takes it away.",
        )
        .refusing(&[409]),
        Route::plain(
            (Method::DELETE, "faults"),
            "Takes away all fault rules that were added",
            |ask| {
                let scope = ask.scope()?;
                ask.state.with(|mock, _| mock.remove_faults(scope));
                listed(ask)
            },
        )
        .about(
            "Without the Auth header also those of single accounts. Rules of the \
             settings stay.",
        ),
    ]
}

fn of_one() -> Vec<Route> {
    vec![
        Route::plain(
            (Method::GET, "faults/{fault_id}"),
            "Shows a fault rule",
            |ask| {
                let (scope, id) = (ask.scope()?, id(ask)?);
                let found = ask.state.with(|mock, _| mock.fault(scope, id));
                Ok(found.ok_or(FaultError::Missing)?)
            },
        ),
        Route::send(
            (Method::PUT, "faults/{fault_id}"),
            "Puts another rule in the place of one",
            EXAMPLE,
            |ask, rule: WrittenRule| {
                let (scope, id, rule) = (ask.scope()?, id(ask)?, rule.read()?);
                Ok(ask
                    .state
                    .with(|mock, now| mock.replace_fault(now, scope, id, rule))?)
            },
        )
        .refusing(&[409]),
        Route::plain(
            (Method::DELETE, "faults/{fault_id}"),
            "Takes a fault rule away",
            |ask| {
                let (scope, id) = (ask.scope()?, id(ask)?);
                ask.state.with(|mock, _| mock.remove_fault(scope, id))?;
                listed(ask)
            },
        )
        .refusing(&[409]),
    ]
}

fn id(ask: &Ask) -> Outcome<RuleId> {
    Ok(ask.id.parse()?)
}

fn listed(ask: &Ask) -> Outcome<Faults> {
    let scope = ask.scope()?;
    let faults = ask.state.with(|mock, _| mock.faults(scope));
    Ok(Faults { faults })
}
