//! SMS and ends by a tester's hand, at times that the tests make up.

use std::sync::Arc;
use std::time::Duration;

use contract::body::{CheckOtp, Webhook};
use contract::{ApiKey, Moment};
use mock_server_core::control::Scope;
use mock_server_core::{AccountSettings, HandError, WebhookOutcome, WebhookSettings};

use crate::client::Client;

fn client(law: &str) -> Client {
    let url = "http://localhost/".parse().expect("well-formed");
    Client::with(AccountSettings {
        sms_delay: law.parse().expect(law),
        webhook: Some(Arc::new(WebhookSettings::new(url))),
        ..AccountSettings::new(7)
    })
}

/// The SMS arrives by hand, with nothing or this code and this text.
fn deliver(
    client: &mut Client,
    id: u64,
    code: Option<&str>,
    text: Option<&str>,
) -> Result<(), HandError> {
    let me = client.me();
    client
        .mock
        .deliver_sms(client.now, me, id as u32, code, text)
}

fn expire(client: &mut Client, id: u64) -> Result<(), HandError> {
    let me = client.me();
    client.mock.expire(client.now, me, id as u32)
}

/// Code and text that the poll shows.
fn shown(client: &mut Client, id: u64) -> (String, String) {
    let reply = client.poll(id);
    let body: CheckOtp<'_> = serde_json::from_slice(&reply.body).expect("a poll");
    let (code, text) = (body.sms_code, body.full_message);
    let both = code.zip(text).expect("an SMS");
    (both.0.into_owned(), both.1.into_owned())
}

/// The code of the event that is due now, which its receiver takes.
fn posted(client: &mut Client) -> Option<String> {
    let attempt = client.mock.take_due_webhook(client.now)?;
    let outcome = WebhookOutcome::Acknowledged;
    client
        .mock
        .webhook_answered(client.now, attempt.delivery, outcome);
    let event: Webhook<'_> = serde_json::from_slice(&attempt.body).expect("an event");
    Some(event.sms_code.into_owned())
}

#[test]
fn an_sms_by_hand_comes_now_and_in_place_of_the_one_that_was_to_come() {
    let mut client = client("10s");
    let (id, _) = client.rent();
    client.at(3.0);
    assert_eq!(deliver(&mut client, id, None, None), Ok(()));
    let (code, text) = shown(&mut client, id);
    assert_eq!(client.newest_row().sms_code.as_deref(), Some(&*code));
    assert_eq!(posted(&mut client).as_ref(), Some(&code));
    client.at(11.0);
    assert_eq!(posted(&mut client), None, "the drawn event never comes");
    assert_eq!(shown(&mut client, id), (code, text));
    assert_eq!(client.at(5000.0).balance(), "998.56", "paid for and kept");
}

#[test]
fn it_says_what_the_tester_wants() {
    let mut client = client("never");
    let (id, _) = client.rent();
    deliver(&mut client, id, Some("0042"), None).expect("pending");
    let (code, text) = shown(&mut client, id);
    assert_eq!(code, "0042");
    assert!(text.replace('-', "").contains("0042"), "{text}");
    let (id, _) = client.rent();
    deliver(&mut client, id, Some("G-77"), Some("Code G-77 is yours")).expect("pending");
    let expected = ("G-77".to_owned(), "Code G-77 is yours".to_owned());
    assert_eq!(shown(&mut client, id), expected);
}

#[test]
fn to_a_rental_with_its_code_it_is_a_second_sms_with_an_event_of_its_own() {
    let mut client = client("2s");
    let (id, _) = client.rent();
    client.at(2.0);
    let (first, _) = shown(&mut client, id);
    assert_eq!(posted(&mut client), Some(first));
    for code in ["second", "third"] {
        deliver(&mut client, id, Some(code), None).expect("completed");
        assert_eq!(shown(&mut client, id).0, code);
        assert_eq!(posted(&mut client).as_deref(), Some(code));
        assert_eq!(posted(&mut client), None);
    }
    assert_eq!(client.balance(), "998.56", "charged once");
}

#[test]
fn retries_go_on_with_the_bytes_they_began_with() {
    let mut client = client("2s");
    let (id, _) = client.rent();
    client.at(2.0);
    let (first, _) = shown(&mut client, id);
    let attempt = client.mock.take_due_webhook(client.now).expect("due");
    let failed = WebhookOutcome::Failed;
    client
        .mock
        .webhook_answered(client.now, attempt.delivery, failed);
    deliver(&mut client, id, Some("second"), None).expect("completed");
    assert_eq!(posted(&mut client).as_deref(), Some("second"));
    client.at(17.0);
    let again = client.mock.take_due_webhook(client.now).expect("a retry");
    assert_eq!(again.body, attempt.body);
    assert!(again.body.windows(6).any(|part| part == first.as_bytes()));
}

#[test]
fn an_end_by_hand_is_refunded_now_and_only_once() {
    let mut client = client("10s");
    let (id, _) = client.rent();
    let (other, _) = client.rent();
    client.at(3.0);
    assert_eq!(client.balance(), "997.12");
    assert_eq!(expire(&mut client, id), Ok(()));
    assert_eq!(client.balance(), "998.56");
    assert_eq!(expire(&mut client, id), Ok(()), "it has ended already");
    let mut sees = |seconds, id| client.at(seconds).sees_sms(id);
    assert!(!sees(11.0, id), "its SMS never comes");
    assert!(sees(11.0, other));
    assert!(posted(&mut client).is_some(), "of the other one");
    assert_eq!(posted(&mut client), None);
    assert_eq!(client.at(5000.0).balance(), "998.56");
}

#[test]
fn the_hand_is_refused_what_cannot_be() {
    let mut client = client("2s");
    let (id, _) = client.rent();
    client.at(2.0);
    assert_eq!(expire(&mut client, id), Err(HandError::HasSms));
    let (ended, _) = client.rent();
    expire(&mut client, ended).expect("pending");
    let late = deliver(&mut client, ended, None, None);
    assert_eq!(late, Err(HandError::Ended));
    let unknown = deliver(&mut client, ended + 1, None, None);
    assert_eq!(unknown, Err(HandError::NoSuchRental));
    let stranger = ApiKey::from_bytes(&[b's'; 60]).expect("well-formed");
    let stranger = client.mock.scope(client.now, stranger).expect("any key");
    let foreign = client.mock.expire(client.now, stranger, id as u32);
    assert_eq!(foreign, Err(HandError::NoSuchRental));
    let all = Scope::Server;
    let known = client
        .mock
        .deliver_sms(client.now, all, id as u32, None, None);
    assert_eq!(known, Ok(()));
}

#[test]
fn now_is_the_accounts_time_even_when_it_stands_still() {
    let mut client = client("10s");
    let me = client.me();
    let frozen = 0.0.try_into().expect("a pace");
    client.mock.set_pace(client.now, me, frozen);
    let (id, _) = client.rent();
    client.at(3600.0);
    assert_eq!(client.mock.next_webhook_due(), None);
    deliver(&mut client, id, None, None).expect("pending: no time has passed");
    assert!(client.mock.next_webhook_due() <= Some(client.now));
    assert!(client.sees_sms(id));
    assert!(posted(&mut client).is_some());
    let (second, _) = client.rent();
    expire(&mut client, second).expect("pending");
    let advance = Duration::from_secs(1200);
    let mut advance = client.mock.begin_advance(client.now, me, advance);
    client.mock.step(client.now, &mut advance);
    assert_eq!(advance.finish(), [], "all of it has happened before");
    assert!(client.now > Moment::START);
}

/// A scaled clock gets there in two days of a real one. What was rented at the
/// very end once ended at its beginning, and an SMS by hand lost its refund.
#[test]
fn at_the_end_of_time_money_still_agrees_with_the_rentals() {
    let mut client =
        Client::new("sms_delay = \"never\"\ntime_scale = 86400\ndialect = \"hostile\"");
    client.rent();
    client.at(300_000.0);
    let (id, _) = client.rent();
    deliver(&mut client, id, None, None).expect("it waits for its SMS");
    let me = client.me();
    let ledger = &client.mock.ledgers(client.now, me)[0];
    assert!(ledger.conserved, "{ledger:?}");
    assert!(client.sees_sms(id));
}
