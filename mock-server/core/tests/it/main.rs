//! The mock through its one door, under a time that the tests make up. What
//! needs no time is tested in both arms, in `mock-server/tests/it`.

mod afterlife;
mod arbitrary;
mod client;
mod control;
mod delivery;
mod dialect;
mod endpoints;
mod fault;
mod hand;
mod lifetime;
mod lint;
mod lint_tolerance;
mod posting;
mod reload;
mod session;
mod throttle;
mod webhook;
