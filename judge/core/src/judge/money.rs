//! The ledger: P6, P7, and what the money says about R2 and C9. Between two
//! looks at the balance something was done or nothing was; a change that
//! nothing explains is told to the clause of what was done.

use std::time::Duration;

use crate::amount::Amount;
use crate::docket::{Docket, Place};
use crate::evidence::Who;
use crate::story::{Asked, Call, Operation, Rental, Story};

/// How long money may lag behind what it was paid for.
const LAG: Duration = Duration::from_secs(5);

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    for who in [Who::First, Who::Second] {
        let reads: Vec<_> = story
            .profiles(who)
            .filter_map(|call| Some((call, call.balance()?)))
            .collect();
        let windows: Vec<_> = reads
            .windows(2)
            .map(|pair| {
                let [(before, opening), (after, closing)] = [pair[0], pair[1]];
                let window = Window::of(story, who, before.index, after.index);
                (window, after, closing.less(opening))
            })
            .collect();
        // What every look costs is P6's to tell, and nobody else's.
        let idle = windows.iter().find(|(window, _, change)| {
            *window == Window::Idle && !window.expected(story, who, *change)
        });
        let drift = idle.map_or(Amount::ZERO, |(.., change)| *change);
        let mut explained = Amount::ZERO;
        for (window, after, change) in windows {
            let own = if window == Window::Idle {
                change
            } else {
                change.less(drift)
            };
            let expected = window.expected(story, who, own);
            if !expected {
                explained = explained.plus(own);
            }
            if window != Window::Idle {
                explained = explained.plus(drift);
            }
            window.judge((expected, own), after, docket);
        }
        if let Some((first, opening)) = reads.first() {
            let closing = reads.last().map_or(*opening, |(_, balance)| *balance);
            ledger(
                story,
                (who, first.index),
                opening.plus(explained).less(closing),
                docket,
            );
        }
    }
    repeated(story, docket);
}

/// What was done between two looks at the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    /// Only looking.
    Idle,
    /// Polling, nothing else.
    Polls,
    /// A rent without a service, nothing else.
    Omitted,
    /// A refused rent, nothing else.
    Refused,
    /// Anything else.
    Busy,
}

impl Window {
    fn of(story: &Story<'_>, who: Who, from: usize, to: usize) -> Self {
        let mut window = Self::Idle;
        for call in &story.calls[from + 1..to] {
            if call.who() != who {
                continue;
            }
            let kind = match &call.operation {
                Operation::Profile | Operation::History(_) => continue,
                Operation::CheckOtp(_) => Self::Polls,
                Operation::Rent(Asked::Nothing) if call.status != 0 => Self::Omitted,
                Operation::Rent(_) if call.status != 0 && !call.granted() => Self::Refused,
                _ => Self::Busy,
            };
            window = match (window, kind) {
                (Self::Idle, kind) => kind,
                (window, kind) if window == kind => kind,
                _ => Self::Busy,
            };
        }
        window
    }

    /// Whether the change can be the price of a rental that was made before, or
    /// what came back for one.
    fn expected(self, story: &Story<'_>, who: Who, change: Amount) -> bool {
        if self == Self::Busy || change.same(Amount::ZERO) {
            return true;
        }
        let size = Amount(change.0.saturating_abs());
        let costs = story.rentals_of(who).filter_map(|rental| rental.cost);
        let mut sums = vec![Amount::ZERO];
        // More rentals than a check makes would only make the sums many.
        for cost in costs.take(10) {
            let with: Vec<_> = sums.iter().map(|sum| sum.plus(cost)).collect();
            sums.extend(with);
        }
        sums.into_iter().any(|sum| sum.same(size))
    }

    fn judge(self, (expected, change): (bool, Amount), after: &Call<'_>, docket: &mut Docket) {
        let finding = |right: &str| (format!("the balance changed by {change}"), right.to_owned());
        match self {
            Self::Idle => {
                let same = change.same(Amount::ZERO) || expected;
                docket.should("P6", same, after, || {
                    finding("the same balance as a moment before")
                });
            }
            Self::Polls => {
                docket.should("C9", expected, after, || finding("polling costs nothing"));
            }
            Self::Omitted => {
                docket.must("R2", expected, after, || {
                    finding("a rent without service costs nothing")
                });
                docket.must("P7", expected, after, || {
                    finding("a refused rent costs nothing")
                });
            }
            Self::Refused => {
                docket.must("P7", expected, after, || {
                    finding("a refused rent costs nothing")
                });
            }
            Self::Busy => {}
        }
    }
}

/// What is missing at the end is what the rentals cost: certainly that of the
/// completed ones, at most that of all.
fn ledger(story: &Story<'_>, (who, first): (Who, usize), missing: Amount, docket: &mut Docket) {
    let rentals: Vec<_> = story
        .rentals_of(who)
        .filter(|rental| rental.call > first)
        .collect();
    let completed = |rental: &&&Rental| story.received(rental).is_some();
    let cost = |sum: Amount, rental: &&Rental| sum.plus(rental.cost.unwrap_or(Amount::ZERO));
    let priced = rentals.iter().all(|rental| rental.cost.is_some());
    let done = rentals.iter().filter(completed).count();
    if done == 0 || !priced {
        return;
    }
    let last = story
        .profiles(who)
        .filter(|call| call.balance().is_some())
        .last();
    let Some(last) = last.filter(|last| settled(story, who, last)) else {
        docket.excuse("P7", "the balance was not read after the SMS");
        return;
    };
    let least = rentals.iter().filter(completed).fold(Amount::ZERO, cost);
    let most = rentals.iter().fold(Amount::ZERO, cost);
    let holds = missing.0 >= least.0.saturating_sub(50) && missing.0 <= most.0.saturating_add(50);
    docket.must("P7", holds, last, || {
        let right = if done == rentals.len() {
            format!("{least} less: the price of {done} completed rentals, once")
        } else {
            format!(
                "{least} to {most} less: {done} rentals are completed, {} made",
                rentals.len()
            )
        };
        (format!("the balance dropped by {missing}"), right)
    });
    let charged_at_once = charged_at_rent(story, who);
    if let Some(at_rent) = charged_at_once {
        let when = if at_rent {
            "at the rent"
        } else {
            "later than the rent"
        };
        docket.record("P7", format!("charged {when}"));
    }
    docket.record(
        "H17",
        format!("{missing} are gone, the completed rentals cost {least}, all {most}"),
    );
}

/// Whether this look at the balance is not too early for the last SMS that was seen before it.
fn settled(story: &Story<'_>, who: Who, last: &Call<'_>) -> bool {
    let received = story
        .rentals_of(who)
        .filter_map(|rental| story.received(rental));
    let latest = received.map(Call::sent).max();
    latest.is_none_or(|latest| last.sent() >= latest)
        || last.sent() + LAG >= latest.unwrap_or_default()
}

/// Whether the balance had dropped right after the first rent.
pub(crate) fn charged_at_rent(story: &Story<'_>, who: Who) -> Option<bool> {
    let rental = story.rentals_of(who).next()?;
    let cost = rental.cost?;
    let before = story
        .profiles(who)
        .filter(|call| call.index < rental.call)
        .last()?
        .balance()?;
    let after = story.profiles(who).find(|call| call.index > rental.call)?;
    let received = story
        .received(rental)
        .is_some_and(|poll| poll.index < after.index);
    let others = story
        .rentals_of(who)
        .any(|other| other.call > rental.call && other.call < after.index);
    if received || others {
        return None;
    }
    Some(before.less(after.balance()?).same(cost))
}

/// Whether the price of a rental without a code was back after its end, which
/// this poll saw. Others of the key may have been made and have ended as well.
pub(crate) fn refunded(story: &Story<'_>, rental: &Rental, poll: &Call<'_>) -> Option<bool> {
    let looks = || {
        story
            .profiles(rental.who)
            .filter(|call| call.balance().is_some())
    };
    let before = looks().filter(|call| call.index < rental.call).last()?;
    let after = looks().find(|call| call.index > poll.index)?;
    let (mut charged, mut back) = (Amount::ZERO, Amount::ZERO);
    for other in story.rentals_of(rental.who) {
        let cost = other.cost?;
        if other.call > before.index && other.call < after.index {
            charged = charged.plus(cost);
        }
        let code = story.received(other);
        let ends_between = other.call < after.index
            && code.is_none_or(|code| code.index > after.index)
            && ended(story, other, after)?
            && (other.call > before.index || !ended(story, other, before)?);
        if ends_between {
            back = back.plus(cost);
        }
    }
    let missing = before.balance()?.less(after.balance()?);
    match (missing.same(charged.less(back)), missing.same(charged)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Whether a rental had ended by then, if that is certain.
fn ended(story: &Story<'_>, rental: &Rental, by: &Call<'_>) -> Option<bool> {
    if !Story::may_have_ended(rental, by.sent()) {
        return Some(false);
    }
    let by_hand = story.evidence.ended_by_hand.contains_key(&rental.id);
    let latest = rental.answered.saturating_add(rental.life?);
    (by_hand || by.sent() >= latest).then_some(true)
}

/// Two looks with nothing in between show the same person.
fn repeated(story: &Story<'_>, docket: &mut Docket) {
    let profiles: Vec<_> = story
        .profiles(Who::First)
        .filter(|call| call.granted())
        .collect();
    for pair in profiles.windows(2) {
        let between = &story.calls[pair[0].index + 1..pair[1].index];
        if between.iter().any(|call| call.who() == Who::First) {
            continue;
        }
        let person = |call: &Call<'_>| {
            let user = call
                .success_object()
                .and_then(|object| object.get("user"))
                .cloned();
            user.map(|user| (user.get("name").cloned(), user.get("email").cloned()))
        };
        let same = person(pair[0]) == person(pair[1]);
        docket.should("P6", same, Place::from(pair[1]), || {
            (
                "another name or email than a moment before".to_owned(),
                "the same profile".to_owned(),
            )
        });
    }
}
