//! The mock over real sockets, and the same scenarios against the core alone.
//! One binary, so that it links once.

mod arm;
mod control;
mod determinism;
mod dialect;
mod fault;
mod lifetime;
mod preset;
mod scenario;
mod throttle;
mod transport;
mod webhook;
