//! `check_otp`: whether the SMS is there. The hot path: a poll that waits is
//! answered with bytes that were encoded when the mock was made.

use bytes::Bytes;
use contract::body::CheckOtp;
use contract::{Problem, Truth};

use super::Times;
use crate::dialect::Dialect;
use crate::mock::Mock;
use crate::register::Register;
use crate::rental::{Rental, State};
use crate::reply::Reply;
use crate::request::Request;
use crate::sms::Message;

impl Mock {
    pub(super) fn check_otp(
        &self,
        account: u32,
        id: &str,
        request: &Request<'_>,
        times: Times,
    ) -> Result<Reply, Problem> {
        let (owner, rental) = Register::id(id)
            .and_then(|id| self.rental(id))
            .ok_or(Problem::NoSuchRental)?;
        if owner != account {
            return Err(Problem::NoSuchRental);
        }
        let owner = &self.accounts[owner as usize];
        let dialect = &owner.settings.dialect;
        let body = match owner.state(rental, times.now) {
            State::Pending => self.waiting.of(dialect),
            State::Completed => received(&owner.shown(rental, times.now), dialect),
            State::Expired => dialect.json(&CheckOtp::expired()),
        };
        let truth = request.truth.then(|| truth(rental, times)).flatten();
        Ok(Reply {
            truth,
            ..Reply::success(body, times.at)
        })
    }
}

fn received(message: &Message<'_>, dialect: &Dialect) -> Bytes {
    dialect.json(&CheckOtp::received(&*message.code, &*message.text))
}

/// What only the mock can know, once the SMS is there.
fn truth(rental: &Rental, times: Times) -> Option<Truth> {
    let arrival = rental.sms_at().filter(|arrival| *arrival <= times.now)?;
    Some(Truth {
        delay: arrival.since(rental.created),
        readable: times.now.since(arrival) + times.latency,
    })
}
