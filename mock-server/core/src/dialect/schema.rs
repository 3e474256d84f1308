//! The JSON Schema of a dialect: a text, or a table of settings. What a setting
//! may be is for the reader to say, who says it with what would have been right.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::DialectFile;

impl JsonSchema for DialectFile {
    fn schema_name() -> Cow<'static, str> {
        "DialectFile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let any = || json!({ "type": ["string", "integer", "object"] });
        let names = Self::NAMES.iter();
        let properties: Map<String, Value> =
            names.map(|name| ((*name).to_owned(), any())).collect();
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": properties, "additionalProperties": false },
            ],
        })
    }
}
