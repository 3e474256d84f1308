//! Findings as GitHub's workflow commands, which show beside the job.

use judge_core::verdict::Verdict;

use super::Told;

/// One line for each clause that is broken, warned of, or should have been judged.
#[must_use]
pub fn annotations(told: &Told<'_>) -> String {
    let mut out = String::new();
    for judged in told.judgement.told() {
        let command = match judged.verdict {
            Verdict::Broken => "error",
            Verdict::Warned => "warning",
            Verdict::NotJudged if judged.missed => "error",
            _ => continue,
        };
        let summary = escaped(&judged.summary());
        out += &format!(
            "::{command} title=otplab check {}::{summary}\n",
            judged.clause.id
        );
    }
    out
}

/// As the runner wants it: data must not begin a command of its own.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
