//! The mock over real sockets, and the same scenarios against the core alone.
//! One binary, so that it links once.

mod arm;
mod control;
mod determinism;
mod fault;
mod lifetime;
mod openapi;
mod scenario;
mod transport;
mod webhook;
