//! What a dialect says about times, which nobody can see without turning a clock.

use std::sync::Arc;

use contract::body::CheckOtp;
use mock_server_core::{Settings, WebhookSettings};
use serde_json::{Value, json};

use crate::client::Client;

/// A client with a receiver for its webhooks.
fn posting(dialect: &str) -> Client {
    let toml = format!("sms_delay = \"2s\"\ndialect = \"{dialect}\"");
    let file: mock_server_core::SettingsFile =
        contract::document::parse("settings", &toml).expect(dialect);
    let mut settings: Settings = file.resolve(7);
    let url = "http://localhost/".parse().expect("well-formed");
    Arc::make_mut(&mut settings.account).webhook = Some(Arc::new(WebhookSettings::new(url)));
    Client::with(settings)
}

fn webhook(client: &mut Client) -> Value {
    let now = client.at(2.0).now;
    let attempt = client.mock.take_due_webhook(now).expect("due");
    serde_json::from_slice(&attempt.body).expect("JSON")
}

#[test]
fn webhooks_write_the_time_in_three_ways() {
    for (dialect, expected) in [
        ("timestamp=seconds", json!(1_781_148_016)),
        ("timestamp=milliseconds", json!(1_781_148_016_000_u64)),
        ("timestamp=text", json!("1781148016")),
    ] {
        let mut client = posting(dialect);
        client.rent();
        let event = webhook(&mut client);
        assert_eq!(event["timestamp"], expected, "{dialect}");
        assert_eq!(event["event"], "sms.received", "{dialect}");
    }
}

#[test]
fn a_webhook_may_have_a_field_that_nobody_knows() {
    let mut client = posting("extra_fields=some");
    client.rent();
    assert_eq!(webhook(&mut client)["undocumented"], true);
}

#[test]
fn the_history_tells_the_time_of_its_zone() {
    for (zone, expected) in [
        ("UTC", "2026-06-11 03:20:14"),
        ("Etc/GMT+1", "2026-06-11 02:20:14"),
        // Summer time, five and a half hours, and the day before.
        ("Europe/Berlin", "2026-06-11 05:20:14"),
        ("Asia/Kolkata", "2026-06-11 08:50:14"),
        ("America/New_York", "2026-06-10 23:20:14"),
    ] {
        let mut client = Client::new(&format!("dialect = \"time_zone={zone}\""));
        client.rent();
        assert_eq!(client.newest_row().created_at, expected, "{zone}");
    }
}

#[test]
fn an_end_without_an_sms_is_called_expired_until_it_is_refunded() {
    for (dialect, at_end, later) in [
        ("default", "expired", "expired"),
        ("status_words=refunded", "refunded", "refunded"),
        ("status_words=five_sim", "TIMEOUT", "TIMEOUT"),
        ("status_words=refunded, refund=none", "expired", "expired"),
        ("status_words=refunded, refund=30m", "expired", "refunded"),
    ] {
        let mut client = Client::new(&format!("sms_delay = \"never\"\ndialect = \"{dialect}\""));
        client.rent();
        assert_eq!(client.at(1200.0).newest_row().status, at_end, "{dialect}");
        assert_eq!(client.at(3000.0).newest_row().status, later, "{dialect}");
    }
}

#[test]
fn an_accepted_service_keeps_its_name_until_the_webhook() {
    let mut client = posting("unknown_service=accept");
    let rent = mock_server_core::Request {
        body: mock_server_core::Body::Whole(br#"{"service":"Nokia"}"#),
        ..mock_server_core::Request::plain("POST", "/api/v1/number/rent", &[b'k'; 60])
    };
    let now = client.now;
    assert_eq!(client.mock.handle(now, &rent).status, 200);
    let event = webhook(&mut client);
    assert_eq!(event["service_slug"], "nokia");
    let reply = client.poll(13_322_954);
    let poll: CheckOtp<'_> = serde_json::from_slice(&reply.body).expect("a poll");
    assert_eq!(event["raw_text"].as_str(), poll.full_message.as_deref());
}

#[test]
fn a_browser_is_sent_to_log_in_and_a_program_is_not() {
    let mut client = Client::new("dialect = \"unauthorized=redirect\"");
    let now = client.now;
    let mut location = |accept| {
        let request = mock_server_core::Request {
            auth: None,
            accept,
            ..mock_server_core::Request::plain("GET", "/api/v1/profile", &[])
        };
        let reply = client.mock.handle(now, &request);
        let mut headers = reply.headers();
        let location = headers.find(|(name, _)| *name == "location");
        location.map(|(_, value)| value.to_owned())
    };
    assert_eq!(location(Some("text/html")), Some("/login".to_owned()));
    assert_eq!(location(Some("application/vnd.api+json, */*")), None);
}
