//! Webhooks under made-up time: when they are due and what they say.

use std::sync::Arc;

use contract::body::Webhook;
use mock_server_core::{AccountSettings, WebhookOutcome, WebhookSettings};

use crate::client::Client;

fn client(law: &str) -> Client {
    let url = "http://localhost/".parse().expect("well-formed");
    Client::with(AccountSettings {
        sms_delay: law.parse().expect(law),
        webhook: Some(Arc::new(WebhookSettings::new(url))),
        ..AccountSettings::new(7)
    })
}

#[test]
fn an_event_is_due_the_instant_the_poll_shows_the_sms() {
    let mut client = client("2s");
    let (id, phone) = client.rent();
    let due = client.mock.next_webhook_due().expect("one is planned");
    assert_eq!(due.since_start().as_secs(), 2);
    let early = client.at(1.9).now;
    assert_eq!(client.mock.take_due_webhook(early), None);
    let now = client.at(2.0).now;
    let attempt = client.mock.take_due_webhook(now).expect("due");
    assert!(client.sees_sms(id));
    let event: Webhook<'_> = serde_json::from_slice(&attempt.body).expect("an event");
    assert_eq!(
        (event.event.as_ref(), event.rental_id),
        ("sms.received", id)
    );
    assert_eq!(
        (event.phone.as_ref(), event.service_slug.as_ref()),
        (phone.as_str(), "whatsapp")
    );
    assert_eq!(event.timestamp, 1_781_148_016);
    assert_eq!(Some(event.sms_code), client.newest_row().sms_code);
}

#[test]
fn retries_come_fifteen_seconds_apart_with_the_same_bytes() {
    let mut client = client("2s");
    client.rent();
    let mut bodies = Vec::new();
    let mut moments = Vec::new();
    while let Some(due) = client.mock.next_webhook_due() {
        let attempt = client.mock.take_due_webhook(due).expect("due");
        moments.push(due.since_start().as_secs());
        bodies.push(attempt.body);
        client
            .mock
            .webhook_answered(due, attempt.delivery, WebhookOutcome::Failed);
    }
    assert_eq!(moments, [2, 17, 32, 47, 62]);
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[test]
fn no_sms_no_event_and_no_receiver_no_event() {
    let mut without_sms = client("never");
    without_sms.rent();
    assert_eq!(without_sms.mock.next_webhook_due(), None);
    let mut without_receiver = Client::new(r#"sms_delay = "2s""#);
    without_receiver.rent();
    assert_eq!(without_receiver.mock.next_webhook_due(), None);
}
