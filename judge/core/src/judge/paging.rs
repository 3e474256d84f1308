//! The history as a whole: H13 to H16.

use std::collections::{BTreeMap, BTreeSet};

use crate::docket::Docket;
use crate::evidence::Who;
use crate::reading::id_text;
use crate::story::{Call, Operation, Rental, Story, by_any_name};

pub(super) fn judge(story: &Story<'_>, docket: &mut Docket) {
    complete(story, docket);
    growth(story, docket);
    pages(story, docket);
    others(story, docket);
}

fn ids(call: &Call<'_>) -> Vec<String> {
    call.rows()
        .filter_map(|row| by_any_name(row, "id").and_then(id_text))
        .collect()
}

/// The last walk through the history: from the last look without parameters
/// before further pages, to the end.
fn walk<'s, 'e>(story: &'s Story<'e>, who: Who) -> Vec<&'s Call<'e>> {
    let calls: Vec<_> = story.histories(who).filter(|call| call.granted()).collect();
    let start = calls
        .iter()
        .rposition(|call| call.operation == Operation::History(String::new()));
    start.map_or_else(Vec::new, |start| calls[start..].to_vec())
}

/// H13.
fn complete(story: &Story<'_>, docket: &mut Docket) {
    for who in [Who::First, Who::Second] {
        let walk = walk(story, who);
        let Some(first) = walk.first() else {
            continue;
        };
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        let mut seen_pages: BTreeSet<Vec<String>> = BTreeSet::new();
        for call in &walk {
            let ids = ids(call);
            // The same page again, because the parameter means nothing here.
            if !seen_pages.insert(ids.clone()) {
                continue;
            }
            let shifted = call.index != first.index && is_a_part(call);
            for id in ids {
                let times = count.entry(id).or_default();
                *times += usize::from(!(shifted && *times > 0));
            }
        }
        let whole = first
            .total()
            .is_none_or(|total| count.len() as i64 >= total);
        for rental in story.rentals_of(who) {
            let before = story
                .received(rental)
                .is_some_and(|poll| poll.index < first.index);
            let times = count.get(&rental.id).copied().unwrap_or_default();
            if before && (whole || times > 0) {
                docket.must("H13", times == 1, *first, || {
                    (
                        format!("the completed rental {} is there {times} times", rental.id),
                        "once".to_owned(),
                    )
                });
            }
        }
        for (id, times) in count.iter().filter(|(_, times)| **times > 1) {
            docket.must("H13", false, *first, || {
                (
                    format!("the row {id} is there {times} times"),
                    "once".to_owned(),
                )
            });
        }
    }
}

/// Pages that were cut otherwise than the walk overlap with it.
fn is_a_part(call: &Call<'_>) -> bool {
    let Operation::History(query) = &call.operation else {
        return false;
    };
    !query.starts_with("page=") || query.contains('&')
}

/// H14.
fn growth(story: &Story<'_>, docket: &mut Docket) {
    for who in [Who::First, Who::Second] {
        let Some(first_rent) = story.rentals_of(who).map(|rental| rental.call).min() else {
            continue;
        };
        let pages: Vec<_> = story
            .first_pages(who)
            .filter(|call| call.total().is_some())
            .collect();
        let before = pages.iter().rev().find(|call| call.index < first_rent);
        let (Some(before), Some(after)) = (before, pages.last()) else {
            continue;
        };
        let made: Vec<_> = story
            .rentals_of(who)
            .filter(|rental| rental.call < after.index)
            .collect();
        if made.is_empty() || after.index < first_rent {
            continue;
        }
        let distinct: BTreeSet<_> = made.iter().map(|rental| &rental.id).collect();
        let done = |rental: &&&Rental| {
            story
                .received(rental)
                .is_some_and(|poll| poll.index < after.index)
        };
        let completed = made.iter().filter(done).count() as i64;
        let total = |page: &Call<'_>| page.total().unwrap_or_default();
        let grown = total(after).saturating_sub(total(before));
        let holds = grown >= completed && grown <= distinct.len() as i64;
        docket.should("H14", holds, *after, || {
            (
                format!("total_records grew by {grown}"),
                format!("by {}, one for each rental", distinct.len()),
            )
        });
    }
}

/// H15.
fn pages(story: &Story<'_>, docket: &mut Docket) {
    let first = story
        .first_pages(Who::First)
        .filter(|call| call.granted())
        .last()
        .map(ids);
    for call in story.histories(Who::First) {
        let Operation::History(query) = &call.operation else {
            continue;
        };
        if query.is_empty() || call.status == 0 || call.status == 429 {
            continue;
        }
        let rows = ids(call);
        let what = if !call.granted() {
            format!("refused with {}", call.status)
        } else if Some(&rows) == first.as_ref() && !rows.is_empty() {
            "as without".to_owned()
        } else {
            let page = call
                .success_object()
                .and_then(|object| object.get("current_page")?.as_i64());
            format!(
                "{} rows, current_page {}",
                rows.len(),
                page.unwrap_or_default()
            )
        };
        docket.record("H15", format!("?{query}: {what}"));
    }
}

/// H16.
fn others(story: &Story<'_>, docket: &mut Docket) {
    for (who, other) in [(Who::Second, Who::First), (Who::First, Who::Second)] {
        for call in story.histories(who).filter(|call| call.granted()) {
            let theirs: Vec<_> = story
                .rentals_of(other)
                .filter(|rental| rental.call < call.index)
                .collect();
            if theirs.is_empty() {
                continue;
            }
            let shown = ids(call);
            let foreign = theirs.iter().find(|rental| shown.contains(&rental.id));
            docket.must("H16", foreign.is_none(), call, || {
                (
                    format!(
                        "the rental {} of another key",
                        foreign.map_or("", |rental| &rental.id)
                    ),
                    "own rentals only".to_owned(),
                )
            });
        }
    }
}
