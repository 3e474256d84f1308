//! The table of control requests in docs/control.md: it is the one that the document
//! says, and every example in it is answered with 200.

use std::fs;

use serde_json::Value;

use crate::arm::{key, over_http, rent, settings};
use crate::control::{control, start};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/control.md");
const BEGIN: &str = "| request under `/__admin/` | what it does |\n| --- | --- |\n";

/// Method, path under `/__admin/`, example of a body, and what it does.
fn routes() -> Vec<(String, String, String, String)> {
    let document = mock_server::control_document();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = match body {
                Value::Null => String::new(),
                example => example.to_string(),
            };
            let path = path.trim_start_matches("/__admin/").to_owned();
            let summary = operation["summary"].as_str().expect("a summary");
            routes.push((method.to_uppercase(), path, body, summary.to_owned()));
        }
    }
    routes
}

/// `EXPECTORATE=overwrite cargo test` writes the table anew.
#[test]
fn the_page_lists_every_control_request() {
    let mut table = BEGIN.to_owned();
    for (method, path, body, summary) in routes() {
        let body = match path.as_str() {
            // Nobody writes one by hand.
            "snapshot" => String::new(),
            _ => body,
        };
        let path = if path.is_empty() { "/__admin/" } else { &path };
        let line = format!("{method} {path} {body}");
        table += &format!("| `{}` | {summary} |\n", line.trim_end());
    }
    let page = fs::read_to_string(PAGE).expect("there is a page");
    let begin = page.find(BEGIN).expect("the table has a place");
    let length = page[begin..].find("\n\n").expect("something follows") + 1;
    if std::env::var("EXPECTORATE").is_ok_and(|what| what == "overwrite") {
        let (before, after) = (&page[..begin], &page[begin + length..]);
        fs::write(PAGE, format!("{before}{table}{after}")).expect("it can be written");
    } else {
        assert_eq!(&page[begin..begin + length], table);
    }
}

#[test]
fn every_example_is_answered() {
    for (method, path, body, _) in routes() {
        if path == "events" || path.starts_with("webhooks/deliveries/") {
            continue;
        }
        // Time stands still but where a wait has to come to an end.
        let delay = if path == "wait" { "0s" } else { "1m" };
        let running = start(settings(&format!(
            "sms_delay = \"{delay}\"\ntime_scale = 0"
        )));
        let (address, mine) = (running.address(), key(1));
        over_http(address, rent(&mine, "service=whatsapp"));
        let rule = r#"{"rule":"*: latency(0s)"}"#;
        control(address, Some(&mine), "POST", "faults", rule);
        let endpoint = r#"{"url":"http://127.0.0.1:9/"}"#;
        control(address, Some(&mine), "POST", "webhooks/endpoints", endpoint);
        let call = path
            .replace("{rental_id}", "13322954")
            .replace("{fault_id}", "account-1")
            .replace("{endpoint_id}", "account-1")
            .replace("{number}", "1");
        let whole = path == "snapshot";
        let scope = Some(&*mine).filter(|_| !whole);
        let answer = control(address, scope, &method, &call, &body);
        assert_eq!(answer.status, 200, "{method} {path} {body}: {answer:?}");
    }
}
