//! What a check is to do, as whoever starts it says it. Nothing here acts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use judge_core::amount::Amount;

use crate::target::Target;

/// What to check, and what it may cost.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// The authorities to trust with HTTPS, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// The key of the account to check with.
    pub key: String,
    /// The key of another account.
    pub second_key: Option<String>,
    /// Whether the keys were made up for this check, and so are no evidence.
    pub made_up: bool,
    /// Where to listen for webhooks.
    pub webhook_listen: Option<SocketAddr>,
    /// How long to wait for an SMS.
    pub wait_sms: Duration,
    /// Whether to wait for the end of a rental, however long that takes. It is
    /// waited for anyway where an SMS may take as long.
    pub wait_expiry: bool,
    /// Whether nothing may be rented.
    pub read_only: bool,
    /// What may be spent.
    pub spending: Spending,
}

/// How much money may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Whatever it takes.
    Unlimited,
    /// This much at most.
    Limited(Amount),
    /// This much at most, but whatever it takes where the server has a control
    /// API: nobody pays for what it rents.
    LimitedIfReal(Amount),
}
