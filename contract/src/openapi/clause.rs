//! Which clauses of the contract govern which part of the document: the table
//! behind `x-clauses`. Those of refusals stand with the refusals.

use serde_json::{Value, json};

use super::endpoint;
use crate::body::SMS_RECEIVED;
use crate::operation::Operation;

/// A part of the document.
#[derive(Clone, Copy)]
enum Part {
    /// All of it.
    Document,
    /// How a key is sent.
    Key,
    /// An operation as a whole.
    Operation(Operation),
    /// The parameter of an operation at this place.
    Parameter(Operation, usize),
    /// The body that an operation takes.
    Body(Operation),
    /// The webhook as a whole.
    Webhook,
    /// A schema.
    Schema(&'static str),
    /// A property of a schema.
    Property(&'static str, &'static str),
}

use Operation::{CheckOtp, History, Profile, Rent};
use Part::{Body, Property, Schema};

type Row = (Part, &'static [&'static str]);

#[rustfmt::skip]
const TABLE: [Row; 61] = [
    (Part::Document, &["B1", "B2", "B4", "B5", "B6", "X1", "X2", "X3", "X4", "X5", "X6"]),
    (Part::Key, &["A1", "A2", "A3", "A4", "A5"]),

    (Part::Operation(Profile), &["B1", "P6", "P7"]),
    (Schema("Profile"), &["P1"]),
    (Property("Profile", "success"), &["B3"]),
    (Property("Profile", "user"), &["P1"]),
    (Property("User", "name"), &["P2"]),
    (Property("User", "email"), &["P3"]),
    (Property("User", "balance"), &["P4", "P5", "P7", "P8"]),

    (Part::Operation(Rent), &["B1", "P7", "R1", "R13", "R14", "R15", "R16", "R17"]),
    (Body(Rent), &["R1", "R4"]),
    (Schema("RentRequest"), &["R1", "R18"]),
    (Property("RentRequest", "service"), &["R1", "R2", "R3", "R5"]),
    (Property("Rent", "success"), &["B3", "R15"]),
    (Property("Rent", "message"), &["R6", "R15"]),
    (Property("Rent", "rental"), &["R7"]),
    (Property("Rental", "id"), &["R8"]),
    (Property("Rental", "phone"), &["R9", "R13"]),
    (Property("Rental", "service"), &["R10"]),
    (Property("Rental", "cost"), &["R11", "X3"]),
    (Property("Rental", "expires_in_seconds"), &["R12"]),

    (Part::Operation(CheckOtp), &["B1", "C1", "C9", "C10", "C11", "C13", "C14", "C15", "C16"]),
    (Part::Parameter(CheckOtp, 0), &["C1", "C12", "R14"]),
    (Schema("CheckOtp"), &["C2", "C5", "C11", "C13"]),
    (Schema("CheckOtpReceived"), &["C5", "C8", "C10"]),
    (Property("CheckOtpReceived", "success"), &["B3", "C5", "C11"]),
    (Property("CheckOtpReceived", "sms_received"), &["C5", "C11"]),
    (Property("CheckOtpReceived", "sms_code"), &["C5", "C6", "C7"]),
    (Property("CheckOtpReceived", "full_message"), &["C5", "C7"]),
    (Schema("CheckOtpWaiting"), &["C2", "C4"]),
    (Property("CheckOtpWaiting", "success"), &["B3", "C2", "C11"]),
    (Property("CheckOtpWaiting", "sms_received"), &["C2", "C11"]),
    (Property("CheckOtpWaiting", "message"), &["C2", "C3"]),
    (Schema("CheckOtpExpired"), &["C13", "C14"]),
    (Property("CheckOtpExpired", "success"), &["C13"]),
    (Property("CheckOtpExpired", "sms_received"), &["C13"]),
    (Property("CheckOtpExpired", "message"), &["C13"]),

    (Part::Operation(History), &["B1", "H1", "H12", "H13", "H14", "H15", "H16", "H17"]),
    (Part::Parameter(History, 0), &["H15"]),
    (Part::Parameter(History, 1), &["H15"]),
    (Schema("History"), &["H1"]),
    (Property("History", "success"), &["B3", "H1"]),
    (Property("History", "current_page"), &["H2", "H15"]),
    (Property("History", "total_records"), &["H3", "H14"]),
    (Property("History", "data"), &["H4", "H12", "H13"]),
    (Property("HistoryRow", "id"), &["H5", "H12"]),
    (Property("HistoryRow", "phone_number"), &["H6"]),
    (Property("HistoryRow", "service_name"), &["H7"]),
    (Property("HistoryRow", "cost"), &["H8", "X3"]),
    (Property("HistoryRow", "sms_code"), &["H9"]),
    (Property("HistoryRow", "status"), &["H10"]),
    (Property("HistoryRow", "created_at"), &["H11", "H12", "X5"]),

    (Part::Webhook, &["W1", "W2", "W10", "W12", "W13", "W14", "W15"]),
    (Schema("Webhook"), &["W2", "W11"]),
    (Property("Webhook", "event"), &["W3"]),
    (Property("Webhook", "timestamp"), &["W4", "X5"]),
    (Property("Webhook", "rental_id"), &["W5"]),
    (Property("Webhook", "phone"), &["W6"]),
    (Property("Webhook", "service_slug"), &["W7"]),
    (Property("Webhook", "sms_code"), &["W8"]),
    (Property("Webhook", "raw_text"), &["W9"]),
];

/// Writes `x-clauses` at every part in the table.
pub(super) fn annotate(document: &mut Value) {
    for (part, clauses) in TABLE {
        let pointer = part.pointer();
        let part = document.pointer_mut(&pointer);
        let part = part.expect("invariant: the table names parts of the document");
        part["x-clauses"] = json!(clauses);
    }
}

impl Part {
    /// The part as a JSON Pointer (RFC 6901).
    fn pointer(self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Key => "/components/securitySchemes/ApiKey".to_owned(),
            Self::Operation(operation) => {
                let path = endpoint::template(operation).replace('/', "~1");
                format!("/paths/{path}/{}", endpoint::method(operation))
            }
            Self::Parameter(operation, place) => {
                format!(
                    "{}/parameters/{place}",
                    Self::Operation(operation).pointer()
                )
            }
            Self::Body(operation) => {
                format!("{}/requestBody", Self::Operation(operation).pointer())
            }
            Self::Webhook => format!("/webhooks/{SMS_RECEIVED}/post"),
            Self::Schema(name) => format!("/components/schemas/{name}"),
            Self::Property(schema, name) => {
                format!("/components/schemas/{schema}/properties/{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::openapi::refusal;

    /// How many clauses each letter of the contract has.
    const CLAUSES: [(char, usize); 8] = [
        ('A', 5),
        ('B', 9),
        ('P', 8),
        ('R', 18),
        ('C', 16),
        ('H', 17),
        ('W', 15),
        ('X', 6),
    ];

    #[test]
    fn every_clause_governs_some_part_and_no_other_is_named() {
        let of_refusals = refusal::problems().flat_map(refusal::clauses);
        let named: BTreeSet<String> = TABLE
            .iter()
            .flat_map(|(_, clauses)| *clauses)
            .chain(of_refusals)
            .chain(&["B7"])
            .map(|clause| (*clause).to_owned())
            .collect();
        let all: BTreeSet<String> = CLAUSES
            .iter()
            .flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}")))
            .collect();
        assert_eq!(named, all);
    }
}
