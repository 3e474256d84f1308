//! The OpenAPI 3.1 document of the control API, made from its table. The API
//! that is faked has a document of its own, in `contract`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::PREFIX;
use super::refusal::Refused;
use super::route::{Answered, Route, Shape};
use super::table::TABLE;

/// The statuses that every route may refuse with, and what they mean.
const ALWAYS: [(u16, &str); 4] = [
    (
        400,
        "The body, the query or the Auth header is not understood.",
    ),
    (
        403,
        "It comes from a web page, names another host, or lacks the token.",
    ),
    (
        404,
        "There is no such thing, or it is another account's, or that is not known.",
    ),
    (413, "The body is larger than 64 KiB."),
];

const CONFLICT: &str = "It cannot be done as things stand.";

/// What may stand in a path in braces.
const IN_PATH: [(&str, &str, &str); 5] = [
    (
        "rental_id",
        "integer",
        "The rental's id, as rent answers it.",
    ),
    (
        "fault_id",
        "string",
        "The rule's id, such as account-1, server-1 or settings-1.",
    ),
    (
        "delivery_id",
        "integer",
        "The delivery's id, from the list of deliveries.",
    ),
    (
        "endpoint_id",
        "string",
        "The endpoint's id, such as account-1, server-1 or settings-1.",
    ),
    (
        "number",
        "integer",
        "The request's number, from the list of requests.",
    ),
];

/// The document.
pub(crate) fn document() -> Value {
    let mut asked = generator(SchemaSettings::draft2020_12().for_deserialize());
    let mut told = generator(SchemaSettings::draft2020_12().for_serialize());
    let mut paths = Map::new();
    for route in TABLE.iter() {
        let path = format!("{PREFIX}{}", route.path);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_lowercase();
        operations[method] = operation(route, &mut asked, &mut told);
    }
    let refused = Refused::json_schema(&mut told);
    // What is read may be looser than what is written; each has its own name.
    let mut schemas = told.take_definitions(true);
    schemas.insert("Refused".to_owned(), refused.to_value());
    schemas.extend(asked.take_definitions(true));
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "otplab's control API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The mock in a tester's hands: time, money, faults, rentals, memory.",
            "description": "The Auth header names the account that a request is about; without it, \
                the request is about the whole server. Keys never stand in a path or in an answer.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that this document came from." }],
        // Each may be left out: the token where none is set, the account for the whole server.
        "security": [{}, { "Account": [] }, { "Token": [] }, { "Token": [], "Account": [] }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": {
            "Token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of --admin-token, if the server was started with one.",
            },
            "Account": {
                "type": "apiKey",
                "in": "header",
                "name": "Auth",
                "description": "The key of the account that the request is about.",
            },
        } },
    });
    document.sort_all_objects();
    document
}

fn generator(mut settings: SchemaSettings) -> SchemaGenerator {
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

fn operation(route: &Route, asked: &mut SchemaGenerator, told: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [tag(route)],
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route, told),
    });
    if !route.description.is_empty() {
        operation["description"] = json!(route.description);
    }
    if let Some(body) = &route.body {
        let example: Value = serde_json::from_str(body.example).unwrap_or_default();
        operation["requestBody"] = json!({
            "required": !body.optional,
            "content": { "application/json": {
                "schema": shape(body.shape, asked),
                "example": example,
            } },
        });
    }
    operation
}

fn shape(shape: Shape, generator: &mut SchemaGenerator) -> Value {
    shape(generator).to_value()
}

fn responses(route: &Route, told: &mut SchemaGenerator) -> Value {
    let good = match route.answer {
        Answered::Json(answer) => json!({
            "description": "Done.",
            "content": { "application/json": { "schema": shape(answer, told) } },
        }),
        Answered::Events(data) => json!({
            "description": "A stream of events; the schema is that of each one's data.",
            "content": { "text/event-stream": { "schema": shape(data, told) } },
        }),
    };
    let refusal = |description: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Refused" });
        json!({
            "description": description,
            "content": { "application/json": { "schema": schema } },
        })
    };
    let mut responses = json!({ "200": good });
    for (status, description) in ALWAYS {
        responses[status.to_string()] = refusal(description);
    }
    if route.refusals.contains(&409) {
        responses["409"] = refusal(CONFLICT);
    }
    let methods = TABLE.iter().filter(|other| other.path == route.path);
    let methods: Vec<_> = methods.map(|other| other.method.as_str()).collect();
    responses["405"] = refusal("The path has other methods; any route answers so.");
    responses["405"]["headers"] = json!({ "Allow": {
        "required": true,
        "description": "The methods of this path.",
        "schema": { "type": "string", "const": methods.join(", ") },
    } });
    responses
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = IN_PATH.iter().filter(|(name, ..)| {
        let braced = format!("{{{name}}}");
        route.path.split('/').any(|segment| segment == braced)
    });
    let in_path = in_path.map(|(name, kind, description)| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": description,
            "schema": { "type": kind },
        })
    });
    let query = route
        .query
        .as_ref()
        .and_then(|query| query["properties"].as_object());
    let in_query = query.into_iter().flatten().map(|(name, schema)| {
        let mut schema = schema.clone();
        let description = schema["description"].take();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
        }
        json!({ "name": name, "in": "query", "description": description, "schema": schema })
    });
    in_path.chain(in_query).collect()
}

/// Such as `post_clock_advance`.
fn operation_id(route: &Route) -> String {
    let words = route.path.replace(['/', '.'], "_").replace(['{', '}'], "");
    let words = if words.is_empty() { "routes" } else { &words };
    format!("{}_{words}", route.method.as_str().to_lowercase())
}

/// The first segment of the path, which is the kind of thing that it is about.
fn tag(route: &Route) -> &'static str {
    match route.path.split('/').next() {
        Some("" | "health" | "version" | "openapi.json") | None => "about",
        Some(first) => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_what_its_route_takes() {
        for route in TABLE.iter() {
            let Some(body) = &route.body else { continue };
            let example: Value = serde_json::from_str(body.example).expect(body.example);
            assert!(example.is_object(), "{}", route.line());
        }
    }

    #[test]
    fn whatever_stands_in_braces_is_described() {
        for route in TABLE.iter() {
            let braced = route.path.matches('{').count();
            let described = parameters(route);
            let described = described.iter().filter(|one| one["in"] == "path");
            assert_eq!(described.count(), braced, "{}", route.line());
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().expect("a text");
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
