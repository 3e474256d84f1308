//! What people write: laws, fault rules, settings and scenarios. Nothing
//! panics, and what is read is written so that it is read as the same again.

#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use contract::Law;
use libfuzzer_sys::fuzz_target;
use loadgen_core::retry::Retry;
use loadgen_core::scenario::Scenario;
use loadgen_core::shape::Shape;
use mock_server_core::{FaultRule, SettingsFile};

fuzz_target!(|text: &str| {
    again::<Law>(text);
    again::<FaultRule>(text);
    again::<Retry>(text);
    again::<Shape>(text);
    let _ = contract::document::parse::<SettingsFile>("settings", text);
    let _ = Scenario::read("name", "scenario", text, Default::default());
});

fn again<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        match written.parse::<T>() {
            Ok(again) => assert_eq!(again.to_string(), written, "{text:?}"),
            Err(_) => panic!("{text:?} is written {written:?}, which is nothing"),
        }
    }
}
