//! The history: which of an account's rentals are on a page, and a rental as a row.

use std::borrow::Cow;
use std::ops::Range;

use contract::body::{History, HistoryRow};
use contract::{Cents, Moment, Problem};
use jiff::Timestamp;

use crate::account::RentalList;
use crate::dialect::{Dialect, HistoryOrder, NoCode, Paging};
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
    /// Rows before it.
    skipped: u64,
    rows: u64,
}

impl Page {
    /// Everything.
    const WHOLE: Self = Self {
        number: 1,
        skipped: 0,
        rows: u64::MAX,
    };

    /// The page that a query string means; what makes no sense there means the first page.
    ///
    /// # Errors
    ///
    /// [`Problem::BadPage`] where paging is strict and something makes no sense.
    pub(crate) fn from_query(query: Option<&str>, paging: Paging) -> Result<Self, Problem> {
        let query = query.unwrap_or_default();
        let loose = |name: &str| number(query, name).ok().flatten();
        match paging {
            Paging::Ignored => Ok(Self::WHOLE),
            Paging::Pages => Ok(Self::numbered(
                loose("page").filter(|page| *page > 0),
                loose("per_page").filter(|rows| *rows > 0),
            )),
            Paging::Offset => {
                let rows = loose("limit").filter(|rows| *rows > 0);
                let rows = rows.unwrap_or(ROWS).min(MOST_ROWS);
                let skipped = loose("offset").unwrap_or(0);
                Ok(Self {
                    number: skipped / rows + 1,
                    skipped,
                    rows,
                })
            }
            Paging::Strict => {
                let (page, rows) = (number(query, "page")?, number(query, "per_page")?);
                if page == Some(0) || rows.is_some_and(|rows| !(1..=MOST_ROWS).contains(&rows)) {
                    return Err(Problem::BadPage);
                }
                Ok(Self::numbered(page, rows))
            }
        }
    }

    fn numbered(number: Option<u64>, rows: Option<u64>) -> Self {
        let (number, rows) = (number.unwrap_or(1), rows.unwrap_or(ROWS).min(MOST_ROWS));
        Self {
            number,
            skipped: (number - 1).saturating_mul(rows),
            rows,
        }
    }

    /// The page's part of `rentals`, which are ordered oldest first. `describe`
    /// is called for these rentals only.
    pub(crate) fn of<'a>(
        self,
        rentals: &RentalList,
        order: HistoryOrder,
        describe: impl Fn(&Rental) -> HistoryRow<'a>,
    ) -> History<'a> {
        let (made, positions) = (rentals.made(), self.positions());
        let part = |index: usize| match order {
            HistoryOrder::Newest => rentals.len() - 1 - index,
            HistoryOrder::Oldest => index,
        };
        let indexes = (0..rentals.len()).map(part);
        let data = if made == rentals.len() {
            let indexes = indexes.skip(positions.start).take(positions.len());
            indexes.map(|index| describe(&rentals[index])).collect()
        } else {
            let on_it =
                indexes.filter(|index| positions.contains(&order.position(rentals, *index)));
            on_it.map(|index| describe(&rentals[index])).collect()
        };
        self.with(made, data)
    }

    /// The page as [`Self::of`] has it, for somebody who looks for the rental
    /// with the id `sought` and for nothing else on it.
    pub(crate) fn seeking<'a>(
        self,
        rentals: &RentalList,
        order: HistoryOrder,
        sought: u64,
        describe: impl Fn(&Rental) -> HistoryRow<'a>,
    ) -> History<'a> {
        let (made, positions) = (rentals.made(), self.positions());
        let index = u32::try_from(sought).ok();
        let index = index.and_then(|id| rentals.position(id));
        let found = index.filter(|index| positions.contains(&order.position(rentals, *index)));
        let data = match found {
            Some(index) => vec![describe(&rentals[index])],
            None if positions.start < made => vec![UNREAD],
            None => Vec::new(),
        };
        self.with(made, data)
    }

    fn positions(self) -> Range<usize> {
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let start = usize::try_from(self.skipped).unwrap_or(usize::MAX);
        start..start.saturating_add(rows)
    }

    fn with(self, made: usize, data: Vec<HistoryRow<'_>>) -> History<'_> {
        History {
            success: true,
            current_page: self.number,
            total_records: made as u64,
            data,
        }
    }
}

impl HistoryOrder {
    /// Where the rental at `index` stands in the whole history.
    fn position(self, rentals: &RentalList, index: usize) -> usize {
        match self {
            Self::Newest => rentals.made() - 1 - rentals.number(index),
            Self::Oldest => rentals.number(index),
        }
    }
}

/// Stands for rows that nobody reads.
const UNREAD: HistoryRow<'static> = HistoryRow {
    id: 0,
    phone_number: Cow::Borrowed(""),
    service_name: Cow::Borrowed(""),
    cost: Cents::ZERO,
    sms_code: None,
    status: Cow::Borrowed(""),
    created_at: Cow::Borrowed(""),
};

/// A number in a query string, if it is there.
fn number(query: &str, name: &str) -> Result<Option<u64>, Problem> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.parse().map_err(|_| Problem::BadPage))
        .transpose()
}

/// The row of a rental that stands at `state`, its price back or not, with the
/// code that it shows, in a run that began at `epoch`.
pub(crate) fn row<'a>(
    rental: &Rental,
    (state, refunded): (State, bool),
    code: Option<String>,
    service_name: Cow<'a, str>,
    (dialect, epoch): (&'a Dialect, Timestamp),
) -> HistoryRow<'a> {
    HistoryRow {
        id: u64::from(rental.id),
        phone_number: rental.phone.digits().into(),
        service_name,
        cost: rental.service.price,
        sms_code: match (code, dialect.no_code) {
            (Some(code), _) => Some(code.into()),
            // What is absent is left out when the page is encoded.
            (None, NoCode::Null | NoCode::Absent) => None,
            (None, NoCode::Empty) => Some("".into()),
            (None, NoCode::Zero) => Some("0".into()),
        },
        status: dialect.status_words.word(state, refunded).into(),
        created_at: wall_time(epoch, rental.created)
            .to_zoned(dialect.time_zone.0.clone())
            .strftime(FORMAT)
            .to_string()
            .into(),
    }
}

/// How the documentation writes a date and a time.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A moment of the run as the history writes it, in UTC.
pub(crate) fn created_at(epoch: Timestamp, moment: Moment) -> String {
    wall_time(epoch, moment).strftime(FORMAT).to_string()
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

    fn page(query: &str, paging: Paging) -> Option<(u64, u64, u64)> {
        let page = Page::from_query(Some(query), paging).ok()?;
        Some((page.number, page.skipped, page.rows))
    }

    #[test]
    fn what_makes_no_sense_means_the_first_page() {
        let page = |query| page(query, Paging::Pages);
        assert_eq!(page(""), Some((1, 0, 15)));
        assert_eq!(page("page=3&per_page=40"), Some((3, 80, 40)));
        assert_eq!(page("per_page=1000"), Some((1, 0, 100)));
        for nonsense in ["page=0", "page=-1", "page=two", "page=&per_page=0"] {
            assert_eq!(page(nonsense), Some((1, 0, 15)), "{nonsense}");
        }
        let query = Some("page=18446744073709551615&per_page=100");
        let last = Page::from_query(query, Paging::Pages).expect("a page");
        let describe = |_: &Rental| unreachable!("there are no rentals");
        let empty = last.of(&RentalList::default(), HistoryOrder::Oldest, describe);
        assert_eq!(empty.current_page, u64::MAX);
    }

    #[test]
    fn each_paging_has_its_own_parameters() {
        let whole = Some((1, 0, u64::MAX));
        assert_eq!(page("page=2&per_page=1", Paging::Ignored), whole);
        let offset = |query| page(query, Paging::Offset);
        assert_eq!(offset("page=3"), Some((1, 0, 15)));
        assert_eq!(offset("offset=30&limit=10"), Some((4, 30, 10)));
        assert_eq!(offset("offset=-1&limit=0"), Some((1, 0, 15)));
        let strict = |query| page(query, Paging::Strict);
        assert_eq!(strict("page=2&per_page=100"), Some((2, 100, 100)));
        for nonsense in ["page=0", "page=x", "page=", "per_page=0", "per_page=101"] {
            assert_eq!(strict(nonsense), None, "{nonsense}");
        }
    }
}
