//! The mock's decision on a poll: route, account, faults, rental, answer.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use contract::Moment;
use criterion::Criterion;
use jiff::Timestamp;
use mock_server_core::{AccountSettings, Body, Mock, Request, WebhookSettings};

const KEY: [u8; 60] = [b'k'; 60];

/// A poll of a rental that waits, among 10,000 of the same account.
pub(crate) fn poll_decision(criterion: &mut Criterion) {
    decide(
        criterion,
        "mock core: poll decision",
        AccountSettings::new(1),
    );
}

/// The same with two rules that practically never fire, one of which is for
/// polls and rolls its dice: a probability of 0 would not.
pub(crate) fn poll_decision_with_faults(criterion: &mut Criterion) {
    let rules = [
        "check_otp: status(503) probability 0.000000001",
        "rent: no_numbers nth 1000000",
    ];
    let settings = AccountSettings {
        faults: rules.map(|rule| rule.parse().expect("a rule")).into(),
        ..AccountSettings::new(1)
    };
    decide(
        criterion,
        "mock core: poll decision, two fault rules",
        settings,
    );
}

/// The same while 10,000 webhooks are due to an endpoint that answers none of the
/// posts under way; and without webhooks, to compare with.
pub(crate) fn poll_decision_beside_a_dead_endpoint(criterion: &mut Criterion) {
    let url = "http://127.0.0.1:9/".parse().expect("an address");
    let waiting = |webhook| AccountSettings {
        sms_delay: "0s".parse().expect("a law"),
        webhook,
        ..AccountSettings::new(1)
    };
    let dead = Arc::new(WebhookSettings::new(url));
    decide_among(
        criterion,
        "mock core: poll decision, SMS there",
        waiting(None),
    );
    decide_among(
        criterion,
        "mock core: poll decision, 10,000 webhooks due to a dead endpoint",
        waiting(Some(dead)),
    );
}

fn decide(criterion: &mut Criterion, name: &str, settings: AccountSettings) {
    let sms_delay = "never".parse().expect("a law");
    decide_among(
        criterion,
        name,
        AccountSettings {
            sms_delay,
            ..settings
        },
    );
}

fn decide_among(criterion: &mut Criterion, name: &str, settings: AccountSettings) {
    let settings = AccountSettings {
        balance: contract::Cents(100_000_000),
        ..settings
    };
    let mut mock = Mock::new(settings.into(), Timestamp::UNIX_EPOCH);
    let rent = Request {
        content_type: Some("application/json"),
        body: Body::Whole(br#"{"service":"whatsapp"}"#),
        ..Request::plain("POST", "/api/v1/number/rent", &KEY)
    };
    for _ in 0..10_000 {
        assert_eq!(mock.handle(Moment::START, &rent).status, 200);
    }
    // None of them is ever answered.
    while mock.take_due_webhook(Moment::START).is_some() {}
    let poll = Request::plain("GET", "/api/v1/number/check-otp/13327954", &KEY);
    let mut now = Moment::START;
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            now += Duration::from_nanos(1);
            mock.handle(now, black_box(&poll))
        });
    });
}
