//! The history: one page of an account's rentals, the newest first.

use contract::Moment;
use contract::body::{History, HistoryRow, status};
use jiff::Timestamp;

use crate::rental::{Rental, State};

/// Rows of a page that asks for no number (CLAUSES part 2: what the usual framework does).
const ROWS: u64 = 15;

/// Rows of a page at most (CLAUSES part 2).
const MOST_ROWS: u64 = 100;

/// Which part of the history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// From 1.
    number: u64,
    rows: u64,
}

impl Page {
    /// The page that a query string means; what makes no sense there means the first page.
    pub(crate) fn from_query(query: Option<&str>) -> Self {
        let number = |name: &str| {
            form_urlencoded::parse(query.unwrap_or_default().as_bytes())
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| value.parse().ok())
                .filter(|number| *number > 0)
        };
        Self {
            number: number("page").unwrap_or(1),
            rows: number("per_page").unwrap_or(ROWS).min(MOST_ROWS),
        }
    }

    /// The page's part of `rentals`, which are ordered oldest first. `describe`
    /// is called for these rentals only.
    pub(crate) fn of<'a>(
        self,
        rentals: &[Rental],
        describe: impl Fn(&Rental) -> HistoryRow<'a>,
    ) -> History<'a> {
        let skipped = (self.number - 1).saturating_mul(self.rows);
        History {
            success: true,
            current_page: self.number,
            total_records: rentals.len() as u64,
            data: rentals
                .iter()
                .rev()
                .skip(usize::try_from(skipped).unwrap_or(usize::MAX))
                .take(self.rows as usize)
                .map(describe)
                .collect(),
        }
    }
}

/// The row of a rental that stands at a state and shows a code, in a run that
/// began at `epoch`.
pub(crate) fn row(
    rental: &Rental,
    (state, code): (State, Option<String>),
    epoch: Timestamp,
) -> HistoryRow<'static> {
    let word = match state {
        State::Pending => status::PENDING,
        State::Completed => status::COMPLETED,
        State::Expired => status::EXPIRED,
    };
    HistoryRow {
        id: u64::from(rental.id),
        phone_number: rental.phone.digits().into(),
        service_name: rental.service.history_name.into(),
        cost: rental.service.price,
        sms_code: code.map(Into::into),
        status: word.into(),
        created_at: created_at(epoch, rental.created).into(),
    }
}

/// A moment of the run as the history writes it, in UTC.
pub(crate) fn created_at(epoch: Timestamp, moment: Moment) -> String {
    wall_time(epoch, moment)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// When a moment of the run was, for people.
pub(crate) fn wall_time(epoch: Timestamp, moment: Moment) -> Timestamp {
    // A sum past the year 9999 cannot be written; the end of time will do.
    epoch
        .checked_add(moment.since_start())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> (u64, u64) {
        let page = Page::from_query(Some(query));
        (page.number, page.rows)
    }

    #[test]
    fn what_makes_no_sense_means_the_first_page() {
        assert_eq!(page(""), (1, 15));
        assert_eq!(page("page=3&per_page=40"), (3, 40));
        assert_eq!(page("per_page=1000"), (1, 100));
        for nonsense in ["page=0", "page=-1", "page=two", "page=&per_page=0"] {
            assert_eq!(page(nonsense), (1, 15), "{nonsense}");
        }
        let last = Page::from_query(Some("page=18446744073709551615&per_page=100"));
        let empty = last.of(&[], |_| unreachable!("there are no rentals"));
        assert_eq!(empty.current_page, u64::MAX);
    }
}
