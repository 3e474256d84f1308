//! What need not be asked: a poll whose answer is known, and a rental that
//! nobody asks for any more. Both leave every answer as it is
//! (`tests/it/shortcuts.rs`); `benches/simulate` shows what they are worth.

use contract::Moment;
use loadgen_core::answer::Answer;
use loadgen_core::call::{Call, Order};
use mock_server_core::Mock;

/// What each user is about, by its place.
#[derive(Debug, Default)]
pub(crate) struct Shortcuts {
    users: Vec<Pending>,
    /// Without them: every request is made in full.
    off: bool,
}

/// The rental that a user has.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    /// 0 is none.
    rental: u64,
    /// Until when polls of it are known to wait.
    waits_until: Moment,
    /// Whether it is the user's own to ask for, and not one that others poll.
    asked: bool,
}

impl Shortcuts {
    /// Makes every request in full from now on.
    pub(crate) const fn forbid(&mut self) {
        self.off = true;
    }

    /// Whether this request, made at `at`, is known to be answered that it waits.
    /// Who rents again is done with its former rental, which the mock is told.
    pub(crate) fn waits(&mut self, order: &Order, at: Moment, mock: &mut Mock) -> bool {
        let Some(pending) = self.users.get_mut(order.user.place()) else {
            return false;
        };
        match order.call {
            Call::CheckOtp(id) if id == pending.rental => {
                pending.asked = true;
                let waits = at < pending.waits_until;
                if waits {
                    mock.pass(at);
                }
                waits
            }
            Call::Rent(_) => {
                if pending.asked {
                    mock.let_go(pending.rental);
                }
                *pending = Pending::default();
                false
            }
            // Whose code came by webhook may never have polled.
            Call::History(_) => {
                pending.asked = true;
                false
            }
            _ => false,
        }
    }

    /// Notes what an answer says.
    pub(crate) fn note(&mut self, order: &Order, answer: &Answer, mock: &Mock) {
        let Answer::Rented(rented) = answer else {
            return;
        };
        if self.off {
            return;
        }
        let place = order.user.place();
        if self.users.len() <= place {
            self.users.resize(place + 1, Pending::default());
        }
        self.users[place] = Pending {
            rental: rented.id,
            waits_until: mock.waits_until(rented.id).unwrap_or_default(),
            asked: false,
        };
    }
}
