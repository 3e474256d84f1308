//! The mock over real sockets, and the same scenarios against the core alone.
//! One binary, so that it links once.

mod arm;
mod control;
mod determinism;
mod dialect;
mod events;
mod fault;
mod hostile;
mod lifetime;
mod metrics;
mod openapi;
mod page;
mod pipeline;
mod places;
mod preset;
mod receiver;
mod resources;
mod scenario;
mod secure;
mod snapshot;
mod throttle;
mod transport;
mod webhook;
