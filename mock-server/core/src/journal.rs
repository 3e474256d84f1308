//! The bounded record of requests: what came, whose it was, and what was
//! answered. Written before the first byte of an answer leaves, so that whoever
//! has an answer finds its request here. It holds no keys and no bodies.

use std::collections::VecDeque;

use contract::{Moment, Operation, Route, RouteError};
use rustc_hash::FxHashMap;

use crate::figures::Counts;
use crate::register::Register;
use crate::reply::{Delivery, Reply};
use crate::request::Request;

/// Characters of a path that means no operation, at most.
const PATH: usize = 200;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1, over the whole server, never used again.
    pub(crate) number: u64,
    /// In its account's own time, or the server's where there is none.
    pub(crate) at: Moment,
    /// Whose; `None` if it brought no valid key.
    pub(crate) account: Option<u32>,
    pub(crate) what: What,
    /// What was answered, if anything was.
    pub(crate) status: Option<u16>,
    pub(crate) fate: Fate,
}

/// What a request asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An operation without anything in its path.
    Plain(Operation),
    /// A poll of this rental.
    Poll(u32),
    /// Anything else: method and path, perhaps shortened, and the operation if it is one.
    Other(Option<Operation>, Box<str>),
}

/// What became of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was sent.
    Answered,
    /// It was cut short.
    Cut,
    /// Something that is no HTTP was sent instead.
    Garbage,
    /// The connection was closed in order instead.
    Closed,
    /// The connection was reset instead.
    Reset,
    /// It is never sent.
    Never,
}

/// How much a journal holds; the oldest entries go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JournalLimits {
    /// Entries.
    pub(crate) count: usize,
    /// Their bytes, paths that mean no operation included.
    pub(crate) bytes: usize,
}

/// The latest requests, the oldest first.
#[derive(Debug)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    limits: JournalLimits,
    /// What the entries take.
    bytes: usize,
    written: u64,
    /// How many entries of each account had to go, for whoever counts what is left.
    evicted: FxHashMap<Option<u32>, u64>,
    /// What came, whatever is still written of it.
    pub(crate) counts: Counts,
}

impl Journal {
    /// An empty journal.
    pub(crate) fn new(limits: JournalLimits) -> Self {
        Self {
            entries: VecDeque::new(),
            limits,
            bytes: 0,
            written: 0,
            evicted: FxHashMap::default(),
            counts: Counts::default(),
        }
    }

    /// Writes down a request and its reply.
    pub(crate) fn record(
        &mut self,
        (account, at): (Option<u32>, Moment),
        request: &Request<'_>,
        reply: &Reply,
    ) {
        self.written += 1;
        let entry = self.latest((account, at), request, reply);
        self.counts.request(entry.what.operation(), entry.status);
        if self.limits.count == 0 {
            *self.evicted.entry(account).or_default() += 1;
            self.counts.evicted += 1;
            return;
        }
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > self.limits.count || self.bytes > self.limits.bytes {
            self.evict();
        }
    }

    fn evict(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= oldest.bytes();
            *self.evicted.entry(oldest.account).or_default() += 1;
            self.counts.evicted += 1;
        }
    }

    /// The request that came last, as it was written or would have been, had there been room.
    pub(crate) fn latest(
        &self,
        (account, at): (Option<u32>, Moment),
        request: &Request<'_>,
        reply: &Reply,
    ) -> Entry {
        let fate = Fate::of(reply.delivery);
        Entry {
            number: self.written,
            at,
            account,
            what: What::of(request),
            status: fate.begins().then_some(reply.status),
            fate,
        }
    }

    /// What the entries take.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries of `account`, or of everybody.
    pub(crate) fn of(&self, account: Option<u32>) -> impl DoubleEndedIterator<Item = &Entry> {
        let wanted = move |entry: &&Entry| account.is_none() || entry.account == account;
        self.entries.iter().filter(wanted)
    }

    /// How many entries of `account`, or of everybody, had to go.
    pub(crate) fn evicted(&self, account: Option<u32>) -> u64 {
        match account {
            None => self.evicted.values().sum(),
            Some(_) => self.evicted.get(&account).copied().unwrap_or_default(),
        }
    }

    /// Forgets what is written of `account`, or everything, and that it ever was.
    pub(crate) fn clear(&mut self, account: Option<u32>) {
        if account.is_none() {
            self.entries.clear();
            self.evicted.clear();
        } else {
            self.entries.retain(|entry| entry.account != account);
            self.evicted.remove(&account);
        }
        self.bytes = self.entries.iter().map(Entry::bytes).sum();
    }
}

impl Entry {
    /// What it takes, with the text that it points to.
    const fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.what {
                What::Other(_, line) => line.len(),
                What::Plain(_) | What::Poll(_) => 0,
            }
    }
}

impl What {
    fn of(request: &Request<'_>) -> Self {
        match Route::find(request.method, request.path) {
            Ok(Route::CheckOtp(id)) => match Register::id(id) {
                Some(id) => Self::Poll(id),
                None => Self::Other(Some(Operation::CheckOtp), written(request)),
            },
            Ok(route) => Self::Plain(route.operation()),
            Err(_) => Self::Other(None, written(request)),
        }
    }

    /// The operation, if it is one.
    pub(crate) const fn operation(&self) -> Option<Operation> {
        match self {
            Self::Plain(operation) => Some(*operation),
            Self::Poll(_) => Some(Operation::CheckOtp),
            Self::Other(operation, _) => *operation,
        }
    }

    /// Method and path.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Plain(operation) => format!("{} {}", operation.method(), operation.path()),
            Self::Poll(id) => {
                let operation = Operation::CheckOtp;
                format!("{} {}{id}", operation.method(), operation.path())
            }
            Self::Other(_, line) => line.to_string(),
        }
    }
}

fn written(request: &Request<'_>) -> Box<str> {
    let line = format!("{} {}", request.method, request.path);
    line.chars().take(PATH).collect::<String>().into()
}

impl Fate {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Answered,
        Self::Cut,
        Self::Garbage,
        Self::Closed,
        Self::Reset,
        Self::Never,
    ];

    const fn of(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Whole { .. } | Delivery::Trickle { .. } | Delivery::Linger { .. } => {
                Self::Answered
            }
            Delivery::Cut { .. } | Delivery::CutByReset { .. } | Delivery::BrokenChunk { .. } => {
                Self::Cut
            }
            Delivery::Raw { .. } => Self::Garbage,
            Delivery::Empty { .. } => Self::Closed,
            Delivery::Reset { .. } => Self::Reset,
            Delivery::Never => Self::Never,
        }
    }

    /// Whether the client sees a status.
    const fn begins(self) -> bool {
        matches!(self, Self::Answered | Self::Cut)
    }

    /// As a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Cut => "cut",
            Self::Garbage => "garbage",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Never => "never",
        }
    }
}

/// For a line that means no operation: the operation that comes nearest, as
/// its line, and where the two first differ.
pub(crate) fn nearest(line: &str) -> (String, String) {
    let (method, path) = line.split_once(' ').unwrap_or(("", line));
    if let Err(RouteError::WrongMethod(operation)) = Route::find(method, path) {
        let difference = format!("the method is {method}, not {}", operation.method());
        return (example(operation), difference);
    }
    let distance = |operation: &Operation| strsim::levenshtein(operation.path(), path);
    let operation = Operation::ALL.into_iter().min_by_key(distance);
    let operation = operation.unwrap_or(Operation::Profile);
    let both = operation.path().chars().zip(path.chars());
    let same: String = both
        .take_while(|(ours, theirs)| ours == theirs)
        .map(|(same, _)| same)
        .collect();
    (
        example(operation),
        format!("the path differs after {same:?}"),
    )
}

fn example(operation: Operation) -> String {
    let id = if operation == Operation::CheckOtp {
        "{id}"
    } else {
        ""
    };
    format!("{} {}{id}", operation.method(), operation.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Problem;

    fn holding(count: usize) -> Journal {
        let bytes = usize::MAX;
        Journal::new(JournalLimits { count, bytes })
    }

    fn written_to(journal: &mut Journal, account: u32, path: &str) {
        let reply = crate::Dialect::default().refusal(Problem::NoSuchRental, None, Moment::START);
        let request = Request::plain("GET", path, &[]);
        journal.record((Some(account), Moment::START), &request, &reply);
    }

    #[test]
    fn what_had_to_go_is_counted_for_its_owner() {
        let mut journal = holding(3);
        for account in [1, 1, 2, 2, 2] {
            written_to(&mut journal, account, "/api/v1/profile");
        }
        assert_eq!(
            (journal.of(Some(1)).count(), journal.evicted(Some(1))),
            (0, 2)
        );
        assert_eq!(
            (journal.of(Some(2)).count(), journal.evicted(Some(2))),
            (3, 0)
        );
        assert_eq!(
            journal
                .of(None)
                .map(|entry| entry.number)
                .collect::<Vec<_>>(),
            [3, 4, 5]
        );
        journal.clear(Some(2));
        assert_eq!((journal.of(None).count(), journal.evicted(None)), (0, 2));
    }

    #[test]
    fn long_paths_push_others_out_and_what_is_cleared_makes_room() {
        let entry = size_of::<Entry>();
        let long = format!("/{}", "x".repeat(PATH));
        let bytes = 2 * (entry + PATH);
        let mut journal = Journal::new(JournalLimits { count: 99, bytes });
        for account in [1, 2, 3, 4] {
            written_to(&mut journal, account, "/api/v1/profile");
        }
        assert_eq!((journal.len(), journal.bytes()), (4, 4 * entry));
        written_to(&mut journal, 5, &long);
        written_to(&mut journal, 6, &long);
        assert_eq!((journal.len(), journal.evicted(None)), (2, 4));
        assert_eq!(journal.bytes(), bytes, "exactly what fits");
        journal.clear(Some(5));
        assert_eq!((journal.len(), journal.bytes()), (1, entry + PATH));
        journal.clear(None);
        assert_eq!((journal.len(), journal.bytes()), (0, 0));
        let mut nothing = Journal::new(JournalLimits {
            count: 99,
            bytes: 0,
        });
        written_to(&mut nothing, 7, &long);
        assert_eq!((nothing.len(), nothing.evicted(Some(7))), (0, 1));
    }

    #[test]
    fn lines_are_written_back_as_they_came() {
        let mut journal = holding(9);
        let long = format!("/{}", "x".repeat(5000));
        for path in [
            "/api/v1/number/check-otp/13322954",
            "/api/v1/number/check-otp/x",
            &long,
        ] {
            written_to(&mut journal, 1, path);
        }
        let lines: Vec<_> = journal.of(None).map(|entry| entry.what.line()).collect();
        assert_eq!(lines[0], "GET /api/v1/number/check-otp/13322954");
        assert_eq!(lines[1], "GET /api/v1/number/check-otp/x");
        assert_eq!(lines[2].len(), PATH);
    }

    #[test]
    fn a_stray_request_is_told_where_it_went_wrong() {
        let (line, difference) = nearest("GET /api/v1/number/rent");
        assert_eq!(line, "POST /api/v1/number/rent");
        assert_eq!(difference, "the method is GET, not POST");
        let (line, difference) = nearest("GET /api/v1/numbers/check-otp/1");
        assert_eq!(line, "GET /api/v1/number/check-otp/{id}");
        assert_eq!(difference, "the path differs after \"/api/v1/number\"");
    }
}
