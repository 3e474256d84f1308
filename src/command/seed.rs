//! A seed where none was given. Drawn here, at the edge, and printed.

use std::hash::{BuildHasher, RandomState};

/// A number that nobody has chosen.
pub(crate) fn drawn() -> u64 {
    // The standard library seeds its hash maps from the operating system.
    // Five digits are enough to differ and short enough to be typed again.
    RandomState::new().hash_one(()) % 100_000
}
