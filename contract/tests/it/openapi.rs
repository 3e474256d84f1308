//! The OpenAPI document as it is checked in. `EXPECTORATE=overwrite cargo test`
//! writes it anew.

use contract::openapi::{self, Answers};

#[test]
fn the_checked_in_document_is_the_one_that_the_code_writes() {
    let document = openapi::document(&Answers::default());
    expectorate::assert_contents("openapi.json", &openapi::text(&document));
}
