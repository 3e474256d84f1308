//! The reports of a check that crashes. A release ends at a panic, so the panic
//! hook is the last to run and writes them: of what was seen until then.

use std::panic;
use std::time::Duration;

use judge::report::Told;

use super::{choice, nothing, reports};
use crate::cli::check::CheckArguments;

/// From now on a panic writes the reports and ends the process: it could not be judged.
pub(super) fn watch(arguments: &CheckArguments) {
    let arguments = arguments.clone();
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tell(panic);
        // Not the message: it may quote what must not be shown.
        let place = panic.location().map(ToString::to_string);
        write(&arguments, &place.unwrap_or_default());
        #[expect(clippy::exit, reason = "there is nothing to return to")]
        std::process::exit(2);
    }));
}

fn write(arguments: &CheckArguments, place: &str) {
    let reason = format!("otplab crashed at {place}");
    let mut evidence = judge::under_way().unwrap_or_else(|| nothing(&reason));
    evidence.given.ended_early = Some(reason.clone());
    let judgement = judge_core::judge(&evidence, &choice(arguments).unwrap_or_default());
    let told = Told {
        server: arguments.url.as_deref().unwrap_or("the embedded mock"),
        judgement: &judgement,
        spent: "the money was not counted",
        took: Duration::ZERO,
        ended_early: Some(&reason),
    };
    // Whoever could be told of a failure is being told of the crash.
    let _ = reports::write(arguments, &told);
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::task::Poll;

    use clap::Parser;

    use super::super::plan;
    use super::*;
    use crate::cli::{self, Cli};

    #[test]
    fn a_crash_leaves_the_reports() {
        let directory = tempfile::tempdir().expect("a directory");
        let name = "command::check::crash::tests::crashes";
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env("OTPLAB_REPORT_DIR", directory.path())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect(name);
        let (text, junit) = (read("check.txt"), read("junit.xml"));
        assert!(text.contains("held P4 "), "{text}");
        assert!(
            text.contains("not judged R11 ") && text.contains(": otplab crashed at src/command/"),
            "{text}"
        );
        assert!(junit.contains("otplab crashed at"), "{junit}");
    }

    #[test]
    #[ignore = "it is run by the test above, in a process of its own"]
    fn crashes() {
        let typed = ["otplab", "check", "--report", "text,junit"];
        let cli::Command::Check(arguments) = Cli::parse_from(typed).command else {
            panic!("it is a check");
        };
        // Run without that variable, as all ignored tests are, it does nothing.
        if arguments.report_dir.is_none() {
            return;
        }
        watch(&arguments);
        let subject = plan::subject(&arguments).expect("a plan");
        let crash = std::future::poll_fn(|_| {
            let seen = judge::under_way().map_or(0, |seen| seen.exchanges.len());
            assert!(seen < 3, "crashed on purpose");
            Poll::<()>::Pending
        });
        let _ = judge::check(&subject.plan, crash);
    }
}
