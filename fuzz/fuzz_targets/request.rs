//! Sessions with the mock alone: the same as the property test `arbitrary` of
//! `mock-server-core` plays, from the same file.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../mock-server/core/tests/it/session.rs"]
mod session;

fuzz_target!(|bytes: &[u8]| session::play(bytes));
