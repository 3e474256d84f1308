//! The four operations in the document: their words, what they take, and their
//! good answers.

use serde_json::{Map, Value, json};

use super::{Refused, example, object, refusal, schema};
use crate::body::CheckOtp;
use crate::operation::Operation;

/// Everything under `paths`.
pub(super) fn paths(refusals: &[Refused]) -> Value {
    object(Operation::ALL.map(|operation| {
        let item = [(method(operation), described(operation, refusals))];
        (template(operation), object(item))
    }))
}

/// The path with a place for the rental's id, if it has one.
pub(super) fn template(operation: Operation) -> String {
    match operation {
        Operation::CheckOtp => format!("{}{{rental_id}}", operation.path()),
        _ => operation.path().to_owned(),
    }
}

/// The method as the document writes it.
pub(super) fn method(operation: Operation) -> String {
    operation.method().to_ascii_lowercase()
}

fn described(operation: Operation, refusals: &[Refused]) -> Value {
    let (summary, description) = words(operation);
    let mut responses: Map<_, _> = refusal::responses(refusals, operation)
        .into_iter()
        .collect();
    responses.insert("200".to_owned(), good_answer(operation));
    let mut described = json!({
        "operationId": operation.name(),
        "summary": summary,
        "description": description,
        "responses": responses,
    });
    match operation {
        Operation::Rent => described["requestBody"] = rent_body(),
        Operation::CheckOtp => described["parameters"] = json!([rental_id()]),
        Operation::History => described["parameters"] = paging(),
        Operation::Profile => {}
    }
    described
}

/// Summary and description.
const fn words(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::Profile => (
            "Read name, e-mail address and balance",
            "The balance has already dropped by the price of every rental that is alive or has \
             its code; a rental that ends without an SMS is refunded in full.",
        ),
        Operation::Rent => (
            "Rent a number for one service",
            "Charges at once. Two equal requests make two rentals, so a request whose answer was \
             lost must not simply be sent again. The query string is not looked at.",
        ),
        Operation::CheckOtp => (
            "Ask whether the SMS has arrived",
            "Changes nothing and costs nothing, so it may be repeated. Once the SMS is there it \
             stays readable.",
        ),
        Operation::History => (
            "List the rentals of the account",
            "The newest first. What makes no sense in a paging parameter is taken for its \
             default, and a page after the last one is empty.",
        ),
    }
}

fn good_answer(operation: Operation) -> Value {
    let (description, name, examples) = match operation {
        Operation::Profile => (
            "The owner of the key.",
            "Profile",
            json!({
                "documented": { "value": example::profile() },
            }),
        ),
        Operation::Rent => (
            "The number is rented and charged.",
            "Rent",
            json!({
                "documented": { "value": example::rent() },
            }),
        ),
        Operation::CheckOtp => (
            "Where the rental stands.",
            "CheckOtp",
            json!({
                "received": { "summary": "The SMS is there", "value": example::received() },
                "waiting": { "summary": "Keep polling", "value": example::waiting() },
                "expired": { "summary": "Stop polling", "value": CheckOtp::expired() },
            }),
        ),
        Operation::History => (
            "One page of rentals.",
            "History",
            json!({
                "documented": { "value": example::history() },
            }),
        ),
    };
    let mut answer = json!({
        "description": description,
        "content": { "application/json": {
            "schema": schema::reference(name),
            "examples": examples,
        } },
    });
    if operation == Operation::Rent {
        answer["links"] = json!({ "poll": {
            "operationId": Operation::CheckOtp.name(),
            "parameters": { "rental_id": "$response.body#/rental/id" },
            "description": "The id works at once.",
        } });
    }
    answer
}

/// The same field in three forms.
fn rent_body() -> Value {
    let media = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ];
    json!({
        "required": true,
        "description": "The service, as JSON or as a form.",
        "content": object(media.map(|media| {
            let example = json!({ "value": { "service": "whatsapp" } });
            let content = json!({
                "schema": schema::reference("RentRequest"),
                "examples": { "whatsapp": example },
            });
            (media, content)
        })),
    })
}

fn rental_id() -> Value {
    json!({
        "name": "rental_id",
        "in": "path",
        "required": true,
        "description": "The id that rent gave. Whatever is no id of this account is answered alike.",
        "schema": { "type": "integer", "format": "int64", "minimum": 1 },
        "example": 13_322_954,
    })
}

/// The vendor's documentation names no such parameters; these are what usual
/// frameworks take (CLAUSES part 2).
fn paging() -> Value {
    json!([
        {
            "name": "page",
            "in": "query",
            "description": "Which page, from 1.",
            "schema": { "type": "integer", "minimum": 1, "default": 1 },
        },
        {
            "name": "per_page",
            "in": "query",
            "description": "Rentals on a page; more than the maximum is taken for the maximum.",
            "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 15 },
        },
    ])
}
