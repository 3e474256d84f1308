//! The polling laboratory: what a polling strategy costs, and the best there is.
//! No I/O, no clock, no entropy.
//!
//! | module | holds |
//! | --- | --- |
//! | [`polling`] | exact figures of any schedule, the optimum, and the bound that nothing beats |

#![warn(missing_docs)]

pub mod polling;
