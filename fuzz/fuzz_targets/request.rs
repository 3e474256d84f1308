//! Sessions with the mock alone: the same as the property tests `arbitrary` of
//! `mock-server-core` play, from the same file.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../mock-server/core/tests/it/session.rs"]
mod session;

fuzz_target!(|bytes: &[u8]| {
    session::play(bytes);
    session::move_house(bytes);
});
