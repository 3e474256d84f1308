//! The table of the control API: every route, and which of them a request means.

use std::sync::LazyLock;

use hyper::Method;

use super::refusal::ControlError;
use super::route::Route;
use super::{about, accounts, events, faults, lint, rentals, requests, snapshot, time, webhooks};

/// Built at the first control request; a server under load alone needs none.
pub(super) static TABLE: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let families = [
        about::routes(),
        accounts::routes(),
        time::routes(),
        faults::routes(),
        rentals::routes(),
        webhooks::routes(),
        requests::routes(),
        lint::routes(),
        snapshot::routes(),
        events::routes(),
    ];
    families.into_iter().flatten().collect()
});

/// Routes that a stray request is told of.
const NEAREST: usize = 3;

/// The route that is meant, and what stands in its path.
pub(super) fn find<'a>(
    method: &Method,
    path: &'a str,
) -> Result<(&'static Route, &'a str), ControlError> {
    let at: Vec<_> = TABLE
        .iter()
        .filter_map(|route| Some((route, route.find(path)?)))
        .collect();
    // A path that is written out is meant before one with braces.
    let literal = at.iter().any(|(_, id)| id.is_empty());
    let mut at = at.into_iter().filter(|(_, id)| id.is_empty() == literal);
    let Some(first) = at.clone().next() else {
        return Err(ControlError::NoSuchRoute(nearest(method, path)));
    };
    let found = at.find(|(route, _)| route.method == method);
    found.ok_or_else(|| {
        let (pattern, ours) = (first.0.path, TABLE.iter());
        let ours: Vec<_> = ours.filter(|route| route.path == pattern).collect();
        let methods: Vec<_> = ours.iter().map(|route| route.method.as_str()).collect();
        let lines: Vec<_> = ours.iter().map(|route| route.line()).collect();
        ControlError::WrongMethod {
            method: method.to_string(),
            lines: lines.join(", "),
            allow: methods.join(", "),
        }
    })
}

fn nearest(method: &Method, path: &str) -> String {
    let distance = |route: &&Route| {
        let ours = route.path.split('{').next().unwrap_or_default();
        let apart = strsim::levenshtein(route.path, path).min(strsim::levenshtein(ours, path));
        (apart, route.method != method)
    };
    let mut routes: Vec<_> = TABLE.iter().collect();
    routes.sort_by_key(distance);
    let lines = routes.iter().take(NEAREST).map(|route| route.line());
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &Method, path: &str) -> String {
        find(method, path).map_or_else(
            |error| error.to_string(),
            |(route, id)| format!("{} {id}", route.line()),
        )
    }

    #[test]
    fn a_request_finds_its_route_or_what_comes_near() {
        assert_eq!(told(&Method::GET, "rentals/7"), "GET rentals/{rental_id} 7");
        assert_eq!(
            told(&Method::GET, "requests/unmatched"),
            "GET requests/unmatched "
        );
        assert!(told(&Method::GET, "clocks").contains("the nearest are GET clock,"));
        assert!(told(&Method::GET, "rental/7").contains("GET rentals"));
        assert!(
            told(&Method::GET, "reset")
                .contains("the method is GET, and here there are POST reset")
        );
        assert!(told(&Method::PUT, "rentals/7/sms").contains("POST rentals/{rental_id}/sms"));
        assert!(told(&Method::GET, "rentals/").contains("no such control request"));
    }

    #[test]
    fn no_route_stands_twice() {
        let lines: std::collections::BTreeSet<_> = TABLE.iter().map(Route::line).collect();
        assert_eq!(lines.len(), TABLE.len());
    }
}
