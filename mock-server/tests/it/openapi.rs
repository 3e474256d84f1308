//! The OpenAPI document as the server hands it out, and what it says about the
//! history that no type says.

use contract::openapi::{self, Answers};
use mock_server::Server;
use serde_json::Value;

use crate::arm::{Ask, both, get, key, over_http, rent, settings};

#[test]
fn the_document_needs_no_key_and_escapes_every_fault() {
    let settings = settings(r#"faults = ["*: timeout"]"#);
    let running = Server::local().start(settings).expect("a free port");
    let ask = Ask {
        key: None,
        ..get("", "/openapi.json")
    };
    let expected = openapi::text(&openapi::document(&Answers::default()));
    for _ in 0..2 {
        let answer = over_http(running.address(), ask);
        assert_eq!((answer.status, answer.body.as_str()), (200, &*expected));
    }
}

#[test]
fn where_another_dialect_is_spoken_the_document_says_so() {
    let dialect = r#"dialect = "no_numbers=404, rent_status=201, webhook_signature=hush""#;
    let running = Server::local()
        .start(settings(dialect))
        .expect("a free port");
    let document = over_http(running.address(), get("", "/openapi.json")).json();
    let spoken =
        serde_json::json!({ "preset": "default", "no_numbers": "404", "rent_status": "201" });
    assert_eq!(document["info"]["x-dialect"], spoken);
    let words = document["info"]["description"].as_str().expect("words");
    assert!(words.contains("the default dialect"), "{words}");
}

#[test]
fn pages_are_as_long_as_the_document_says() {
    let document = openapi::document(&Answers::default());
    let schema = "/paths/~1api~1v1~1rentals~1history/get/parameters/1/schema";
    let rows = |bound: &str| {
        let bound = document.pointer(&format!("{schema}/{bound}"));
        bound.and_then(Value::as_u64).expect("a number") as usize
    };
    both("", |arm| {
        let key = key(1);
        for _ in 0..=rows("maximum") {
            arm.ask(rent(&key, "service=whatsapp"));
        }
        for (query, expected) in [("", "default"), ("?per_page=100000", "maximum")] {
            let target = format!("/api/v1/rentals/history{query}");
            let page = arm.ask(get(&key, &target)).json();
            assert_eq!(page["data"].as_array().map(Vec::len), Some(rows(expected)));
        }
    });
}

#[test]
fn the_checked_in_control_document_is_the_one_that_the_code_writes() {
    let document = mock_server::control_document();
    expectorate::assert_contents("admin-openapi.json", &openapi::text(&document));
    let running = Server::local().start(settings("")).expect("a free port");
    let ask = Ask {
        key: None,
        ..get("", "/__admin/openapi.json")
    };
    assert_eq!(over_http(running.address(), ask).json(), document);
}
