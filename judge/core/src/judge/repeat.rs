//! What looking again shows: C9 and C10, C14.

use crate::docket::{Docket, came};
use crate::story::{Call, Case, Rental, Story};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    for rental in &story.rentals {
        let polls: Vec<_> = story
            .polls(rental)
            .filter(|call| call.status != 0 && call.status != 429 && call.status < 500)
            .collect();
        waiting(rental, &polls, docket);
        let received: Vec<_> = polls
            .iter()
            .copied()
            .skip_while(|call| call.case() != Case::Received)
            .collect();
        if received.len() > 1 {
            stays(story, rental, &received, docket);
            codes(story, rental, &received, docket);
        }
    }
}

/// C9: a poll that waits changes nothing, so the next is granted as well.
fn waiting(rental: &Rental, polls: &[&Call<'_>], docket: &mut Docket) {
    for pair in polls.windows(2) {
        let live = !Story::may_have_ended(rental, pair[1].sent());
        if pair[0].case() == Case::Waiting
            && pair[0].succeeded()
            && live
            && pair[1].case() != Case::Odd
        {
            let repeatable = pair[1].case() != Case::Refused
                || (pair[1].is_2xx() && pair[1].body.object().is_none());
            docket.should("C9", repeatable, pair[1], || {
                (
                    came(pair[1].exchange),
                    "an answer like the one before: polling changes nothing".to_owned(),
                )
            });
        }
    }
}

/// C10: true never becomes false. A server that shows each code once is
/// tolerated (part 2), if it keeps to that.
fn stays(story: &Story<'_>, rental: &Rental, polls: &[&Call<'_>], docket: &mut Docket) {
    let live: Vec<_> = polls
        .iter()
        .filter(|call| !Story::may_have_ended(rental, call.sent()))
        .collect();
    let hidden = live.iter().find(|call| call.case() == Case::Waiting);
    let Some(hidden) = hidden else {
        docket.hold("C10");
        return;
    };
    let shown = live
        .iter()
        .filter(|call| call.case() == Case::Received)
        .count();
    let every_one_once = story.rentals.iter().all(|other| once(story, other));
    docket.must("C10", shown == 1 && every_one_once, **hidden, || {
        (
            "sms_received false after it was true".to_owned(),
            "the code again".to_owned(),
        )
    });
    if shown == 1 {
        docket.record("C10", "a code is shown once");
    }
}

fn once(story: &Story<'_>, rental: &Rental) -> bool {
    let mut seen = story
        .polls(rental)
        .filter(|call| call.case() == Case::Received);
    let first = seen.next();
    let again = first.is_some_and(|first| story.polls(rental).any(|call| call.index > first.index));
    seen.next().is_none() || !again
}

/// C10: the same code, unless a second SMS came.
fn codes(story: &Story<'_>, rental: &Rental, polls: &[&Call<'_>], docket: &mut Docket) {
    let shown: Vec<_> = polls
        .iter()
        .filter(|call| call.case() == Case::Received)
        .collect();
    let changes = shown
        .windows(2)
        .filter(|pair| pair[0].code() != pair[1].code())
        .count();
    if changes == 0 {
        return;
    }
    let (first, last) = (shown[0], shown[shown.len() - 1]);
    // After a second SMS the text is another one too, and the history has either code.
    let texts = first.text() != last.text();
    let row =
        super::history::last_row(story, rental).and_then(|(_, row)| row.get("sms_code")?.as_str());
    let confirmed = row.is_none_or(|row| last.shows(row));
    let second = changes == 1 && texts && confirmed;
    docket.must("C10", second, *last, || {
        let codes: Vec<_> = shown.iter().filter_map(|call| call.code()).collect();
        (
            format!("the codes {}", codes.join(", ")),
            "the same code again".to_owned(),
        )
    });
    if second {
        docket.record("C14", "a second SMS shows its newer code");
    }
}
