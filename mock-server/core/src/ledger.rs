//! The money of an account, in integer cents. It knows amounts, not rentals:
//! when to charge and to refund is [`crate::account`]'s business.

use contract::Cents;

/// What was there at first, what went and what came back.
///
/// The balance is not stored, so that it cannot disagree with its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// At first.
    pub(crate) opening: Cents,
    /// Taken for rentals.
    pub(crate) charged: Cents,
    /// Given back for rentals that ended without an SMS, and not taken back.
    pub(crate) refunded: Cents,
    /// Not taken, but needed for rentals that may still get their SMS.
    pub(crate) reserved: Cents,
    /// Not given back yet, but sure to be.
    pub(crate) promised: Cents,
}

impl Ledger {
    /// An account that starts with `opening`.
    pub(crate) const fn new(opening: Cents) -> Self {
        Self {
            opening,
            charged: Cents::ZERO,
            refunded: Cents::ZERO,
            reserved: Cents::ZERO,
            promised: Cents::ZERO,
        }
    }

    /// Money left.
    pub(crate) fn balance(&self) -> Cents {
        self.opening - self.charged + self.refunded
    }

    /// Whether `price` can be paid beside all that is reserved.
    pub(crate) fn affords(&self, price: Cents) -> bool {
        price <= self.balance() - self.reserved
    }

    /// Takes the price of a rental.
    pub(crate) fn charge(&mut self, price: Cents) {
        self.charged += price;
    }

    /// Gives the price of a rental back.
    pub(crate) fn refund(&mut self, price: Cents) {
        self.refunded += price;
    }

    /// Takes back what was given back, even if it is spent: then the balance is a debt.
    pub(crate) fn take_back(&mut self, price: Cents) {
        self.refunded -= price;
    }

    /// Keeps `price` for a rental that is charged later.
    pub(crate) fn reserve(&mut self, price: Cents) {
        self.reserved += price;
    }

    /// Keeps it no longer.
    pub(crate) fn release(&mut self, price: Cents) {
        self.reserved -= price;
    }

    /// Promises that `price` will be given back.
    pub(crate) fn promise(&mut self, price: Cents) {
        self.promised += price;
    }

    /// Promises it no longer.
    pub(crate) fn withdraw(&mut self, price: Cents) {
        self.promised -= price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_restores_the_balance_to_the_cent() {
        let mut ledger = Ledger::new(Cents(144));
        assert!(ledger.affords(Cents(144)));
        ledger.charge(Cents(144));
        assert_eq!(ledger.balance(), Cents::ZERO);
        assert!(!ledger.affords(Cents(1)));
        ledger.refund(Cents(144));
        assert_eq!(ledger.balance(), Cents(144));
    }
}
