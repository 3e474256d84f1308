//! `otplab doctor`: whether this machine is fit to measure on, and what a
//! server that stands still looks like from it.

mod stall;

use std::io::Write;

use anyhow::{Context, bail};
use loadgen::{machine, report};
use loadgen_core::fitness::{Facts, Finding, Standing};
use loadgen_core::stall::Demonstration;
use serde::Serialize;

use crate::cli::doctor::{DoctorArguments, Format};
use crate::exit::Exit;

/// Everything that was found.
#[derive(Serialize)]
struct Examination {
    /// Nothing is bad.
    fit: bool,
    findings: Vec<Finding>,
    facts: Facts,
    /// Null if it could not be carried out.
    stall: Option<Demonstration>,
}

/// Examines the machine; a finding that is bad is a finding, one that warns is not.
pub(crate) fn run(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let facts = machine::facts();
    let stall = stall::demonstrate();
    let examination = Examination::new(facts, stall.as_ref().ok());
    print(arguments.format, &examination)?;
    stall.context("the stall test could not be carried out")?;
    examination.exit()
}

impl Examination {
    fn new(facts: Facts, stall: Option<&Demonstration>) -> Self {
        let findings = facts.judge();
        let grades = findings.iter().map(|finding| finding.verdict);
        let worst = grades.chain(stall.map(|stall| stall.verdict)).max();
        Self {
            fit: worst.is_none_or(|worst| worst < Standing::Bad),
            findings,
            facts,
            stall: stall.cloned(),
        }
    }

    fn exit(&self) -> anyhow::Result<Exit> {
        if self.facts.loopback_us.is_none() {
            bail!("this machine cannot reach itself over TCP, which everything here needs");
        }
        match &self.stall {
            Some(stall) if stall.verdict == Standing::Unknown => {
                bail!("the stall test says nothing: too few polls were answered")
            }
            _ if self.fit => Ok(Exit::Passed),
            _ => Ok(Exit::Findings),
        }
    }
}

fn print(format: Format, examination: &Examination) -> anyhow::Result<()> {
    let text = match format {
        Format::Text => report::fitness(&examination.findings, examination.stall.as_ref()),
        Format::Json => {
            serde_json::to_string_pretty(examination).context("failed to write JSON")? + "\n"
        }
    };
    let mut out = anstream::stdout();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.context("failed to print the result")
}

#[cfg(test)]
mod tests {
    use super::*;
    use loadgen_core::fitness::Delay;

    fn demonstration(verdict: Standing) -> Demonstration {
        Demonstration {
            arrivals_s: 3.0,
            stood_still_s: 0.6,
            verdict,
            percentiles: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_bad_is_a_finding() {
        let reached = Facts {
            loopback_us: Some(Delay::default()),
            ..Facts::default()
        };
        let cases = [
            (Some(4096), Standing::Ok, Some(Exit::Passed)),
            (Some(1024), Standing::Warn, Some(Exit::Passed)),
            (Some(64), Standing::Ok, Some(Exit::Findings)),
            (Some(4096), Standing::Bad, Some(Exit::Findings)),
            (Some(4096), Standing::Unknown, None),
        ];
        for (open_files, stall, expected) in cases {
            let facts = Facts {
                open_files,
                ..reached.clone()
            };
            let examination = Examination::new(facts, Some(&demonstration(stall)));
            assert_eq!(
                examination.exit().ok(),
                expected,
                "{open_files:?}, {stall:?}"
            );
        }
        let lonely = Examination::new(Facts::default(), Some(&demonstration(Standing::Ok)));
        assert!(lonely.exit().is_err(), "nothing could be measured");
    }
}
