//! The JSON Schemas of the document, derived from the types in [`crate::body`]
//! that write the bytes. Only the cases of check-otp are put together here: one
//! type writes them all, and each has fewer fields than the type.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::object;
use crate::body::{CheckOtp, History, Profile, Refusal, Rent, RentRequest, Webhook};
use crate::service::SERVICES;

/// A case of check-otp, by what its fields say.
struct Case {
    name: &'static str,
    description: &'static str,
    success: bool,
    sms_received: bool,
    /// The fields beside these two.
    others: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        name: "CheckOtpReceived",
        description: "The SMS is there. The code is bare; the message has it as it was sent.",
        success: true,
        sms_received: true,
        others: &["sms_code", "full_message"],
    },
    Case {
        name: "CheckOtpWaiting",
        description: "No SMS yet, and the rental is alive: keep polling.",
        success: true,
        sms_received: false,
        others: &["message"],
    },
    Case {
        name: "CheckOtpExpired",
        description: "The rental has ended without an SMS and was refunded: stop polling.",
        success: false,
        sms_received: false,
        others: &["message"],
    },
];

/// `{"$ref": …}` to a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// All schemas of the document by name, but that of refusals.
pub(super) fn components() -> Map<String, Value> {
    let mut generator = generator();
    generator.subschema_for::<Profile<'_>>();
    generator.subschema_for::<RentRequest<'_>>();
    generator.subschema_for::<Rent<'_>>();
    generator.subschema_for::<CheckOtp<'_>>();
    generator.subschema_for::<History<'_>>();
    generator.subschema_for::<Webhook<'_>>();
    let mut schemas = generator.take_definitions(true);
    let slugs: Vec<_> = SERVICES.iter().map(|service| service.slug).collect();
    schemas["RentRequest"]["properties"]["service"]["examples"] = json!(slugs);
    let whole = schemas["CheckOtp"].take();
    for case in &CASES {
        schemas.insert(case.name.to_owned(), case.of(&whole["properties"]));
    }
    schemas["CheckOtp"] = json!({
        "description": "`success` is true in both cases that the vendor documents; only \
            `sms_received` tells whether the SMS is there.",
        "oneOf": CASES.each_ref().map(|case| reference(case.name)),
    });
    schemas
}

/// The schema of a refusal in the default dialect.
pub(super) fn default_refusal() -> Value {
    let mut schema = Refusal::json_schema(&mut generator());
    schema.insert(
        "description".to_owned(),
        json!("Why a request was refused."),
    );
    schema.to_value()
}

/// Of what is written, which may be stricter than what is read.
fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

impl Case {
    /// The schema of this case, from the properties of all.
    fn of(&self, properties: &Value) -> Value {
        let constant = |name, value| {
            let mut schema = properties[name].clone();
            schema["const"] = json!(value);
            (name, schema)
        };
        let others = self
            .others
            .iter()
            .map(|name| (*name, properties[*name].clone()));
        let fixed = [
            constant("success", self.success),
            constant("sms_received", self.sms_received),
        ];
        let fields: Vec<_> = fixed.into_iter().chain(others).collect();
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        json!({
            "type": "object",
            "description": self.description,
            "required": names,
            "properties": object(fields),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_requires_what_is_written_and_nothing_else() {
        let written = [
            CheckOtp::received("489201", "It is 489-201"),
            CheckOtp::waiting(),
            CheckOtp::expired(),
        ];
        for (case, body) in CASES.iter().zip(written) {
            let body = json!(body);
            assert_eq!(body["success"], case.success, "{}", case.name);
            assert_eq!(body["sms_received"], case.sms_received, "{}", case.name);
            let schema = &components()[case.name];
            let written = body.as_object().expect("an object").keys();
            let properties = schema["properties"].as_object().expect("an object").keys();
            assert!(written.eq(properties), "{schema}");
            assert_eq!(
                schema["required"].as_array().map(Vec::len),
                Some(body.as_object().map_or(0, Map::len))
            );
            assert!(
                schema["properties"]
                    .as_object()
                    .expect("an object")
                    .values()
                    .all(|property| property["type"].is_string()),
                "{schema}"
            );
        }
    }
}
