//! The result of a run in Markdown, short enough for the summary of a job.

use std::fmt::Write;

use contract::Operation;
use loadgen_core::latencies::Latencies;
use loadgen_core::run::Run;
use loadgen_core::tally::Tally;
use loadgen_core::units;
use loadgen_core::validity::Grade;

use super::population::delivered;
use super::{TOO_FEW, balances, figure, lag_shares, length, line, name, told};

/// The whole text.
pub fn markdown(run: &Run) -> String {
    let mut out = String::new();
    let about = &run.about;
    line!(out, "### {} {}\n", mark(run), escaped(&name(about)));
    line!(
        out,
        "Against {}, {}, seed {}. Measurement: **{}**.\n",
        escaped(&about.server),
        length(run),
        about.seed,
        run.validity.grade.name()
    );
    for check in run.validity.complaints() {
        let advice = check.advice.unwrap_or_default();
        let (name, grade) = (check.name, check.grade.name());
        line!(
            out,
            "> **{name}**, {grade}: {}; {advice}.\n",
            escaped(&check.found)
        );
    }
    thresholds(&mut out, run);
    requests(&mut out, &run.outcome.tally);
    populations(&mut out, run);
    rest(&mut out, run);
    out
}

/// Everything at a glance.
fn mark(run: &Run) -> &'static str {
    match (run.validity.grade, run.passed()) {
        (Grade::Invalid, _) => "⚠️",
        (_, true) => "✅",
        (_, false) => "❌",
    }
}

fn thresholds(out: &mut String, run: &Run) {
    if run.verdicts.is_empty() {
        return;
    }
    line!(out, "| threshold | measured | |\n| --- | ---: | --- |");
    for verdict in &run.verdicts {
        let mark = if verdict.passed { "✅" } else { "❌" };
        let actual = verdict.actual.as_deref().unwrap_or(TOO_FEW);
        line!(out, "| `{}` | {actual} | {mark} |", code(&verdict.expr));
    }
    line!(out, "");
}

fn requests(out: &mut String, tally: &Tally) {
    line!(
        out,
        "| | requests | errors | p50 | p90 | p99 | p99.9 | max |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for operation in Operation::ALL {
        let counts = tally.operation(operation);
        if counts.requests == 0 {
            continue;
        }
        let (requests, failed) = (units::count(counts.requests), units::count(counts.failed()));
        line!(
            out,
            "| **{operation}** | {requests} | {failed} {}",
            cells(&counts.response)
        );
        line!(out, "| service | | {}", cells(&counts.service));
        line!(out, "| slip | | {}", cells(&counts.slip));
    }
    line!(out, "");
}

fn populations(out: &mut String, run: &Run) {
    let tally = &run.outcome.tally;
    if run.about.populations.is_empty() {
        return;
    }
    line!(
        out,
        "| population | requests | errors | rentals | delivered | polls/code | lag p50 | lag p95 |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for (name, counts) in run.about.populations.iter().zip(tally.populations()) {
        let rentals = &counts.rentals;
        let [delivered, polls] = delivered(counts);
        line!(
            out,
            "| **{}** | {} | {} | {} | {delivered} | {polls} | {} | {} |",
            escaped(name),
            units::count(counts.requests),
            units::count(counts.failures),
            units::count(rentals.started),
            figure(rentals.detection_lag.percentile(0.5)),
            figure(rentals.detection_lag.percentile(0.95))
        );
    }
    line!(out, "");
}

fn cells(latencies: &Latencies) -> String {
    let percentiles = [0.5, 0.9, 0.99, 0.999].map(|quantile| latencies.percentile(quantile));
    let all = percentiles.into_iter().chain([latencies.greatest()]);
    all.fold("|".to_owned(), |row, value| {
        row + " " + &figure(value) + " |"
    })
}

fn rest(out: &mut String, run: &Run) {
    let (outcome, rentals) = (&run.outcome, &run.outcome.tally.rentals);
    if rentals.started > 0 {
        let counts = [
            (rentals.started, "started"),
            (rentals.delivered, "delivered"),
            (rentals.confirmed, "confirmed"),
            (rentals.expired, "expired"),
            (rentals.abandoned, "given up"),
            (rentals.failed, "failed"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, fate)| format!("{} {fate}", units::count(count)))
            .collect();
        line!(out, "- rentals: {}", counts.join(", "));
        let time = |latencies: &Latencies| {
            let (median, high) = (latencies.percentile(0.5), latencies.percentile(0.95));
            format!("p50 {}, p95 {}", figure(median), figure(high))
        };
        line!(out, "- time to code: {}", time(&rentals.time_to_code));
        if rentals.detection_lag.count() > 0 {
            let (lag, shares) = (time(&rentals.detection_lag), lag_shares(rentals));
            line!(out, "- detection lag: {lag}; {shares}");
        }
    }
    let webhooks = &outcome.tally.webhooks;
    if !webhooks.is_empty() {
        line!(out, "- webhooks: {}", told(webhooks));
    }
    line!(
        out,
        "- rates: {} requests/s offered, {} answered",
        units::digits(outcome.rate(outcome.tally.offered)),
        units::digits(outcome.rate(outcome.tally.achieved))
    );
    if let Some(part) = &outcome.warmup {
        line!(out, "- warm-up: the first {}s are left out", part.seconds);
    }
    if let Some(ledger) = &outcome.ledger {
        let balances = balances(ledger);
        line!(
            out,
            "- money: ${} charged, ${} refunded; {balances}",
            ledger.charged,
            ledger.refunded
        );
    }
}

/// What may stand in a code span of a table: nothing that ends either.
fn code(text: &str) -> String {
    text.replace('`', "'")
        .replace('|', "\\|")
        .replace(['\n', '\r'], " ")
}

/// A name as text, whatever it holds.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push(' '),
            plain => out.push(plain),
        }
    }
    out
}
