//! What a dialect makes of webhooks: when, how often, how patiently, signed or not.

use std::sync::Arc;
use std::time::Duration;

use mock_server_core::control::Event;
use mock_server_core::{
    AccountSettings, Dialect, DialectFile, WebhookAttempt, WebhookOutcome, WebhookSettings,
};

use crate::client::Client;
use crate::control::advance;

fn client(dialect: &str, law: &str) -> Client {
    let url = "http://localhost/".parse().expect("well-formed");
    let dialect: DialectFile = dialect.parse().expect(dialect);
    Client::with(AccountSettings {
        sms_delay: law.parse().expect(law),
        webhook: Some(Arc::new(WebhookSettings::new(url))),
        dialect: Arc::new(dialect.applied_to(&Dialect::default())),
        ..AccountSettings::new(7)
    })
}

/// Takes the next attempt when it is due, which `outcome` becomes of.
fn post(client: &mut Client, outcome: WebhookOutcome) -> Option<WebhookAttempt> {
    let due = client.mock.next_webhook_due()?;
    client.now = client.now.max(due);
    let attempt = client.mock.take_due_webhook(client.now)?;
    let delivery = attempt.delivery;
    client.mock.webhook_answered(client.now, delivery, outcome);
    Some(attempt)
}

/// Milliseconds from the start to each attempt until there are no more.
fn moments(client: &mut Client, outcome: WebhookOutcome) -> Vec<u64> {
    let posts = std::iter::from_fn(|| {
        post(client, outcome)?;
        Some(client.now.since_start().as_millis() as u64)
    });
    posts.collect()
}

#[test]
fn an_event_comes_before_or_with_or_after_what_the_poll_shows() {
    for (dialect, law, at) in [
        ("default", "2s", 2000),
        ("webhook_order=webhook_first(500ms)", "2s", 1500),
        ("webhook_order=webhook_first(5s)", "2s", 0),
        ("webhook_order=delayed(3s)", "2s", 5000),
        ("webhook_order=before_rent_answer", "2s", 2000),
    ] {
        let mut client = client(dialect, law);
        client.rent();
        let taken = moments(&mut client, WebhookOutcome::Acknowledged);
        assert_eq!(taken, [at], "{dialect}");
    }
}

#[test]
fn an_sms_that_is_there_at_once_is_posted_before_the_rent_is_answered() {
    let mut client = client(
        "webhook_order=before_rent_answer, webhook_duplicate=concurrent",
        "0s",
    );
    let mut reply = client.post_rent();
    let posts = reply.take_posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].body, posts[1].body);
    assert_eq!(client.mock.next_webhook_due(), None, "nobody else posts it");
    let failed = WebhookOutcome::Failed;
    for post in posts {
        client
            .mock
            .webhook_answered(client.now, post.delivery, failed);
    }
    assert_eq!(moments(&mut client, failed).first(), Some(&15_000));
    assert_eq!(reply.take_posts(), []);
    let mut late = self::client("webhook_order=before_rent_answer", "1s");
    assert_eq!(late.post_rent().take_posts(), []);
}

#[test]
fn a_rent_waits_for_its_own_webhooks_only() {
    let mut client = client("webhook_order=before_rent_answer", "0s");
    let first = client.post_rent().take_posts().remove(0);
    let failed = WebhookOutcome::Failed;
    client
        .mock
        .webhook_answered(client.now, first.delivery, failed);
    let posts = client.at(15.0).post_rent().take_posts();
    assert_eq!(posts.len(), 1);
    assert_ne!(posts[0].delivery, first.delivery);
    let retry = client.mock.take_due_webhook(client.now).expect("due");
    assert_eq!(retry.delivery, first.delivery);
}

#[test]
fn posts_before_the_answer_are_made_even_if_nobody_gets_it() {
    let rules = "sms_delay = \"0s\"\nfaults = [\"rent: reset_peer after_commit\"]\n\
                 webhook_url = \"http://localhost/\"\n\
                 dialect = \"webhook_order=before_rent_answer\"";
    let mut reply = Client::new(rules).post_rent();
    assert_eq!(reply.take_posts().len(), 1, "{reply:?}");
}

#[test]
fn what_is_not_acknowledged_comes_again_as_the_service_has_it() {
    let failed = WebhookOutcome::Failed;
    for (dialect, expected) in [
        ("webhook_retry=none", vec![0]),
        ("webhook_retry=3x2s", vec![0, 2000, 4000]),
        ("webhook_retry=plivo", vec![0, 60_000, 180_000, 420_000]),
    ] {
        let mut client = client(dialect, "0s");
        client.rent();
        assert_eq!(moments(&mut client, failed), expected, "{dialect}");
    }
    let mut vonage = client("webhook_retry=vonage", "0s");
    vonage.rent();
    let moments = moments(&mut vonage, failed);
    assert_eq!(moments[..4], [0, 5000, 15_000, 35_000]);
    let last = Duration::from_millis(*moments.last().expect("some"));
    let day = Duration::from_secs(24 * 3600);
    assert!(last <= day && last > day - Duration::from_secs(900));
}

#[test]
fn fifty_failures_in_a_row_disable_the_receiver_until_a_reset() {
    let mut client = client("webhook_retry=disable_after_50", "0s");
    let me = client.me();
    for _ in 0..20 {
        client.rent();
    }
    let count = moments(&mut client, WebhookOutcome::Failed).len();
    assert_eq!(count, 50);
    let endpoint = &client.mock.endpoints(client.now, me)[0];
    assert_eq!((endpoint.failures, endpoint.disabled), (50, true));
    client.rent();
    assert_eq!(client.mock.next_webhook_due(), None);
    client.mock.reset(client.now, me);
    client.rent();
    assert!(client.mock.next_webhook_due().is_some());
}

#[test]
fn a_receiver_has_so_long_and_has_to_say_the_right_thing() {
    let mut client = client("webhook_ack=200, webhook_timeout=3s", "0s");
    client.rent();
    let attempt = post(&mut client, WebhookOutcome::Acknowledged).expect("due");
    assert_eq!(attempt.timeout, Duration::from_secs(3));
    let outcomes = [200, 204, 302].map(|status| attempt.outcome(status));
    let failed = WebhookOutcome::Failed;
    assert_eq!(outcomes, [WebhookOutcome::Acknowledged, failed, failed]);
    let mut default = self::client("default", "0s");
    default.rent();
    let attempt = post(&mut default, failed).expect("due");
    assert_eq!(attempt.outcome(204), WebhookOutcome::Acknowledged);
    assert_eq!(attempt.headers, []);
}

#[test]
fn the_very_bytes_are_signed_and_the_attempt_has_its_time() {
    let mut client = client("webhook_signature=Jefe", "2s");
    client.rent();
    let first = post(&mut client, WebhookOutcome::Failed).expect("due");
    let again = post(&mut client, WebhookOutcome::Failed).expect("due again");
    let (name, signature) = &first.headers[0];
    assert_eq!(*name, "x-signature");
    assert!(signature.starts_with("sha256=") && signature.len() == 7 + 64);
    assert_eq!(first.headers[0], again.headers[0]);
    let times = [first, again].map(|attempt| attempt.headers[1].1.clone());
    assert_eq!(times, ["1781148016", "1781148031"]);
}

#[test]
fn an_event_may_come_twice() {
    for (dialect, expected) in [
        ("webhook_duplicate=off", vec![2000]),
        ("webhook_duplicate=concurrent", vec![2000, 2000]),
        ("webhook_duplicate=1", vec![2000, 3000]),
        ("webhook_duplicate=0", vec![2000]),
    ] {
        let mut client = client(dialect, "2s");
        client.rent();
        let taken = moments(&mut client, WebhookOutcome::Acknowledged);
        assert_eq!(taken, expected, "{dialect}");
    }
    let mut some = client("webhook_duplicate=0.3", "2s");
    for _ in 0..300 {
        some.rent();
    }
    let count = moments(&mut some, WebhookOutcome::Acknowledged).len();
    assert!((370..410).contains(&count), "{count}");
}

#[test]
fn a_hanging_receiver_of_one_account_delays_no_other() {
    let mut client = client("default", "0s");
    for _ in 0..200 {
        client.rent();
    }
    let mut hanging = 0;
    while client.mock.take_due_webhook(client.now).is_some() {
        hanging += 1;
    }
    assert!(hanging < 200, "{hanging}");
    let key = [b's'; 60];
    let rent = mock_server_core::Request {
        body: mock_server_core::Body::Whole(br#"{"service":"whatsapp"}"#),
        ..mock_server_core::Request::plain("POST", "/api/v1/number/rent", &key)
    };
    assert_eq!(client.mock.handle(client.now, &rent).status, 200);
    assert!(client.mock.take_due_webhook(client.now).is_some());
}

#[test]
fn an_advance_meets_every_event_of_an_early_webhook_in_order() {
    let mut client = client(
        "webhook_order=webhook_first(500ms), webhook_retry=none",
        "2s",
    );
    let me = client.me();
    client.rent();
    let fired = advance(me, &mut client, 1);
    let events: Vec<_> = fired.iter().map(|fired| fired.event).collect();
    assert_eq!(events, [Event::WebhookPosted, Event::SmsReceived]);
}
