//! Virtual customers of the CodySMS API, and what their waiting measures.
//! Nothing here does I/O, reads a clock or draws entropy: the same fleet runs
//! over sockets and in simulated time.
//!
//! | module | holds |
//! | --- | --- |
//! | [`scenario`] | the scenario file, and what it resolves to |
//! | [`shape`], [`arrivals`], [`curve`], [`rate`], [`poisson`], [`recording`], [`stop`] | when users start, and when no more do |
//! | [`polling`] | when a waiting customer asks |
//! | [`crowd`] | who comes: populations in fixed shares |
//! | [`customer`], [`reader`] | one user: rent, poll, confirm; or look around |
//! | [`webhook`] | what arrives for customers who count on webhooks |
//! | [`retry`] | what a user does when a request fails |
//! | [`budget`] | bounds on rentals, money and rate, for all workers |
//! | [`capacity`] | looking for the highest rate at which something holds |
//! | [`fleet`] | all users of a worker: the machine that says what to send |
//! | [`call`], [`answer`] | requests, and what comes back |
//! | [`latencies`], [`tally`], [`distribution`], [`lag`] | what is counted |
//! | [`interval`], [`gathering`], [`series`], [`warmup`] | a run in seconds, and adding them up |
//! | [`outcome`], [`threshold`], [`validity`], [`run`] | what was measured, what must hold, whether to believe it |
//! | [`fitness`], [`stall`] | whether a machine is fit to measure on |
//! | [`record`], [`hlog`], [`hgrm`], [`timeline`], [`result`] | a run as files |
//! | [`units`] | how figures are shown to people |
//!
//! ```
//! use std::sync::Arc;
//! use contract::{Dice, Moment};
//! use loadgen_core::arrivals::Shard;
//! use loadgen_core::fleet::{Fleet, Output, Plan, Role};
//! use loadgen_core::scenario::{Overrides, Scenario};
//!
//! let text = "[arrivals]\nusers = 1\n[stop]\ncount = 1\n";
//! let scenario = Scenario::read("tiny", "tiny.toml", text, Overrides::default())?;
//! let plan = Plan {
//!     arrivals: scenario.arrivals,
//!     stop: scenario.stop,
//!     role: Role::Customer(scenario.customers),
//!     accounts: scenario.accounts,
//!     dice: Dice::new(1),
//! };
//! let mut fleet = Fleet::new(Arc::new(plan), Shard::WHOLE, Moment::START);
//! let Output::Send(order) = fleet.poll_output(Moment::START) else { unreachable!() };
//! assert_eq!(order.call.target(), "/api/v1/number/rent");
//! # Ok::<(), loadgen_core::scenario::ScenarioError>(())
//! ```
#![warn(missing_docs)]

pub mod answer;
pub mod arrivals;
pub mod budget;
pub mod call;
pub mod capacity;
mod clearance;
pub mod crowd;
pub mod curve;
pub mod customer;
pub mod distribution;
pub mod fitness;
pub mod fleet;
mod found;
pub mod gathering;
pub mod hgrm;
pub mod hlog;
pub mod interval;
pub mod lag;
pub mod latencies;
pub mod outcome;
pub mod place;
pub mod poisson;
pub mod polling;
pub mod rate;
pub mod reader;
pub mod record;
pub mod recording;
pub mod result;
pub mod retry;
pub mod run;
pub mod scenario;
pub mod series;
pub mod shape;
pub mod stall;
pub mod stop;
pub mod tally;
pub mod threshold;
pub mod timeline;
pub mod units;
pub mod validity;
pub mod warmup;
pub mod webhook;
