//! The result of a run as a page: one file without anything to fetch, with
//! plots to point at, and every figure as text for those who cannot or do not.
//!
//! What comes from data is escaped on its way in, as text in the markup and as
//! JSON in the script; the page's own policy forbids it to load anything.

use std::fmt::Write;

use contract::Operation;
use loadgen_core::latencies::Latencies;
use loadgen_core::outcome::Outcome;
use loadgen_core::run::Run;
use loadgen_core::tally::{RentalTally, Tally};
use loadgen_core::timeline::Row;
use loadgen_core::units;
use loadgen_core::validity::Grade;
use serde::Serialize;

use super::markup::{POLICY, STYLE, Text};
use super::{TOO_FEW, balances, figure, lag_shares, length, line, name, population};

const SCRIPT: &str = include_str!("page/page.js");

/// Points of a percentile curve: more than a screen has pixels to tell apart would be waste.
const POINTS: u32 = 201;

/// Bars of the lag's distribution, about.
const BARS: u64 = 40;

/// The whole page.
pub fn html(run: &Run, scenario: &str) -> String {
    let mut out = String::new();
    let title = name(&run.about);
    let name = Text(&title);
    line!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}: otplab</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"
    );
    head(&mut out, run);
    tiles(&mut out, &run.outcome);
    validity(&mut out, run);
    thresholds(&mut out, run);
    requests(&mut out, run);
    over_time(&mut out, run);
    rentals(&mut out, run);
    population::page(&mut out, &run.about.populations, &run.outcome.tally);
    errors(&mut out, &run.outcome.tally);
    line!(out, "<h2>Scenario</h2>\n<pre>{}</pre>", Text(scenario));
    line!(
        out,
        "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n\
         </body>\n</html>",
        json(&Data::of(run))
    );
    out
}

/// JSON that no HTML parser takes for anything else: the characters that matter
/// to one can only stand in strings, and there they can be written as escapes.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .expect("plain data can be written")
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// What the script draws.
#[derive(Serialize)]
struct Data<'a> {
    curves: Vec<Curves>,
    rows: &'a [Row],
    warmup_s: u32,
    lag: Bars,
}

/// The percentile curves of one operation: pairs of a quantile and microseconds.
#[derive(Serialize)]
struct Curves {
    name: &'static str,
    /// Its place among all operations.
    index: usize,
    requests: u64,
    response: Vec<(f64, u64)>,
    service: Vec<(f64, u64)>,
}

/// A distribution in bars of equal width, from 0 on.
#[derive(Default, Serialize)]
struct Bars {
    width_us: u64,
    counts: Vec<u64>,
}

impl<'a> Data<'a> {
    fn of(run: &'a Run) -> Self {
        let tally = &run.outcome.tally;
        let curves = Operation::ALL.into_iter().enumerate();
        let curves =
            curves.map(|(index, operation)| (index, operation, tally.operation(operation)));
        Self {
            curves: curves
                .filter(|(_, _, tally)| tally.response.count() > 0)
                .map(|(index, operation, tally)| Curves {
                    name: operation.name(),
                    index,
                    requests: tally.requests,
                    response: tally.response.curve(POINTS),
                    service: tally.service.curve(POINTS),
                })
                .collect(),
            rows: &run.rows,
            warmup_s: run.outcome.warmup.as_ref().map_or(0, |part| part.seconds),
            lag: Bars::of(&tally.rentals.detection_lag),
        }
    }
}

impl Bars {
    fn of(latencies: &Latencies) -> Self {
        let Some(greatest) = latencies.greatest() else {
            return Self::default();
        };
        // Widths that people can read: 1, 2 or 5 with zeros.
        let tens = (0..12).map(|exponent| 10_u64.pow(exponent));
        let widths = tens.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
        let mut wide = widths.skip_while(|width| width * BARS < greatest);
        let width_us = wide.next().unwrap_or(greatest);
        let edges: Vec<_> = (1..=greatest / width_us + 1)
            .map(|edge| edge * width_us)
            .collect();
        Self {
            width_us,
            counts: latencies.counts_up_to(&edges),
        }
    }
}

fn head(out: &mut String, run: &Run) {
    let about = &run.about;
    line!(out, "<h1>{}</h1>", Text(&name(about)));
    line!(
        out,
        "<p class=\"quiet\">against {}, {}, seed {}, otplab {}</p>",
        Text(&about.server),
        length(run),
        about.seed,
        Text(&about.otplab)
    );
}

fn tiles(out: &mut String, outcome: &Outcome) {
    let tally = &outcome.tally;
    let polls = tally.operation(Operation::CheckOtp);
    let rentals = &tally.rentals;
    let mut tiles = vec![
        (units::count(tally.requests()), "requests"),
        (units::count(tally.failures()), "errors"),
        (
            format!("{}/s", units::digits(outcome.rate(tally.achieved))),
            "answered",
        ),
    ];
    if polls.requests > 0 {
        tiles.push((
            figure(polls.response.percentile(0.5)),
            "check_otp response p50",
        ));
        tiles.push((
            figure(polls.response.percentile(0.99)),
            "check_otp response p99",
        ));
    }
    if rentals.started > 0 {
        tiles.push((units::count(rentals.delivered), "codes delivered"));
        tiles.push((
            figure(rentals.time_to_code.percentile(0.5)),
            "time to code p50",
        ));
        tiles.push((
            figure(rentals.detection_lag.percentile(0.95)),
            "detection lag p95",
        ));
    }
    line!(out, "<div class=\"tiles\">");
    for (value, name) in tiles {
        line!(
            out,
            "<div class=\"tile\"><b>{value}</b><span>{name}</span></div>"
        );
    }
    line!(out, "</div>");
}

const fn class(grade: Grade) -> &'static str {
    match grade {
        Grade::Valid => "good",
        Grade::Doubtful => "doubt",
        Grade::Invalid => "bad",
        Grade::NotApplicable => "quiet",
    }
}

fn validity(out: &mut String, run: &Run) {
    let grade = run.validity.grade;
    line!(
        out,
        "<h2>Measurement: <span class=\"{}\">{}</span></h2>\n<div class=\"scroll\"><table>\n\
         <tr><th>check</th><th class=\"text\">grade</th><th class=\"text\">found</th></tr>",
        class(grade),
        grade.name()
    );
    for check in &run.validity.checks {
        let advice = check
            .advice
            .map_or_else(String::new, |text| format!("; {text}"));
        line!(
            out,
            "<tr><td>{}</td><td class=\"text word {}\">{}</td><td class=\"text\">{}{}</td></tr>",
            check.name,
            class(check.grade),
            check.grade.name(),
            Text(&check.found),
            Text(&advice)
        );
    }
    line!(out, "</table></div>");
}

fn thresholds(out: &mut String, run: &Run) {
    if run.verdicts.is_empty() {
        return;
    }
    line!(
        out,
        "<h2>Thresholds</h2>\n<div class=\"scroll\"><table>\n\
         <tr><th>threshold</th><th>measured</th><th class=\"text\"></th></tr>"
    );
    for verdict in &run.verdicts {
        let (class, word) = if verdict.passed {
            ("good", "✓ held")
        } else {
            ("bad", "✗ missed")
        };
        line!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td class=\"text {class}\">{word}</td></tr>",
            Text(&verdict.expr),
            Text(verdict.actual.as_deref().unwrap_or(TOO_FEW))
        );
    }
    line!(out, "</table></div>");
}

fn requests(out: &mut String, run: &Run) {
    line!(
        out,
        "<h2>Requests</h2>\n<p class=\"quiet\">Response is from the moment a request was meant to be \
         sent, service from the moment it was; where the two part, requests waited to be sent.</p>\n\
         <div class=\"tabs\" id=\"tabs\"></div>\n<div id=\"percentiles\"></div>"
    );
    request_table(out, &run.outcome.tally);
    if let Some(part) = &run.outcome.warmup {
        line!(
            out,
            "<details><summary>Warm-up: the first {} s, which the figures above leave out</summary>",
            part.seconds
        );
        request_table(out, &part.tally);
        line!(out, "</details>");
    }
    let instrument = &run.outcome.tally.instrument;
    if instrument.connect.count() > 0 {
        let shown = |quantile| figure(instrument.connect.percentile(quantile));
        line!(
            out,
            "<p class=\"quiet\">{} connections opened: p50 {}, p99 {}, max {}.</p>",
            units::count(instrument.connect.count()),
            shown(0.5),
            shown(0.99),
            figure(instrument.connect.greatest())
        );
    }
}

fn request_table(out: &mut String, tally: &Tally) {
    line!(
        out,
        "<div class=\"scroll\"><table>\n<tr><th></th><th>requests</th><th>errors</th><th>p50</th><th>p90</th>\
         <th>p95</th><th>p99</th><th>p99.9</th><th>max</th><th>beyond 1 h</th></tr>"
    );
    for operation in Operation::ALL {
        let counts = tally.operation(operation);
        if counts.requests == 0 {
            continue;
        }
        line!(
            out,
            "<tr><td><b>{operation}</b></td><td>{}</td><td>{}</td>{}</tr>",
            units::count(counts.requests),
            units::count(counts.failed()),
            cells(&counts.response)
        );
        for (name, latencies) in [("service", &counts.service), ("slip", &counts.slip)] {
            let cells = cells(latencies);
            line!(
                out,
                "<tr class=\"minor\"><td>{name}</td><td></td><td></td>{cells}</tr>"
            );
        }
    }
    line!(out, "</table></div>");
}

fn cells(latencies: &Latencies) -> String {
    let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999];
    let percentiles = quantiles.map(|quantile| latencies.percentile(quantile));
    let all = percentiles.into_iter().chain([latencies.greatest()]);
    let times = all.map(|value| format!("<td>{}</td>", figure(value)));
    times.collect::<String>() + &format!("<td>{}</td>", units::count(latencies.overflow()))
}

fn over_time(out: &mut String, run: &Run) {
    line!(
        out,
        "<h2>Over time</h2>\n<div id=\"latency\"></div>\n<div id=\"throughput\"></div>\n\
         <div id=\"lateness\"></div>\n<div id=\"processor\"></div>\n\
         <details><summary>The same as a table</summary>\n<div class=\"scroll\"><table>\n\
         <tr><th>second</th><th>offered</th><th>done</th><th>users</th><th>check_otp p50</th>\
         <th>p99</th><th>max</th><th>errors</th><th>lateness p99</th><th>worker</th></tr>"
    );
    for row in &run.rows {
        let polls = &row.operations[Operation::CheckOtp as usize];
        let errors = row.operations.iter().map(|cell| cell.errors).sum();
        let done = row.operations.iter().map(|cell| cell.requests).sum();
        let mark = if row.warmup { " warm-up" } else { "" };
        line!(
            out,
            "<tr><td>{}{mark}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td>{}</td></tr>",
            row.second + 1,
            units::count(row.offered),
            units::count(done),
            units::count(row.users),
            figure(polls.p50),
            figure(polls.p99),
            figure(polls.max),
            units::count(errors),
            figure(row.lateness_p99_us),
            row.cpu.map_or_else(|| "n/a".to_owned(), units::percent)
        );
    }
    line!(out, "</table></div></details>");
}

fn rentals(out: &mut String, run: &Run) {
    let rentals = &run.outcome.tally.rentals;
    if rentals.started > 0 {
        line!(
            out,
            "<h2>Rentals</h2>\n<div id=\"lag\"></div>\n<div class=\"scroll\"><table class=\"narrow\">"
        );
        fates(out, rentals);
        line!(
            out,
            "<div class=\"scroll\"><table>\n<tr><th></th><th>p50</th><th>p90</th><th>p95</th><th>p99</th>\
             <th>p99.9</th><th>max</th><th>beyond 1 h</th></tr>"
        );
        for (name, latencies) in [
            ("time to code", &rentals.time_to_code),
            ("SMS delay", &rentals.sms_delay),
            ("detection lag", &rentals.detection_lag),
        ] {
            line!(out, "<tr><td>{name}</td>{}</tr>", cells(latencies));
        }
        line!(out, "</table></div>");
        if rentals.detection_lag.count() > 0 {
            let shares = lag_shares(rentals);
            line!(out, "<p>Of the mean detection lag: {shares}.</p>");
        }
    } else {
        line!(out, "<div id=\"lag\" hidden></div>");
    }
    if let Some(ledger) = &run.outcome.ledger {
        line!(
            out,
            "<p>${} charged, ${} refunded; balances: {}.</p>",
            ledger.charged,
            ledger.refunded,
            Text(&balances(ledger))
        );
    }
}

/// What became of the rentals, and what it took in polls.
fn fates(out: &mut String, rentals: &RentalTally) {
    line!(
        out,
        "<tr><th></th><th>count</th><th>polls</th><th>polls each</th></tr>"
    );
    for (name, count, polls) in [
        ("delivered", rentals.delivered, rentals.polls_delivered),
        (
            "never delivered",
            rentals.expired + rentals.abandoned,
            rentals.polls_undelivered,
        ),
    ] {
        line!(
            out,
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            units::count(count),
            units::count(polls),
            each(polls, count)
        );
    }
    line!(
        out,
        "<tr class=\"minor\"><td>expired</td><td>{}</td><td></td><td></td></tr>\n\
         <tr class=\"minor\"><td>given up</td><td>{}</td><td></td><td></td></tr>\n\
         <tr><td>failed to rent</td><td>{}</td><td></td><td></td></tr>\n</table></div>",
        units::count(rentals.expired),
        units::count(rentals.abandoned),
        units::count(rentals.failed)
    );
}

/// A mean, where there is one.
fn each(sum: u64, count: u64) -> String {
    match count {
        0 => "n/a".to_owned(),
        count => units::digits(sum as f64 / count as f64),
    }
}

fn errors(out: &mut String, tally: &Tally) {
    line!(out, "<h2>Errors</h2>\n<div id=\"errors\"></div>");
    if tally.failures() == 0 {
        line!(out, "<p class=\"quiet\">None.</p>");
        return;
    }
    line!(
        out,
        "<div class=\"scroll\"><table>\n<tr><th>operation</th><th class=\"text\">kind</th><th>count</th></tr>"
    );
    for operation in Operation::ALL {
        for (kind, count) in &tally.operation(operation).failures {
            line!(
                out,
                "<tr><td>{operation}</td><td class=\"text\">{kind}</td><td>{}</td></tr>",
                units::count(*count)
            );
        }
    }
    line!(out, "</table></div>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let hostile = "</script><script>alert(1)</script>\" onload='x' &amp;\u{2028}";
        let text = Text(hostile).to_string();
        assert!(!text.contains(['<', '>', '"', '\'']), "{text}");
        assert!(text.starts_with("&lt;/script&gt;"), "{text}");
        let json = json(&hostile);
        assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
        assert_eq!(
            serde_json::from_str::<String>(&json).ok().as_deref(),
            Some(hostile)
        );
    }

    #[test]
    fn the_page_fetches_nothing() {
        for part in [STYLE, SCRIPT] {
            for way in [
                "http://",
                "https://",
                "url(",
                "import",
                "fetch(",
                "XMLHttp",
                "innerHTML",
            ] {
                let found = part.replace("http://www.w3.org/2000/svg", "").contains(way);
                assert!(!found, "{way}");
            }
            assert!(!part.contains("</s"), "it would end its own element");
        }
    }
}
