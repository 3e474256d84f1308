//! The examination of a machine as a text for people.

use std::fmt::Write;

use loadgen_core::fitness::{Finding, Standing};
use loadgen_core::stall::Demonstration;
use loadgen_core::units;

use super::{BAD, DIM, DOUBT, GOOD, HEADING, figure, line};

/// What was found about the machine, and what a stall looks like on it.
pub fn fitness(findings: &[Finding], stall: Option<&Demonstration>) -> String {
    let mut out = String::new();
    for finding in findings {
        let style = match finding.verdict {
            Standing::Unknown => DIM,
            Standing::Ok => GOOD,
            Standing::Warn => DOUBT,
            Standing::Bad => BAD,
        };
        line!(
            out,
            "{style}{:<5}{style:#} {HEADING}{:<11}{HEADING:#} {}",
            finding.verdict.name(),
            finding.check,
            finding.figure
        );
        line!(out, "{:17} {DIM}{}{DIM:#}", "", finding.meaning);
        if let Some(advice) = finding.advice {
            line!(out, "{:17} to change: {advice}", "");
        }
    }
    if let Some(stall) = stall {
        demonstration(&mut out, stall);
    }
    out
}

fn demonstration(out: &mut String, stall: &Demonstration) {
    let time = |seconds: f64| units::time((seconds * 1e3).round() * 1e3);
    line!(
        out,
        "\n{HEADING}the stall test{HEADING:#}: a mock is polled at a steady rate for {} and stands still for {} of it",
        time(stall.arrivals_s),
        time(stall.stood_still_s)
    );
    line!(
        out,
        "{:5} {:>12} {:>12} {:>12}",
        "",
        "arithmetic",
        "response",
        "service"
    );
    for row in &stall.percentiles {
        line!(
            out,
            "{:5} {:>12} {:>12} {:>12}",
            row.percentile,
            figure(Some(row.arithmetic_us)),
            figure(row.response_us),
            figure(row.service_us)
        );
    }
    let said = match stall.verdict {
        Standing::Ok => {
            format!(
                "{GOOD}response time tells what customers waited{GOOD:#}; service time does not"
            )
        }
        Standing::Warn => format!(
            "{DOUBT}response time is more than a tenth off{DOUBT:#}: something else took its time too; try again when the machine is quiet"
        ),
        Standing::Bad => format!(
            "{BAD}response time is more than a quarter off{BAD:#}: do not measure on this machine as it is now"
        ),
        Standing::Unknown => "too few polls were answered to say anything".to_owned(),
    };
    line!(out, "{said}");
}
