//! How a run came out: what was counted, over which time, and whether the
//! money adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Cents, Moment};
use serde::{Deserialize, Serialize};

use crate::tally::{MoneyTally, Tally};

/// A finished run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was counted, without the times and requests of the warm-up.
    pub tally: Tally,
    /// What was counted during the warm-up, where there was one.
    pub warmup: Option<WarmupPart>,
    /// How long the run took, from the first arrival to the last answer.
    pub duration: Duration,
    /// From the end of the warm-up to the end of the arrivals: what rates are measured over.
    pub window: Duration,
    /// The audit of the balances, where there was one.
    pub ledger: Option<Ledger>,
}

impl Outcome {
    /// An outcome without an audit, whose window is the whole run.
    pub const fn of_tally(tally: Tally, duration: Duration) -> Self {
        Self {
            tally,
            warmup: None,
            duration,
            window: duration,
            ledger: None,
        }
    }

    /// `count` events as a rate per second over the window; of no window, none.
    pub fn rate(&self, count: u64) -> f64 {
        if self.window.is_zero() {
            return 0.0;
        }
        count as f64 / self.window.as_secs_f64()
    }
}

/// The beginning of a run, which the headline figures leave out.
#[derive(Clone, Debug)]
pub struct WarmupPart {
    /// How long it was.
    pub seconds: u32,
    /// What was counted.
    pub tally: Tally,
}

/// What the balances of a run say (CLAUSES P7): whether they fell by what the
/// rentals cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Accounts of the run.
    pub accounts: usize,
    /// Charged by answered rents.
    pub charged: Cents,
    /// Given back for rentals that ended without an SMS, seen or unseen.
    pub refunded: Cents,
    /// By how much the balances fell beyond charged less refunded.
    pub unexplained: Cents,
    /// Whether that figure can be relied on.
    pub certainty: Certainty,
}

/// How much an audit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Everything.
    Exact,
    /// Not the balances of so many accounts, which could not be read.
    BalancesUnread(usize),
    /// Not what so many rents cost, which were sent and not answered.
    RentsUnanswered(u64),
}

impl Ledger {
    /// Compares the balances of `accounts` accounts before and after a run with
    /// what the run knows. The closing balances were read not earlier than `closed`.
    pub fn audit(
        accounts: usize,
        before: &BTreeMap<u32, Cents>,
        after: &BTreeMap<u32, Cents>,
        money: &MoneyTally,
        closed: Moment,
    ) -> Self {
        let falls = before
            .iter()
            .filter_map(|(account, opening)| Some(*opening - *after.get(account)?));
        let read_twice = falls.clone().count();
        let beyond = falls.sum::<Cents>() - (money.charged - money.refunded);
        // Rentals that a customer gave up on may have ended since, and then
        // they were refunded without anybody looking.
        let unseen = money.unfinished.iter().filter(|(end, _)| *end <= closed);
        let refundable = unseen.map(|(_, cost)| *cost).sum::<Cents>() + money.ended_unseen;
        let refunded_unseen = (-beyond).clamp(Cents::ZERO, refundable);
        let unexplained = beyond + refunded_unseen;
        let certainty = if read_twice < accounts {
            Certainty::BalancesUnread(accounts - read_twice)
        } else if money.unknown_rents > 0 && unexplained != Cents::ZERO {
            Certainty::RentsUnanswered(money.unknown_rents)
        } else {
            Certainty::Exact
        };
        Self {
            accounts,
            charged: money.charged,
            refunded: money.refunded + refunded_unseen,
            unexplained,
            certainty,
        }
    }

    /// What went missing, if that is known.
    pub fn missing(&self) -> Option<Cents> {
        (self.certainty == Certainty::Exact).then_some(self.unexplained)
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

    /// Two accounts with 1000 each before the run.
    fn audited(after: &[i64], money: &MoneyTally) -> Ledger {
        let before = balances(&[1000, 1000]);
        Ledger::audit(2, &before, &balances(after), money, Moment::START)
    }

    #[test]
    fn what_left_the_balances_is_what_the_rentals_cost() {
        assert_eq!(audited(&[900, 900], &money()).missing(), Some(Cents::ZERO));
        assert_eq!(audited(&[900, 899], &money()).missing(), Some(Cents(1)));
    }

    #[test]
    fn a_rent_without_an_answer_may_explain_a_difference() {
        let unanswered = MoneyTally {
            unknown_rents: 1,
            ..money()
        };
        assert_eq!(
            audited(&[900, 900], &unanswered).missing(),
            Some(Cents::ZERO)
        );
        let ledger = audited(&[900, 756], &unanswered);
        assert_eq!(ledger.certainty, Certainty::RentsUnanswered(1));
        assert_eq!((ledger.unexplained, ledger.missing()), (Cents(144), None));
    }

    #[test]
    fn rentals_that_ended_unseen_may_have_been_refunded() {
        let unseen = MoneyTally {
            unfinished: vec![(Moment::START, Cents(50))],
            ..money()
        };
        let ledger = audited(&[950, 900], &unseen);
        assert_eq!(
            (ledger.missing(), ledger.refunded),
            (Some(Cents::ZERO), Cents(150))
        );
        assert_eq!(audited(&[960, 900], &unseen).missing(), Some(Cents(-10)));
        let alive = MoneyTally {
            unfinished: vec![(Moment::NEVER, Cents(50))],
            ..money()
        };
        assert_eq!(audited(&[950, 900], &alive).missing(), Some(Cents(-50)));
    }

    #[test]
    fn a_balance_that_was_not_read_leaves_the_audit_open() {
        let ledger = audited(&[900], &money());
        assert_eq!(
            (ledger.certainty, ledger.missing()),
            (Certainty::BalancesUnread(1), None)
        );
    }
}
