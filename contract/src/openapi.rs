//! The OpenAPI 3.1 document of the API, made from the tables and types that the
//! code answers with. It describes what the mock does; what the vendor's
//! documentation promises is told by the clauses named in `x-clauses`.
//!
//! | module | holds |
//! | --- | --- |
//! | `endpoint` | the four operations: words, parameters, request bodies, good answers |
//! | `refusal` | which problem is answered where, and what its answer looks like |
//! | `schema` | the JSON Schemas, derived from [`crate::body`] |
//! | `webhook` | the event that is posted |
//! | `example` | the bodies that the vendor's documentation shows |
//! | `clause` | which clauses govern which part |
//!
//! The control API is not in it, nor is anything else that only the mock has.

mod clause;
mod endpoint;
mod example;
mod refusal;
mod schema;
mod webhook;

use serde_json::{Map, Value, json};

use crate::key::ApiKey;
use crate::problem::Problem;

/// What a dialect of the API answers, as far as the document depends on it.
/// [`Answers::default`] is the default dialect.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Every problem that can be answered, with its answer.
    pub refusals: Vec<Refused>,
    /// The JSON Schema of all those answers' bodies.
    pub refusal_schema: Value,
}

/// How one problem is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// What is wrong.
    pub problem: Problem,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answers {
    /// The answers of a dialect that gives each problem this status and body,
    /// which the schema describes.
    pub fn new(answer: impl Fn(Problem) -> (u16, Value), refusal_schema: Value) -> Self {
        let refused = |problem| {
            let (status, body) = answer(problem);
            Refused {
                problem,
                status,
                body,
            }
        };
        Self {
            refusals: refusal::problems().map(refused).collect(),
            refusal_schema,
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        let answer = |problem: Problem| (problem.status(), json!(problem.body()));
        Self::new(answer, schema::default_refusal())
    }
}

/// The document of an API that answers like this. Its keys are sorted, so that
/// it is the same text in every build.
pub fn document(answers: &Answers) -> Value {
    let mut components = schema::components();
    components.insert("Refusal".to_owned(), answers.refusal_schema.clone());
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "CodySMS, as otplab speaks it",
            "version": "v1",
            "summary": "Rent a phone number, wait for a one-time password.",
            "description": "Money, phone numbers and services are written differently from \
                endpoint to endpoint, as the vendor writes them. What the vendor leaves unsaid, \
                refusals above all, is a default of otplab.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative on purpose: whoever tests by this document tests the server it came from.
        "servers": [{ "url": "/", "description": "The server that this document came from." }],
        "security": [{ "ApiKey": [] }],
        "paths": endpoint::paths(&answers.refusals),
        "webhooks": webhook::webhooks(),
        "components": {
            "schemas": components,
            "securitySchemes": { "ApiKey": security_scheme() },
        },
    });
    clause::annotate(&mut document);
    document.sort_all_objects();
    document
}

/// The document as a file: indented, with a newline at its end.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

fn security_scheme() -> Value {
    let length = ApiKey::LENGTH;
    json!({
        "type": "apiKey",
        "in": "header",
        "name": "Auth",
        "description": format!(
            "The bare key, without a scheme word: {length} visible ASCII characters. \
             otplab opens an account for every such key."
        ),
    })
}

/// `{"name": value}`, for names that are known at run time only.
fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
    let members = members
        .into_iter()
        .map(|(name, value)| (name.into(), value));
    Value::Object(members.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_moves_its_refusals_and_nothing_else() {
        let schema = json!({ "type": "object", "required": ["error"] });
        let answer = |problem| match problem {
            Problem::MissingService | Problem::UnknownService => (400, json!({ "error": 1 })),
            other => (other.status(), json!({ "error": 2 })),
        };
        let ours = document(&Answers::default());
        let theirs = document(&Answers::new(answer, schema.clone()));
        let responses = "/paths/~1api~1v1~1number~1rent/post/responses";
        let at =
            |document: &Value, rest: &str| document.pointer(&format!("{responses}{rest}")).cloned();
        assert!(at(&ours, "/422").is_some() && at(&theirs, "/422").is_none());
        let examples = "/400/content/application~1json/examples";
        assert_eq!(
            at(&theirs, &format!("{examples}/unknown_service/value")),
            Some(json!({ "error": 1 }))
        );
        assert_eq!(at(&theirs, "/200"), at(&ours, "/200"));
        assert_eq!(theirs["components"]["schemas"]["Refusal"], schema);
    }
}
