//! Refusals in the document: which problem is answered by which operation, and
//! the responses that follow, one for each status.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Refused, object, schema};
use crate::operation::Operation;
use crate::problem::Problem;

/// Where a problem is answered.
enum Scope {
    /// By every operation.
    Every,
    /// By this one.
    Only(Operation),
    /// By none in the default dialect: there is no operation at the path, a fault
    /// rule wanted it, or only another dialect knows it.
    Nowhere,
}

/// One row of the table: the name of the example, where the problem is
/// answered, and the clauses that speak of it (beside B7, which speaks of all).
type Row = (&'static str, Scope, &'static [&'static str]);

const fn row(problem: Problem) -> Row {
    use Operation::{CheckOtp, Rent};
    use Scope::{Every, Nowhere, Only};
    match problem {
        Problem::MissingKey => ("missing_key", Every, &["A1"]),
        Problem::InvalidKey => ("invalid_key", Every, &["A3", "A5"]),
        Problem::UnknownKey => ("unknown_key", Every, &["A5"]),
        Problem::UnreadableBody => ("unreadable_body", Only(Rent), &["R4"]),
        Problem::IncompleteBody => ("incomplete_body", Only(Rent), &["R4"]),
        Problem::BodyTooLarge => ("body_too_large", Only(Rent), &["R4"]),
        Problem::MissingService => ("missing_service", Only(Rent), &["R2", "R5"]),
        Problem::UnknownService => ("unknown_service", Only(Rent), &["R5"]),
        Problem::InsufficientBalance => ("insufficient_balance", Only(Rent), &["R17"]),
        Problem::NoNumbers => ("no_numbers", Only(Rent), &["R17"]),
        Problem::NoSuchRental => ("no_such_rental", Only(CheckOtp), &["C12", "C16"]),
        Problem::UnsupportedContent => ("unsupported_content", Nowhere, &["R4"]),
        Problem::BadPage => ("bad_page", Nowhere, &["H15"]),
        Problem::TooManyRentals => ("too_many_rentals", Nowhere, &["R17"]),
        Problem::BadIdempotencyKey => ("bad_idempotency_key", Nowhere, &["R16"]),
        Problem::IdempotencyKeyReused => ("idempotency_key_reused", Nowhere, &["R16"]),
        Problem::RentalEnded => ("rental_ended", Nowhere, &["C13"]),
        Problem::NoSuchPath => ("no_such_path", Nowhere, &["B8"]),
        Problem::WrongMethod(operation) => ("wrong_method", Only(operation), &["B8"]),
        Problem::RateLimited => ("rate_limited", Every, &["B9"]),
        Problem::Injected(_) => ("injected", Nowhere, &[]),
    }
}

/// Every problem that some operation answers.
pub(super) fn problems() -> impl Iterator<Item = Problem> {
    let plain = [
        Problem::MissingKey,
        Problem::InvalidKey,
        Problem::UnknownKey,
        Problem::UnreadableBody,
        Problem::IncompleteBody,
        Problem::BodyTooLarge,
        Problem::MissingService,
        Problem::UnknownService,
        Problem::InsufficientBalance,
        Problem::NoNumbers,
        Problem::NoSuchRental,
        Problem::RateLimited,
    ];
    let wrong_methods = Operation::ALL.into_iter().map(Problem::WrongMethod);
    plain.into_iter().chain(wrong_methods)
}

/// The clauses that speak of this problem's answer.
#[cfg(test)]
pub(super) const fn clauses(problem: Problem) -> &'static [&'static str] {
    row(problem).2
}

/// The responses of an operation that are refusals, by status.
pub(super) fn responses(refusals: &[Refused], operation: Operation) -> Vec<(String, Value)> {
    let mut by_status = BTreeMap::<u16, Vec<&Refused>>::new();
    for refused in refusals {
        let answered = match row(refused.problem).1 {
            Scope::Every => true,
            Scope::Only(only) => only == operation,
            Scope::Nowhere => false,
        };
        if answered {
            by_status.entry(refused.status).or_default().push(refused);
        }
    }
    by_status
        .into_iter()
        .map(|(status, together)| (status.to_string(), response(&together)))
        .collect()
}

/// The one response of several problems with the same status.
fn response(together: &[&Refused]) -> Value {
    let sentences: Vec<_> = together
        .iter()
        .map(|refused| refused.problem.message())
        .collect();
    let example = |refused: &&Refused| {
        let (name, ..) = row(refused.problem);
        (name, json!({ "value": refused.body }))
    };
    let clauses = together.iter().flat_map(|refused| row(refused.problem).2);
    let mut clauses: Vec<_> = clauses.copied().chain(["B7"]).collect();
    clauses.sort_unstable();
    clauses.dedup();
    let mut response = json!({
        "description": sentences.join(" Or: "),
        "content": { "application/json": {
            "schema": schema::reference("Refusal"),
            "examples": object(together.iter().map(example)),
        } },
        "x-clauses": clauses,
    });
    let headers: Vec<_> = together
        .iter()
        .filter_map(|refused| header(refused.problem))
        .collect();
    // A header is only promised where every problem with this status sends it.
    let always = headers.len() == together.len();
    if !headers.is_empty() {
        response["headers"] = object(headers.into_iter().map(|(name, mut header)| {
            header["required"] = json!(always);
            (name, header)
        }));
    }
    response
}

/// The header that comes with a problem's answer.
fn header(problem: Problem) -> Option<(&'static str, Value)> {
    match problem {
        Problem::RateLimited => Some((
            "Retry-After",
            json!({
                "description": "Seconds to wait before the next request.",
                "schema": { "type": "integer", "minimum": 0 },
            }),
        )),
        _ => problem.allow().map(|method| {
            let header = json!({
                "description": "The one method of this endpoint.",
                "schema": { "type": "string", "const": method },
            });
            ("Allow", header)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_that_has_a_place_is_listed_once() {
        let listed: Vec<_> = problems().collect();
        for (index, problem) in listed.iter().enumerate() {
            assert!(!matches!(row(*problem).1, Scope::Nowhere), "{problem:?}");
            assert!(!listed[..index].contains(problem), "{problem:?} twice");
        }
    }
}
