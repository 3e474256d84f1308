//! A tester's hand on rentals: the SMS arrives now, or the rental ends now. What
//! a control request looks like on the wire is the shell's business.

use contract::Moment;

use crate::mock::Mock;
use crate::register::Place;
use crate::scope::Scope;
use crate::webhook::DeliveryId;

/// Why a hand on a rental moves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// No such rental, or one of another account.
    #[error("there is no such rental, or another account has it")]
    NoSuchRental,
    /// An SMS for a rental that has ended without one.
    #[error(
        "the rental has ended, and an SMS after the end is dropped; send it before the end, \
         or allow it with the dialect's late_sms"
    )]
    Ended,
    /// An end without an SMS for a rental that has its SMS.
    #[error("the rental has its SMS and cannot end without one; only a pending one can")]
    HasSms,
}

impl Mock {
    /// The SMS of a rental arrives now, in its account's time, with this code
    /// and this text. Without a code it has the one that was drawn for the
    /// rental; without a text it is the service's sentence with the code.
    ///
    /// A pending rental is completed by it, and what was to come of itself never
    /// comes. For one that has its SMS, this is another: its code is the one
    /// shown from now on. Either way it has an event of its own, due at once.
    ///
    /// # Errors
    ///
    /// [`HandError::NoSuchRental`], or [`HandError::Ended`]; then nothing has changed.
    pub fn deliver_sms(
        &mut self,
        now: Moment,
        scope: Scope,
        rental_id: u32,
        code: Option<&str>,
        text: Option<&str>,
    ) -> Result<(), HandError> {
        let (place, local) = self.in_hand(now, scope, rental_id)?;
        let account = &mut self.accounts[place.account as usize];
        let number = account.deliver_sms(local, place.index, (code, text))?;
        let delivery = DeliveryId {
            by_hand: true,
            ..DeliveryId::drawn(rental_id, number)
        };
        self.plan_webhook(place.account, delivery);
        self.tell_hand(now, place.account, rental_id, "sms.received");
        Ok(())
    }

    /// A rental ends now, in its account's time, without an SMS, as it would at
    /// its end; it is refunded. One that ended before is left as it is.
    ///
    /// # Errors
    ///
    /// [`HandError::NoSuchRental`], or [`HandError::HasSms`]; then nothing has changed.
    pub fn expire(&mut self, now: Moment, scope: Scope, rental_id: u32) -> Result<(), HandError> {
        let (place, local) = self.in_hand(now, scope, rental_id)?;
        let account = &mut self.accounts[place.account as usize];
        let before = account.end(&account.rentals()[place.index as usize]);
        account.expire(local, place.index)?;
        self.reschedule(place.account);
        if before > local {
            self.tell_hand(now, place.account, rental_id, "rental.expired");
        }
        Ok(())
    }

    /// Tells whoever listens what the hand did.
    fn tell_hand(&mut self, now: Moment, place: u32, rental: u32, name: &'static str) {
        if self.is_heard() {
            let now = self.advance(now);
            self.tell_rental(now, place, rental, name);
            self.foresee(place, now);
        }
    }

    /// Where a rental is that the hand may touch, and what time it is there.
    fn in_hand(
        &mut self,
        now: Moment,
        scope: Scope,
        id: u32,
    ) -> Result<(Place, Moment), HandError> {
        let now = self.advance(now);
        let place = self.place(id).filter(|place| {
            let mine = scope.place();
            mine.is_none_or(|account| account == place.account)
        });
        let place = place.ok_or(HandError::NoSuchRental)?;
        let clock = &self.accounts[place.account as usize].clock;
        Ok((place, clock.local(now)))
    }
}
