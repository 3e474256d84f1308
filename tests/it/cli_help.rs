//! The help texts, held against golden files.

use crate::binary::otplab;

fn check(arguments: &[&str], golden: &str) {
    let output = otplab().args(arguments).output().expect("the binary runs");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    expectorate::assert_contents(format!("tests/golden/{golden}"), &help);
}

#[test]
fn help_reads_as_it_did() {
    check(&["--help"], "help.txt");
    check(&["serve", "--help"], "help-serve.txt");
    check(&["load", "--help"], "help-load.txt");
    check(&["simulate", "--help"], "help-simulate.txt");
    check(&["polling", "--help"], "help-polling.txt");
    check(
        &["polling", "compare", "--help"],
        "help-polling-compare.txt",
    );
    check(&["polling", "fit", "--help"], "help-polling-fit.txt");
    check(
        &["polling", "optimize", "--help"],
        "help-polling-optimize.txt",
    );
    check(&["check", "--help"], "help-check.txt");
    check(&["diff", "--help"], "help-diff.txt");
    check(&["report", "--help"], "help-report.txt");
    check(&["readyz", "--help"], "help-readyz.txt");
    check(&["schema", "--help"], "help-schema.txt");
    check(&["doctor", "--help"], "help-doctor.txt");
}
