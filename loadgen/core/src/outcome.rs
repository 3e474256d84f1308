//! How a run came out: what was counted, over which time, and whether the
//! money adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Cents, Moment};

use crate::tally::{MoneyTally, Tally};

/// A finished run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was counted.
    pub tally: Tally,
    /// How long the run took, from the first arrival to the last answer.
    pub duration: Duration,
    /// From the first arrival to the end of the arrivals: what rates are measured over.
    pub window: Duration,
    /// The audit of the balances, where there was one.
    pub ledger: Option<Ledger>,
}

impl Outcome {
    /// An outcome without an audit, whose window is the whole run.
    pub const fn of_tally(tally: Tally, duration: Duration) -> Self {
        Self {
            tally,
            duration,
            window: duration,
            ledger: None,
        }
    }

    /// `count` events as a rate per second over the window.
    pub fn rate(&self, count: u64) -> f64 {
        count as f64 / self.window.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Whether what left the balances is what the rentals cost (CLAUSES P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Accounts whose balance was read before and after.
    pub accounts: usize,
    /// Charged by answered rents.
    pub charged: Cents,
    /// Given back for rentals that ended without an SMS.
    pub refunded: Cents,
    /// By how much the balances fell beyond charged less refunded.
    pub unexplained: Cents,
    /// Whether the sum could be judged at all.
    pub certainty: Certainty,
}

/// How much an audit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The fate of every charge is known.
    Exact,
    /// Some rents went unanswered, or some rentals ended unseen, so that what
    /// was charged for them is not known.
    Unknown,
}

impl Ledger {
    /// Compares the balances read before and after a run with what the run
    /// knows. The closing balances were read not earlier than `closed`.
    pub fn audit(
        before: &BTreeMap<u32, Cents>,
        after: &BTreeMap<u32, Cents>,
        money: &MoneyTally,
        closed: Moment,
    ) -> Self {
        let fell: Cents = before
            .iter()
            .filter_map(|(account, opening)| Some(*opening - *after.get(account)?))
            .sum();
        let ended_unseen = money.unfinished.iter().any(|(end, _)| *end <= closed);
        let unread = before.keys().any(|account| !after.contains_key(account));
        let certain = !ended_unseen && !unread && money.unknown_rents == 0;
        Self {
            accounts: after.len(),
            charged: money.charged,
            refunded: money.refunded,
            unexplained: fell - (money.charged - money.refunded),
            certainty: if certain {
                Certainty::Exact
            } else {
                Certainty::Unknown
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balances(cents: &[i64]) -> BTreeMap<u32, Cents> {
        (0..).zip(cents.iter().map(|cents| Cents(*cents))).collect()
    }

    fn money() -> MoneyTally {
        MoneyTally {
            charged: Cents(300),
            refunded: Cents(100),
            ..MoneyTally::default()
        }
    }

    #[test]
    fn what_left_the_balances_is_what_the_rentals_cost() {
        let (before, after) = (balances(&[1000, 1000]), balances(&[900, 900]));
        let ledger = Ledger::audit(&before, &after, &money(), Moment::START);
        assert_eq!(
            (ledger.unexplained, ledger.certainty),
            (Cents::ZERO, Certainty::Exact)
        );
        let short = Ledger::audit(&before, &balances(&[900, 899]), &money(), Moment::START);
        assert_eq!(short.unexplained, Cents(1));
    }

    #[test]
    fn an_unknown_charge_makes_the_audit_uncertain() {
        let accounts = balances(&[1000]);
        let unanswered = MoneyTally {
            unknown_rents: 1,
            ..money()
        };
        let ledger = Ledger::audit(&accounts, &accounts, &unanswered, Moment::START);
        assert_eq!(ledger.certainty, Certainty::Unknown);
        let unseen = MoneyTally {
            unfinished: vec![(Moment::START, Cents(5))],
            ..money()
        };
        let ledger = Ledger::audit(&accounts, &accounts, &unseen, Moment::START);
        assert_eq!(ledger.certainty, Certainty::Unknown);
    }
}
