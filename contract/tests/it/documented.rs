//! The typed bodies against the documentation's own examples: what is read and
//! written back must be the same bytes (CLAUSES X4), and what the constructors
//! build must be those bytes too.

use contract::body::{CheckOtp, History, Profile, Rent, Webhook};
use serde::{Deserialize, Serialize};
use serde_json::ser::PrettyFormatter;

const PROFILE: &str = include_str!("../../documented/profile.json");
const RENT: &str = include_str!("../../documented/rent.json");
const CHECK_OTP_RECEIVED: &str = include_str!("../../documented/check_otp_received.json");
const CHECK_OTP_WAITING: &str = include_str!("../../documented/check_otp_waiting.json");
const HISTORY: &str = include_str!("../../documented/history.json");
const WEBHOOK: &str = include_str!("../../documented/webhook.json");

/// Writes JSON in the documentation's manner: an indent of four, no final newline.
fn as_documented(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut writer).expect("plain data");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn check<'a, Body: Deserialize<'a> + Serialize>(example: &'a str) {
    let body: Body = serde_json::from_str(example).expect("the documentation's own example");
    assert_eq!(as_documented(&body), example.trim_end());
}

#[test]
fn every_documented_body_is_read_and_written_back_byte_for_byte() {
    check::<Profile<'_>>(PROFILE);
    check::<Rent<'_>>(RENT);
    check::<CheckOtp<'_>>(CHECK_OTP_RECEIVED);
    check::<CheckOtp<'_>>(CHECK_OTP_WAITING);
    check::<History<'_>>(HISTORY);
    check::<Webhook<'_>>(WEBHOOK);
}

#[test]
fn our_own_values_have_the_documented_bytes() {
    let whatsapp = contract::Service::find("whatsapp").expect("documented");
    let received = CheckOtp::received("489201", whatsapp.message("489201"));
    assert_eq!(as_documented(&received), CHECK_OTP_RECEIVED.trim_end());
    assert_eq!(
        as_documented(&CheckOtp::waiting()),
        CHECK_OTP_WAITING.trim_end()
    );
    let rent: Rent<'_> = serde_json::from_str(RENT).expect("documented");
    assert_eq!(rent.message, contract::body::RENTED);
    assert_eq!(rent.rental.service, whatsapp.rent_name);
    assert_eq!(rent.rental.cost, whatsapp.price);
    let history: History<'_> = serde_json::from_str(HISTORY).expect("documented");
    assert_eq!(history.data[0].service_name, whatsapp.history_name);
    assert_eq!(history.data[0].status, contract::body::status::COMPLETED);
    let webhook: Webhook<'_> = serde_json::from_str(WEBHOOK).expect("documented");
    assert_eq!(webhook.event, contract::body::SMS_RECEIVED);
    assert_eq!(webhook.service_slug, whatsapp.slug);
}
