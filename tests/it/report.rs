//! What people and machines read, held against golden files. The run is a
//! simulated one, so that every figure is exact. `EXPECTORATE=overwrite cargo
//! test` writes the files anew.

use loadgen::report::{self, Title};
use loadgen::run::Run;
use loadgen_core::result::RunResult;
use loadgen_core::threshold::Threshold;

use crate::world::simulate;

const SCENARIO: &str = r#"
connections = 8

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
    let outcome = simulate(SCENARIO, 42);
    let thresholds = [
        "check_otp.response.p99 < 25ms",
        "rentals.delivered > 99%",
        "profile.slip.max < 1s",
    ];
    let verdicts = thresholds.map(|text| text.parse::<Threshold>().expect(text).judge(&outcome));
    Run {
        verdicts: verdicts.into(),
        outcome,
        interrupted: false,
    }
}

#[test]
fn the_text_report_is_as_drawn() {
    let title = Title {
        scenario: "otp-rush",
        seed: 42,
        target: "a simulated mock",
    };
    let text = report::text(title, &simulated());
    let plain = anstream::adapter::strip_str(&text).to_string();
    expectorate::assert_contents("tests/golden/report.txt", &plain);
}

#[test]
fn result_json_has_the_promised_fields() {
    let run = simulated();
    let result = RunResult::new(
        "otp-rush",
        42,
        "http://127.0.0.1:1",
        false,
        &run.outcome,
        run.verdicts,
    );
    let json = serde_json::to_string_pretty(&result).expect("plain data") + "\n";
    expectorate::assert_contents("tests/golden/result.json", &json);
}
