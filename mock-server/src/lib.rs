//! The mock of the CodySMS API over HTTP: sockets, threads, waiting and
//! webhooks around `mock-server-core`, which makes every decision.
//!
//! | module | holds |
//! | --- | --- |
//! | [`server`] | starting, holding and stopping |
//! | `embedding` | [`Mock`]: a server inside a test, and the control API as typed functions |
//! | [`limits`] | how much a client may ask for |
//! | `place`, `listener`, `socket` | where it listens, and what a connection is made of |
//! | [`tls`] | whose certificate it shows |
//! | `door` | who is let in, and what is told to those who are not |
//! | `worker` | the threads and who serves which connection |
//! | `connection`, `ending` | one connection; how it ends, the bad ends included |
//! | `http2`, `frames` | a connection that carries many requests at once |
//! | `wire` | a connection's socket, through which answers leave several at a time |
//! | `arrival`, `leash` | whether a request is half way in; how a worker reaches a connection |
//! | `api` | the request path: decode, decide, deliver; probes and the OpenAPI document |
//! | `control`, `guard` | everything under `/__admin`, and who may touch it |
//! | `feed` | those who listen to what happens |
//! | `wait` | waiting on the server instead of polling it |
//! | `metrics` | what is counted, for Prometheus |
//! | `translation`, `request_body`, `reply_body`, `trickle` | between hyper's types and the core's |
//! | `state`, `clock` | the mock behind its lock, and the time it is told |
//! | `webhook` | posting what the core says is due |
//! | `stop` | the request to stop |
//!
//! ```
//! use mock_server::Server;
//! use mock_server_core::Settings;
//!
//! let running = Server::local().start(Settings::new(7))?;
//! assert!(running.address().ip().is_loopback());
//! running.stop();
//! # Ok::<(), mock_server::StartError>(())
//! ```

mod api;
mod arrival;
mod clock;
mod connection;
mod control;
mod door;
mod embedding;
mod ending;
mod feed;
mod frames;
mod guard;
mod http2;
mod leash;
pub mod limits;
mod listener;
mod metrics;
mod place;
mod reply_body;
mod request_body;
pub mod server;
mod socket;
mod state;
mod stop;
pub mod tls;
mod translation;
mod trickle;
mod wait;
mod webhook;
mod wire;
mod worker;

/// The OpenAPI document of the control API.
pub fn control_document() -> serde_json::Value {
    control::openapi::document()
}

pub use embedding::{
    Account, AddressError, BuildError, Builder, Control, ForeignHost, Mock, RestoreError,
    RuleError, Sms, Underway,
};
pub use feed::Happenings;
pub use limits::Limits;
pub use place::{Place, PlaceError};
pub use server::{Running, Server, StartError, Stopped};
pub use tls::Tls;
pub use wait::Waited;

// What a test names when it asks or sets something, so that it needs this crate only.
pub use contract::Cents;
pub use mock_server_core::HandError;
pub use mock_server_core::control::faults::{FaultError, FaultView};
pub use mock_server_core::control::rentals::{DeliveryView, RentalQuery, RentalView, StateWord};
pub use mock_server_core::control::snapshot::Snapshot;
pub use mock_server_core::control::{
    ClockError, ClockView, EndpointError, EndpointMade, EndpointView, Event, Fired, Instant,
    InstantError, LedgerView, WrittenEndpoint,
};
pub use mock_server_core::lint::LintReport;
pub use mock_server_core::queue::ReplayError;
pub use mock_server_core::requests::{Answer, Matcher, RequestView, Times, Verification};
pub use mock_server_core::settings::{AccountPatch, TimeScale};
pub use mock_server_core::watch::{DeliveryGoal, Goal, Wish};
