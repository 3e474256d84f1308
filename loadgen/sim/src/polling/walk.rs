//! From a strategy to the schedule that one customer follows.

use std::time::Duration;

use contract::Dice;
use loadgen_core::polling::{Position, Strategy};

use super::schedule::Schedule;
use super::settle::LabError;

/// Polls of a schedule at most; more is a slip of the keyboard.
const MOST_POLLS: usize = 1_000_000;

/// The schedule of the user with this index until `deadline`. Polls at the same
/// nanosecond are one.
///
/// # Errors
///
/// [`LabError::TooMany`] polls, and [`LabError::Schedule`] for a deadline that is none.
pub fn schedule(
    strategy: &Strategy,
    deadline: Duration,
    dice: Dice,
    user: u64,
) -> Result<Schedule, LabError> {
    let mut polls: Vec<f64> = Vec::new();
    let mut position = Position::default();
    while position.offset < deadline {
        position = strategy.next(position, deadline, dice, user);
        let poll = position.offset.as_secs_f64();
        if polls.last().is_none_or(|before| *before < poll) {
            polls.push(poll);
        }
        if polls.len() > MOST_POLLS {
            return Err(LabError::TooMany(strategy.to_string()));
        }
    }
    Ok(Schedule::new(polls, deadline.as_secs_f64())?)
}
