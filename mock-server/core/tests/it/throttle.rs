//! Rate limits in an account's own time, and keys under which a rent is made once.

use std::time::Duration;

use contract::ApiKey;
use mock_server_core::control::Event;
use mock_server_core::{Body, Media, Reply, Request};

use crate::client::Client;
use crate::control::advance;

const PROFILE: &str = "/api/v1/profile";

fn header<'a>(reply: &'a Reply, wanted: &str) -> Option<&'a str> {
    let mut headers = reply.headers();
    let (_, value) = headers.find(|(name, _)| *name == wanted)?;
    Some(value)
}

fn client(dialect: &str) -> Client {
    Client::new(&format!("sms_delay = \"never\"\ndialect = \"{dialect}\""))
}

#[test]
fn sixty_a_minute_over_all_routes_and_two_rents_a_second() {
    let mut client = client("rate_limit=realistic");
    let first = client.get(PROFILE);
    assert_eq!(header(&first, "x-ratelimit-limit"), Some("60"));
    assert_eq!(header(&first, "x-ratelimit-remaining"), Some("59"));
    assert_eq!(header(&first, "x-ratelimit-reset"), None);
    client.at(1.0);
    assert_eq!([0; 3].map(|_| client.post_rent().status), [200, 200, 429]);
    assert_eq!(client.at(2.0).post_rent().status, 200);
    for _ in 0..56 {
        assert_eq!(client.get(PROFILE).status, 200);
    }
    client.at(30.5);
    let refused = client.poll(13_322_954);
    assert_eq!((refused.status, refused.retry_after), (429, Some(30)));
    assert_eq!(header(&refused, "x-ratelimit-remaining"), Some("0"));
    // A minute after 03:20:14.
    assert_eq!(header(&refused, "x-ratelimit-reset"), Some("1781148074"));
    assert_eq!(refused.media, Media::Json);
    assert_eq!(client.at(60.0).get(PROFILE).status, 200);
    let key = ApiKey::from_bytes(&[b's'; 60]).expect("well-formed");
    let other = Request::plain("GET", PROFILE, key.secret().as_bytes());
    assert_eq!(client.mock.handle(client.now, &other).status, 200);
}

#[test]
fn a_hostile_limit_says_nothing_but_no() {
    let mut client = client("rate_limit=hostile");
    let replies = [0; 3].map(|_| client.post_rent());
    assert_eq!([0, 1, 2].map(|n: usize| replies[n].status), [200, 200, 429]);
    for reply in &replies {
        assert_eq!((reply.headers().count(), reply.retry_after), (0, None));
    }
    assert_eq!(replies[2].media, Media::Html);
    assert!(replies[2].body.starts_with(b"<html>"));
}

#[test]
fn a_limit_comes_before_the_fault_rules_and_refused_requests_do_nothing() {
    let mut client =
        Client::new("dialect = \"rate_limit=2/s\"\nfaults = [\"rent: status(500) nth 2\"]");
    assert_eq!(client.post_rent().status, 200);
    let failed = client.post_rent();
    assert_eq!(failed.status, 500);
    assert_eq!(header(&failed, "x-ratelimit-remaining"), Some("0"));
    assert_eq!(client.post_rent().status, 429);
    assert_eq!(client.get("/nothing").status, 404, "not counted");
    assert_eq!(
        client.at(1.0).post_rent().status,
        200,
        "no third for the rule"
    );
    assert_eq!(client.balance(), "997.12");
}

#[test]
fn an_advance_opens_the_window_and_says_so() {
    let mut client = client("rate_limit=1/min");
    let me = client.me();
    client
        .mock
        .set_pace(client.now, me, 0.0.try_into().expect("a pace"));
    client.get(PROFILE);
    client.at(3600.0);
    assert_eq!(client.get(PROFILE).status, 429, "its time stands still");
    let fired = advance(me, &mut client, 1);
    assert_eq!(fired.len(), 1);
    let (event, rental) = (fired[0].event, fired[0].rental_id);
    assert_eq!((event, rental), (Event::RateWindowReset, None));
    assert_eq!(client.get(PROFILE).status, 200);
}

fn rent(client: &mut Client, key: Option<&str>, service: &str) -> Reply {
    let body = format!(r#"{{"service":"{service}"}}"#);
    let request = Request {
        idempotency_key: key,
        body: Body::Whole(body.as_bytes()),
        ..Request::plain("POST", "/api/v1/number/rent", &[b'k'; 60])
    };
    client.mock.handle(client.now, &request)
}

#[test]
fn a_rent_under_the_same_key_is_answered_once_more_and_made_once() {
    let mut client = client("idempotency=honoured");
    let first = rent(&mut client, Some("a"), "whatsapp");
    client.at(60.0);
    let again = rent(&mut client, Some("a"), "WhatsApp");
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(header(&again, "idempotent-replayed"), Some("true"));
    assert_eq!(header(&first, "idempotent-replayed"), None);
    assert_eq!(client.balance(), "998.56");
    let other = rent(&mut client, Some("a"), "telegram");
    assert_eq!(other.status, 422);
    assert_ne!(rent(&mut client, Some("b"), "whatsapp").body, first.body);
    assert_ne!(rent(&mut client, None, "whatsapp").body, first.body);
    assert_eq!(rent(&mut client, Some(""), "whatsapp").status, 400);
    let long = "x".repeat(256);
    assert_eq!(rent(&mut client, Some(&long), "whatsapp").status, 400);
    client.now += Duration::from_secs(24 * 3600);
    assert_ne!(rent(&mut client, Some("a"), "whatsapp").body, first.body);
}

#[test]
fn a_refusal_is_repeated_as_well_but_not_what_was_never_tried() {
    let mut client = Client::new("balance = \"0.00\"\ndialect = \"idempotency=honoured\"");
    assert_eq!(rent(&mut client, Some("a"), "nothing").status, 422);
    assert_eq!(rent(&mut client, Some("a"), "whatsapp").status, 402);
    assert_eq!(rent(&mut client, Some("a"), "whatsapp").status, 402);
    assert_eq!(rent(&mut client, Some("a"), "telegram").status, 422);
}

#[test]
fn an_answer_that_was_lost_is_what_the_key_brings_back() {
    let mut client = Client::new(
        "dialect = \"idempotency=honoured\"\nfaults = [\"rent: reset_peer nth 1 after_commit\"]",
    );
    rent(&mut client, Some("a"), "whatsapp");
    assert_eq!(client.balance(), "998.56");
    let again = rent(&mut client, Some("a"), "whatsapp");
    assert_eq!((again.status, client.balance().as_str()), (200, "998.56"));
}

#[test]
fn by_default_a_key_means_nothing() {
    let mut client = client("default");
    let first = rent(&mut client, Some("a"), "whatsapp");
    assert_ne!(rent(&mut client, Some("a"), "whatsapp").body, first.body);
    assert_eq!(rent(&mut client, Some(""), "whatsapp").status, 200);
}
