//! The fleet's part that deals with failed requests: what is made again and
//! when, and what that means for the budget. What users do with the last
//! failure is their own business.

use std::time::Duration;

use super::{Fleet, Kind, Role, User};
use crate::answer::{Answer, Failure};
use crate::call::{Call, Order, Times, UserId};
use crate::place::Place;
use crate::retry::Retry;

impl Fleet {
    /// How a user deals with failures.
    pub(super) fn retry(&self, id: UserId) -> Option<&Retry> {
        match &self.plan.role {
            Role::Customer(crowd) => {
                let place = self.user(id)?.place;
                Some(&crowd.population(place).plan.retry)
            }
            Role::PollOnce(_) | Role::RentOnly(_) | Role::ReadBalance => None,
        }
    }

    /// Where a user is counted apart from others, if it is.
    pub(super) fn counted(&self, id: UserId) -> Option<Place> {
        match &self.plan.role {
            Role::Customer(crowd) => crowd.counted(self.user(id)?.place),
            Role::PollOnce(_) | Role::RentOnly(_) | Role::ReadBalance => None,
        }
    }

    pub(super) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.0 as usize).and_then(Option::as_ref)
    }

    /// What a rent has cost is known, unless it failed in a way that leaves it open.
    pub(super) fn settle(&self, order: Order, outcome: &Result<Answer, Failure>) {
        let Some(user) = self.user(order.user) else {
            return;
        };
        let budget = &self.clearance.budget;
        match (order.call, outcome) {
            (Call::Rent(_), Ok(Answer::Rented(rented))) => {
                budget.settle(user.reserved, rented.cost);
            }
            (Call::Rent(_), Err(failure)) if !failure.may_have_charged() => {
                budget.give_back(user.reserved);
            }
            _ => {}
        }
    }

    /// The pause before a failed request is made again; `None` if it is not,
    /// because its user does not do that or there is no budget for it.
    pub(super) fn pause(&mut self, order: &Order, failure: Failure) -> Option<Duration> {
        let user = self.user(order.user)?;
        let (index, made, requests) = (user.index, user.made + 1, user.requests);
        if let (Kind::Customer(customer), Call::CheckOtp(_)) = (&user.kind, order.call)
            && customer.knows_code()
        {
            // A webhook brought it meanwhile.
            return None;
        }
        let retry = self.retry(order.user)?;
        if !retry.again(&order.call, failure, made) {
            return None;
        }
        let pause = retry.pause(made, self.plan.dice, index, requests);
        if let Call::Rent(service) = order.call {
            let reserved = self.clearance.budget.take(service)?;
            if let Some(Some(user)) = self.users.get_mut(order.user.0 as usize) {
                user.reserved = reserved;
            }
        }
        Some(pause)
    }

    /// Makes a failed request again after a pause.
    pub(super) fn repeat(&mut self, order: Order, times: Times, failure: Failure, pause: Duration) {
        let operation = self.tally.operation_mut(order.call.operation());
        operation.retries += 1;
        if matches!(order.call, Call::Rent(_)) {
            self.tally.money.unknown_rents += u64::from(failure.may_have_charged());
        }
        if let Some(Some(user)) = self.users.get_mut(order.user.0 as usize) {
            user.made += 1;
            if let Kind::Customer(customer) = &mut user.kind {
                customer.repeats(times);
            }
        }
        self.ask(
            order.user,
            order.call,
            times.answered + pause,
            times.answered,
        );
    }
}
