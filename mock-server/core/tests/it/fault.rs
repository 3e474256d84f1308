//! Faults under made-up time: what they leave of a rental, of its SMS and of
//! the money, and how a request asks for one itself.

use std::sync::Arc;

use contract::body::{CheckOtp, Webhook};
use mock_server_core::control::Event;
use mock_server_core::{
    AccountSettings, Delivery, Reply, Request, WebhookOutcome, WebhookSettings,
};

use crate::client::Client;
use crate::control::advance;

const PROFILE: &str = "/api/v1/profile";

/// A customer with a webhook, whose SMS would come after two seconds.
fn client(rule: &str) -> Client {
    let url = "http://localhost/".parse().expect("well-formed");
    Client::with(AccountSettings {
        sms_delay: "2s".parse().expect("a law"),
        faults: vec![rule.parse().expect(rule)],
        webhook: Some(Arc::new(WebhookSettings::new(url))),
        ..AccountSettings::new(7)
    })
}

fn code(client: &mut Client, id: u64) -> Option<String> {
    let reply = client.poll(id);
    let body: CheckOtp<'_> = serde_json::from_slice(&reply.body).expect("a poll");
    body.sms_code.map(|code| code.into_owned())
}

/// All events in order: the second at which each is due, and its code.
fn events(client: &mut Client) -> Vec<(u64, String)> {
    let mut events = Vec::new();
    while let Some(due) = client.mock.next_webhook_due() {
        let attempt = client.mock.take_due_webhook(due).expect("due");
        let event: Webhook<'_> = serde_json::from_slice(&attempt.body).expect("an event");
        events.push((due.since_start().as_secs(), event.sms_code.into_owned()));
        let outcome = WebhookOutcome::Acknowledged;
        client.mock.webhook_answered(due, attempt.delivery, outcome);
    }
    events
}

#[test]
fn without_an_sms_the_rental_ends_and_is_refunded() {
    let mut client = client("rent: sms_never nth 1");
    let (id, _) = client.rent();
    client.rent();
    assert_eq!(
        events(&mut client).len(),
        1,
        "only the other one has an SMS"
    );
    assert!(!client.at(1199.0).sees_sms(id));
    assert_eq!(client.at(1200.0).balance(), "998.56");
}

#[test]
fn a_late_sms_is_late_for_polls_and_events_alike() {
    let mut late = client("rent: sms_late(30s)");
    let (id, _) = late.rent();
    assert!(!late.at(31.9).sees_sms(id));
    assert!(late.at(32.0).sees_sms(id));
    assert_eq!(events(&mut late)[0].0, 32);
    let mut too_late = client("rent: sms_late(1198s)");
    too_late.rent();
    assert_eq!(too_late.mock.next_webhook_due(), None);
    assert_eq!(too_late.at(1200.0).balance(), "1000.00");
}

#[test]
fn a_duplicate_is_the_same_event_twice() {
    let mut client = client("rent: sms_duplicate nth 1");
    client.rent();
    client.rent();
    let events = events(&mut client);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0], events[1]);
    assert_ne!(events[1].1, events[2].1);
}

#[test]
fn a_second_code_replaces_the_first_everywhere_from_its_moment_on() {
    let mut client = client("rent: sms_second_code(10s)");
    let (id, _) = client.rent();
    let first = code(client.at(11.9), id).expect("the first code");
    assert_eq!(client.newest_row().sms_code.as_deref(), Some(&*first));
    let second = code(client.at(12.0), id).expect("the second code");
    assert_eq!(client.newest_row().sms_code.as_deref(), Some(&*second));
    assert_eq!(client.newest_row().status, "completed");
    assert_ne!(first, second);
    assert_eq!(first.len(), second.len());
    assert_eq!(client.balance(), "998.56", "charged once");
    assert_eq!(events(&mut client).len(), 2);
}

#[test]
fn the_events_of_two_codes_come_in_their_order() {
    let mut client = client("rent: sms_second_code(10s)");
    client.rent();
    let events = events(&mut client);
    assert_eq!((events[0].0, events[1].0), (2, 12));
    assert_ne!(events[0].1, events[1].1);
    let mut beyond = self::client("rent: sms_second_code(1198s)");
    beyond.rent();
    assert_eq!(
        self::events(&mut beyond).len(),
        1,
        "the number is gone by then"
    );
}

#[test]
fn both_codes_are_among_what_an_advance_lists() {
    let mut client = client("rent: sms_second_code(10s)");
    let me = client.me();
    client.rent();
    let fired = advance(me, &mut client, 1);
    let arrivals = fired.iter().filter(|f| f.event == Event::SmsReceived);
    let moments: Vec<_> = arrivals.map(|fired| &fired.at[11..]).collect();
    assert_eq!(moments, ["03:20:16", "03:20:26"]);
}

#[test]
fn a_rules_time_is_the_accounts() {
    let mut client = client("profile: status(503) ttl 30s");
    let me = client.me();
    assert_eq!(client.get(PROFILE).status, 503);
    advance(me, &mut client, 1);
    assert_eq!(client.get(PROFILE).status, 200);
}

#[test]
fn too_little_money_may_be_claimed_of_any_account() {
    let mut client = client("rent: insufficient_balance nth 1");
    let reply = client.post_rent();
    assert_eq!(reply.status, 402);
    assert_eq!(client.balance(), "1000.00");
    client.rent();
}

#[test]
fn after_the_commit_the_rental_is_made_whatever_the_client_gets() {
    for fault in [
        "status(500)",
        "rate_limit",
        "no_numbers",
        "insufficient_balance",
        "html_error",
        "reset_peer",
        "empty_response",
        "random_data",
        "timeout",
    ] {
        let balance = |phase: &str| {
            let mut client = client(&format!("rent: {fault} {phase}"));
            let reply = client.post_rent();
            assert!(reply.status != 200 || !matches!(reply.delivery, Delivery::Whole { .. }));
            client.balance()
        };
        assert_eq!(balance(""), "1000.00", "{fault}");
        assert_eq!(balance("before"), "1000.00", "{fault}");
        assert_eq!(balance("after_commit"), "998.56", "{fault}");
    }
}

#[test]
fn damage_to_the_real_answer_needs_one() {
    for fault in [
        "truncate_body",
        "reset_after_bytes(3)",
        "malformed_json",
        "malformed_chunk",
        "slow_body(1s)",
        "slow_close(1s)",
    ] {
        let mut client = client(&format!("rent: {fault}"));
        assert_eq!(client.post_rent().status, 200);
        assert_eq!(client.balance(), "998.56", "{fault}");
    }
}

#[test]
fn a_rule_is_over_when_its_time_after_the_accounts_first_request_is() {
    let mut client = client("profile: status(503) ttl 30s");
    // The account's first request is what the thirty seconds run from.
    client.at(100.0).get("/api/v1/rentals/history");
    assert_eq!(client.at(129.9).get(PROFILE).status, 503);
    assert_eq!(client.at(130.0).get(PROFILE).status, 200);
}

fn prefer(client: &mut Client, header: &str) -> Reply {
    let request = Request {
        prefer: Some(header),
        ..Request::plain("GET", PROFILE, &[b'k'; 60])
    };
    client.mock.handle(client.now, &request)
}

#[test]
fn a_preferred_fault_is_for_one_request_and_comes_first() {
    let mut client = Client::new(r#"faults = ["profile: status(500) nth 1"]"#);
    assert_eq!(prefer(&mut client, "fault=status(418)").status, 418);
    assert_eq!(client.get(PROFILE).status, 200, "the rule has counted on");
    let preferred = prefer(&mut client, "wait=5, fault=latency(uniform(1s,2s))");
    let again = prefer(&mut client, "fault=latency(uniform(1s,2s))");
    assert_ne!(preferred.delivery, again.delivery, "the dice are not stuck");
    let Delivery::Whole { at } = preferred.delivery else {
        panic!("{preferred:?}");
    };
    assert!((1..2).contains(&at.since(client.now).as_secs()));
    assert_eq!(prefer(&mut client, "respond-async").status, 200);
}

#[test]
fn what_cannot_be_preferred_is_refused_before_the_operation() {
    let mut client = Client::new("");
    for header in [
        "fault=explode",
        "fault",
        "fault=no_numbers",
        "fault=timeout nth 2",
    ] {
        let reply = prefer(&mut client, header);
        assert_eq!(reply.status, 400, "{header}");
        let body = String::from_utf8(reply.body.to_vec()).expect("text");
        assert!(
            body.contains("The mock server cannot read the fault"),
            "{body}"
        );
        assert!(body.starts_with(r#"{"success":false,"message":"#), "{body}");
    }
}
