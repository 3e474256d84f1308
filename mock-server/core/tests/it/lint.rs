//! For each rule of the lint a client that breaks it and no other, and clients
//! that break none; in real time and at sixty times that.

use std::time::Duration;

use contract::Moment;
use mock_server_core::deliveries::AttemptReport;
use mock_server_core::{Body, Connection, Reply, Request, WebhookOutcome};

use crate::client::Client;

const KEY: [u8; 60] = [b'k'; 60];
pub(crate) const WEBHOOK: &str = "webhook_url = \"http://127.0.0.1:9/sms\"\n";

/// A client whose clock runs with its account's.
pub(crate) struct Watched {
    pub(crate) client: Client,
    scale: f64,
    connection: Option<Connection>,
    /// Whether each request gets one of its own.
    pub(crate) fresh: bool,
}

impl Watched {
    /// Turns the clock to `seconds` of the account's time.
    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.client.at(seconds / self.scale);
        self
    }

    /// From now on it is another worker, with a connection that it opened at the start.
    pub(crate) fn worker(&mut self, number: u64) -> &mut Self {
        let since = Moment::START;
        let first = false;
        self.connection = Some(Connection {
            number,
            since,
            first,
        });
        self
    }

    pub(crate) fn send(&mut self, method: &'static str, path: &str, body: &'static str) -> Reply {
        if self.fresh {
            let number = self
                .connection
                .map_or(0, |connection| connection.number + 1);
            let since = self.client.now;
            let first = true;
            self.connection = Some(Connection {
                number,
                since,
                first,
            });
        }
        let request = Request {
            body: Body::Whole(body.as_bytes()),
            connection: self.connection,
            ..Request::plain(method, path, &KEY)
        };
        self.client.mock.handle(self.client.now, &request)
    }

    pub(crate) fn rent(&mut self) -> Reply {
        self.send("POST", "/api/v1/number/rent", r#"{"service":"whatsapp"}"#)
    }

    /// Polls the rental with this place among all.
    pub(crate) fn poll(&mut self, rental: u32) -> u16 {
        let path = format!("/api/v1/number/check-otp/{}", 13_322_954 + rental);
        self.send("GET", &path, "").status
    }

    pub(crate) fn history(&mut self) -> u16 {
        self.send("GET", "/api/v1/rentals/history", "").status
    }

    /// Answers every webhook that is due with this status, after `took`.
    pub(crate) fn take_webhooks(&mut self, status: u16, took: Duration) {
        let now = self.client.now;
        while let Some(attempt) = self.client.mock.take_due_webhook(now) {
            let report = AttemptReport {
                status: Some(status),
                error: None,
                took,
            };
            self.client.mock.webhook_reported(attempt.delivery, report);
            let outcome: WebhookOutcome = attempt.outcome(status);
            self.client
                .mock
                .webhook_answered(now, attempt.delivery, outcome);
        }
    }

    /// Names of what was found, and how many requests prove it.
    pub(crate) fn found(&mut self) -> Vec<(&'static str, usize)> {
        let scope = self.client.me();
        let report = self.client.mock.lint_report(self.client.now, scope);
        let findings = report.findings.iter();
        findings
            .map(|finding| (finding.rule, finding.requests.len()))
            .collect()
    }
}

/// Plays `story` under these settings at this pace; what is found.
pub(crate) fn found_at(
    scale: f64,
    toml: &str,
    story: &impl Fn(&mut Watched),
) -> Vec<(&'static str, usize)> {
    let client = Client::new(&format!("lint = \"warn\"\ntime_scale = {scale:?}\n{toml}"));
    let mut watched = Watched {
        client,
        scale,
        connection: None,
        fresh: false,
    };
    story(&mut watched);
    watched.found()
}

/// Plays `story` under these settings in real time and compressed; what is found.
pub(crate) fn findings(toml: &str, story: impl Fn(&mut Watched)) -> Vec<(&'static str, usize)> {
    let [real, compressed] = [1.0, 60.0].map(|scale| found_at(scale, toml, &story));
    assert_eq!(real, compressed, "the pace of time decides nothing");
    real
}

#[test]
fn three_quick_polls_in_a_row_are_too_fast() {
    let story = |pause: f64| {
        findings("sms_delay = \"never\"", |client| {
            client.rent();
            for number in 0..6 {
                client.at(2.0 + f64::from(number) * pause).poll(0);
            }
        })
    };
    assert_eq!(story(0.6), [("poll-too-fast", 4)]);
    assert_eq!(story(1.1), []);
}

#[test]
fn a_rental_is_polled_on_after_its_code_or_its_end() {
    for (law, settings) in [
        ("2s", ""),
        ("never", "rental_life = \"5s\""),
        (
            "never",
            "rental_life = \"5s\"\ndialect = \"expired=waiting\"",
        ),
    ] {
        let toml = format!("sms_delay = \"{law}\"\n{settings}");
        let story = |polls: u32| {
            findings(&toml, |client| {
                client.rent();
                for number in 0..=polls {
                    client.at(70.0 + 3.0 * f64::from(number)).poll(0);
                }
            })
        };
        assert_eq!(story(2), [("poll-after-terminal", 3)], "{toml}");
        assert_eq!(story(1), [], "one to read it back: {toml}");
    }
}

#[test]
fn a_second_code_may_be_waited_for() {
    let toml = "sms_delay = \"2s\"\nfaults = [\"rent: sms_second_code(30s)\"]";
    let found = findings(toml, |client| {
        client.rent();
        for seconds in [3.0, 8.0, 13.0, 20.0, 28.0, 33.0] {
            client.at(seconds).poll(0);
        }
    });
    assert_eq!(found, []);
}

#[test]
fn failures_are_followed_by_growing_pauses() {
    let story = |pauses: [f64; 7]| {
        let toml = "sms_delay = \"never\"\nfaults = [\"check_otp: status(500)\"]";
        findings(toml, |client| {
            client.rent();
            let mut now = 0.0;
            for pause in pauses {
                now += pause;
                client.at(now).poll(0);
            }
        })
    };
    assert_eq!(story([2.0; 7]), [("no-backoff", 6)]);
    assert_eq!(story([0.04; 7]), [("no-backoff", 6)], "in a hurry");
    assert_eq!(story([1.0, 1.0, 2.0, 4.0, 8.0, 9.0, 9.0]), [], "doubled");
    let jitter = [0.5, 0.9, 0.3, 2.5, 1.1, 7.0, 4.0];
    assert_eq!(story(jitter), [], "by chance");
    assert_eq!(story([12.0; 7]), [], "long enough");
}

#[test]
fn retry_after_is_waited_for() {
    let story = |pause: f64| {
        let toml = "sms_delay = \"never\"\nfaults = [\"check_otp: rate_limit(4s) first 1\"]";
        findings(toml, |client| {
            client.rent();
            client.at(3.0).poll(0);
            client.at(3.0 + pause).poll(0);
        })
    };
    assert_eq!(story(3.0), [("retry-after-ignored", 2)]);
    assert_eq!(story(4.0), []);
}

#[test]
fn a_rent_without_an_answer_is_not_sent_again_unseen() {
    let toml = "sms_delay = \"never\"\nfaults = [\"rent: empty_response first 1 after_commit\"]";
    let found = findings(toml, |client| {
        client.rent();
        client.at(5.0).rent();
    });
    assert_eq!(found, [("unsafe-retry-of-rent", 2)]);
    let found = findings(toml, |client| {
        client.rent();
        client.at(5.0).history();
        client.at(6.0).rent();
    });
    assert_eq!(found, []);
    let broken = "sms_delay = \"never\"\nfaults = [\"rent: malformed_json first 1 after_commit\"]";
    let found = findings(broken, |client| {
        client.rent();
        client.at(5.0).rent();
    });
    assert_eq!(found, [("unsafe-retry-of-rent", 2)], "it could not be read");
    let refused = "sms_delay = \"never\"\nfaults = [\"rent: no_numbers first 1\"]";
    let found = findings(refused, |client| {
        client.rent();
        client.at(5.0).rent();
    });
    assert_eq!(found, [], "a refusal has made nothing");
}

#[test]
fn a_rental_is_fetched_to_its_end() {
    for law in ["2s", "never"] {
        let toml = format!("sms_delay = \"{law}\"\nrental_life = \"60s\"");
        let left = findings(&toml, |client| {
            client.rent();
            client.at(100.0);
        });
        assert_eq!(left, [("rental-leaked", 1)], "{law}");
        let fetched = findings(&toml, |client| {
            client.rent();
            client.at(5.0).poll(0);
            client.at(100.0);
        });
        assert_eq!(fetched, [], "{law}");
    }
    let believed = findings("sms_delay = \"9s\"", |client| {
        client.rent();
        client.at(3.0).poll(0);
        client.at(100.0);
    });
    assert_eq!(
        believed,
        [("rental-leaked", 1)],
        "success was taken for the code"
    );
}

#[test]
fn a_reset_forgets_rentals_and_no_findings() {
    let toml = "sms_delay = \"2s\"\nrental_life = \"60s\"";
    let found = findings(toml, |client| {
        client.rent();
        client.at(100.0);
        let (now, scope) = (client.client.now, client.client.me());
        client.client.mock.reset(now, scope);
    });
    assert_eq!(found, [("rental-leaked", 1)]);
}

#[test]
fn what_is_refused_is_not_sent_again_unchanged() {
    let found = findings("balance = \"0.00\"", |client| {
        for number in 0..3 {
            client.at(20.0 * f64::from(number)).rent();
        }
    });
    assert_eq!(found, [("error-status-unhandled", 3)]);
    let found = findings("", |client| {
        for number in 0..9 {
            client.at(20.0 * f64::from(number)).poll(100 + number);
        }
    });
    assert_eq!(found, [], "each asks for something else");
}

#[test]
fn a_rent_asks_for_nothing_that_is_not_documented() {
    for body in [
        r#"{"service":"whatsapp","country":"us"}"#,
        "service=whatsapp&max_price=2",
    ] {
        let found = findings("sms_delay = \"never\"", |client| {
            client.send("POST", "/api/v1/number/rent", body);
        });
        assert_eq!(found, [("undocumented-parameter", 1)], "{body}");
    }
}

#[test]
fn polls_share_a_connection() {
    let story = |law: &str, fault: &str| {
        findings(&format!("sms_delay = \"{law}\"\n{fault}"), |client| {
            client.fresh = true;
            client.rent();
            for number in 0..5 {
                client.at(3.0 * f64::from(number + 1)).poll(0);
            }
        })
    };
    assert_eq!(story("never", ""), [("connection-per-request", 5)]);
    let closing = "faults = [\"check_otp: slow_close(1s)\"]";
    assert_eq!(story("never", closing), [], "the server closes them");
}

#[test]
fn a_receiver_answers_at_once() {
    let story = |took: u64| {
        findings(&format!("{WEBHOOK}sms_delay = \"2s\""), |client| {
            client.rent();
            client
                .at(2.1)
                .take_webhooks(200, Duration::from_millis(took));
            client.at(3.0).poll(0);
        })
    };
    assert_eq!(story(3500), [("webhook-slow-ack", 1)]);
    assert_eq!(story(50), []);
}

#[test]
fn a_receiver_takes_what_it_knows() {
    let toml = format!("{WEBHOOK}sms_delay = \"2s\"\ndialect = \"webhook_duplicate=1.0\"");
    let story = |second: u16| {
        findings(&toml, |client| {
            client.rent();
            client.at(2.1).take_webhooks(200, Duration::ZERO);
            client.at(4.0).take_webhooks(second, Duration::ZERO);
            client.at(5.0).poll(0);
        })
    };
    assert_eq!(story(409), [("webhook-not-idempotent", 1)]);
    assert_eq!(story(204), []);
}

#[test]
fn a_receiver_that_failed_may_take_the_retry() {
    let found = findings(&format!("{WEBHOOK}sms_delay = \"2s\""), |client| {
        client.rent();
        client.at(2.1).take_webhooks(500, Duration::ZERO);
        client.at(17.5).take_webhooks(200, Duration::ZERO);
        client.at(18.0).poll(0);
    });
    assert_eq!(found, []);
}

#[test]
fn an_unsigned_event_is_checked_by_a_poll() {
    let story = |dialect: &str, polls: bool| {
        findings(
            &format!("{WEBHOOK}sms_delay = \"2s\"\n{dialect}"),
            |client| {
                client.rent();
                client.at(2.1).take_webhooks(200, Duration::ZERO);
                if polls {
                    client.at(3.0).poll(0);
                }
                client.at(90.0);
            },
        )
    };
    assert_eq!(story("", false), [("webhook-unverified", 1)]);
    assert_eq!(story("", true), []);
    let signed = "dialect = \"webhook_signature=secret\"";
    assert_eq!(story(signed, false), []);
    for fault in ["webhook_bad_signature", "webhook_stale_timestamp"] {
        let forged = format!("{signed}\nfaults = [\"rent: {fault}\"]");
        assert_eq!(
            story(&forged, false),
            [("webhook-unverified", 1)],
            "{fault}"
        );
        assert_eq!(story(&forged, true), [], "{fault}");
    }
}

#[test]
fn a_good_client_breaks_no_rule() {
    let toml = format!(
        "{WEBHOOK}sms_delay = \"7s\"\nfaults = [\"check_otp: rate_limit(2s) first 1\", \
         \"check_otp: status(503) between 2 and 3\", \"rent: status(503) first 1\"]"
    );
    let found = findings(&toml, |client| {
        client.rent();
        client.at(2.0).rent();
        for seconds in [4.0, 6.0, 7.0, 9.0] {
            client.at(seconds).poll(0);
            client.take_webhooks(200, Duration::ZERO);
        }
        client.take_webhooks(200, Duration::ZERO);
        client.at(10.0).poll(0);
        client.history();
        client.at(2000.0);
    });
    assert_eq!(found, []);
}

#[test]
fn nothing_is_found_where_nobody_looks() {
    let mut client = Client::new("sms_delay = \"never\"");
    for _ in 0..10 {
        client.post_rent();
        client.poll(13_322_954);
    }
    let scope = client.me();
    let report = client.mock.lint_report(client.now, scope);
    assert_eq!((report.mode.word(), report.findings.len()), ("off", 0));
}
