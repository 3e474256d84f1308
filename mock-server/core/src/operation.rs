//! The four operations: what each does, and what it answers. Whose the request
//! is and what goes wrong with it is decided before, in [`crate::mock`].

mod check_otp;
mod history;
mod profile;
mod rent;

use std::time::Duration;

use contract::{Moment, Problem, Route};

use crate::fault::SmsPlan;
use crate::mock::Mock;
use crate::reply::Reply;
use crate::request::Request;

/// When a request came, in its account's time, and when its answer leaves, in
/// the server's.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) now: Moment,
    pub(crate) at: Moment,
    /// From the one to the other.
    pub(crate) latency: Duration,
}

impl Mock {
    /// Carries out the operation of `route` for `account`.
    pub(crate) fn carry_out(
        &mut self,
        account: u32,
        route: &Route<'_>,
        request: &Request<'_>,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        match *route {
            Route::CheckOtp(id) => self.check_otp(account, id, request, times),
            Route::Rent => self.rent(account, request, (times, sms)),
            Route::Profile => Ok(self.profile(account, times)),
            Route::History => self.history(account, request, times),
        }
    }
}
