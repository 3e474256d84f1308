//! `history`: a page of the account's rentals.

use contract::body::HistoryRow;

use super::Times;
use crate::history::{self, Page};
use crate::mock::Mock;
use crate::rental::{Rental, State};
use crate::reply::{Reply, json};
use crate::request::Request;

impl Mock {
    pub(super) fn history(&self, account: u32, request: &Request<'_>, times: Times) -> Reply {
        let account = &self.accounts[account as usize];
        let describe = |rental: &Rental| -> HistoryRow<'static> {
            let state = account.state(rental, times.now);
            let code = (state == State::Completed)
                .then(|| account.shown(rental, times.now).code.into_owned());
            history::row(rental, (state, code), self.epoch)
        };
        let page = Page::from_query(request.query).of(account.rentals(), describe);
        Reply::success(json(&page), times.at)
    }
}
