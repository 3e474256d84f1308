//! Settings that are read again: what is different counts, what was there stays.

use contract::ApiKey;
use mock_server_core::control::accounts::{Change, Manner};
use mock_server_core::control::{Reloaded, Scope, Step};
use mock_server_core::settings::AccountPatch;
use mock_server_core::{Settings, SettingsFile};

use crate::client::Client;

/// The client's key.
const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

fn settings(text: &str) -> Settings {
    let file: SettingsFile = contract::document::parse("s.toml", text).expect(text);
    file.resolve(7)
}

/// The client of a mock that goes from one file to another.
fn reload(client: &mut Client, before: &str, after: &str) {
    let (before, after) = (settings(before), settings(after));
    client.mock.reload(client.now, &before, &after);
}

#[test]
fn accounts_keep_what_they_own_and_behave_as_the_file_says_now() {
    let before = "sms_delay = \"10s\"";
    let mut client = Client::new(before);
    let (old, _) = client.rent();
    let balance = client.at(1.0).balance();
    let after = "sms_delay = \"2s\"\nbalance = \"5.00\"\nfaults = [\"profile: status(503)\"]";
    reload(&mut client, before, after);
    assert_eq!(client.get("/api/v1/profile").status, 503);
    let (new, _) = client.rent();
    client.at(4.0);
    assert!(client.sees_sms(new), "two seconds after it was rented");
    assert!(!client.sees_sms(old), "what was decided stays");
    assert!(client.at(11.0).sees_sms(old));
    reload(&mut client, after, before);
    assert_ne!(client.balance(), "5.00");
    assert_ne!(client.balance(), balance, "the second rental was paid");
}

#[test]
fn what_is_as_it_was_stays_as_a_tester_has_left_it() {
    let before = "sms_delay = \"10s\"\nrental_life = \"10m\"";
    let mut client = Client::new(before);
    let me = client.me();
    let key = ApiKey::from_bytes(KEY.as_bytes()).expect("a key");
    let patch = AccountPatch {
        sms_delay: Some("3s".parse().expect("a law")),
        ..AccountPatch::default()
    };
    let change = Change {
        patch,
        silent: false,
    };
    let now = client.now;
    client.mock.change_account(now, key, change, Manner::Amend);
    reload(
        &mut client,
        before,
        "sms_delay = \"10s\"\nrental_life = \"20m\"",
    );
    let shown = |client: &mut Client| {
        let view = client.mock.accounts(client.now, me).remove(0);
        let written = serde_json::to_value(view.settings).expect("plain data");
        let text = |name: &str| written[name].as_str().expect("a text").to_owned();
        (text("sms_delay"), text("rental_life"))
    };
    assert_eq!(shown(&mut client), ("3s".to_owned(), "20m".to_owned()));
    reload(
        &mut client,
        before,
        "sms_delay = \"4s\"\nrental_life = \"10m\"",
    );
    assert_eq!(shown(&mut client).0, "4s", "the file has changed its mind");
}

#[test]
fn single_accounts_come_and_go_with_the_file() {
    let own = format!("[accounts.{KEY}]\nsms_delay = \"1s\"\n");
    let strict = format!("strict_keys = true\n{own}");
    let mut client = Client::new("sms_delay = \"never\"");
    let (never, _) = client.rent();
    reload(
        &mut client,
        "sms_delay = \"never\"",
        &format!("sms_delay = \"never\"\n{own}"),
    );
    let (soon, _) = client.rent();
    assert!(client.at(2.0).sees_sms(soon));
    assert!(!client.sees_sms(never));
    reload(&mut client, &own, &strict);
    assert_eq!(client.get("/api/v1/profile").status, 200, "it is known");
    reload(&mut client, &strict, "strict_keys = true");
    assert_eq!(client.get("/api/v1/profile").status, 401, "no more");
    reload(&mut client, "strict_keys = true", "");
    let fresh = client.mock.accounts(client.now, Scope::Server);
    assert!(fresh.is_empty(), "it was forgotten");
}

#[test]
fn differences_have_the_names_of_the_file() {
    let base = settings("");
    for (text, names) in [
        ("", &[][..]),
        ("seed = 9", &[]),
        ("sms_delay = \"1s\"", &["sms_delay"]),
        (
            "balance = \"1.00\"\nstrict_keys = true",
            &["balance", "strict_keys"],
        ),
        (
            "time_scale = 0\ndialect = \"laravel\"",
            &["time_scale", "dialect"],
        ),
        (
            "webhook_url = \"http://localhost/\"\nrental_life = \"1m\"",
            &["rental_life", "webhook_url"],
        ),
        (&format!("[accounts.{KEY}]"), &["accounts"]),
    ] {
        assert_eq!(base.differences(&settings(text)), names, "{text}");
    }
    let own = |delay: &str, key_delay: &str| {
        settings(&format!(
            "sms_delay = \"{delay}\"\n[accounts.{KEY}]\nsms_delay = \"{key_delay}\""
        ))
    };
    assert_eq!(own("1s", "2s").differences(&own("3s", "2s")), ["sms_delay"]);
    assert_eq!(own("1s", "2s").differences(&own("1s", "3s")), ["accounts"]);
}

#[test]
fn who_listens_is_told_of_the_file() {
    let mut client = Client::new("");
    client.mock.listen(client.now, true);
    let refused = Reloaded {
        refused: Some("s.toml:1:1: what".to_owned()),
        ..Reloaded::default()
    };
    let applied = Reloaded {
        applied: vec!["faults"],
        ..Reloaded::default()
    };
    client.mock.tell_reloaded(client.now, refused);
    client.mock.tell_reloaded(client.now, applied);
    let told = client.mock.take_happenings(client.now);
    let told = told.iter().map(|told| {
        let data = String::from_utf8_lossy(&told.data).into_owned();
        (told.name, data)
    });
    let expected = [
        (
            "config.refused",
            r#"{"applied":[],"needs_restart":[],"refused":"s.toml:1:1: what"}"#,
        ),
        (
            "config.reloaded",
            r#"{"applied":["faults"],"needs_restart":[]}"#,
        ),
    ];
    let expected = expected.map(|(name, data)| (name, data.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn a_clock_is_set_forward_and_never_back() {
    let mut client = Client::new("sms_delay = \"5m\"");
    let (id, _) = client.rent();
    let me = client.me();
    let at = |text: &str| text.parse().expect("a date");
    let set = |client: &mut Client, text: &str| {
        let mut advance = client.mock.begin_set(client.now, me, at(text))?;
        while !matches!(client.mock.step(client.now, &mut advance), Step::Done) {}
        Ok(advance.finish().len())
    };
    assert_eq!(set(&mut client, "2026-06-11T03:20:14Z"), Ok(0), "as it is");
    assert_eq!(set(&mut client, "2026-06-11 03:30:00"), Ok(1), "the SMS");
    assert!(client.sees_sms(id));
    let clock = client.mock.clocks(client.now, me).remove(0);
    assert_eq!(clock.now, "2026-06-11 03:30:00");
    let error: mock_server_core::control::ClockError =
        set(&mut client, "2026-06-11T03:29:59Z").expect_err("the past");
    assert!(
        error.to_string().contains("is 2026-06-11 03:30:00 already"),
        "{error}"
    );
    let local = set(&mut client, "2026-06-11T06:00:00+02:00");
    assert_eq!(
        local,
        Ok(0),
        "four o'clock, before the rental's end would be due again"
    );
    for text in ["", "tomorrow", "2026-06-31T00:00:00Z", "12:00"] {
        let error = text.parse::<mock_server_core::control::Instant>();
        let error = error.expect_err(text).to_string();
        assert!(
            error.contains("write it like 2026-06-11T04:00:00Z"),
            "{error}"
        );
    }
}
