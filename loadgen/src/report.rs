//! The result of a run for people: as a text, as a page, for a job summary and
//! for a pipeline's list of tests. Machines read `result.json`.
//!
//! The text carries ANSI styles; whoever prints it strips them where there is
//! no terminal.

mod chart;
mod fitness;
mod html;
mod junit;
mod markdown;
pub(crate) mod markup;
mod population;
mod table;

pub use fitness::fitness;
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use contract::{Cents, Operation};
use loadgen_core::latencies::Latencies;
use loadgen_core::outcome::{Certainty, Ledger, Outcome, WarmupPart};
use loadgen_core::record::{About, Ending};
use loadgen_core::run::Run;
use loadgen_core::tally::{RentalTally, Tally, WebhookTally};
use loadgen_core::threshold::Verdict;
use loadgen_core::units;
use loadgen_core::validity::{Grade, Validity};

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBT: Style = AnsiColor::Yellow.on_default().bold();

/// In place of what a threshold found.
const TOO_FEW: &str = "too few samples";

/// The whole report as a text.
pub fn text(run: &Run) -> String {
    let mut out = String::new();
    let outcome = &run.outcome;
    head(&mut out, run);
    table::requests(&mut out, &outcome.tally);
    chart::polls(&mut out, outcome.tally.operation(Operation::CheckOtp));
    line!(out, "");
    if outcome.tally.rentals.started > 0 {
        rentals(&mut out, &outcome.tally.rentals);
    }
    webhooks(&mut out, &outcome.tally.webhooks);
    population::table(&mut out, &run.about.populations, &outcome.tally);
    rates(&mut out, outcome);
    if outcome.tally.instrument.connect.count() > 0 {
        let connect = &outcome.tally.instrument.connect;
        entry(
            &mut out,
            "connections",
            &percentiles(connect, "opening one"),
        );
    }
    if let Some(part) = &outcome.warmup {
        warmup(&mut out, part);
    }
    if let Some(ledger) = &outcome.ledger {
        money(&mut out, ledger);
    }
    errors(&mut out, outcome);
    retries(&mut out, &outcome.tally);
    validity(&mut out, &run.validity);
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

fn head(out: &mut String, run: &Run) {
    let about = &run.about;
    line!(
        out,
        "{HEADING}{}{HEADING:#} against {}, {}, seed {}",
        name(about),
        about.server,
        length(run),
        about.seed
    );
}

/// What was run, and whether it was a simulation.
fn name(about: &About) -> String {
    let simulated = if about.is_simulated() {
        " (simulated)"
    } else {
        ""
    };
    format!("{}{simulated}", about.scenario)
}

/// How long the run was, and how it ended if not by its own rule.
fn length(run: &Run) -> String {
    let seconds = units::time(run.outcome.duration.as_secs_f64() * 1e6);
    match run.ending {
        Ending::Complete => seconds,
        Ending::Interrupted => seconds + ", interrupted",
        Ending::CutShort => seconds + ", cut short",
    }
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
        entry(out, "  of which", &lag_shares(rentals));
    }
    polls_per_code(out, rentals);
}

fn percentiles(latencies: &Latencies, meaning: &str) -> String {
    let shown = |quantile| figure(latencies.percentile(quantile));
    format!(
        "p50 {:<8}p95 {:<8}p99 {:<8}{DIM}{meaning}{DIM:#}{}",
        shown(0.5),
        shown(0.95),
        shown(0.99),
        beyond(latencies)
    )
}

/// What percentiles do not show, where there is any.
fn beyond(latencies: &Latencies) -> String {
    match latencies.overflow() {
        0 => String::new(),
        some => format!("  {BAD}{} beyond 1h{BAD:#}", units::count(some)),
    }
}

/// A time in microseconds, or that there is none.
fn figure(microseconds: Option<u64>) -> String {
    microseconds.map_or_else(|| "n/a".to_owned(), |value| units::time(value as f64))
}

/// The parts of the mean lag.
fn lag_shares(rentals: &RentalTally) -> String {
    let (count, shares) = (rentals.detection_lag.count() as f64, rentals.lag_shares);
    let part = |name: &str, sum: u64| {
        let mean = units::time(sum as f64 / count);
        let share = units::percent(sum as f64 / shares.sum().max(1) as f64);
        format!("{name} {mean} ({share})")
    };
    [
        part("strategy", shares.strategy),
        part("server", shares.server),
        part("generator", shares.generator),
    ]
    .join(" · ")
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

fn webhooks(out: &mut String, webhooks: &WebhookTally) {
    if !webhooks.is_empty() {
        entry(out, "webhooks", &told(webhooks));
    }
}

/// What became of the webhooks, in words.
fn told(webhooks: &WebhookTally) -> String {
    let counts = [
        ("before the rent's answer", webhooks.early),
        ("duplicates", webhooks.duplicates),
        ("late", webhooks.late),
        ("lost", webhooks.lost),
        ("unreadable", webhooks.unreadable),
    ];
    let (received, used) = (webhooks.received, webhooks.used);
    let mut text = format!(
        "{} received, {} brought a code",
        units::count(received),
        units::count(used)
    );
    for (what, count) in counts {
        if count > 0 {
            text += &format!(" · {} {what}", units::count(count));
        }
    }
    text
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
    let style = match ledger.certainty {
        Certainty::Exact if ledger.unexplained != Cents::ZERO => BAD,
        _ => Style::new(),
    };
    let balances = format!("{style}{}{style:#}", balances(ledger));
    entry(out, "  balances", &balances);
}

fn balances(ledger: &Ledger) -> String {
    let accounts = units::count(ledger.accounts as u64);
    let off = ledger.unexplained;
    match ledger.certainty {
        Certainty::Exact if off == Cents::ZERO => {
            format!("all {accounts} agree with that to the cent")
        }
        Certainty::Exact => format!("${off} beyond that are missing"),
        Certainty::BalancesUnread(unread) => {
            format!("unknown: {unread} of {accounts} could not be read")
        }
        Certainty::RentsUnanswered(rents) => {
            format!("${off} beyond that; {rents} rents went unanswered and may have cost it")
        }
    }
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

/// What was made again, and what was held back.
fn retries(out: &mut String, tally: &Tally) {
    let again: Vec<_> = Operation::ALL
        .iter()
        .map(|operation| (operation, tally.operation(*operation).retries))
        .filter(|(_, count)| *count > 0)
        .map(|(operation, count)| {
            let rents = match operation {
                Operation::Rent => " (each may have rented twice)",
                _ => "",
            };
            format!("{operation} {}{rents}", units::count(count))
        })
        .collect();
    if !again.is_empty() {
        entry(out, "made again", &again.join(" · "));
    }
    if tally.held > 0 || tally.turned_away > 0 {
        let text = format!(
            "{} requests held back, {} users turned away",
            units::count(tally.held),
            units::count(tally.turned_away)
        );
        entry(out, "bounds", &text);
    }
}

fn warmup(out: &mut String, part: &WarmupPart) {
    let polls = Operation::ALL
        .into_iter()
        .map(|operation| (operation, part.tally.operation(operation)))
        .max_by_key(|(_, tally)| tally.requests);
    let mut text = format!(
        "the first {}s, left out above: {} requests, {} errors",
        part.seconds,
        units::count(part.tally.requests()),
        units::count(part.tally.failures())
    );
    if let Some((operation, tally)) = polls.filter(|(_, tally)| tally.requests > 0) {
        let (median, high) = (
            tally.response.percentile(0.5),
            tally.response.percentile(0.99),
        );
        text += &format!(", {operation} p50 {}, p99 {}", figure(median), figure(high));
    }
    entry(out, "warm-up", &text);
}

fn validity(out: &mut String, validity: &Validity) {
    let (style, name) = match validity.grade {
        Grade::Invalid => (BAD, "invalid: these figures are not about the server"),
        Grade::Doubtful => (DOUBT, "doubtful"),
        Grade::Valid | Grade::NotApplicable => (GOOD, "valid"),
    };
    entry(out, "measurement", &format!("{style}{name}{style:#}"));
    for check in validity.complaints() {
        let style = if check.grade == Grade::Invalid {
            BAD
        } else {
            DOUBT
        };
        let advice = check.advice.unwrap_or_default();
        let text = format!("{style}{}{style:#}: {}", check.grade.name(), check.found);
        entry(out, &format!("  {}", check.name), &text);
        entry(out, "", &format!("{DIM}{advice}{DIM:#}"));
    }
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
        let actual = verdict.actual.as_deref().unwrap_or(TOO_FEW);
        line!(out, "{mark} {:<38} {actual}", verdict.expr);
    }
}
