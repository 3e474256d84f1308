//! The words behind a fault: when it strikes, for how long, and whether the
//! operation is carried out. They may stand in any order, each once.

use std::iter::Peekable;
use std::num::NonZeroU64;
use std::time::Duration;

use contract::TimeSpan;
use contract::expression::{ExpressionError, Word};

use super::{Phase, When};

/// All that may follow a fault, as far as it is said.
#[derive(Debug, Default)]
pub(super) struct Clauses<'a> {
    /// The condition.
    pub(super) when: Option<(Word<'a>, When)>,
    /// The time to live.
    pub(super) ttl: Option<(Word<'a>, Duration)>,
    /// The phase.
    pub(super) phase: Option<(Word<'a>, Phase)>,
}

impl<'a> Clauses<'a> {
    /// Reads the whole of `text`.
    pub(super) fn read(text: &'a str) -> Result<Self, ExpressionError> {
        let mut clauses = Self::default();
        let mut words = Words {
            words: words(text).peekable(),
            end: text.len(),
        };
        while let Some(name) = words.words.next() {
            match name.text {
                "ttl" => once(&mut clauses.ttl, name, time_to_live(words.next())?)?,
                "before" => once(&mut clauses.phase, name, Phase::Before)?,
                "after_commit" => once(&mut clauses.phase, name, Phase::AfterCommit)?,
                _ => once(&mut clauses.when, name, words.condition(name)?)?,
            }
        }
        Ok(clauses)
    }
}

fn once<'a, T>(
    slot: &mut Option<(Word<'a>, T)>,
    name: Word<'a>,
    value: T,
) -> Result<(), ExpressionError> {
    match slot {
        None => {
            *slot = Some((name, value));
            Ok(())
        }
        Some((earlier, _)) => Err(name.error(format!(
            "did not expect {:?} beside {:?}",
            name.text, earlier.text
        ))),
    }
}

struct Words<'a, I: Iterator<Item = Word<'a>>> {
    words: Peekable<I>,
    end: usize,
}

impl<'a, I: Iterator<Item = Word<'a>>> Words<'a, I> {
    /// The next word; at the end an empty one, for a complaint to point at.
    fn next(&mut self) -> Word<'a> {
        self.words.next().unwrap_or(Word {
            text: "",
            offset: self.end,
        })
    }

    fn condition(&mut self, name: Word<'a>) -> Result<When, ExpressionError> {
        match name.text {
            "first" => count(self.next()).map(When::First),
            "nth" => count(self.next()).map(When::Nth),
            "every" => count(self.next()).map(When::Every),
            "after" => self.after(name),
            "between" => self.between(),
            "probability" => chance(self.next()).map(When::Probability),
            other => Err(name.error(format!(
                "{other:?} is no condition; there are first 2, nth 3, every 5, after 2, \
                 between 2 and 4 and probability 0.1, and besides ttl 30s, before and after_commit"
            ))),
        }
    }

    /// From 0 on, because `after 0` is what a loop over N begins with.
    fn after(&mut self, name: Word<'a>) -> Result<When, ExpressionError> {
        let number = self.next();
        if number.text == "commit" {
            return Err(name.error("write after_commit as one word"));
        }
        let count = number.text.parse();
        count
            .map(When::After)
            .map_err(|_| number.error("expected a whole number, as in after 2"))
    }

    fn between(&mut self) -> Result<When, ExpressionError> {
        let first = count(self.next())?;
        // `and` is how it is written; without it, it can mean nothing else.
        self.words.next_if(|word| word.text == "and");
        let word = self.next();
        let last = count(word)?;
        if last < first {
            return Err(word.error(format!(
                "{last} comes before {first}; write the lower first"
            )));
        }
        Ok(When::Between(first, last))
    }
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(move |word| Word {
        text: word,
        // Both are slices of one text, so the distance is the place.
        offset: word.as_ptr() as usize - text.as_ptr() as usize,
    })
}

fn count(word: Word<'_>) -> Result<NonZeroU64, ExpressionError> {
    word.text
        .parse()
        .map_err(|_| word.error("expected a whole number from 1 on, as in first 2"))
}

fn chance(word: Word<'_>) -> Result<f64, ExpressionError> {
    word.number()
        .ok()
        .filter(|chance| (0.0..=1.0).contains(chance))
        .ok_or_else(|| word.error("expected a number from 0 to 1, as in probability 0.1"))
}

fn time_to_live(word: Word<'_>) -> Result<Duration, ExpressionError> {
    word.read().map(|TimeSpan(ttl)| ttl)
}
