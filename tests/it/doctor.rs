//! `otplab doctor`: what it prints about a machine that is made up, held against
//! a golden file, and that it can be run on this one.

use loadgen::report;
use loadgen_core::fitness::{Delay, Facts};
use loadgen_core::latencies::Latencies;
use loadgen_core::stall::Stalled;
use serde_json::Value;
use std::time::Duration;

use crate::binary::otplab;

/// A small virtual machine with something to say in every line.
fn made_up() -> Facts {
    let delay = |p50, p99, max| {
        let count = 900;
        Some(Delay {
            count,
            p50,
            p99,
            max,
        })
    };
    Facts {
        open_files: Some(1024),
        open_files_most: Some(1_048_576),
        ports: Some(28_232),
        timer_us: delay(61, 1_480, 3_020),
        cores: Some(2),
        quota: Some(0.5),
        others: Some(0.034),
        steal: Some(0.002),
        governor: None,
        clock_source: Some("kvm-clock".to_owned()),
        clock_cost_ns: Some(38.2),
        clock_step_ns: Some(20),
        loopback_us: delay(14, 52, 400),
    }
}

#[test]
fn an_examination_reads_as_drawn() {
    let (mut response, mut service) = (Latencies::default(), Latencies::default());
    for index in 0..1500_u64 {
        let waited = Duration::from_millis(index.saturating_sub(1200) * 2);
        response.record(waited + Duration::from_micros(70));
        service.record(Duration::from_micros(70));
    }
    let stall = Stalled {
        arrivals: Duration::from_secs(3),
        stood_still: Duration::from_micros(600_073),
        response: &response,
        service: &service,
    };
    let styled = report::fitness(&made_up().judge(), Some(&stall.judge()));
    let text = anstream::adapter::strip_str(&styled).to_string();
    expectorate::assert_contents("tests/golden/doctor.txt", &text);
}

#[test]
fn this_machine_can_be_examined() {
    let output = otplab().args(["doctor", "--format", "json"]).output();
    let output = output.expect("the binary runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = found["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 10);
    for finding in findings {
        for key in ["check", "verdict", "figure", "meaning"] {
            assert!(finding[key].is_string(), "{key} in {finding}");
        }
        let in_order = finding["verdict"] == "ok" || finding["verdict"] == "unknown";
        assert_eq!(finding["advice"].is_null(), in_order, "{finding}");
    }
    assert!(found["facts"]["loopback_us"]["p50"].is_u64());
    // How fast the machine is at present is no matter of this test; what follows from it is.
    let stall = &found["stall"];
    let expected = match (found["fit"].as_bool(), stall["verdict"].as_str()) {
        (_, Some("unknown")) => 2,
        (Some(true), Some(_)) => 0,
        (Some(false), Some(_)) => 1,
        other => panic!("{other:?}"),
    };
    assert_eq!(output.status.code(), Some(expected), "{output:?}");
    let stood_still = stall["stood_still_s"].as_f64().expect("a number");
    assert!(
        stood_still >= 0.6,
        "the mock stood still for {stood_still} s"
    );
    let row = &stall["percentiles"][2];
    let (response, service) = (row["response_us"].as_u64(), row["service_us"].as_u64());
    assert!(response > service, "{row}");
}
