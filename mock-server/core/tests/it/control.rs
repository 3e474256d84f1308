//! Clocks, resets and money in a tester's hands, under a server time that the
//! tests make up.

use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Moment};
use mock_server_core::control::{Event, Fired, LedgerView, Scope, Step};
use mock_server_core::settings::TimeScale;
use mock_server_core::{AccountSettings, Dialect, DialectFile, WebhookOutcome, WebhookSettings};
use proptest::prelude::*;

use crate::client::Client;

fn pace(pace: f64) -> TimeScale {
    TimeScale::try_from(pace).expect("a pace")
}

fn with_webhook(law: &str, webhook: bool) -> AccountSettings {
    let url = "http://localhost/".parse().expect("well-formed");
    AccountSettings {
        sms_delay: law.parse().expect(law),
        webhook: webhook.then(|| Arc::new(WebhookSettings::new(url))),
        ..AccountSettings::new(7)
    }
}

fn client(law: &str, webhook: bool) -> Client {
    Client::with(with_webhook(law, webhook))
}

/// Advances by `minutes`; every webhook fails. Server time stands still meanwhile.
pub(crate) fn advance(scope: Scope, client: &mut Client, minutes: u64) -> Vec<Fired> {
    let duration = Duration::from_secs(60 * minutes);
    let mut advance = client.mock.begin_advance(client.now, scope, duration);
    loop {
        match client.mock.step(client.now, &mut advance) {
            Step::Post(attempt) => {
                let failed = WebhookOutcome::Failed;
                client
                    .mock
                    .webhook_answered(client.now, attempt.delivery, failed);
                advance.posted(failed);
            }
            Step::Wait => panic!("nobody else posts"),
            Step::Done => return advance.finish(),
        }
    }
}

fn events(fired: &[Fired]) -> Vec<(Event, &str)> {
    fired
        .iter()
        .map(|fired| (fired.event, &fired.at[11..]))
        .collect()
}

#[test]
fn twenty_minutes_pass_at_once_and_everything_due_fires_in_order() {
    let mut client = client("2s", true);
    let me = client.me();
    client.rent();
    let fired = advance(me, &mut client, 20);
    // The documentation's created_at is 03:20:14; five attempts, 15 s apart.
    assert_eq!(
        events(&fired),
        [
            (Event::SmsReceived, "03:20:16"),
            (Event::WebhookPosted, "03:20:16"),
            (Event::WebhookPosted, "03:20:31"),
            (Event::WebhookPosted, "03:20:46"),
            (Event::WebhookPosted, "03:21:01"),
            (Event::WebhookPosted, "03:21:16"),
        ]
    );
    assert_eq!(
        fired
            .iter()
            .filter_map(|fired| fired.attempt)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(client.mock.next_webhook_due(), None, "given up");
}

#[test]
fn a_rental_without_an_sms_expires_and_is_refunded() {
    let mut client = client("never", false);
    let me = client.me();
    let (id, _) = client.rent();
    assert_eq!(client.balance(), "998.56");
    assert_eq!(events(&advance(me, &mut client, 19)), []);
    assert_eq!(
        events(&advance(me, &mut client, 1)),
        [(Event::RentalExpired, "03:40:14")]
    );
    assert_eq!(client.balance(), "1000.00");
    assert_eq!(client.newest_row().status, "expired");
    assert!(!client.sees_sms(id));
}

#[test]
fn a_frozen_account_stands_still_and_others_do_not() {
    let mut client = client("10s", false);
    let me = client.me();
    client.mock.set_pace(client.now, me, pace(0.0));
    let (id, _) = client.rent();
    client.at(3600.0);
    assert!(!client.sees_sms(id));
    let clocks = client.mock.clocks(client.now, Scope::Server);
    assert_eq!(
        (clocks[0].now.as_str(), clocks[0].pace),
        ("2026-06-11 03:20:14", 0.0)
    );
    advance(me, &mut client, 1);
    assert!(client.sees_sms(id));
    let stranger = ApiKey::from_bytes(&[b's'; 60]).expect("well-formed");
    let stranger = client.mock.scope(client.now, stranger).expect("any key");
    let clock = &client.mock.clocks(client.now, stranger)[0];
    assert_eq!(clock.now, "2026-06-11 04:20:14");
}

#[test]
fn a_scaled_account_lives_a_minute_in_a_second() {
    let mut client = client("60s", true);
    let me = client.me();
    client.mock.set_pace(client.now, me, pace(60.0));
    let (id, _) = client.rent();
    let due = client.mock.next_webhook_due().expect("planned");
    assert_eq!(due.since_start(), Duration::from_secs(1));
    assert!(!client.at(0.99).sees_sms(id));
    assert!(client.at(1.0).sees_sms(id));
}

#[test]
fn a_reset_forgets_the_account_and_what_was_pending() {
    let mut client = client("2s", true);
    let me = client.me();
    let (first, phone) = client.rent();
    client.mock.reset(client.now, me);
    assert_eq!(client.mock.next_webhook_due(), None);
    assert_eq!(client.poll(first).status, 404);
    assert_eq!(client.balance(), "1000.00");
    let (second, again) = client.rent();
    assert_eq!(
        (second, again),
        (first + 1, phone),
        "the same numbers come again"
    );
}

/// Faults that refuse, lose and delay, each in its own rhythm.
const MISHAPS: [&str; 7] = [
    "rent: no_numbers every 5",
    "rent: status(500) every 7 after_commit",
    "rent: reset_peer every 11",
    "rent: insufficient_balance every 13",
    "rent: sms_never every 3",
    "rent: sms_late(60s) every 4",
    "*: truncate_body probability 0.1",
];

/// Whatever a dialect may say about money.
fn money_dialect() -> impl Strategy<Value = String> {
    let select = |words: &[&'static str]| prop::sample::select(words.to_vec());
    (
        select(&["rent", "sms"]),
        select(&["at_end", "none", "unseen", "300s", "30m"]),
        select(&["dropped", "delivered", "charged"]),
        select(&["off", "3"]),
        select(&["ignored", "honoured"]),
    )
        .prop_map(|(charge, refund, late_sms, active, idempotency)| {
            format!(
                "charge={charge}, refund={refund}, late_sms={late_sms}, \
                 active_rentals={active}, idempotency={idempotency}"
            )
        })
}

proptest! {
    // `PROPTEST_CASES=100000 cargo test -p mock-server-core money_is` takes some five seconds.
    #[test]
    fn money_is_conserved_whatever_happens(
        steps in prop::collection::vec((0_u8..12, 0_u64..2000), 1..60),
        rules in prop::collection::vec(prop::sample::select(MISHAPS.to_vec()), 0..4),
        dialect in money_dialect(),
    ) {
        let never_in_debt = !dialect.contains("charged");
        let dialect: DialectFile = dialect.parse().expect("well-formed");
        let mut client = Client::with(AccountSettings {
            balance: Cents(2_000),
            dialect: Arc::new(dialect.applied_to(&Dialect::default())),
            faults: rules.into_iter().map(|rule| rule.parse().expect(rule)).collect(),
            ..with_webhook("0.7*uniform(0s,2500s) + 0.3*never", true)
        });
        let me = client.me();
        for (what, amount) in steps {
            client.now += Duration::from_millis(amount);
            let (now, id) = (client.now, 13_322_954 + amount as u32 % 16);
            match what {
                0 => client.mock.reset(client.now, me),
                1 => client.mock.set_pace(client.now, me, pace(amount as f64 / 100.0)),
                2 => drop(advance(me, &mut client, amount / 60)),
                3 => drop(client.get("/api/v1/profile")),
                4 => drop(client.get("/api/v1/rentals/history")),
                5 => drop(client.poll(u64::from(id))),
                6 => drop(client.mock.deliver_sms(now, me, id, None, None)),
                7 => drop(client.mock.expire(now, me, id)),
                _ => drop(client.post_rent()),
            }
            let ledgers = client.mock.ledgers(client.now, Scope::Server);
            let sound = |ledger: &LedgerView| {
                let kept = [ledger.reserved, ledger.pending_refunds, ledger.refunded];
                ledger.conserved
                    && kept.iter().all(|amount| *amount >= Cents::ZERO)
                    && (!never_in_debt || ledger.balance >= ledger.reserved)
            };
            prop_assert!(ledgers.iter().all(sound), "{ledgers:?}");
        }
    }
}

#[test]
fn the_agenda_forgets_no_one() {
    let mut client = client("2s", true);
    let me = client.me();
    client.rent();
    client.mock.set_pace(client.now, me, pace(0.0));
    assert_eq!(
        client.mock.next_webhook_due(),
        None,
        "frozen: it never comes by itself"
    );
    client.mock.set_pace(client.now, me, pace(1.0));
    assert_eq!(
        client.mock.next_webhook_due(),
        Some(Moment::from(Duration::from_secs(2)))
    );
}

#[test]
fn an_account_follows_the_defaults_after_a_reset_also_on_another_server() {
    let mut here = client("2s", false);
    let me = here.me();
    here.mock.set_pace(here.now, Scope::Server, pace(0.0));
    let taken = here.mock.snapshot(here.now, Scope::Server);
    let mut taken = serde_json::to_value(taken).expect("plain");
    let mut there = client("5s", false);
    there.me();
    taken["keys"] = serde_json::json!([]);
    let taken = serde_json::from_value(taken).expect("as it was written");
    there.mock.restore(there.now, None, taken).expect("known");
    for client in [&mut here, &mut there] {
        client.mock.reset(client.now, me);
        let clock = &client.mock.clocks(client.now, me)[0];
        assert_eq!(clock.pace, 0.0, "what is said of all accounts");
    }
}
