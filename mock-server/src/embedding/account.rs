//! One account of a mock, for one test: its key, and everything that can be done
//! to it without touching another.

use std::ops::Deref;

use contract::ApiKey;
use mock_server_core::control::accounts::{AccountView, Change, Manner};
use mock_server_core::control::{ClockView, LedgerView};

use super::control::Control;

/// An account. It may be cloned and sent anywhere, and it may outlive its mock, which
/// then answers nobody any more.
#[derive(Clone, Debug)]
pub struct Account {
    control: Control,
    key: String,
}

const ONE: &str = "invariant: one account is asked about";

impl Account {
    /// Opens it, and makes its key known where only certain ones are.
    pub(super) fn open(everybody: &Control, known: ApiKey, key: &str) -> Self {
        let control = everybody.of(known);
        control.with(|mock, now| {
            if mock.scope(now, known).is_none() {
                mock.change_account(now, known, Change::default(), Manner::Replace);
            }
        });
        Self {
            control,
            key: key.to_owned(),
        }
    }

    /// What its client sends as the header `Auth`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What time it is for it, and how fast that runs.
    pub fn clock(&self) -> ClockView {
        self.clocks().pop().expect(ONE)
    }

    /// How its money stands.
    pub fn ledger(&self) -> LedgerView {
        self.ledgers().pop().expect(ONE)
    }

    /// It, with its settings.
    pub fn view(&self) -> AccountView {
        self.accounts().pop().expect(ONE)
    }
}

impl Deref for Account {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}
