//! The mathematics of polling for something that happens once, by a known law.
//!
//! A rental is made at time 0. Its code is readable from the random time D on,
//! with distribution function F and survival S = 1 − F; the law may be
//! defective, so that with some probability there never is a code. Polls reach
//! the server at 0 < t₁ < t₂ < … < tₙ = T, and end with the first that finds
//! the code.
//!
//! Conventions, which hold in every figure printed anywhere:
//!
//! - there is always one last poll at exactly the deadline T;
//! - *delivered* means D ≤ T; the lag is from D to the poll that finds the code,
//!   and its mean and percentiles are conditional on delivery;
//! - requests, λ and J = E\[lag\] + λ·E\[requests\] are per rental, delivered or not;
//! - a minimum gap binds between polls and before T, not between rent and first poll.
//!
//! | module | holds |
//! | --- | --- |
//! | [`schedule`] | exact figures of a deterministic schedule |
//! | [`grid`] | the law as a table, with what rounding to the table can cost |
//! | [`optimum`] | the best schedule under a price per request, or under a budget |
//! | [`bound`] | the certified lower bound, and the efficiency against it |
//! | [`settle`](mod@settle), [`walk`] | strategies that need the law worked out, and any strategy as a schedule |
//! | [`webhook`] | the same problem where polls are a fallback |
//! | [`estimate`] | strategies with chance in them, by seeded Monte Carlo |
//! | [`fit`] | the law of the delay, estimated from what was seen of it |
//! | [`comparison`] | strategies side by side, each against the bound |
//!
//! Sources: the check procedures of Barlow, Hunter and Proschan (1963) and the
//! density method of Keller (1974) pose the same problem; the exact figures, the
//! convex-hull recursion and the certificate are derived at the functions.

pub mod bound;
pub mod comparison;
pub mod estimate;
pub mod fit;
pub mod grid;
pub mod optimum;
pub mod schedule;
pub mod settle;
pub mod walk;
pub mod webhook;

pub use bound::Bound;
pub use comparison::{Errors, Laboratory, Row};
pub use grid::Grid;
pub use optimum::{Optimum, OptimumError, Problem};
pub use schedule::{Figures, Schedule, ScheduleError};
pub use settle::{LabError, settle};
