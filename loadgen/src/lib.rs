//! Drives a fleet of virtual customers over HTTP and reports what they
//! measured. What to send and when is decided in `loadgen-core`; this crate
//! carries it, reads the clock, and draws the results.
//!
//! | module | holds |
//! | --- | --- |
//! | [`target`] | which server, and whether it may be loaded at all |
//! | [`run`] | the phases of a run: balances, set-up, load, balances again |
//! | `phase`, `worker`, `gather` | one phase over worker threads; one worker's loop; their seconds put together |
//! | [`client`] | HTTP connections: an order in, an outcome back |
//! | [`listener`], [`wiring`] | webhooks for all customers, and having an otplab server post them |
//! | [`recorder`], [`directory`] | a run as files, written while it lasts |
//! | [`machine`] | what can be found out about the machine |
//! | `processor` | how busy the worker threads are |
//! | `pacer`, [`clock`] | waking up on time; the only place that reads a clock |
//! | [`interrupt`] | Ctrl-C, once and twice |
//! | [`laboratory`] | polling strategies side by side, as text, JSON, CSV and HTML |
//! | [`progress`] | how workers tell how a run stands |
//! | [`live`] | that as a screen or as lines |
//! | [`report`] | the result as text, HTML, Markdown and JUnit |
//!
//! ```no_run
//! use loadgen::client::Client;
//! use loadgen::{interrupt::Interrupt, progress::Silent, recorder::Unrecorded};
//! use loadgen::{run::{self, Keys}, target::Target};
//! use loadgen_core::scenario::{Overrides, Scenario};
//!
//! let text = "[arrivals]\nusers = 10\n[stop]\nduration = \"5s\"\n";
//! let scenario = Scenario::read("small", "small.toml", text, Overrides::default())?;
//! let target = Target::parse("http://127.0.0.1:8080", &[])?;
//! let job = run::Job {
//!     scenario: &scenario, seed: 1, target: &target, server: "a mock", keys: Keys::MadeUp, threads: 1,
//!     bounds: Default::default(),
//!     client: Client::Lean, webhooks: None,
//! };
//! let run = run::run(&job, &Interrupt::never(), &mut Silent, &mut Unrecorded)?;
//! println!("{}", run.outcome.tally.rentals.delivered);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod client;
pub mod clock;
pub mod directory;
mod gather;
pub mod interrupt;
pub mod laboratory;
pub mod listener;
pub mod live;
pub mod machine;
mod pacer;
mod phase;
mod processor;
pub mod progress;
pub mod recorder;
pub mod report;
pub mod run;
pub mod target;
pub mod wiring;
mod worker;
