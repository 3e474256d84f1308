//! The verdicts as a page: one file without anything to fetch, and no script.
//! What comes from data is escaped on its way in.

use std::fmt::{self, Display, Write};

use judge_core::verdict::{Judged, Verdict};

use super::Told;
use super::text::summary;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;\
border-bottom:1px solid #8884}code{overflow-wrap:anywhere}.broken{color:#c22}.warned{color:#a60}\
.held{color:#283}@media(prefers-color-scheme:dark){body{background:#16181b;color:#ddd}\
.broken{color:#f66}.warned{color:#fb4}.held{color:#6c7}}";

/// Nothing may be loaded or run, whatever a server has answered.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole page.
#[must_use]
pub fn html(told: &Told<'_>) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string");
    line(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>otplab check</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>otplab check</h1>\n\
         <p>{}</p>\n<table>\n<tr><th>clause</th><th>verdict</th><th>what it says</th><th>what was found</th></tr>",
        Text(&summary(told))
    ));
    for judged in told.judgement.told() {
        line(row(judged));
    }
    line("</table>\n</body>\n</html>".to_owned());
    out
}

fn row(judged: &Judged) -> String {
    let class = match judged.verdict {
        Verdict::Broken => "broken",
        Verdict::Warned | Verdict::Known => "warned",
        Verdict::Held => "held",
        Verdict::Recorded | Verdict::NotJudged => "other",
    };
    let findings: String = judged
        .findings
        .iter()
        .map(|finding| {
            format!(
                "<p><code>{}</code><br>gave <code>{}</code><br>right: {}</p>",
                Text(&finding.asked),
                Text(&finding.came),
                Text(&finding.right)
            )
        })
        .collect();
    let clause = judged.clause;
    format!(
        "<tr id=\"{id}\"><td>{id}<br><small>{} {}</small></td><td class=\"{class}\">{}</td><td>{}</td><td>{}{findings}</td></tr>",
        clause.severity.name(),
        clause.lines,
        judged.verdict.word(),
        Text(clause.sentence),
        Text(&judged.notes.join("; ")),
        id = clause.id,
    )
}

/// Text from data, harmless in markup and in attributes.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                plain => f.write_char(plain)?,
            }
        }
        Ok(())
    }
}
