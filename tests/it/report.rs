//! What people and machines read, held against golden files. The run is a
//! simulated one, so that every figure is exact. `EXPECTORATE=overwrite cargo
//! test` writes the files anew.

use loadgen::directory::{self, Writer};
use loadgen::recorder::Unrecorded;
use loadgen::report;
use loadgen_core::result::RunResult;
use loadgen_core::run::Run;
use serde_json::Value;

use crate::world::simulate_run;

const SCENARIO: &str = r#"
connections = 8
thresholds = [
    "check_otp.response.p99 < 25ms",
    "rentals.delivered > 99%",
    "profile.slip.max < 1s",
]

[arrivals]
users = 200

[stop]
duration = "30s"

[users]
services = ["whatsapp", "telegram", "google"]
polling = "fixed(500ms)"

[mock]
sms_delay = "0.98*lognormal(2s,0.5) + 0.02*never"
rental_life = "10s"
"#;

fn simulated() -> Run {
    simulate_run(SCENARIO, 42, &mut Unrecorded)
}

fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}

#[test]
fn the_text_report_is_as_drawn() {
    let text = plain(&report::text(&simulated()));
    expectorate::assert_contents("tests/golden/report.txt", &text);
}

#[test]
fn result_json_has_the_promised_fields() {
    let json = RunResult::new(&simulated()).text();
    expectorate::assert_contents("tests/golden/result.json", &json);
}

#[test]
fn a_job_summary_and_test_cases_are_as_drawn() {
    let run = simulated();
    expectorate::assert_contents("tests/golden/report.md", &report::markdown(&run));
    expectorate::assert_contents("tests/golden/junit.xml", &report::junit(&run));
}

#[test]
fn real_results_agree_with_the_schema() {
    let schema = serde_json::to_string_pretty(&RunResult::schema()).expect("plain data") + "\n";
    expectorate::assert_contents("loadgen/result.schema.json", &schema);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let warm = SCENARIO.replace("connections = 8", "warmup = \"5s\"");
    let empty = SCENARIO.replace("\"30s\"", "\"1ms\"");
    for scenario in [SCENARIO, &warm, &empty] {
        let run = simulate_run(scenario, 42, &mut Unrecorded);
        let result: Value = serde_json::from_str(&RunResult::new(&run).text()).expect("JSON");
        validator.validate(&result).expect("it agrees");
        let mut wrong = result;
        wrong["rentals"]["delivered"] = "many".into();
        assert!(!validator.is_valid(&wrong), "the schema says something");
    }
}

/// A run that is written to a directory and read from it again is the same run.
#[test]
fn every_report_can_be_made_again_from_the_directory() {
    for warmup in ["connections = 8", "warmup = \"5s\"", "warmup = \"auto\""] {
        let scenario = SCENARIO.replace("connections = 8", warmup);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut writer = Writer::create(directory.path(), &scenario).expect("writable");
        let run = simulate_run(&scenario, 42, &mut writer);
        writer.finish(&run, &scenario).expect("writable");
        let (again, text) = directory::open(directory.path()).expect("readable");
        assert_eq!(text, scenario);
        assert_eq!(RunResult::new(&again).text(), RunResult::new(&run).text());
        assert_eq!(report::text(&again), report::text(&run));
        assert_eq!(report::html(&again, &text), report::html(&run, &scenario));
        let written = std::fs::read_to_string(directory.path().join("result.json"));
        assert_eq!(written.expect("written"), RunResult::new(&run).text());
        let timeline = std::fs::read_to_string(directory.path().join("timeline.csv"));
        let timeline = timeline.expect("written");
        let warm = timeline
            .lines()
            .filter(|line| line.split(',').nth(2) == Some("1"));
        let seconds = run.outcome.warmup.as_ref().map_or(0, |part| part.seconds);
        assert_eq!(warm.count(), seconds as usize, "{warmup}");
        let log = std::fs::read_to_string(directory.path().join("latency.hlog")).expect("written");
        let tagged = log
            .lines()
            .filter(|line| line.starts_with("Tag=warmup.check_otp.response,"));
        assert_eq!(tagged.count(), seconds as usize, "{warmup}");
    }
}

#[test]
fn a_warm_up_is_left_out_of_the_figures_and_shown_apart() {
    let scenario = SCENARIO.replace("connections = 8", "connections = 8\nwarmup = \"5s\"");
    let (run, whole) = (simulate_run(&scenario, 42, &mut Unrecorded), simulated());
    let part = run.outcome.warmup.as_ref().expect("a warm-up");
    let requests = |run: &Run| run.outcome.tally.requests();
    assert_eq!(part.seconds, 5);
    assert_eq!(requests(&run) + part.tally.requests(), requests(&whole));
    assert_eq!(run.outcome.window.as_secs(), 25);
    let rentals = |run: &Run| run.outcome.tally.rentals.clone();
    assert_eq!(rentals(&run).delivered, rentals(&whole).delivered);
    assert!(rentals(&run).detection_lag.count() < rentals(&whole).detection_lag.count());
    let text = plain(&report::text(&run));
    assert!(
        text.contains("warm-up          the first 5s, left out above: "),
        "{text}"
    );
}

#[test]
fn the_shares_of_the_lag_add_up_to_it() {
    let rentals = simulated().outcome.tally.rentals;
    assert_eq!(
        u128::from(rentals.lag_shares.sum()),
        rentals.detection_lag.sum()
    );
    assert!(rentals.lag_shares.strategy > 100 * rentals.lag_shares.server);
    assert!(rentals.lag_shares.server > 0 && rentals.lag_shares.generator > 0);
}

#[test]
fn nothing_from_data_becomes_markup() {
    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&`|\u{2028}";
    let mut run = simulated();
    run.about.scenario = HOSTILE.to_owned();
    run.about.server = HOSTILE.to_owned();
    run.verdicts[0].expr = HOSTILE.to_owned();
    let page = report::html(&run, HOSTILE);
    assert!(!page.contains("<img"), "an element was made");
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    let junit = report::junit(&run);
    assert!(
        !junit.contains("<img") && !junit.contains("</script>"),
        "{junit}"
    );
    let markdown = report::markdown(&run);
    let (head, rest) = markdown.split_once("\n| threshold").expect("a table");
    assert!(!head.contains("<img"), "{head}");
    // In a code span nothing is markup but its end.
    let row = rest.lines().nth(2).expect("the first threshold");
    assert_eq!(row.matches('`').count(), 2, "{row}");
}
