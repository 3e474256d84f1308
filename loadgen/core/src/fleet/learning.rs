//! The fleet's part that knows what users are after: what they learn from, and
//! what they look for.

use contract::Moment;

use super::{Fleet, Kind, Role, User};
use crate::answer::{Answer, Failure};
use crate::call::{Order, UserId};
use crate::polling::school::Desk;

impl Fleet {
    /// What the user of `order` looks for in the history: its own rental, or with
    /// number 0 nothing at all. Whoever makes the answers may spare the rest.
    pub fn sought(&self, order: &Order) -> Option<u64> {
        let user = self.users.get(order.user.0 as usize)?.as_ref()?;
        match &user.kind {
            Kind::Customer(customer) => customer.sought(),
            Kind::Reader(_) => Some(0),
            Kind::OneRequest(_) => None,
        }
    }

    /// An answer that comes teaches its user, if that learns.
    pub(super) fn learn(&mut self, id: UserId, outcome: &Result<Answer, Failure>) {
        let (Role::Customer(crowd), Some(Some(user))) =
            (&self.plan.role, self.users.get_mut(id.0 as usize))
        else {
            return;
        };
        let (plan, desk) = (&crowd.population(user.place).plan, user.desk(&self.plan));
        if let (Some(price), Kind::Customer(customer)) = (plan.polling.learns(), &mut user.kind) {
            customer.learn(outcome, plan, self.school.learner(desk, price));
        }
    }

    /// A webhook that comes does.
    pub(super) fn learn_from_webhook(&mut self, id: UserId, now: Moment) {
        let (Role::Customer(crowd), Some(Some(user))) =
            (&self.plan.role, self.users.get(id.0 as usize))
        else {
            return;
        };
        let (plan, desk) = (&crowd.population(user.place).plan, user.desk(&self.plan));
        if let (Some(price), Kind::Customer(customer)) = (plan.polling.learns(), &user.kind) {
            customer.learn_from_webhook(now, self.school.learner(desk, price));
        }
    }
}

impl User {
    /// Whose experience it shares.
    fn desk(&self, plan: &super::Plan) -> Desk {
        match plan.arrivals.is_open() {
            true => (self.place, self.account),
            false => (self.place, self.slot),
        }
    }
}
