//! `otplab polling`: the laboratory.

mod compare;
mod optimize;

use std::io::Write;

use anyhow::Context;
use loadgen::laboratory::{self, Comparison};

use crate::cli::polling::{PollingCommand, TableFormat};
use crate::exit::Exit;

/// Computes and prints.
pub(crate) fn run(command: &PollingCommand) -> anyhow::Result<Exit> {
    match command {
        PollingCommand::Compare(arguments) => compare::run(arguments)?,
        PollingCommand::Optimize(arguments) => optimize::run(arguments)?,
    }
    Ok(Exit::Passed)
}

/// Prints a comparison on stdout, as a text with what is to follow it.
fn print(comparison: &Comparison, format: TableFormat, after: &str) -> anyhow::Result<()> {
    let text = match format {
        TableFormat::Text => {
            let text = laboratory::text(comparison) + after;
            let mut out = anstream::stdout();
            return out
                .write_all(text.as_bytes())
                .and_then(|()| out.flush())
                .context("failed to print the result");
        }
        TableFormat::Json => laboratory::json(&comparison.rows),
        TableFormat::Csv => laboratory::csv(&comparison.rows),
        TableFormat::Html => laboratory::html(comparison),
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("failed to print the result")
}

/// The frontier around some rows.
fn frontier(
    laboratory: &loadgen_sim::polling::Laboratory,
    rows: &[loadgen_sim::polling::Row],
) -> Vec<(f64, f64)> {
    const POINTS: u32 = 40;
    let requests = rows.iter().map(|row| row.requests);
    let most = requests.clone().fold(2.0, f64::max);
    let least = requests.fold(most, f64::min);
    laboratory.frontier(least / 1.2, most * 1.2, POINTS)
}
