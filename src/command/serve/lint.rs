//! What was found about clients, written when the server is stopped: for people,
//! for programs, and for pipelines that show test results or findings.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use judge::report::{escaped, schema_conforming};
use mock_server_core::lint::{Finding, Rule};
use mock_server_core::{LintMode, LintReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::log::Log;
use crate::cli::lint_format::LintFormat;
use crate::exit::Exit;

/// Which reports are written, and where.
#[derive(Debug)]
pub(super) struct Reports {
    /// None means the text, in the log.
    pub(super) formats: Vec<LintFormat>,
    /// Standard output, if it is none.
    pub(super) directory: Option<PathBuf>,
}

impl Reports {
    /// Looks whether all reports have a place, before anybody is served.
    pub(super) fn prepare(&self, mode: LintMode, log: Log) -> anyhow::Result<()> {
        match &self.directory {
            _ if mode == LintMode::Off && !self.formats.is_empty() => {
                log.warn(
                    "lint",
                    "--report is about the clients, and without --lint nobody looks",
                    json!({}),
                );
                Ok(())
            }
            _ if mode == LintMode::Off => Ok(()),
            Some(directory) => fs::create_dir_all(directory).with_context(|| {
                format!("cannot make the report directory {}", directory.display())
            }),
            None if self.formats.len() > 1 => {
                bail!("several reports need a directory; name one with --report-dir")
            }
            None => Ok(()),
        }
    }

    /// Writes them all, and says how the server ends for it.
    pub(super) fn end(&self, found: &LintReport, log: Log) -> anyhow::Result<Exit> {
        if found.mode == LintMode::Off {
            return Ok(Exit::Passed);
        }
        for format in &self.formats {
            let text = match format {
                LintFormat::Text => text(found),
                LintFormat::Json => format!("{:#}\n", json!(found)),
                LintFormat::Junit => junit(found),
                LintFormat::Sarif => sarif(found),
            };
            match &self.directory {
                Some(directory) => {
                    let path = directory.join(format.file());
                    fs::write(&path, text)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                None => print(&text)?,
            }
        }
        if self.formats.is_empty() || self.directory.is_some() {
            say(found, log);
            if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
                print(&annotations(found))?;
            }
        }
        Ok(match found.mode {
            LintMode::Deny if found.is_denied() => Exit::Findings,
            LintMode::Deny if found.requests == 0 => {
                log.warn(
                    "lint",
                    "lint: no request came, so there was nothing to judge",
                    json!({}),
                );
                Exit::CouldNotJudge
            }
            _ => Exit::Passed,
        })
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("cannot write to standard output")
}

fn text(found: &LintReport) -> String {
    let mut out: String = found.findings.iter().flat_map(lines).collect();
    out += &summary(found);
    out.push('\n');
    out
}

fn summary(found: &LintReport) -> String {
    let count = found.findings.len() as u64 + found.beyond;
    let mut out = format!("lint: findings {count}, requests {}", found.requests);
    if !found.skipped.is_empty() {
        let _ = write!(out, ", not looked for: {}", found.skipped.join(", "));
    }
    out
}

/// A line of the log for each finding; for people they are several.
fn say(found: &LintReport, log: Log) {
    for finding in &found.findings {
        log.info(
            "lint.finding",
            lines(finding).concat().trim_end(),
            json!(finding),
        );
    }
    let fields = json!({ "findings": found.findings.len(), "requests": found.requests });
    log.info("lint", &summary(found), fields);
}

/// One finding with what proves it.
fn lines(finding: &Finding) -> Vec<String> {
    let mut lines = vec![
        format!("lint: {}: {}\n", finding.rule, told(finding)),
        format!("lint:   {}\n", finding.explanation),
    ];
    lines.extend(finding.requests.iter().map(|request| {
        let status = request.status.map(|status| status.to_string());
        let status = status.unwrap_or_else(|| request.fate.to_owned());
        let (at, number, line) = (&request.at, request.number, &request.request);
        format!("lint:   {at} #{number} {line}: {status}\n")
    }));
    lines
}

/// One finding in a few words.
fn told(finding: &Finding) -> String {
    let account = finding.account.as_deref().unwrap_or("no account");
    let rental = finding
        .rental_id
        .map_or_else(String::new, |id| format!(", rental {id}"));
    let times = match finding.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    format!("{} ({account}{rental}{times})", finding.what)
}

/// The runner shows them beside the job.
fn annotations(found: &LintReport) -> String {
    let level = level(found);
    let line = |finding: &Finding| {
        let said = escaped(&format!("{}; {}", told(finding), finding.explanation));
        format!("::{level} title=otplab lint {}::{said}\n", finding.rule)
    };
    found.findings.iter().map(line).collect()
}

fn level(found: &LintReport) -> &'static str {
    match found.mode {
        LintMode::Deny => "error",
        LintMode::Off | LintMode::Warn => "warning",
    }
}

/// Every rule is a test case, which fails if it was broken.
fn junit(found: &LintReport) -> String {
    let mut suite = TestSuite::new("client.lint");
    for rule in Rule::ALL {
        let broken = found.findings.iter().filter(|it| it.rule == rule.id());
        let broken: Vec<_> = broken.map(|finding| lines(finding).concat()).collect();
        let status = if found.skipped.contains(&rule.id()) {
            TestCaseStatus::skipped()
        } else if broken.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(rule.explanation());
            status.set_description(broken.concat());
            status
        };
        suite.add_test_case(TestCase::new(rule.id(), status));
    }
    let mut report = Report::new("otplab lint");
    report.add_test_suite(suite);
    let text = report.to_string();
    schema_conforming(&text.expect("invariant: a report in memory can be written"))
}

/// The place of a finding is where the text report tells it.
fn sarif(found: &LintReport) -> String {
    let level = level(found);
    let rules: Vec<_> = Rule::ALL
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id(),
                "shortDescription": { "text": rule.explanation() },
                "defaultConfiguration": { "level": level },
            })
        })
        .collect();
    let mut line = 1;
    let mut results = Vec::new();
    for finding in &found.findings {
        results.push(result(finding, (level, line)));
        line += lines(finding).len();
    }
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

fn result(finding: &Finding, (level, line): (&str, usize)) -> Value {
    let account = finding.account.as_deref().unwrap_or("no account");
    let place = Rule::ALL.iter().position(|rule| rule.id() == finding.rule);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": level,
        "message": { "text": format!("{}; {}", told(finding), finding.explanation) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": LintFormat::Text.file() },
                "region": { "startLine": line },
            },
            "logicalLocations": [{ "name": account, "kind": "resource" }],
        }],
        "properties": { "requests": finding.requests },
    })
}
