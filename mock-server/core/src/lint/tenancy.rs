//! The rules about what became of rentals, asked when somebody wants to know.

use std::time::Duration;

use contract::Moment;

use super::customer::Customer;
use super::finding::Findings;
use super::rule::Rule;
use crate::account::Account;
use crate::dialect::WebhookSignature;
use crate::journal::Entry;
use crate::rental::Rental;

/// How long an SMS or an event may lie before nobody is coming for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Judges the rentals that `customer` has made.
pub(super) fn judge(
    (place, account): (u32, &Account),
    customer: &Customer,
    now: Moment,
    findings: &mut Findings,
) {
    let now = account.clock.local(now);
    let unsigned = matches!(
        account.settings.dialect.webhook_signature,
        WebhookSignature::None
    );
    let rentals = account.rentals();
    for (id, rent) in &customer.made {
        let Ok(index) = rentals.binary_search_by_key(id, |rental| rental.id) else {
            continue;
        };
        let rental = &rentals[index];
        let polled = customer.last_look(*id);
        let taken = customer.taken(*id);
        let proof = std::slice::from_ref(rent);
        if is_leaked((account, rental), polled.max(taken), now) {
            let subject = (Rule::RentalLeaked, Some(place), *id);
            findings.add(subject, || leak(rental, rent), proof);
        } else if unsigned
            && let Some(taken) = taken
            && polled.is_none_or(|polled| polled < taken)
            && taken + PATIENCE <= now
        {
            let what = || "its webhook was taken, and it was not polled after that".to_owned();
            findings.add((Rule::WebhookUnverified, Some(place), *id), what, proof);
        }
    }
}

fn is_leaked((account, rental): (&Account, &Rental), looked: Option<Moment>, now: Moment) -> bool {
    match rental.sms_at().filter(|arrival| *arrival <= now) {
        Some(arrival) => arrival + PATIENCE <= now && looked.is_none_or(|looked| looked < arrival),
        None => account.end(rental) <= now && looked.is_none(),
    }
}

fn leak(rental: &Rental, rent: &Entry) -> String {
    let answered = match rent.status {
        Some(status) => format!("answered {status}"),
        None => "not answered".to_owned(),
    };
    match rental.sms_at() {
        Some(_) => format!(
            "rented by request {} ({answered}); its SMS was not read",
            rent.number
        ),
        None => format!(
            "rented by request {} ({answered}), and never looked at",
            rent.number
        ),
    }
}
