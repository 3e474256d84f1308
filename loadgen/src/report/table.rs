//! The table of requests: three lines for each operation, because response is
//! what a customer waits, service is what the server took, and slip is what
//! the generator added.

use std::fmt::Write;

use contract::Operation;
use loadgen_core::latencies::Latencies;
use loadgen_core::tally::{OperationTally, Tally};
use loadgen_core::units;

use super::{BAD, DIM, HEADING, beyond, line};

/// Appends the table of all operations that were used.
pub(super) fn requests(out: &mut String, tally: &Tally) {
    line!(out, "");
    line!(
        out,
        "{HEADING}{:<10}{:>9}{:>7}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{HEADING:#}",
        "",
        "requests",
        "errors",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max"
    );
    for operation in Operation::ALL {
        let tally = tally.operation(operation);
        if tally.requests > 0 {
            rows(out, operation, tally);
        }
    }
}

fn rows(out: &mut String, operation: Operation, tally: &OperationTally) {
    let failed = match tally.failed() {
        0 => format!("{:>7}", 0),
        some => format!("{BAD}{:>7}{BAD:#}", units::count(some)),
    };
    let requests = units::count(tally.requests);
    line!(
        out,
        "{HEADING}{operation:<10}{HEADING:#}{requests:>9}{failed}{}",
        figures(&tally.response)
    );
    line!(
        out,
        "{DIM}{:<26}{}{DIM:#}",
        "  service",
        figures(&tally.service)
    );
    line!(out, "{DIM}{:<26}{}{DIM:#}", "  slip", figures(&tally.slip));
}

fn figures(latencies: &Latencies) -> String {
    let quantile = |quantile| latencies.percentile(quantile).map(|value| value as f64);
    let figures = [
        quantile(0.5),
        quantile(0.9),
        quantile(0.95),
        quantile(0.99),
        quantile(0.999),
        latencies.greatest().map(|value| value as f64),
    ];
    let shown = |figure: Option<f64>| figure.map_or_else(|| "n/a".to_owned(), units::time);
    figures
        .map(|figure| format!("{:>9}", shown(figure)))
        .concat()
        + &beyond(latencies)
}
