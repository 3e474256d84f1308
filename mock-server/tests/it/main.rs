//! The mock over real sockets, and the same scenarios against the core alone.
//! One binary, so that it links once.

mod arm;
mod control;
mod determinism;
mod events;
mod fault;
mod lifetime;
mod openapi;
mod resources;
mod scenario;
mod snapshot;
mod transport;
mod webhook;
