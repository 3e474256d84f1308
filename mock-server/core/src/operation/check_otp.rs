//! `check_otp`: whether the SMS is there. The hot path: a poll that waits is
//! answered with bytes that were encoded when the mock was made.

use bytes::Bytes;
use contract::body::CheckOtp;
use contract::{Problem, Truth};

use super::Times;
use crate::dialect::{Dialect, Expired, Readable, RepeatRead};
use crate::mock::Mock;
use crate::register::Register;
use crate::rental::{Rental, State};
use crate::reply::Reply;
use crate::request::Request;
use crate::sms::Message;

impl Mock {
    pub(super) fn check_otp(
        &mut self,
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
            State::Completed => {
                let rental = *rental;
                return self.check_completed(account, &rental, request, times);
            }
            State::Expired => match dialect.expired {
                Expired::Refusal => dialect.json(&CheckOtp::expired()),
                Expired::Waiting => self.waiting.of(dialect),
                Expired::Status(_) => return Err(Problem::RentalEnded),
            },
        };
        Ok(Reply::success(body, times.at))
    }

    /// A poll of a rental that has its SMS. In most dialects it changes nothing;
    /// where a code is shown once, it is what uses the code up.
    fn check_completed(
        &mut self,
        account: u32,
        rental: &Rental,
        request: &Request<'_>,
        times: Times,
    ) -> Result<Reply, Problem> {
        let owner = &mut self.accounts[account as usize];
        if let Readable::For(time) = owner.settings.dialect.readable
            && owner.end(rental) + time <= times.now
        {
            return Err(Problem::NoSuchRental);
        }
        let once = owner.settings.dialect.repeat_read == RepeatRead::Once;
        if once && !owner.shows_first_time(rental, times.now) {
            let body = self.waiting.of(&owner.settings.dialect);
            return Ok(Reply::success(body, times.at));
        }
        let body = received(&owner.shown(rental, times.now), &owner.settings.dialect);
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
