//! Servers without a control API: their time is waited for.

use std::net::SocketAddr;
use std::time::Duration;

use judge::Plan;
use judge_core::dialect;
use judge_core::verdict::Outcome;
use mock_server::{Running, Server};
use mock_server_core::{AccountSettings, Settings};

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
