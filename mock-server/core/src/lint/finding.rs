//! What was found, once for each rule and rental, with the requests that prove it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::mode::LintMode;
use super::past::Past;
use super::rule::Rule;
use crate::mock::Mock;
use crate::requests::RequestView;
use crate::scope::{Scope, redacted};

/// Findings that are kept with their proof; the rest is only counted.
const KEPT: usize = 1000;

/// The rule, whose, and the rental, or 0.
type Subject = (Rule, Option<u32>, u32);

#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    found: BTreeMap<Subject, Found>,
    beyond: u64,
}

#[derive(Clone, Debug)]
struct Found {
    times: u64,
    what: String,
    proof: Vec<Past>,
}

impl Findings {
    /// What is not looked for is not found.
    pub(super) fn skip(&mut self, rules: &[Rule]) {
        self.found.retain(|(rule, _, _), _| !rules.contains(rule));
    }

    /// Something was found; `what` and `proof` are kept from the first time.
    pub(super) fn add(&mut self, subject: Subject, what: impl FnOnce() -> String, proof: &[Past]) {
        if let Some(found) = self.found.get_mut(&subject) {
            found.times += 1;
        } else if self.found.len() >= KEPT {
            self.beyond += 1;
        } else {
            let found = Found {
                times: 1,
                what: what(),
                proof: proof.to_vec(),
            };
            self.found.insert(subject, found);
        }
    }

    /// Forgets what is about an account, or all.
    pub(super) fn clear(&mut self, account: Option<u32>) {
        match account {
            Some(_) => self.found.retain(|(_, owner, _), _| *owner != account),
            None => *self = Self::default(),
        }
    }

    pub(super) fn report(&self, mock: &Mock, scope: Scope) -> LintReport {
        let wanted = scope.place();
        let found = self.found.iter();
        let found = found.filter(|((_, owner, _), _)| wanted.is_none() || *owner == wanted);
        let findings = found.map(|((rule, owner, rental), found)| {
            let owner = owner.and_then(|place| mock.accounts.get_index(place as usize));
            let proof = found.proof.iter();
            Finding {
                rule: rule.id(),
                clause: rule.clause(),
                explanation: rule.explanation(),
                account: owner.map(|(key, _)| redacted(key)),
                rental_id: (*rental != 0).then_some(*rental),
                times: found.times,
                what: found.what.clone(),
                requests: proof.map(|past| mock.request_view(&past.entry)).collect(),
            }
        });
        LintReport {
            findings: findings.collect(),
            beyond: self.beyond,
            ..LintReport::empty(mock.settings.lint)
        }
    }
}

/// What was found about the clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LintReport {
    /// Whether anybody looked, and what follows.
    pub mode: LintMode,
    /// Rules that nobody looked for.
    pub skipped: Vec<&'static str>,
    /// Requests that were looked at.
    pub requests: u64,
    /// Once for each rule and rental.
    pub findings: Vec<Finding>,
    /// Findings beyond the first thousand.
    pub beyond: u64,
}

impl LintReport {
    pub(super) const fn empty(mode: LintMode) -> Self {
        Self {
            mode,
            skipped: Vec::new(),
            requests: 0,
            findings: Vec::new(),
            beyond: 0,
        }
    }

    /// Whether the server fails for it.
    pub fn is_denied(&self) -> bool {
        self.mode == LintMode::Deny && !self.findings.is_empty()
    }
}

/// Something that a client should not have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Such as `poll-too-fast`.
    pub rule: &'static str,
    /// The clause of the contract that it follows from, such as `C15`; null if from none.
    pub clause: Option<&'static str>,
    /// What is wrong with it, and what to do instead.
    pub explanation: &'static str,
    /// Whose: the first characters of the key, and a number to tell it apart.
    pub account: Option<String>,
    /// The rental that it is about, if it is about one.
    pub rental_id: Option<u32>,
    /// How often it was found.
    pub times: u64,
    /// The first time, in figures.
    pub what: String,
    /// The requests that prove it, the first time.
    pub requests: Vec<RequestView>,
}
