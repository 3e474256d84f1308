//! When which account needs looking after, in the server's time. Accounts have
//! clocks of their own; this is where they meet.

use std::collections::BTreeSet;

use contract::Moment;

/// At most one date for each account.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    dates: BTreeSet<(Moment, u32)>,
}

impl Agenda {
    /// The earliest date that ever comes.
    pub(crate) fn next(&self) -> Option<Moment> {
        let (moment, _) = self.dates.first()?;
        (*moment != Moment::NEVER).then_some(*moment)
    }

    /// An account whose date has come by `now`.
    pub(crate) fn due(&self, now: Moment) -> Option<u32> {
        let (moment, account) = self.dates.first()?;
        (*moment <= now).then_some(*account)
    }

    /// Moves the date of `account` from `noted`, which is updated, to `due`.
    pub(crate) fn change(&mut self, account: u32, noted: &mut Option<Moment>, due: Option<Moment>) {
        if *noted == due {
            return;
        }
        if let Some(old) = noted.take() {
            self.dates.remove(&(old, account));
        }
        if let Some(new) = due {
            self.dates.insert((new, account));
        }
        *noted = due;
    }
}
