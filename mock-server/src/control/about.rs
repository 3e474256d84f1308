//! What the server says about itself and its control API.

use hyper::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::openapi;
use super::route::Route;
use super::table::TABLE;

/// That the server is there.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Which program answers.
#[derive(Serialize, JsonSchema)]
struct Version {
    /// Its version.
    version: &'static str,
}

/// What can be asked for.
#[derive(Serialize, JsonSchema)]
struct Routes {
    /// All of it.
    routes: Vec<RouteView>,
}

/// One kind of request.
#[derive(Serialize, JsonSchema)]
struct RouteView {
    /// The method.
    method: String,
    /// The path; what stands in braces is to be replaced.
    path: String,
    /// What it does.
    summary: &'static str,
    /// A body that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'static str>,
}

/// An OpenAPI 3.1 document.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
struct Document(Value);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::plain((Method::GET, ""), "Lists what can be asked for", |_| {
            let routes = TABLE.iter().map(RouteView::of).collect();
            Ok(Routes { routes })
        }),
        Route::plain(
            (Method::GET, "health"),
            "Says that the server is there",
            |_| Ok(Health { status: "ok" }),
        ),
        Route::plain(
            (Method::GET, "version"),
            "Says which version answers",
            |_| {
                let version = env!("CARGO_PKG_VERSION");
                Ok(Version { version })
            },
        ),
        Route::plain(
            (Method::GET, "openapi.json"),
            "This API as an OpenAPI document",
            |_| Ok(Document(openapi::document())),
        ),
    ]
}

impl RouteView {
    fn of(route: &Route) -> Self {
        Self {
            method: route.method.to_string(),
            path: format!("{}{}", super::PREFIX, route.path),
            summary: route.summary,
            body: route.body.as_ref().map(|body| body.example),
        }
    }
}
