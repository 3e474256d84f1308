//! A short report for the summary of a job.

use std::fmt::Write;

use judge_core::verdict::{Judged, Verdict};

use super::Told;
use super::text::summary;

/// The whole report: what is wrong as a table, the rest folded away.
#[must_use]
pub fn markdown(told: &Told<'_>) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string");
    line(format!("## otplab check\n\n{}\n", plain(&summary(told))));
    let (found, rest): (Vec<_>, Vec<_>) = told
        .judgement
        .told()
        .into_iter()
        .partition(|judged| !judged.findings.is_empty());
    if !found.is_empty() {
        line("| clause | verdict | what | asked | came | right |\n| --- | --- | --- | --- | --- | --- |".to_owned());
        for judged in found {
            line(row(judged));
        }
    }
    line("\n<details><summary>All other clauses</summary>\n".to_owned());
    line("| clause | verdict | what | |\n| --- | --- | --- | --- |".to_owned());
    for judged in rest {
        let notes = plain(&judged.notes.join("; "));
        let word = judged.verdict.word();
        line(format!(
            "| {} | {word} | {} | {notes} |",
            judged.clause.id,
            plain(judged.clause.sentence)
        ));
    }
    line("\n</details>".to_owned());
    out
}

fn row(judged: &Judged) -> String {
    let word = match judged.verdict {
        Verdict::Broken => "**FAIL**",
        other => other.word(),
    };
    let finding = judged
        .findings
        .first()
        .expect("invariant: only clauses with findings");
    format!(
        "| {} | {word} | {} | {} | {} | {} |",
        judged.clause.id,
        plain(judged.clause.sentence),
        plain(&finding.asked),
        plain(&finding.came),
        plain(&finding.right)
    )
}

/// Text from data, so that it neither ends a cell nor becomes markup.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '!' | '~' => {
                out.push('\\');
                out.push(character);
            }
            control if control.is_control() => out.push(' '),
            plain => out.push(plain),
        }
    }
    out
}
