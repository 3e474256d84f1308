//! Several endpoints of an account, and what fault rules do to webhooks, under
//! made-up time.

use std::sync::Arc;

use contract::body::Webhook;
use mock_server_core::control::{EndpointError, Event, WrittenEndpoint};
use mock_server_core::queue::ReplayError;
use mock_server_core::watch::{Watch, Wish};
use mock_server_core::{
    AccountSettings, FaultRule, Scope, WebhookAttempt, WebhookOutcome, WebhookSettings,
};

use crate::client::Client;
use crate::control::advance;

/// Ten seconds from rent to SMS, an endpoint, and these fault rules.
fn client(rules: &[&str]) -> Client {
    let url = "http://localhost/".parse().expect("well-formed");
    let rules = rules.iter().map(|rule| rule.parse::<FaultRule>());
    Client::with(AccountSettings {
        sms_delay: "10s".parse().expect("a law"),
        webhook: Some(Arc::new(WebhookSettings::new(url))),
        faults: rules.collect::<Result<_, _>>().expect("rules"),
        ..AccountSettings::new(7)
    })
}

/// Everything that is posted up to `seconds`, at its second; all is acknowledged.
fn posted(client: &mut Client, seconds: u64) -> Vec<(u64, WebhookAttempt)> {
    let mut all = Vec::new();
    while let Some(due) = client.mock.next_webhook_due() {
        if due.since_start().as_secs() > seconds {
            break;
        }
        client.now = client.now.max(due);
        let Some(attempt) = client.mock.take_due_webhook(client.now) else {
            continue;
        };
        let (delivery, taken) = (attempt.delivery, WebhookOutcome::Acknowledged);
        all.push((client.now.since_start().as_secs(), attempt));
        client.mock.webhook_answered(client.now, delivery, taken);
    }
    all
}

fn about(attempt: &WebhookAttempt) -> u64 {
    let event: Webhook<'_> = serde_json::from_slice(&attempt.body).expect("an event");
    event.rental_id
}

fn header<'a>(attempt: &'a WebhookAttempt, wanted: &str) -> &'a str {
    let mut headers = attempt.headers.iter();
    let found = headers.find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value.as_str()).expect(wanted)
}

fn written(json: &str) -> WrittenEndpoint {
    serde_json::from_str(json).expect(json)
}

#[test]
fn what_is_dropped_is_never_posted_and_in_the_log() {
    let mut client = client(&["rent: webhook_drop nth 2"]);
    let ids = [(); 3].map(|()| client.rent().0);
    let taken: Vec<_> = posted(&mut client, 60)
        .iter()
        .map(|(_, it)| about(it))
        .collect();
    assert_eq!(taken, [ids[0], ids[2]]);
    let me = client.me();
    let log = client.mock.deliveries(me, Some(ids[1] as u32), 10);
    assert_eq!((log.len(), log[0].state), (1, "dropped"));
    assert_eq!(
        (log[0].faults.clone(), log[0].attempts.len()),
        (vec!["webhook_drop"], 0)
    );
    assert!(client.sees_sms(ids[1]), "the poll shows it as ever");
}

#[test]
fn what_is_late_or_comes_twice_says_the_same() {
    let rules = [
        "rent: webhook_late(30s) nth 1",
        "rent: webhook_duplicate nth 2",
        "rent: webhook_duplicate(concurrent) nth 3",
    ];
    let mut client = client(&rules);
    let ids = [(); 3].map(|()| client.rent().0);
    let all = posted(&mut client, 60);
    let seconds: Vec<_> = all
        .iter()
        .map(|(second, it)| (*second, about(it)))
        .collect();
    let [late, twice, pair] = ids;
    assert_eq!(
        seconds,
        [(10, twice), (10, pair), (10, pair), (11, twice), (40, late)]
    );
    assert_eq!(all[1].1.body, all[2].1.body);
    assert_eq!(all[0].1.body, all[3].1.body);
}

#[test]
fn a_pair_is_under_way_at_once() {
    let mut client = client(&["rent: webhook_duplicate(concurrent)"]);
    client.rent();
    client.at(10.0);
    let pair = [(); 2].map(|()| client.mock.take_due_webhook(client.now).expect("due"));
    assert_ne!(pair[0].delivery, pair[1].delivery);
}

#[test]
fn what_is_reordered_is_overtaken_by_the_next() {
    let mut client = client(&["rent: webhook_reorder nth 1"]);
    let first = client.rent().0;
    let second = client.at(3.0).rent().0;
    let alone = client.at(100.0).rent().0;
    let order: Vec<_> = posted(&mut client, 200)
        .iter()
        .map(|(second, it)| (*second, about(it)))
        .collect();
    assert_eq!(order, [(100, second), (100, first), (110, alone)]);
    let mut lonely = self::client(&["rent: webhook_reorder"]);
    lonely.rent();
    let seconds: Vec<_> = posted(&mut lonely, 60).iter().map(|(at, _)| *at).collect();
    assert_eq!(seconds, [15], "nobody came, so it waited in vain");
}

#[test]
fn an_advance_goes_on_behind_what_is_held_back_or_dropped() {
    let rules = ["rent: webhook_reorder nth 1", "rent: webhook_drop nth 2"];
    let mut client = client(&rules);
    let me = client.me();
    for _ in 0..3 {
        client.rent();
    }
    let fired = advance(me, &mut client, 1);
    let posts = fired.iter().filter(|it| it.event == Event::WebhookPosted);
    let posts = posts.filter(|it| it.attempt == Some(1));
    let posts: Vec<_> = posts.map(|fired| fired.rental_id).collect();
    assert_eq!(posts, [Some(13_322_956), Some(13_322_954)]);
}

#[test]
fn what_is_early_is_posted_before_the_rent_is_answered() {
    let mut client = client(&["rent: webhook_early nth 1"]);
    let mut reply = client.post_rent();
    let posts = reply.take_posts();
    assert_eq!(posts.len(), 1);
    let event: Webhook<'_> = serde_json::from_slice(&posts[0].body).expect("an event");
    assert_eq!(event.timestamp, 1_781_148_014, "not when its SMS will come");
    assert!(!client.sees_sms(event.rental_id), "no poll shows it yet");
    let failed = WebhookOutcome::Failed;
    client
        .mock
        .webhook_answered(client.now, posts[0].delivery, failed);
    let again = posted(&mut client, 60);
    assert_eq!(again[0].0, 15, "like any other, it is tried again");
    assert_eq!(again[0].1.body, posts[0].body);
    assert_eq!(client.post_rent().take_posts(), []);
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_bad_signature_and_a_stale_timestamp_are_as_they_are_named() {
    let rules = [
        "rent: webhook_bad_signature nth 2",
        "rent: webhook_stale_timestamp nth 3",
    ];
    let mut client = client(&rules);
    let me = client.me();
    let endpoint = written(&format!(
        r#"{{"url":"http://localhost/","secret":"{SECRET}"}}"#
    ));
    client
        .mock
        .add_endpoint(client.now, me, endpoint)
        .expect("a secret");
    for _ in 0..3 {
        client.rent();
    }
    let all = posted(&mut client, 60);
    let signed: Vec<_> = all
        .iter()
        .map(|(_, attempt)| attempt)
        .filter(|attempt| !attempt.headers.is_empty())
        .collect();
    assert_eq!((all.len(), signed.len()), (6, 3), "the other is not signed");
    let ids: Vec<_> = signed.iter().map(|it| header(it, "webhook-id")).collect();
    assert_eq!(ids, ["msg_13322954_0", "msg_13322955_0", "msg_13322956_0"]);
    let times: Vec<_> = signed
        .iter()
        .map(|it| header(it, "webhook-timestamp"))
        .collect();
    assert_eq!(times, ["1781148024", "1781148024", "1781144424"]);
    for attempt in &signed {
        let signature = header(attempt, "webhook-signature");
        assert!(signature.starts_with("v1,") && signature.len() == 47);
    }
}

#[test]
fn every_endpoint_gets_every_event_and_each_has_its_own_attempts() {
    let mut client = client(&[]);
    let me = client.me();
    let endpoint = |path: &str, retry: &str| {
        written(&format!(
            r#"{{"url":"http://localhost/{path}","retry":"{retry}","truth":true}}"#
        ))
    };
    let mine = client
        .mock
        .add_endpoint(client.now, me, endpoint("mine", "none"))
        .expect("room");
    let all = client
        .mock
        .add_endpoint(client.now, Scope::Server, endpoint("all", "3x1s"))
        .expect("room");
    assert_eq!(mine.endpoint.id.to_string(), "account-1");
    assert_eq!(
        (all.endpoint.id.to_string(), all.secret),
        ("server-1".to_owned(), None)
    );
    client.rent();
    let failed = WebhookOutcome::Failed;
    let mut urls = Vec::new();
    while let Some(due) = client.mock.next_webhook_due() {
        client.now = due;
        let attempt = client.mock.take_due_webhook(due).expect("due");
        let second = due.since_start().as_secs();
        urls.push(format!("{second} {}", attempt.receiver.url.path()));
        client.mock.webhook_answered(due, attempt.delivery, failed);
    }
    let expected = [
        "10 /mine", "10 /all", "10 /", "11 /all", "12 /all", "25 /", "40 /", "55 /", "70 /",
    ];
    assert_eq!(urls, expected);
    let views = client.mock.endpoints(client.now, me);
    let given_up: Vec<_> = views
        .iter()
        .map(|view| (view.id.to_string(), view.failures, view.given_up))
        .collect();
    let expected = [
        ("account-1", 1, 1),
        ("server-1", 3, 1),
        ("settings-1", 5, 1),
    ];
    let expected = expected.map(|(id, failures, lost)| (id.to_owned(), failures, lost));
    assert_eq!(given_up, expected);
    let (other, gone) = (Scope::Server, "account-1".parse().expect("an id"));
    let error = client.mock.remove_endpoint(client.now, other, gone);
    assert_eq!(error, Err(EndpointError::Missing), "it is not everybody's");
    let error = client.mock.remove_endpoint(client.now, me, all.endpoint.id);
    assert_eq!(error, Err(EndpointError::OfServer));
}

#[test]
fn endpoints_outlive_a_reset_and_what_waits_for_them_does_not() {
    let mut client = client(&[]);
    let me = client.me();
    let endpoint = written(r#"{"url":"http://localhost/mine","secret":"auto"}"#);
    let made = client
        .mock
        .add_endpoint(client.now, me, endpoint.clone())
        .expect("room");
    let secret = made.secret.expect("made up");
    assert!(secret.starts_with("whsec_"), "{secret}");
    client.rent();
    client.mock.reset(client.now, me);
    assert_eq!(client.mock.next_webhook_due(), None);
    client.rent();
    assert_eq!(posted(&mut client, 60).len(), 2);
    let again = client
        .mock
        .replace_endpoint(client.now, me, made.endpoint.id, endpoint)
        .expect("it is there");
    assert_eq!(again.secret, Some(secret), "it is counted from the seed");
    client
        .mock
        .remove_endpoint(client.now, me, made.endpoint.id)
        .expect("it is there");
    client.rent();
    assert_eq!(posted(&mut client, 600).len(), 1);
}

#[test]
fn an_endpoint_that_is_gone_gets_no_more_until_it_is_put_again() {
    let mut client = client(&[]);
    let me = client.me();
    let endpoint = || {
        written(&format!(
            r#"{{"url":"http://localhost/","secret":"{SECRET}"}}"#
        ))
    };
    let id = "account-1".parse().expect("an id");
    client
        .mock
        .add_endpoint(client.now, me, endpoint())
        .expect("room");
    client
        .mock
        .remove_endpoint(client.now, me, "settings-1".parse().expect("an id"))
        .expect_err("it is the settings'");
    client.rent();
    client.at(10.0);
    let attempt = client.mock.take_due_webhook(client.now).expect("due");
    assert_eq!(attempt.outcome(410), WebhookOutcome::Gone);
    client
        .mock
        .webhook_answered(client.now, attempt.delivery, WebhookOutcome::Gone);
    let view = client
        .mock
        .endpoint(client.now, me, id)
        .expect("it is there");
    assert!(view.disabled);
    let log = client.mock.deliveries(me, None, 10);
    let gone = log
        .iter()
        .find(|it| it.endpoint == id)
        .expect("it was posted");
    assert_eq!(
        (gone.state, gone.attempts[0].outcome),
        ("given_up", Some("gone"))
    );
    let replayed = client.mock.replay_delivery(client.now, me, gone.id);
    assert_eq!(replayed, Err(ReplayError::Disabled));
    client
        .mock
        .replace_endpoint(client.now, me, id, endpoint())
        .expect("it is there");
    let number = gone.id;
    assert_eq!(client.mock.replay_delivery(client.now, me, number), Ok(()));
    let wish: Wish = serde_json::from_str(r#"{"for":"webhooks"}"#).expect("a wish");
    assert_ne!(client.mock.watch(client.now, me, &wish), Watch::Happened);
    let replayed = posted(&mut client, 60);
    assert!(
        replayed
            .iter()
            .any(|(_, it)| it.delivery == attempt.delivery && it.number == 2)
    );
    assert_eq!(client.mock.watch(client.now, me, &wish), Watch::Happened);
    let shown = client.mock.delivery(me, number).expect("remembered");
    assert_eq!((shown.state, shown.attempts.len()), ("acknowledged", 2));
}

#[test]
fn ten_thousand_webhooks_for_a_dead_endpoint_wait_and_polls_do_not() {
    let mut client = client(&[]);
    let me = client.me();
    let ids: Vec<_> = (0..600).map(|_| client.rent().0).collect();
    let balance = Some("100000.00".parse().expect("an amount"));
    let patch = mock_server_core::settings::AccountPatch {
        balance,
        ..Default::default()
    };
    let change = mock_server_core::control::accounts::Change {
        patch,
        silent: false,
    };
    let key = contract::ApiKey::from_bytes(&[b'k'; 60]).expect("a key");
    let amend = mock_server_core::control::accounts::Manner::Amend;
    client.mock.change_account(client.now, key, change, amend);
    for _ in ids.len()..10_000 {
        client.rent();
    }
    client.at(20.0);
    let mut under_way = Vec::new();
    while let Some(attempt) = client.mock.take_due_webhook(client.now) {
        under_way.push(attempt.delivery);
    }
    assert_eq!(
        under_way.len(),
        64,
        "so many bodies and sockets, and no more"
    );
    let pending = client.mock.pending_webhooks(client.now);
    assert_eq!((pending.overdue, pending.posting), (10_000 - 64, 64));
    assert!(client.sees_sms(ids[0]), "polls are answered");
    for delivery in under_way {
        client
            .mock
            .webhook_answered(client.now, delivery, WebhookOutcome::Failed);
    }
    let mut under_way = 0;
    while client.mock.take_due_webhook(client.now).is_some() {
        under_way += 1;
    }
    assert_eq!(under_way, 4, "it seems to be dead");
    let pending = client.mock.pending_webhooks(client.now);
    let all = pending.scheduled + pending.overdue + pending.posting;
    assert_eq!(all, 10_000, "none is forgotten");
    let view = &client.mock.endpoints(client.now, me)[0];
    assert_eq!(view.pending, pending);
}
