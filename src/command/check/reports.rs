//! Where the reports of a check go: on stdout, or into a directory.

use std::fs;
use std::io::Write;

use anyhow::{Context, bail};
use judge::report::{self, Told};

use crate::cli::check::{CheckArguments, ReportFormat};

/// Looks whether all reports have a place, before anything is sent.
pub(super) fn prepare(arguments: &CheckArguments) -> anyhow::Result<()> {
    match &arguments.report_dir {
        Some(directory) => fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the report directory {}", directory.display())),
        None if arguments.report.len() > 1 => {
            bail!("several reports need a directory; name one with --report-dir")
        }
        None => Ok(()),
    }
}

/// Writes all reports; with a directory, the text is printed as well.
pub(super) fn write(arguments: &CheckArguments, told: &Told<'_>) -> anyhow::Result<()> {
    for format in &arguments.report {
        let (name, text) = rendered(*format, told);
        match &arguments.report_dir {
            Some(directory) => {
                let path = directory.join(name);
                fs::write(&path, text)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => print(&text)?,
        }
    }
    if arguments.report_dir.is_some() {
        print(&report::text(told))?;
    }
    // The runner reads them from the log.
    let in_the_log = arguments.report_dir.is_some() || arguments.report == [ReportFormat::Text];
    if in_the_log && std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        print(&report::annotations(told))?;
    }
    Ok(())
}

/// Writes the measured dialect, where it is asked for and beside the reports.
pub(super) fn write_dialect(arguments: &CheckArguments, dialect: &str) -> anyhow::Result<()> {
    let beside = arguments
        .report_dir
        .as_ref()
        .map(|directory| directory.join("dialect.toml"));
    for path in beside.iter().chain(&arguments.write_dialect) {
        fs::write(path, dialect).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A report and the name of its file.
fn rendered(format: ReportFormat, told: &Told<'_>) -> (&'static str, String) {
    match format {
        ReportFormat::Text => ("check.txt", report::text(told)),
        ReportFormat::Json => ("check.json", report::json(told)),
        ReportFormat::Junit => ("junit.xml", report::junit(told)),
        ReportFormat::Sarif => ("check.sarif", report::sarif(told)),
        ReportFormat::Markdown => ("check.md", report::markdown(told)),
        ReportFormat::Html => ("check.html", report::html(told)),
    }
}

pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("failed to print the report")
}
