//! What a tester's hand does to a rental: its SMS now, its end now.

use contract::Moment;

use super::Account;
use crate::dialect::LateSms;
use crate::hand::HandError;
use crate::rental::{Rental, State};
use crate::sms::Sms;

impl Account {
    /// The SMS of the rental at `index` arrives at `now`, and not when it would
    /// have; if it has its SMS, this is another one. Says which number it has.
    ///
    /// # Errors
    ///
    /// [`HandError::Ended`], and nothing has changed.
    pub(crate) fn deliver_sms(
        &mut self,
        now: Moment,
        index: u32,
        (code, text): (Option<&str>, Option<&str>),
    ) -> Result<u32, HandError> {
        self.settle(now);
        let rental = self.rentals[index as usize];
        let state = self.state(&rental, now);
        if state == State::Expired && self.money.late_sms == LateSms::Dropped {
            return Err(HandError::Ended);
        }
        self.cancel_what_is_to_come(&rental, now);
        let code = code.map_or_else(|| rental.code(), str::to_owned);
        let text = text.map_or_else(|| rental.service.message(&code), str::to_owned);
        let sms = Sms {
            at: now,
            code: code.into(),
            text: text.into(),
        };
        if state == State::Completed {
            return Ok(self.sms.write_next(rental.id, sms));
        }
        self.rentals[index as usize].deliver(now);
        self.settle_early_sms(now, index, &rental);
        self.active.remove(index);
        Ok(self.sms.write_first(rental.id, sms))
    }

    /// The rental at `index` ends at `now` without an SMS; what follows is what
    /// would follow its ordinary end. One that ended before is left as it is.
    ///
    /// # Errors
    ///
    /// [`HandError::HasSms`], and nothing has changed.
    pub(crate) fn expire(&mut self, now: Moment, index: u32) -> Result<(), HandError> {
        self.settle(now);
        let rental = self.rentals[index as usize];
        match self.state(&rental, now) {
            State::Completed => return Err(HandError::HasSms),
            State::Expired => return Ok(()),
            State::Pending => {}
        }
        // An SMS that was still to come is a late one now.
        if self.money.late_sms == LateSms::Dropped {
            self.cancel_what_is_to_come(&rental, now);
            self.rentals[index as usize].lose_sms();
        }
        self.ended_early.insert(rental.id, now);
        self.settle_early_end(now, index, &rental);
        self.active.remove(index);
        Ok(())
    }

    /// Forgets the SMS of a rental that have not come by `now`, and their events.
    fn cancel_what_is_to_come(&mut self, rental: &Rental, now: Moment) {
        let sms = &self.sms;
        let arrival = |number| match sms.get(rental.id, number) {
            Some(written) => Some(written.at),
            None => rental.sms_at(),
        };
        self.webhooks.cancel(|event| {
            event.rental == rental.id && arrival(event.sms).is_none_or(|at| at > now)
        });
        self.sms.cancel_after(rental.id, now);
    }
}
