//! A seed where none was given. Drawn here, at the edge, and printed by whoever asks.

use std::hash::{BuildHasher, RandomState};

/// A number that nobody has chosen: the standard library seeds its hash maps
/// from the operating system. 32 bits, so that a person can type it again.
pub(crate) fn drawn() -> u64 {
    RandomState::new().hash_one(0) >> 32
}
