//! One line per clause, what is broken first, and a summary at the end.

use std::fmt::Write;

use judge_core::verdict::Verdict;

use super::Told;

/// The whole report.
#[must_use]
pub fn text(told: &Told<'_>) -> String {
    let mut out = String::new();
    for judged in told.judgement.told() {
        line(&mut out, &judged.summary());
    }
    line(&mut out, "");
    line(&mut out, &summary(told));
    out
}

/// How it came out, in a line.
pub(super) fn summary(told: &Told<'_>) -> String {
    let order = [
        Verdict::Held,
        Verdict::Broken,
        Verdict::Warned,
        Verdict::Known,
        Verdict::Recorded,
        Verdict::NotJudged,
    ];
    let counts: Vec<_> = order
        .into_iter()
        .map(|verdict| (verdict, told.judgement.count(verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {}", noun(verdict)))
        .collect();
    let ended = told
        .ended_early
        .map_or_else(String::new, |reason| format!(", {reason}"));
    let missed: Vec<_> = told
        .judgement
        .missed()
        .map(|judged| judged.clause.id)
        .collect();
    let missed = match missed.as_slice() {
        [] => String::new(),
        missed => format!("; could not judge {}", missed.join(", ")),
    };
    format!(
        "{}: {}{missed}; {}; {:.1} s{ended}",
        told.server,
        counts.join(", "),
        told.spent,
        told.took.as_secs_f64()
    )
}

const fn noun(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "broken",
        Verdict::Warned => "warned",
        other => other.word(),
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string");
}
