//! Rate limits and idempotency keys as they look on the wire. Both arms, but
//! for the header of the request, which the core is handed without a wire.

use mock_server::Server;

use crate::arm::{both, exchange, get, key, rent, settings, written};

const PROFILE: &str = "/api/v1/profile";

#[test]
fn limits_are_told_in_headers_on_every_answer() {
    both("dialect = \"rate_limit=2/h\"", |arm| {
        let key = key(1);
        let mut limits = Vec::new();
        for _ in 0..3 {
            let answer = arm.ask(get(&key, PROFILE));
            let told = ["x-ratelimit-limit", "x-ratelimit-remaining"]
                .map(|name| answer.extras.get(name).cloned().expect(name));
            limits.push((answer.status, answer.retry_after.is_some(), told.join("/")));
        }
        let expected = [
            (200, false, "2/1".to_owned()),
            (200, false, "2/0".to_owned()),
            (429, true, "2/0".to_owned()),
        ];
        assert_eq!(limits, expected);
        let stranger = arm.ask(get("short", PROFILE));
        assert_eq!((stranger.status, stranger.extras.len()), (401, 0));
    });
}

#[test]
fn a_hostile_limit_is_a_page_without_a_word_about_when() {
    // The account's time stands still, so all of it is one second.
    let settings = "time_scale = \"0\"\ndialect = \"rate_limit=hostile\"";
    both(settings, |arm| {
        let key = key(1);
        let answers = [0; 3].map(|_| arm.ask(rent(&key, "service=whatsapp")));
        let refused = &answers[2];
        assert_eq!((answers[1].status, refused.status), (200, 429));
        assert_eq!((refused.retry_after, refused.extras.len()), (None, 0));
        assert!(refused.body.starts_with("<html>"), "{refused:?}");
    });
}

#[test]
fn without_a_limit_no_header_speaks_of_one() {
    both("", |arm| {
        assert_eq!(arm.ask(get(&key(1), PROFILE)).extras.len(), 0);
    });
}

#[test]
fn a_rent_that_is_sent_again_under_its_key_is_made_once() {
    let settings = settings("dialect = \"idempotency=honoured\"");
    let running = Server::local().start(settings).expect("a free port");
    let key = key(1);
    let send = |idempotency_key: &str| {
        let more = format!("Connection: close\r\nIdempotency-Key: {idempotency_key}\r\n");
        let request = written(rent(&key, "service=whatsapp"), &more);
        exchange(running.address(), &request)
    };
    let (first, again, other) = (send("a"), send("a"), send("b"));
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert!(first.extras.is_empty());
    let repeated = again.extras.get("idempotent-replayed");
    assert_eq!(repeated.map(String::as_str), Some("true"));
    assert_ne!(first.body, other.body);
}
