//! Where the reports of a check go.

use std::io::Write;

use anyhow::{Context, bail};
use judge::report::{self, Told};

use crate::cli::check::{CheckArguments, ReportFormat};

/// Looks whether all reports have a place, before anything is sent.
pub(super) fn prepare(arguments: &CheckArguments) -> anyhow::Result<()> {
    match &arguments.report_dir {
        Some(directory) => std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the report directory {}", directory.display())),
        None if arguments.report.len() > 1 => {
            bail!("several reports need a directory; name one with --report-dir")
        }
        None => Ok(()),
    }
}

/// Writes all reports.
pub(super) fn write(arguments: &CheckArguments, told: &Told<'_>) -> anyhow::Result<()> {
    for format in &arguments.report {
        let ReportFormat::Text = format;
        print(&report::text(told))?;
    }
    Ok(())
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("failed to print the report")
}
