//! What a client may do without being found fault with: each of these looks like
//! a mistake to whoever looks too closely. In real time and at sixty times that.

use std::time::Duration;

use mock_server_core::settings::TimeScale;
use mock_server_core::{Body, Request};

use crate::lint::{WEBHOOK, Watched, findings, found_at};

/// Polls the first rental every so many seconds.
fn poll_every(client: &mut Watched, pause: f64, times: u32) {
    for number in 1..=times {
        client.at(pause * f64::from(number)).poll(0);
    }
}

#[test]
fn other_workers_of_one_key_know_nothing_of_a_refusal() {
    for fault in ["rate_limit(9s)", "empty_response", "status(500)"] {
        let toml = format!("sms_delay = \"never\"\nfaults = [\"rent: {fault} first 1\"]");
        let found = findings(&toml, |client| {
            client.at(0.2).worker(1).rent();
            client.at(0.5).worker(2).rent();
        });
        assert_eq!(found, [], "{fault}");
        let found = findings(&toml, |client| {
            client.at(0.2).worker(1).rent();
            client.at(0.5).rent();
        });
        assert_eq!(found.len(), 1, "the same worker: {fault}");
    }
    let found = findings("faults = [\"rent: status(500)\"]", |client| {
        for number in 1_u32..12 {
            client.at(f64::from(number)).worker(number.into()).rent();
        }
    });
    assert_eq!(found, [], "eleven workers fail once each");
}

#[test]
fn a_request_that_was_under_way_knows_no_answer() {
    let toml = "sms_delay = \"never\"\n\
                faults = [\"check_otp: rate_limit(4s) first 1\", \"check_otp: latency(5s) first 1\"]";
    let found = findings(toml, |client| {
        client.rent();
        client.at(1.0).poll(0);
        client.at(1.01).poll(0);
    });
    assert_eq!(found, []);
}

#[test]
fn three_seconds_are_polite_for_twenty_minutes() {
    let found = findings("sms_delay = \"never\"", |client| {
        client.rent();
        poll_every(client, 3.0, 399);
        client.at(1200.5).poll(0);
    });
    assert_eq!(found, []);
}

#[test]
fn a_timer_may_be_early() {
    let toml = "sms_delay = \"never\"\nfaults = [\"check_otp: rate_limit(1s) first 1\"]";
    let found = findings(toml, |client| {
        client.rent();
        client.poll(0);
        client.at(0.996).poll(0);
    });
    assert_eq!(found, []);
}

#[test]
fn an_end_that_is_not_told_is_known_by_a_clock_of_ones_own() {
    let toml = "sms_delay = \"never\"\nrental_life = \"60s\"\ndialect = \"expired=waiting\"";
    let found = findings(toml, |client| {
        client.rent();
        poll_every(client, 3.0, 25);
    });
    assert_eq!(found, [], "fifteen seconds beyond");
}

#[test]
fn each_event_may_be_read_back() {
    let toml = format!("{WEBHOOK}sms_delay = \"2s\"\ndialect = \"webhook_duplicate=1.0\"");
    let found = findings(&toml, |client| {
        client.rent();
        client.at(2.1).poll(0);
        client.take_webhooks(204, Duration::ZERO);
        client.at(2.2).poll(0);
        client.at(4.0).take_webhooks(204, Duration::ZERO);
        client.poll(0);
        client.at(90.0);
    });
    assert_eq!(found, []);
}

#[test]
fn who_polled_the_code_need_not_read_the_event_back() {
    let found = findings(&format!("{WEBHOOK}sms_delay = \"2s\""), |client| {
        client.rent();
        client.at(2.1).poll(0);
        client.at(2.2).take_webhooks(204, Duration::ZERO);
        client.at(90.0);
    });
    assert_eq!(found, []);
}

#[test]
fn a_deadline_of_ones_own_is_no_leak() {
    let found = findings("sms_delay = \"40s\"", |client| {
        client.rent();
        poll_every(client, 5.0, 4);
        client.at(2000.0);
    });
    assert_eq!(found, []);
}

#[test]
fn what_waits_when_the_server_stops_is_no_leak() {
    let found = findings("sms_delay = \"never\"", |client| {
        client.rent();
        client.at(1199.0);
    });
    assert_eq!(found, [], "its time is not over");
    let found = findings("sms_delay = \"5s\"", |client| {
        client.rent();
        client.at(30.0);
    });
    assert_eq!(found, [], "its SMS came just now");
}

#[test]
fn nobody_can_fetch_what_they_were_not_told_of() {
    for fault in [
        "empty_response after_commit",
        "malformed_json after_commit",
        "latency(40s)",
    ] {
        let toml = format!("sms_delay = \"2s\"\nfaults = [\"rent: {fault}\"]");
        let found = findings(&toml, |client| {
            client.rent();
            client.at(2000.0);
        });
        assert_eq!(found, [], "{fault}");
    }
}

#[test]
fn a_refused_rent_may_come_again() {
    for fault in [
        "rate_limit(2s) first 2",
        "no_numbers first 4",
        "status(503) first 1",
    ] {
        let toml = format!("sms_delay = \"never\"\nfaults = [\"rent: {fault}\"]");
        let found = findings(&toml, |client| {
            for second in [0.0, 2.0, 6.0, 14.0, 30.0] {
                client.at(second).rent();
            }
        });
        assert_eq!(found, [], "{fault}");
    }
    let toml = "faults = [\"rent: no_numbers\"]\ndialect = \"no_numbers=422\"";
    let found = findings(toml, |client| {
        for second in [0.0, 2.0, 6.0, 14.0, 30.0] {
            client.at(second).rent();
        }
    });
    assert_eq!(found, [], "there may be numbers later");
}

#[test]
fn a_look_at_the_balance_tells_what_became_of_a_rent() {
    let toml = "sms_delay = \"never\"\nfaults = [\"rent: empty_response first 1\"]";
    let found = findings(toml, |client| {
        client.rent();
        client.at(1.0).send("GET", "/api/v1/profile", "");
        client.at(2.0).rent();
    });
    assert_eq!(found, []);
}

#[test]
fn connections_that_were_idle_or_closed_are_opened_again() {
    let story = |pause: f64, fault: &str| {
        findings(&format!("sms_delay = \"never\"\n{fault}"), |client| {
            client.fresh = true;
            client.rent();
            poll_every(client, pause, 12);
        })
    };
    assert_eq!(story(3.0, ""), [("connection-per-request", 5)]);
    let cut = "faults = [\"check_otp: truncate_body every 2\"]";
    assert_eq!(story(3.0, cut), [], "the server ended every second");
}

#[test]
fn idle_connections_are_closed_in_real_time() {
    let story = |client: &mut Watched| {
        client.fresh = true;
        client.rent();
        poll_every(client, 5.0, 12);
    };
    let found = |scale| found_at(scale, "sms_delay = \"never\"", &story);
    assert_eq!(found(1.0), [], "pools of some clients close them sooner");
    assert_eq!(
        found(60.0),
        [("connection-per-request", 5)],
        "after 83 ms none does"
    );
}

#[test]
fn pauses_mean_nothing_while_a_clock_stands_still_or_is_moved() {
    let found = findings("sms_delay = \"never\"", |client| {
        client.rent();
        let (now, scope) = (client.client.now, client.client.me());
        let pace = TimeScale::try_from(0.0).expect("a pace");
        client.client.mock.set_pace(now, scope, pace);
        poll_every(client, 0.01, 20);
    });
    assert_eq!(found, [], "frozen");
    let found = findings("sms_delay = \"never\"", |client| {
        client.rent();
        for number in 0..20 {
            client.at(0.3 * f64::from(number)).poll(0);
            let (now, scope) = (client.client.now, client.client.me());
            let pace = TimeScale::try_from(2.0 + f64::from(number % 2)).expect("a pace");
            client.client.mock.set_pace(now, scope, pace);
        }
    });
    assert_eq!(found, [], "moved between any two");
}

#[test]
fn a_key_begins_anew_with_a_reset() {
    let toml = "sms_delay = \"never\"\nbalance = \"0.00\"";
    let found = findings(toml, |client| {
        for _ in 0..6 {
            client.rent();
            client.rent();
            let (now, scope) = (client.client.now, client.client.me());
            client.client.mock.reset(now, scope);
        }
    });
    assert_eq!(found, [], "two tests, six times");
}

#[test]
fn several_tests_may_try_the_same_wrong_key() {
    let mut client = crate::client::Client::new("lint = \"warn\"");
    let mut ask = |times: u32| {
        for _ in 0..times {
            let request = Request {
                body: Body::Whole(b""),
                ..Request::plain("GET", "/api/v1/profile", b"too short")
            };
            client.mock.handle(client.now, &request);
        }
        let scope = mock_server_core::Scope::Server;
        let report = client.mock.lint_report(client.now, scope);
        report.findings.len()
    };
    assert_eq!(ask(9), 0);
    assert_eq!(ask(1), 1, "and in the end somebody does not listen");
}

#[test]
fn what_is_no_operation_is_none_of_its_business() {
    let found = findings("", |client| {
        for number in 0..20 {
            client.at(f64::from(number)).send("GET", "/healthz", "");
        }
    });
    assert_eq!(found, []);
}

#[test]
fn rules_may_be_left_out() {
    let toml = "sms_delay = \"never\"\nrental_life = \"60s\"\nlint_skip = [\"rental-leaked\"]";
    let found = findings(toml, |client| {
        client.rent();
        client.at(100.0);
    });
    assert_eq!(found, []);
}

#[test]
fn a_journal_that_holds_nothing_hides_nothing() {
    let toml = "sms_delay = \"never\"\nrental_life = \"60s\"\njournal_max = 0";
    let found = findings(toml, |client| {
        client.rent();
        client.at(100.0);
    });
    assert_eq!(found, [("rental-leaked", 1)]);
}

#[test]
fn a_signed_event_may_be_refused_for_its_age() {
    let toml = format!(
        "{WEBHOOK}sms_delay = \"2s\"\n\
         dialect = \"webhook_duplicate=1.0, webhook_signature=secret\""
    );
    let story = |second: u16| {
        findings(&toml, |client| {
            client.rent();
            client.at(2.1).take_webhooks(200, Duration::ZERO);
            client.at(4.0).take_webhooks(second, Duration::ZERO);
            client.at(5.0).poll(0);
        })
    };
    assert_eq!(story(401), []);
    assert_eq!(story(409), [("webhook-not-idempotent", 1)]);
}
