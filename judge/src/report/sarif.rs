//! Broken clauses in SARIF 2.1.0, for tools that gather findings. The place of
//! a finding is the line of the documentation that it breaks.

use judge_core::clause::{CLAUSES, Severity};
use judge_core::verdict::{Judged, Verdict};
use serde_json::{Value, json};

use super::Told;
use super::json::pretty;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Where the lines of the documentation are.
const DOCUMENT: &str = "codysms-api.txt";

/// The whole file.
#[must_use]
pub fn sarif(told: &Told<'_>) -> String {
    let rules: Vec<_> = CLAUSES
        .iter()
        .map(|clause| {
            json!({
                "id": clause.id,
                "shortDescription": { "text": clause.sentence },
                "defaultConfiguration": { "level": level(clause.severity) },
            })
        })
        .collect();
    let found = told.judgement.told().into_iter();
    let found = found.filter(|judged| {
        matches!(
            judged.verdict,
            Verdict::Broken | Verdict::Warned | Verdict::Known
        )
    });
    let results: Vec<Value> = found.flat_map(results).collect();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "otplab",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "invocations": [invocation(told)],
            "results": results,
        }],
    }))
}

/// How it went, and what ended it early.
fn invocation(told: &Told<'_>) -> Value {
    let notification = |reason: &str| json!({ "level": "error", "message": { "text": reason } });
    let notifications: Vec<_> = told.ended_early.into_iter().map(notification).collect();
    json!({
        "executionSuccessful": told.ended_early.is_none(),
        "toolExecutionNotifications": notifications,
    })
}

fn results(judged: &Judged) -> Vec<Value> {
    let line = first_line(judged.clause.lines);
    let results = judged.findings.iter().map(|finding| {
        let level = match judged.verdict {
            Verdict::Broken => "error",
            _ => "warning",
        };
        let message = format!(
            "{}: {} gave {}; right: {}",
            judged.clause.sentence, finding.asked, finding.came, finding.right
        );
        json!({
            "ruleId": judged.clause.id,
            "ruleIndex": judged.clause.place(),
            "level": level,
            "baselineState": if judged.verdict == Verdict::Known { "unchanged" } else { "new" },
            "message": { "text": message },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": DOCUMENT },
                "region": { "startLine": line },
            } }],
        })
    });
    results.collect()
}

/// The first line that a clause cites; where it cites none, the first of all.
fn first_line(lines: &str) -> u32 {
    let digits: String = lines
        .trim_start_matches('S')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(1)
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Must => "error",
        Severity::Should => "warning",
        Severity::May => "note",
    }
}
