//! The rules about what became of rentals, asked when somebody wants to know.

use std::time::Duration;

use contract::Moment;

use super::customer::Customer;
use super::finding::Findings;
use super::past::Past;
use super::rule::Rule;
use crate::account::Account;
use crate::rental::{Rental, State};
use crate::sms;

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
    let rentals = account.rentals();
    for (id, rent) in &customer.made {
        let Ok(index) = rentals.binary_search_by_key(id, |rental| rental.id) else {
            continue;
        };
        let owned = (account, &rentals[index]);
        let proof = std::slice::from_ref(rent);
        if let Some(what) = leak(owned, (customer, rent), now) {
            findings.add((Rule::RentalLeaked, Some(place), *id), || what, proof);
        } else if is_believed(owned, (customer, rent), now) {
            let what = || "its webhook was taken, and it was not polled after its SMS".to_owned();
            findings.add((Rule::WebhookUnverified, Some(place), *id), what, proof);
        }
    }
}

/// Why nobody comes for a rental, if so. Whoever polls for a while and gives up before its
/// end has a deadline of their own.
fn leak(
    (account, rental): (&Account, &Rental),
    (customer, rent): (&Customer, &Past),
    now: Moment,
) -> Option<String> {
    let polls = customer.polls(rental.id);
    let elsewhere = customer.taken(rental.id).is_some() || customer.last_history(rent).is_some();
    if elsewhere || polls > 1 {
        return None;
    }
    let looked = customer.last_poll(rental.id);
    let number = rent.entry.number;
    match account.state(rental, now) {
        State::Pending => None,
        State::Expired => looked
            .is_none()
            .then(|| format!("rented by request {number}, and never polled")),
        State::Completed => {
            let (arrival, _) = account.sms(rental, sms::FIRST)?;
            let unread = looked.is_none_or(|looked| looked < arrival);
            (unread && arrival + PATIENCE <= now).then(|| match polls {
                0 => format!("rented by request {number}, and never polled"),
                _ => format!("rented by request {number}, and polled once, before its SMS"),
            })
        }
    }
}

/// Whether an event was taken long ago, and nobody asked for the SMS itself.
fn is_believed(
    (account, rental): (&Account, &Rental),
    (customer, rent): (&Customer, &Past),
    now: Moment,
) -> bool {
    let Some((taken, false)) = customer.taken(rental.id) else {
        return false;
    };
    let arrival = account.sms(rental, sms::FIRST).map(|(at, _)| at);
    let looked = customer
        .last_poll(rental.id)
        .max(customer.last_history(rent));
    taken + PATIENCE <= now && looked.is_none_or(|looked| arrival.is_some_and(|at| looked < at))
}
