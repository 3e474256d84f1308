//! The webhook in the document: what otplab posts when an SMS lands.

use serde_json::{Value, json};

use super::{example, object, schema};
use crate::body::SMS_RECEIVED;

/// The one event, by its name.
pub(super) fn webhooks() -> Value {
    object([(SMS_RECEIVED, json!({ "post": posted() }))])
}

fn posted() -> Value {
    json!({
        "operationId": "sms_received",
        "summary": "An SMS has arrived",
        "description": "Posted as soon as check-otp shows the SMS, without a key or a signature. \
            An attempt that fails is repeated with the same bytes: five attempts at most, \
            15 seconds apart. The same SMS may therefore come twice.",
        "security": [],
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": schema::reference("Webhook"),
                "examples": { "documented": { "value": example::webhook() } },
            } },
        },
        "responses": {
            "2XX": { "description": "Taken; it is not posted again. To be answered within 5 seconds." },
            "default": { "description": "Not taken; it is posted again later." },
        },
    })
}
