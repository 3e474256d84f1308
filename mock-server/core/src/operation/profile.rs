//! `profile`: name, e-mail address and balance.

use contract::body::{Profile, User};

use super::Times;
use crate::mock::Mock;
use crate::reply::Reply;

impl Mock {
    pub(super) fn profile(&mut self, account: u32, times: Times) -> Reply {
        let account = &mut self.accounts[account as usize];
        let balance = account.balance(times.now);
        let body = account.settings.dialect.json(&Profile {
            success: true,
            user: User {
                name: account.person.name.as_str().into(),
                email: account.person.email.as_str().into(),
                balance,
            },
        });
        Reply::success(body, times.at)
    }
}
