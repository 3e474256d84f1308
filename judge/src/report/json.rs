//! The verdicts for machines.

use serde::Serialize;
use serde_json::Value;

use judge_core::verdict::{Judged, Outcome, Verdict};

use super::Told;

/// What changes when a field changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    server: &'r str,
    outcome: Outcome,
    spent: &'r str,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_early: Option<&'r str>,
    clauses: Vec<Clause<'r>>,
}

#[derive(Serialize)]
struct Clause<'r> {
    id: &'static str,
    severity: &'static str,
    lines: &'static str,
    sentence: &'static str,
    verdict: Verdict,
    judged: usize,
    notes: &'r [String],
    findings: Vec<Finding<'r>>,
}

#[derive(Serialize)]
struct Finding<'r> {
    severity: &'static str,
    asked: &'r str,
    came: &'r str,
    right: &'r str,
}

impl<'r> From<&'r Judged> for Clause<'r> {
    fn from(judged: &'r Judged) -> Self {
        let findings = judged.findings.iter().map(|finding| Finding {
            severity: finding.severity.name(),
            asked: &finding.asked,
            came: &finding.came,
            right: &finding.right,
        });
        Self {
            id: judged.clause.id,
            severity: judged.clause.severity.name(),
            lines: judged.clause.lines,
            sentence: judged.clause.sentence,
            verdict: judged.verdict,
            judged: judged.times,
            notes: &judged.notes,
            findings: findings.collect(),
        }
    }
}

/// The whole report, in the order in which the text tells it.
#[must_use]
pub fn json(told: &Told<'_>) -> String {
    pretty(&Report {
        version: VERSION,
        server: told.server,
        outcome: told.judgement.outcome(),
        spent: told.spent,
        seconds: told.took.as_secs_f64(),
        ended_early: told.ended_early,
        clauses: told
            .judgement
            .told()
            .into_iter()
            .map(Clause::from)
            .collect(),
    })
}

/// As people can read it, with a line end.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let value: Value = serde_json::to_value(value).expect("plain data can be written");
    format!("{value:#}\n")
}
