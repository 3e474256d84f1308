//! `history`: a page of the account's rentals.

use contract::Problem;
use contract::body::HistoryRow;

use super::Times;
use crate::history::{self, Page};
use crate::mock::Mock;
use crate::rental::{Rental, State};
use crate::reply::Reply;
use crate::request::Request;

impl Mock {
    pub(super) fn history(
        &self,
        account: u32,
        request: &Request<'_>,
        times: Times,
    ) -> Result<Reply, Problem> {
        let account = &self.accounts[account as usize];
        let dialect = &account.settings.dialect;
        let page = Page::from_query(request.query, dialect.paging)?;
        let describe = |rental: &Rental| -> HistoryRow<'_> {
            let state = account.state(rental, times.now);
            let refunded = account.is_refunded(rental, times.now);
            let name = self.catalogue.names(rental).history;
            let code = (state == State::Completed)
                .then(|| account.shown(rental, times.now).code.into_owned());
            let dialect = (&**dialect, self.epoch);
            history::row(rental, (state, refunded), code, name, dialect)
        };
        let (rentals, order) = (account.rentals(), dialect.history_order);
        let history = match request.sought {
            Some(id) => page.seeking(rentals, order, id, describe),
            None => page.of(rentals, order, describe),
        };
        Ok(Reply::success(dialect.history(&history), times.at))
    }
}
