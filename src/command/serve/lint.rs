//! What was found about clients, written when the server is stopped: for people,
//! for programs, and for pipelines that show test results or findings.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use mock_server_core::lint::{Finding, Rule};
use mock_server_core::{LintMode, LintReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::log::Log;
use crate::cli::lint_output::{LintFormat, LintOutput};

/// Writes it as asked for, and for people if nobody asked.
pub(super) fn write(found: &LintReport, outputs: &[LintOutput], log: Log) -> anyhow::Result<()> {
    if found.mode == LintMode::Off {
        return Ok(());
    }
    if outputs.is_empty() {
        for finding in &found.findings {
            log.info("lint.finding", shown(finding).trim_end(), json!(finding));
        }
        let number = count(found);
        log.info(
            "lint",
            count_line(found).trim_end(),
            json!({ "findings": number }),
        );
    }
    for output in outputs {
        let written = match output.format {
            LintFormat::Text => text(found),
            LintFormat::Json => format!("{:#}\n", json!(found)),
            LintFormat::Junit => junit(found),
            LintFormat::Sarif => sarif(found),
        };
        match &output.file {
            Some(file) => std::fs::write(file, written)
                .with_context(|| format!("cannot write the findings to {}", file.display()))?,
            None => std::io::stdout()
                .write_all(written.as_bytes())
                .context("cannot write to standard output")?,
        }
    }
    Ok(())
}

fn text(found: &LintReport) -> String {
    let mut out: String = found.findings.iter().map(shown).collect();
    out += &count_line(found);
    out
}

/// A finding with the requests that prove it.
fn shown(finding: &Finding) -> String {
    let mut out = format!("lint: {}: {}\n", finding.rule, told(finding));
    for request in &finding.requests {
        let status = request
            .status
            .map_or_else(|| request.fate.to_owned(), |status| status.to_string());
        let _ = writeln!(
            out,
            "lint:   {} #{} {}: {status}",
            request.at, request.number, request.request
        );
    }
    out
}

fn count_line(found: &LintReport) -> String {
    format!("lint: findings {}\n", count(found))
}

/// Those that the report has no room for are counted, too.
fn count(found: &LintReport) -> u64 {
    found.findings.len() as u64 + found.beyond
}

/// One finding in a sentence.
fn told(finding: &Finding) -> String {
    let rental = finding
        .rental_id
        .map_or_else(String::new, |id| format!("rental {id}, "));
    let account = finding.account.as_deref().unwrap_or("no account");
    format!(
        "{} ({account}, {rental}times {}: {})",
        finding.explanation, finding.times, finding.what
    )
}

fn of(found: &LintReport, rule: Rule) -> impl Iterator<Item = &Finding> {
    let findings = found.findings.iter();
    findings.filter(move |finding| finding.rule == rule.id())
}

/// Every rule is a test case, which fails if it was broken.
fn junit(found: &LintReport) -> String {
    let mut suite = TestSuite::new("client.lint");
    for rule in Rule::ALL {
        let lines: Vec<_> = of(found, rule).map(told).collect();
        let status = if lines.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(lines.join("\n"));
            status
        };
        suite.add_test_case(TestCase::new(rule.id(), status));
    }
    let mut report = Report::new("otplab lint");
    report.add_test_suite(suite);
    report
        .to_string()
        .expect("invariant: a report in memory can be written")
}

fn sarif(found: &LintReport) -> String {
    let level = match found.mode {
        LintMode::Deny => "error",
        LintMode::Off | LintMode::Warn => "warning",
    };
    let rules: Vec<_> = Rule::ALL
        .iter()
        .map(|rule| json!({ "id": rule.id(), "shortDescription": { "text": rule.explanation() } }))
        .collect();
    let results: Vec<_> = found
        .findings
        .iter()
        .map(|finding| {
            json!({
                "ruleId": finding.rule,
                "level": level,
                "message": { "text": told(finding) },
                "locations": [{ "logicalLocations": [{
                    "name": finding.account.as_deref().unwrap_or("no account"),
                    "kind": "resource",
                }] }],
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "otplab",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    });
    format!("{document:#}\n")
}
