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
    let text = report.to_string();
    schema_conforming(&text.expect("invariant: a report in memory can be written"))
}

/// Without the count of skipped cases in the root element, which the schema of
/// Jenkins allows in suites only.
#[must_use]
pub fn schema_conforming(text: &str) -> String {
    let root = text.find("<testsuites").unwrap_or_default();
    let (before, element) = text.split_at(root);
    let end = element.find('>').unwrap_or_default();
    let (start, after) = element.split_at(end);
    let kept: Vec<_> = start
        .split(' ')
        .filter(|attribute| !attribute.starts_with("skipped="))
        .collect();
    format!("{before}{}{after}", kept.join(" "))
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
