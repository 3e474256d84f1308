//! The clauses: their names, how strict they are, and which line of the
//! documentation they rest on. How each is judged is in [`mod@crate::judge`].

mod table;

use serde::{Deserialize, Serialize};

pub use self::table::CLAUSES;

/// How strict a clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Unsaid: recorded and tolerated.
    May,
    /// Follows from an example or a word: a breach is a warning.
    Should,
    /// Literally in the text, or its plain sense: a breach is a failure.
    Must,
}

impl Severity {
    /// As RFC 2119 writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        }
    }
}

/// What has to be there before a clause can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Answers to reading requests.
    Reading,
    /// A rental.
    Rental,
    /// A rental with its SMS.
    Sms,
    /// A webhook listener, and a rental with its SMS.
    Webhook,
    /// A second key.
    SecondKey,
    /// Nothing that a server shows by itself: recorded when it happens.
    Chance,
    /// A client's requests, which only a capture has.
    Client,
    /// It is about the models of this project, whose own tests hold it.
    Ours,
}

/// One checkable promise of the API.
#[derive(Debug)]
pub struct Clause {
    /// Its stable name, like `R11`.
    pub id: &'static str,
    /// How strict it is; parts of a MUST clause may be weaker.
    pub severity: Severity,
    /// Lines of the documentation, like `S40`; empty where it says nothing.
    pub lines: &'static str,
    /// What it takes to judge it.
    pub need: Need,
    /// How general it is: of two clauses that one mistake breaks, the lower is told first.
    pub generality: u8,
    /// What it says, in one sentence.
    pub sentence: &'static str,
}

impl Clause {
    /// The clause of this name, whose letter may be small.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        CLAUSES
            .iter()
            .find(|clause| clause.id.eq_ignore_ascii_case(id))
    }

    /// The clause of this name, which is in the table.
    #[must_use]
    pub fn of(id: &str) -> &'static Self {
        Self::find(id).expect("invariant: the judge names clauses of the table")
    }

    /// Its place in the table.
    #[must_use]
    pub fn place(&self) -> usize {
        CLAUSES
            .iter()
            .position(|clause| clause.id == self.id)
            .expect("invariant: a clause is in the table")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_clause_is_there_once() {
        let ids: BTreeSet<_> = CLAUSES.iter().map(|clause| clause.id).collect();
        assert_eq!(ids.len(), CLAUSES.len());
        let of = |letter: char| ids.iter().filter(|id| id.starts_with(letter)).count();
        let counts = ['A', 'B', 'P', 'R', 'C', 'H', 'W', 'X'].map(of);
        assert_eq!(counts, [5, 9, 8, 18, 16, 17, 15, 6]);
    }
}
