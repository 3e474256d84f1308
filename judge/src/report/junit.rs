//! Clauses as test cases, for pipelines that show JUnit files.

use judge_core::verdict::{Judged, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Told;

/// The whole file. A clause that should have been judged and was not is an
/// error; one that there was nothing to judge with is skipped.
#[must_use]
pub fn junit(told: &Told<'_>) -> String {
    let mut report = Report::new("otplab check");
    report.set_time(told.took);
    for (letter, name) in super::FAMILIES {
        let mut suite = TestSuite::new(format!("contract.{name}"));
        let of_it = told
            .judgement
            .clauses
            .iter()
            .filter(|judged| judged.clause.id.starts_with(letter));
        suite.add_test_cases(of_it.map(case));
        report.add_test_suite(suite);
    }
    report
        .to_string()
        .expect("invariant: a report in memory can be written")
}

fn case(judged: &Judged) -> TestCase {
    let failed = |kind, message: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    };
    let status = match judged.verdict {
        Verdict::Broken => failed(NonSuccessKind::Failure, judged.summary()),
        Verdict::NotJudged if judged.missed => failed(NonSuccessKind::Error, judged.summary()),
        Verdict::NotJudged => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(judged.notes.join("; "));
            status
        }
        Verdict::Held | Verdict::Recorded | Verdict::Warned | Verdict::Known => {
            TestCaseStatus::success()
        }
    };
    let mut case = TestCase::new(
        format!("{} {}", judged.clause.id, judged.clause.sentence),
        status,
    );
    case.set_system_out(judged.summary());
    case
}
