//! What is known to be broken: a check that finds no more than that passes, so
//! that a server that is not yet right can still be kept from getting worse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clause::{Clause, Severity};
use crate::verdict::{Judgement, Verdict};

/// Known breaches, by clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// The strictest breach of each clause: a known warning is no excuse for a failure.
    known: BTreeMap<String, Severity>,
}

/// What changes when a field changes its meaning.
const VERSION: u32 = 1;

/// Not a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not JSON, or other fields.
    #[error("not a baseline ({0}); write one with --baseline-update")]
    Malformed(String),
    /// Of another version of this program.
    #[error(
        "a baseline of version {0}, and this program reads version {VERSION}; write it again with --baseline-update"
    )]
    Version(u32),
    /// Names something else.
    #[error("the baseline names {0:?}, and there is no such clause")]
    Clause(String),
}

impl Baseline {
    /// Reads what [`Self::text`] has written.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] if it is something else.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)
            .map_err(|error| BaselineError::Malformed(error.to_string()))?;
        if baseline.version != VERSION {
            return Err(BaselineError::Version(baseline.version));
        }
        match baseline.known.keys().find(|id| Clause::find(id).is_none()) {
            Some(id) => Err(BaselineError::Clause(id.clone())),
            None => Ok(baseline),
        }
    }

    /// What is broken now.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Self {
        let broken = judgement.clauses.iter().filter_map(|judged| {
            let severity = judged.findings.first()?.severity;
            Some((judged.clause.id.to_owned(), severity))
        });
        Self {
            version: VERSION,
            known: broken.collect(),
        }
    }

    /// As a file.
    #[must_use]
    pub fn text(&self) -> String {
        let text =
            serde_json::to_string_pretty(self).expect("invariant: plain data can be written");
        text + "\n"
    }

    /// Takes what is known out of what counts.
    pub fn apply(&self, judgement: &mut Judgement) {
        for judged in &mut judgement.clauses {
            let found = judged.findings.first().map(|finding| finding.severity);
            let known = self.known.get(judged.clause.id);
            if let (Some(found), Some(known)) = (found, known)
                && found <= *known
            {
                judged.verdict = Verdict::Known;
            }
        }
    }
}
