//! The result of a run as a text for people. Machines read `result.json`.
//!
//! The text carries ANSI styles; whoever prints it strips them where there is
//! no terminal.

mod chart;
mod table;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use contract::{Cents, Operation};
use loadgen_core::latencies::Latencies;
use loadgen_core::outcome::{Certainty, Ledger, Outcome};
use loadgen_core::tally::RentalTally;
use loadgen_core::threshold::Verdict;
use loadgen_core::units;

use crate::run::Run;

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What a run was, for the first line of its report.
#[derive(Clone, Copy, Debug)]
pub struct Title<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// Of all chance.
    pub seed: u64,
    /// The server, in words.
    pub target: &'a str,
}

/// The whole report.
pub fn text(title: Title<'_>, run: &Run) -> String {
    let mut out = String::new();
    let outcome = &run.outcome;
    head(&mut out, title, run);
    table::requests(&mut out, &outcome.tally);
    chart::polls(&mut out, outcome.tally.operation(Operation::CheckOtp));
    line!(out, "");
    if outcome.tally.rentals.started > 0 {
        rentals(&mut out, &outcome.tally.rentals);
    }
    rates(&mut out, outcome);
    if let Some(ledger) = &outcome.ledger {
        money(&mut out, ledger);
    }
    errors(&mut out, outcome);
    thresholds(&mut out, &run.verdicts);
    out
}

/// Appends a line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($format:tt)*) => {
        writeln!($out, $($format)*).expect("writing to a string")
    };
}
use line;

fn head(out: &mut String, title: Title<'_>, run: &Run) {
    let seconds = units::time(run.outcome.duration.as_secs_f64() * 1e6);
    let cut = if run.interrupted { ", interrupted" } else { "" };
    line!(
        out,
        "{HEADING}{}{HEADING:#} against {}, {seconds}{cut}, seed {}",
        title.scenario,
        title.target,
        title.seed
    );
}

/// One named line of the lower half of the report.
fn entry(out: &mut String, name: &str, text: &str) {
    line!(out, "{HEADING}{name:<17}{HEADING:#}{text}");
}

fn rentals(out: &mut String, rentals: &RentalTally) {
    let ended = rentals.ended().max(1) as f64;
    let fates = [
        ("delivered", rentals.delivered),
        ("expired", rentals.expired),
        ("given up", rentals.abandoned),
        ("failed", rentals.failed),
    ];
    let ended_so: Vec<_> = fates
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(fate, count)| {
            let share = units::percent(count as f64 / ended);
            format!("{} {fate} ({share})", units::count(count))
        })
        .collect();
    let (started, peak) = (
        units::count(rentals.started),
        units::count(rentals.peak_in_flight),
    );
    entry(
        out,
        "rentals",
        &format!("{started} started, up to {peak} at once"),
    );
    entry(out, "  ended", &ended_so.join(" · "));
    if rentals.delivered == 0 {
        return;
    }
    let confirmed = match rentals.delivered - rentals.confirmed {
        0 => "every delivered code is in the history".to_owned(),
        missing => format!(
            "{BAD}{} delivered codes missing from the history{BAD:#}",
            units::count(missing)
        ),
    };
    entry(out, "  confirmed", &confirmed);
    entry(
        out,
        "time to code",
        &percentiles(&rentals.time_to_code, "rent answered → code known"),
    );
    if rentals.sms_delay.count() > 0 {
        entry(
            out,
            "  SMS delay",
            &percentiles(&rentals.sms_delay, "rented → readable, as drawn"),
        );
        entry(
            out,
            "  detection lag",
            &percentiles(&rentals.detection_lag, "readable → code known"),
        );
    }
    polls_per_code(out, rentals);
}

fn percentiles(latencies: &Latencies, meaning: &str) -> String {
    let shown = |quantile| {
        let value = latencies.quantile(quantile).map(|value| value as f64);
        value.map_or_else(|| "n/a".to_owned(), units::time)
    };
    format!(
        "p50 {:<8}p95 {:<8}p99 {:<8}{DIM}{meaning}{DIM:#}",
        shown(0.5),
        shown(0.95),
        shown(0.99)
    )
}

fn polls_per_code(out: &mut String, rentals: &RentalTally) {
    let per_code = rentals.polls_delivered as f64 / rentals.delivered as f64;
    let mut text = format!("{} per code", units::digits(per_code));
    let lost = rentals.expired + rentals.abandoned;
    if lost > 0 {
        let per_lost = rentals.polls_undelivered as f64 / lost as f64;
        let share = rentals.polls_undelivered as f64 / rentals.polls().max(1) as f64;
        text += &format!(
            ", {} per rental without one ({} of all polls)",
            units::digits(per_lost),
            units::percent(share)
        );
    }
    entry(out, "polls", &text);
}

fn rates(out: &mut String, outcome: &Outcome) {
    let tally = &outcome.tally;
    let text = format!(
        "{} requests/s offered, {} answered",
        units::digits(outcome.rate(tally.offered)),
        units::digits(outcome.rate(tally.achieved))
    );
    entry(out, "rates", &text);
}

fn money(out: &mut String, ledger: &Ledger) {
    let money = format!("${} charged, ${} refunded", ledger.charged, ledger.refunded);
    entry(out, "money", &money);
    let accounts = units::count(ledger.accounts as u64);
    let off = ledger.unexplained;
    let verdict = match ledger.certainty {
        Certainty::Exact if off == Cents::ZERO => {
            format!("all {accounts} agree with that to the cent")
        }
        Certainty::Exact => format!("{BAD}${off} beyond that are missing{BAD:#}"),
        Certainty::BalancesUnread(unread) => {
            format!("unknown: {unread} of {accounts} could not be read")
        }
        Certainty::RentsUnanswered(rents) => {
            format!("${off} beyond that; {rents} rents went unanswered and may have cost it")
        }
    };
    entry(out, "  balances", &verdict);
}

fn errors(out: &mut String, outcome: &Outcome) {
    let kinds: Vec<_> = Operation::ALL
        .iter()
        .flat_map(|operation| {
            let failures = &outcome.tally.operation(*operation).failures;
            failures.iter().map(move |(kind, count)| {
                format!("{operation} {kind} {BAD}{}{BAD:#}", units::count(*count))
            })
        })
        .collect();
    let text = if kinds.is_empty() {
        "none".to_owned()
    } else {
        kinds.join(" · ")
    };
    entry(out, "errors", &text);
}

fn thresholds(out: &mut String, verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    line!(out, "");
    for verdict in verdicts {
        let mark = if verdict.passed {
            format!("{GOOD}✓{GOOD:#}")
        } else {
            format!("{BAD}✗{BAD:#}")
        };
        let actual = verdict.actual.as_deref().unwrap_or("no samples");
        line!(out, "{mark} {:<38} {actual}", verdict.expr);
    }
}
