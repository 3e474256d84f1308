//! The fleet's part that starts users: which population one belongs to, what it
//! asks first, and whether there is budget for it.

use contract::{Moment, Service};

use super::{Fleet, Kind, Role, User};
use crate::arrivals::Arrival;
use crate::budget::Reserved;
use crate::call::Call;
use crate::customer::Customer;
use crate::place::Place;
use crate::reader::Reader;

/// How a user begins.
struct Beginning {
    kind: Kind,
    account: u32,
    call: Call,
    place: Place,
    reserved: Reserved,
}

impl Fleet {
    pub(super) fn start(&mut self, arrival: Arrival, now: Moment) {
        let Some(beginning) = self.beginning(&arrival) else {
            // No budget for a rental: nobody else starts either.
            self.tally.turned_away += 1;
            return self.stop(now, self.last_wait);
        };
        let id = self.admit(User {
            kind: beginning.kind,
            index: arrival.index,
            account: beginning.account,
            slot: arrival.slot,
            call: beginning.call,
            place: beginning.place,
            made: 0,
            requests: 0,
            has_turn: false,
            reserved: beginning.reserved,
            timer: None,
            awaits: None,
        });
        self.send(id, arrival.at, now);
    }

    fn beginning(&mut self, arrival: &Arrival) -> Option<Beginning> {
        let index = arrival.index;
        let one_request = |account, call| Beginning {
            kind: Kind::OneRequest(0),
            account,
            call,
            place: Place::default(),
            reserved: Reserved::default(),
        };
        let account = (index % u64::from(self.plan.accounts)) as u32;
        match &self.plan.role {
            Role::Customer(_) => self.member(arrival, account),
            Role::RentOnly(crowd) => {
                let services = &crowd.population(Place::default()).plan.services;
                let service = services[(index % services.len() as u64) as usize];
                Some(Beginning {
                    reserved: self.clearance.budget.take(service)?,
                    ..one_request(account, Call::Rent(service))
                })
            }
            Role::PollOnce(targets) => {
                let target = targets[(index % targets.len() as u64) as usize];
                Some(one_request(target.account, Call::CheckOtp(target.rental)))
            }
            Role::ReadBalance => Some(one_request(account, Call::Profile)),
        }
    }

    /// A member of the crowd: a customer or a reader.
    fn member(&mut self, arrival: &Arrival, account: u32) -> Option<Beginning> {
        let (plan, index) = (&self.plan, arrival.index);
        let Role::Customer(crowd) = &plan.role else {
            return None;
        };
        // Of closed arrivals the slots are shared out, so that at any time as
        // many of each population are there as its share says.
        let number = match plan.arrivals.is_open() {
            true => index,
            false => u64::from(arrival.slot),
        };
        let place = crowd.choose(number, plan.dice);
        let population = crowd.population(place);
        if let Some(call) = population.activity.reads() {
            return Some(Beginning {
                kind: Kind::Reader(Reader::new(index, call)),
                account,
                call,
                place,
                reserved: Reserved::default(),
            });
        }
        let service: &'static Service = Customer::service(index, &population.plan, plan.dice);
        let reserved = self.clearance.budget.take(service)?;
        let counted = crowd.counted(place);
        Some(Beginning {
            kind: Kind::Customer(Customer::new(index, account, counted, &mut self.tally)),
            account,
            call: Call::Rent(service),
            place,
            reserved,
        })
    }
}
