//! `otplab report`: a run again, from the directory it has written.

use std::io::Write;

use anyhow::Context;
use loadgen::{directory, report};
use loadgen_core::result::RunResult;
use loadgen_core::run::Run;

use crate::cli::report::{Format, ReportArguments};
use crate::exit::Exit;

/// Prints a report. How the run came out was that run's exit code; this one's
/// says whether it could be read.
pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<Exit> {
    let (run, scenario) = directory::open(&arguments.directory)?;
    print(arguments.format, &run, &scenario)?;
    Ok(Exit::Passed)
}

/// Prints a run on stdout.
pub(crate) fn print(format: Format, run: &Run, scenario: &str) -> anyhow::Result<()> {
    let text = match format {
        Format::Text => report::text(run),
        Format::Json => RunResult::new(run).text(),
        Format::Html => report::html(run, scenario),
        Format::Junit => report::junit(run),
        Format::Markdown => report::markdown(run),
    };
    // Only the text has styles; nothing that data says may be taken for one.
    let written = match format {
        Format::Text => {
            let mut out = anstream::stdout();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        _ => return write(&text),
    };
    written.context("failed to print the result")
}

/// Prints a text on stdout as it is.
pub(super) fn write(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("failed to print the result")
}
