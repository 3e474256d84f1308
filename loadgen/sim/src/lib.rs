//! The polling laboratory: what a polling strategy costs, and the best there is.
//! No I/O, no clock, no entropy.
//!
//! | module | holds |
//! | --- | --- |
//! | [`simulation`] | both machines under virtual time: a whole run, phase by phase |
//! | [`world`] | the event queue between them |
//! | `post` | webhooks on their way |
//! | `queue`, `shortcut` | what will happen, and what need not be asked |
//! | [`link`], [`host`] | what the network and the server's machine add |
//! | [`polling`] | exact figures of any schedule, the optimum, and the bound that nothing beats |

#![warn(missing_docs)]

pub mod host;
pub mod link;
pub mod polling;
mod post;
mod queue;
mod shortcut;
pub mod simulation;
pub mod world;
