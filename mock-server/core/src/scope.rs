//! Whom something is about: an account or all of them, and how an account is
//! named to people without giving its key away.

use contract::ApiKey;

/// Whom a control request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every account, and for settings also those to come.
    Server,
    /// One account.
    Account(AccountPlace),
}

/// Names an account of this mock, for as long as the mock lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPlace(pub(crate) u32);

impl Scope {
    /// The account, if it is about one.
    pub(crate) const fn place(self) -> Option<u32> {
        match self {
            Self::Server => None,
            Self::Account(AccountPlace(place)) => Some(place),
        }
    }
}

/// Enough of a key to recognise it and to tell accounts apart, and too little to use it.
pub(crate) fn redacted(key: &ApiKey) -> String {
    format!("{}…{:08x}", key.beginning(), key.account() as u32)
}
