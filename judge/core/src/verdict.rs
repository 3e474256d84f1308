//! What comes out: one verdict for each clause, with its reasons, and the exit
//! that follows from all of them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::clause::{CLAUSES, Clause, Need, Severity};
use crate::docket::{Docket, Entry, Finding};
use crate::evidence::Who;
use crate::redact::Redactor;
use crate::story::{Call, Story};

/// What was found out about a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A MUST is broken, or with `strict` a SHOULD.
    Broken,
    /// A SHOULD is broken.
    Warned,
    /// It is broken as the baseline says.
    Known,
    /// It could not be judged.
    NotJudged,
    /// It is a MAY, and this is how it is.
    Recorded,
    /// It holds.
    Held,
}

impl Verdict {
    /// How a line of the report begins.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broken => "FAIL",
            Self::Warned => "warn",
            Self::Known => "known",
            Self::NotJudged => "not judged",
            Self::Recorded => "recorded",
            Self::Held => "held",
        }
    }
}

/// A clause and what was found out about it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The clause.
    pub clause: &'static Clause,
    /// The verdict.
    pub verdict: Verdict,
    /// How often it was looked at.
    pub times: usize,
    /// Its breaches, the strictest first.
    pub findings: Vec<Finding>,
    /// What was recorded, or why it was not judged.
    pub notes: Vec<String>,
    /// Whether it should have been judged with what was given.
    pub missed: bool,
}

/// Which clauses to judge, and how strictly.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only these, if there are any.
    pub only: BTreeSet<&'static str>,
    /// Not these.
    pub skip: BTreeSet<&'static str>,
    /// Whether a broken SHOULD fails.
    pub strict: bool,
}

/// The verdicts on all clauses.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// In the order of the table.
    pub clauses: Vec<Judged>,
}

/// How it came out, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every clause that was judged held.
    Held,
    /// A clause broke.
    Broken,
    /// It could not be judged.
    NotJudged,
}

impl Judgement {
    pub(crate) fn of(story: &Story<'_>, docket: &Docket, choice: &Choice) -> Self {
        let redactor = Redactor::new(&story.evidence.secrets);
        let clauses = CLAUSES.iter().map(|clause| {
            let entry = docket.get(clause.id).cloned().unwrap_or_default();
            judged(story, clause, entry, choice).redacted(&redactor)
        });
        Self {
            clauses: clauses.collect(),
        }
    }

    /// In the order in which they are told: what is broken first, the most
    /// specific clause first.
    #[must_use]
    pub fn told(&self) -> Vec<&Judged> {
        let mut told: Vec<_> = self.clauses.iter().collect();
        told.sort_by_key(|judged| match judged.verdict {
            Verdict::Broken | Verdict::Warned => (
                judged.verdict,
                judged.clause.generality,
                judged.clause.place(),
            ),
            verdict => (verdict, 0, judged.clause.place()),
        });
        told
    }

    /// How many have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.clauses
            .iter()
            .filter(|judged| judged.verdict == verdict)
            .count()
    }

    /// The verdict on one clause.
    #[must_use]
    pub fn verdict(&self, id: &str) -> Option<Verdict> {
        let judged = self.clauses.iter().find(|judged| judged.clause.id == id);
        judged.map(|judged| judged.verdict)
    }

    /// MUST clauses that what was given should have let us judge.
    pub fn missed(&self) -> impl Iterator<Item = &Judged> {
        self.clauses.iter().filter(|judged| judged.missed)
    }

    /// How it came out. A check of nothing never passes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let judged =
            self.count(Verdict::Held) + self.count(Verdict::Warned) + self.count(Verdict::Known);
        if self.count(Verdict::Broken) > 0 {
            Outcome::Broken
        } else if judged + self.count(Verdict::Recorded) == 0 || self.missed().next().is_some() {
            Outcome::NotJudged
        } else {
            Outcome::Held
        }
    }
}

fn judged(story: &Story<'_>, clause: &'static Clause, entry: Entry, choice: &Choice) -> Judged {
    let excluded = (!choice.only.is_empty() && !choice.only.contains(clause.id))
        || choice.skip.contains(clause.id);
    if excluded {
        return Judged {
            clause,
            verdict: Verdict::NotJudged,
            times: 0,
            findings: Vec::new(),
            notes: vec!["left out by --only or --skip".to_owned()],
            missed: false,
        };
    }
    let mut findings = entry.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let verdict = match findings.first().map(|finding| finding.severity) {
        Some(Severity::Must) => Verdict::Broken,
        Some(_) if choice.strict => Verdict::Broken,
        Some(_) => Verdict::Warned,
        None if entry.judged == 0 => Verdict::NotJudged,
        None if clause.severity == Severity::May => Verdict::Recorded,
        None => Verdict::Held,
    };
    let (reason, lack) = why_not(story, clause.need);
    let notes = match (verdict, entry.reason) {
        (Verdict::NotJudged, Some(own)) => vec![own],
        (Verdict::NotJudged, None) => vec![reason],
        _ => entry.records,
    };
    Judged {
        clause,
        verdict,
        times: entry.judged,
        findings,
        notes,
        missed: verdict == Verdict::NotJudged
            && clause.severity == Severity::Must
            && lack == Lack::Server,
    }
}

/// Whose fault it is that a clause was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lack {
    /// What the user gave does not suffice, and that is fine.
    Given,
    /// It should have been possible.
    Server,
}

/// Why a clause with this need was not judged.
fn why_not(story: &Story<'_>, need: Need) -> (String, Lack) {
    let given = &story.evidence.given;
    let answered = story.calls.iter().any(Call::granted);
    let lacks = |reason: &str| (reason.to_owned(), Lack::Given);
    let should = |reason: &str| (reason.to_owned(), Lack::Server);
    let rented = story.rentals.iter().any(|rental| rental.who == Who::First);
    let texted = story
        .rentals
        .iter()
        .any(|rental| story.received(rental).is_some());
    match need {
        Need::Client => lacks("it is about clients: judged with --capture"),
        Need::Ours => lacks("it is about the models of this project, and their tests hold it"),
        _ if given.ended_early.is_some() => lacks(given.ended_early.as_deref().unwrap_or_default()),
        Need::Chance => lacks("it did not come about"),
        _ if given.capture => lacks("the capture does not show it"),
        Need::SecondKey if !given.second_key => lacks("it needs a second key: --second-key-env"),
        Need::Webhook if !given.webhooks => lacks("it needs a webhook listener: --webhook-listen"),
        Need::Rental | Need::Sms | Need::Webhook | Need::SecondKey if !given.rents => {
            lacks("--read-only rents nothing")
        }
        _ if !answered => should("the server granted nothing"),
        Need::Reading => should("no answer showed it"),
        _ if !rented && given.limit_reached => lacks("the spending limit left no rental"),
        Need::Rental if !rented => should("no number could be rented"),
        Need::Rental => should("no answer showed it"),
        _ if !rented => should("no number could be rented"),
        _ if !texted => should("no SMS came in time: see --wait-sms"),
        Need::SecondKey if given.limit_reached => lacks("the spending limit left too few rentals"),
        _ => should("no answer showed it"),
    }
}

impl Judged {
    /// Without keys.
    fn redacted(mut self, redactor: &Redactor) -> Self {
        for finding in &mut self.findings {
            for text in [&mut finding.asked, &mut finding.came, &mut finding.right] {
                *text = redactor.redacted(text);
            }
        }
        for note in &mut self.notes {
            *note = redactor.redacted(note);
        }
        self
    }

    /// What is to be said in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let (id, sentence) = (self.clause.id, self.clause.sentence);
        let word = self.verdict.word();
        match (self.findings.first(), self.notes.is_empty()) {
            (Some(finding), _) => {
                let more = match self.findings.len() {
                    1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                let Finding {
                    asked, came, right, ..
                } = finding;
                format!("{word} {id} {sentence}: {asked} gave {came}; right: {right}{more}")
            }
            (None, false) => format!("{word} {id} {sentence}: {}", self.notes.join("; ")),
            (None, true) => format!("{word} {id} {sentence}"),
        }
    }
}
