//! Servers without a control API: their time is waited for.

use std::net::SocketAddr;
use std::time::Duration;

use judge::Plan;
use judge_core::dialect;
use judge_core::verdict::{Judgement, Outcome, Verdict};
use mock_server::{Running, Server};
use mock_server_core::{AccountSettings, Settings};

use super::command::check;
use super::{checked, complaints, plan};

/// A mock whose control API is on a port that the check does not know.
fn mock(change: impl FnOnce(&mut AccountSettings)) -> Running {
    let mut account = AccountSettings::new(7);
    account.sms_delay = "50ms".parse().expect("a law");
    change(&mut account);
    let mut server = Server::local();
    server.admin_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)).into());
    server.start(Settings::from(account)).expect("it starts")
}

fn patient(server: &Running, wait_sms: Duration) -> Plan {
    Plan {
        wait_sms,
        webhook_listen: None,
        ..plan(server.address())
    }
}

#[test]
fn a_far_end_is_not_waited_for_and_the_report_says_how_it_could_be() {
    let server = mock(|_| {});
    let (_, judgement) = checked(&patient(&server, Duration::from_secs(2)));
    assert_eq!(
        judgement.outcome(),
        Outcome::Held,
        "{:#?}",
        complaints(&judgement)
    );
    let told = judgement.told();
    let expiry = told.iter().find(|judged| judged.clause.id == "C13");
    let summary = expiry.map(|judged| judged.summary()).unwrap_or_default();
    assert!(
        summary.starts_with("not judged C13 ") && summary.ends_with("see --wait-expiry"),
        "{summary}"
    );
}

#[test]
fn an_account_without_money_shows_how_that_is_told() {
    // One rental of $1.44 leaves less than another one costs.
    let poor = mock(|account| account.balance = "2.00".parse().expect("an amount"));
    let (poor, _) = checked(&patient(&poor, Duration::from_secs(2)));
    let text = dialect::measure(&poor.evidence).text("a server");
    assert!(text.contains(r#"insufficient_balance = "402""#), "{text}");
}

const LIFE: Duration = Duration::from_secs(3);

/// A rental lives longer than an SMS is waited for, and shorter than a test may take.
fn brief(sms_delay: &str) -> Running {
    mock(|account| {
        account.rental_life = LIFE;
        account.sms_delay = sms_delay.parse().expect("a law");
    })
}

fn recorded(judgement: &Judgement) -> String {
    let told = judgement.told();
    let expiry = told.iter().find(|judged| judged.clause.id == "C13");
    expiry.map(|judged| judged.summary()).unwrap_or_default()
}

#[test]
fn the_end_of_a_rental_is_waited_for_if_that_is_wanted() {
    let server = brief("50ms");
    let (seen, judgement) = checked(&Plan {
        wait_expiry: true,
        ..patient(&server, LIFE / 3)
    });
    // R12 warns, because the example's life is longer; nothing is broken.
    assert_eq!(
        judgement.count(Verdict::Broken),
        0,
        "{:#?}",
        complaints(&judgement)
    );
    let record = recorded(&judgement);
    assert!(
        record.contains("after the end of one with its code: 200 with the code"),
        "{record}"
    );
    assert!(seen.took >= LIFE, "{:?}", seen.took);
}

#[test]
fn one_that_waits_anyway_is_waited_for_and_no_more_are_paid_for() {
    let servers = [brief("never"), brief("never")];
    let [patient, hasty] = [true, false].map(|wait_expiry| Plan {
        wait_expiry,
        ..patient(&servers[usize::from(wait_expiry)], LIFE / 3)
    });
    let (rentals, hasty) = std::thread::scope(|scope| {
        let hasty = scope.spawn(|| {
            let (seen, judgement) = checked(&hasty);
            (seen.spent.rentals, judgement.verdict("C13"))
        });
        let (seen, judgement) = checked(&patient);
        assert_eq!(judgement.outcome(), Outcome::NotJudged, "no SMS came");
        let record = recorded(&judgement);
        assert!(
            record.ends_with("after the end: 200 with a JSON object"),
            "{record}"
        );
        let text = dialect::measure(&seen.evidence).text("a server");
        assert!(
            text.contains(r#"expired = "refusal""#) && text.contains(r#"refund = "at_end""#),
            "{text}"
        );
        (seen.spent.rentals, hasty.join().expect("no panic"))
    });
    assert_eq!(hasty, (rentals, Some(Verdict::NotJudged)));
}

#[test]
fn the_end_of_a_rental_is_waited_for_anyway_if_an_sms_may_take_as_long() {
    let server = brief("never");
    let (seen, judgement) = checked(&patient(&server, LIFE));
    assert_eq!(judgement.verdict("C13"), Some(Verdict::Recorded));
    assert!(seen.took >= LIFE, "{:?}", seen.took);
}

#[test]
fn the_command_waits_where_it_is_told_to() {
    let server = brief("50ms");
    let url = format!("http://{}", server.address());
    let arguments = [&url, "--key-env", "KEY", "--wait-sms", "1s"];
    let (code, out, err) = check(&arguments);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("not judged C13 ") && out.contains("see --wait-expiry"),
        "{out}"
    );
    let (code, out, err) = check(&[&arguments[..], &["--wait-expiry"]].concat());
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("recorded C13 "), "{out}");
}
