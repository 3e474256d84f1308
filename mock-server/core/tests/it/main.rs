//! The mock through its one door, under a time that the tests make up. What
//! needs no time is tested in both arms, in `mock-server/tests/it`.

mod arbitrary;
mod client;
mod control;
mod delivery;
mod fault;
mod lifetime;
mod session;
mod webhook;
