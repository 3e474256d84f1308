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
    /// Given back for rentals that ended without an SMS.
    pub(crate) refunded: Cents,
}

impl Ledger {
    /// An account that starts with `opening`.
    pub(crate) const fn new(opening: Cents) -> Self {
        Self {
            opening,
            charged: Cents::ZERO,
            refunded: Cents::ZERO,
        }
    }

    /// Money left.
    pub(crate) fn balance(&self) -> Cents {
        self.opening - self.charged + self.refunded
    }

    /// Whether `price` can be paid.
    pub(crate) fn affords(&self, price: Cents) -> bool {
        price <= self.balance()
    }

    /// Takes the price of a rental.
    pub(crate) fn charge(&mut self, price: Cents) {
        self.charged += price;
    }

    /// Gives the price of a rental back.
    pub(crate) fn refund(&mut self, price: Cents) {
        self.refunded += price;
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
