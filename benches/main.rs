//! What otplab's hot paths cost. One binary, one module per subject; README.md
//! beside this file says how to read the figures and how to compare with peers.

mod fleet;
mod histogram;
mod loopback;
mod mock;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    mock::poll_decision,
    mock::poll_decision_with_faults,
    mock::poll_decision_beside_a_dead_endpoint,
    loopback::poll_on_one_connection,
    histogram::record,
    fleet::step,
);
criterion_main!(benches);
