//! What users find out for later phases of a run.

use std::collections::BTreeMap;

use contract::Cents;

use crate::answer::{Answer, Failure};
use crate::call::{Call, Order, Times};
use crate::customer::{End, Next};
use crate::tally::Tally;

/// A rental to poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose.
    pub account: u32,
    /// Which.
    pub rental: u64,
}

/// What users found out for later phases of a run.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Rentals that were left to others.
    pub rentals: Vec<Target>,
    /// Balances that were read.
    pub balances: BTreeMap<u32, Cents>,
}

impl Found {
    /// The outcome of a user's only request.
    pub(crate) fn take(
        &mut self,
        order: Order,
        times: Times,
        outcome: &Result<Answer, Failure>,
        tally: &mut Tally,
    ) -> Next {
        match outcome {
            Ok(Answer::Balance(balance)) => {
                self.balances.insert(order.account, *balance);
            }
            Ok(Answer::Rented(rented)) => {
                let end = times.answered + rented.expires_in;
                tally.money.charged += rented.cost;
                tally.money.unfinished.push((end, rented.cost));
                self.rentals.push(Target {
                    account: order.account,
                    rental: rented.id,
                });
            }
            Ok(_) => {}
            Err(failure) => {
                let rent = matches!(order.call, Call::Rent(_));
                tally.money.unknown_rents += u64::from(rent && failure.may_have_charged());
                if *failure == Failure::Connect {
                    return Next::Done(End::Failed);
                }
            }
        }
        Next::Done(End::Served)
    }

    /// Adds what another worker found.
    pub fn merge(&mut self, other: Self) {
        self.rentals.extend(other.rentals);
        self.balances.extend(other.balances);
    }
}
