//! How the gaps between polls develop.

use std::sync::Arc;
use std::time::Duration;

use contract::Law;

use super::{Planned, Position};

/// The gaps of a strategy.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pace {
    /// Always the same gap.
    Fixed(Duration),
    /// Gaps that grow by a factor up to a cap.
    Backoff {
        initial: Duration,
        factor: f64,
        cap: Duration,
        jitter: Jitter,
    },
    /// Polls at these offsets from the rent, in order.
    Schedule(Arc<[Duration]>),
    /// To be worked out, from this law if it is named.
    Planned(Planned, Option<Law>),
    /// Learned from earlier rentals, at this price of a request in seconds of lag.
    Adaptive(f64),
    /// As the server says; this gap where it says nothing.
    ServerPaced(Duration),
}

/// How chance changes a gap `w`; the formulas that AWS published under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jitter {
    None,
    /// Uniform in [0, w].
    Full,
    /// Uniform in [w/2, w].
    Equal,
    /// min(cap, uniform in [initial, 3 · previous gap]); the factor is ignored.
    Decorrelated,
}

/// Longer than any deadline: to the last poll.
const TO_THE_END: Duration = Duration::MAX;

impl Pace {
    /// From the beat at `position` to the next.
    pub(super) fn gap(&self, position: Position, chance: &mut dyn FnMut() -> f64) -> Duration {
        match self {
            Self::Fixed(interval) | Self::ServerPaced(interval) => *interval,
            Self::Backoff {
                initial,
                factor,
                cap,
                jitter,
            } => {
                let exponent = i32::try_from(position.beats).unwrap_or(i32::MAX);
                let grown = initial.as_secs_f64() * factor.powi(exponent);
                let width = grown.min(cap.as_secs_f64());
                let previous = position.gap.max(*initial).as_secs_f64();
                let low = initial.as_secs_f64();
                Duration::from_secs_f64(match jitter {
                    Jitter::None => width,
                    Jitter::Full => width * chance(),
                    Jitter::Equal => width / 2.0 * (1.0 + chance()),
                    Jitter::Decorrelated => {
                        (low + (3.0 * previous - low) * chance()).min(cap.as_secs_f64())
                    }
                })
            }
            Self::Schedule(offsets) => along(offsets, position),
            Self::Planned(..) | Self::Adaptive(_) => TO_THE_END,
        }
    }

    pub(super) fn is_random(&self) -> bool {
        match self {
            Self::Backoff { jitter, .. } => *jitter != Jitter::None,
            Self::Adaptive(_) => true,
            _ => false,
        }
    }
}

/// From the beat at `position` to the next of a timetable.
pub(super) fn along(offsets: &[Duration], position: Position) -> Duration {
    let beat = position.beats as usize;
    let Some(offset) = offsets.get(beat) else {
        return TO_THE_END;
    };
    let before = beat
        .checked_sub(1)
        .map_or(Duration::ZERO, |beat| offsets[beat]);
    offset.saturating_sub(before)
}
