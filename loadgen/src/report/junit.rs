//! Thresholds and the validity of the run as test cases, for pipelines that
//! show JUnit files.

use loadgen_core::run::Run;
use loadgen_core::validity::{Check, Grade};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::TOO_FEW;

/// The whole file.
pub fn junit(run: &Run) -> String {
    let mut report = Report::new(match run.about.is_simulated() {
        true => "otplab simulate",
        false => "otplab load",
    });
    report.set_time(run.outcome.duration);
    let mut thresholds = TestSuite::new(format!("{}.thresholds", run.about.scenario));
    thresholds.add_test_cases(run.verdicts.iter().map(|verdict| {
        let actual = verdict.actual.as_deref().unwrap_or(TOO_FEW);
        let status = if verdict.passed {
            TestCaseStatus::success()
        } else {
            failed(NonSuccessKind::Failure, format!("measured: {actual}"))
        };
        let mut case = TestCase::new(verdict.expr.as_str(), status);
        case.set_system_out(format!("measured: {actual}"));
        case
    }));
    let mut validity = TestSuite::new(format!("{}.validity", run.about.scenario));
    validity.add_test_cases(run.validity.checks.iter().map(case));
    report.add_test_suites([thresholds, validity]);
    report
        .to_string()
        .expect("invariant: a report in memory can be written")
}

fn case(check: &Check) -> TestCase {
    let advice = check.advice.unwrap_or_default();
    let status = match check.grade {
        // An error, not a failure: nothing was found out about the server.
        Grade::Invalid => failed(NonSuccessKind::Error, format!("{}; {advice}", check.found)),
        Grade::NotApplicable => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(check.found.as_str());
            status
        }
        Grade::Valid | Grade::Doubtful => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(check.name, status);
    case.set_system_out(format!("{}: {}", check.grade.name(), check.found));
    case
}

fn failed(kind: NonSuccessKind, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status
}
