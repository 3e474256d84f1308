//! The contract judge against servers that keep the contract and servers that
//! break it in one place.

mod bent;
mod command;
mod crash;
mod dialects;
mod diff;
mod exits;
mod expiry;
mod interruption;
mod mutants;
mod presets;
mod relay;
mod reports;
mod stub;
mod tls;
mod tolerated;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use judge::target::Target;
use judge::{Checked, Plan, Spending};
use judge_core::verdict::{Choice, Judgement, Verdict};
use mock_server::{Running, Server};
use mock_server_core::{AccountSettings, DialectFile, Settings};

/// Two accounts.
pub(crate) const KEYS: [&str; 2] = [
    "contract-check-tests-first-account-aaaaaaaaaaaaaaaaaaaaaaaaa",
    "contract-check-tests-other-account-bbbbbbbbbbbbbbbbbbbbbbbbb",
];

/// A mock whose SMS come after five seconds of its own time.
fn mock(dialect: &str) -> Running {
    mock_with(dialect.parse().expect(dialect))
}

fn mock_with(dialect: DialectFile) -> Running {
    mock_of(|account| account.dialect = dialect.applied_to(&account.dialect).into())
}

fn mock_of(change: impl FnOnce(&mut AccountSettings)) -> Running {
    let mut account = AccountSettings::new(7);
    account.sms_delay = "5s".parse().expect("a law");
    change(&mut account);
    let running = Server::local().start(Settings::from(account));
    running.expect("it starts")
}

fn plan(address: SocketAddr) -> Plan {
    Plan {
        target: Target::at(address),
        key: KEYS[0].to_owned(),
        second_key: Some(KEYS[1].to_owned()),
        ca_file: None,
        made_up: false,
        webhook_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        wait_sms: Duration::from_secs(30),
        wait_expiry: false,
        read_only: false,
        spending: Spending::Unlimited,
    }
}

fn checked(plan: &Plan) -> (Checked, Judgement) {
    let checked = judge::check(plan, pending()).expect("a server answers");
    let judgement = judge_core::judge(&checked.evidence, &Choice::default());
    (checked, judgement)
}

/// What is broken and what is warned of, as the report tells it.
fn complaints(judgement: &Judgement) -> Vec<String> {
    let told = judgement.told().into_iter();
    told.filter(|judged| matches!(judged.verdict, Verdict::Broken | Verdict::Warned))
        .map(|judged| judged.summary())
        .collect()
}
