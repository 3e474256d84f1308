//! Moving clocks to a date instead of by a duration. Time has one direction.

use std::str::FromStr;

use contract::Moment;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_with::DeserializeFromStr;

use super::{Advance, Scope, redacted};
use crate::history;
use crate::mock::Mock;

/// A date and time in UTC, as answers show it or as RFC 3339 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr)]
pub struct Instant(Timestamp);

/// Not a date and time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date and time; write it like 2026-06-11T04:00:00Z, in UTC")]
pub struct InstantError(String);

/// Why a clock cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It is later already.
    #[error(
        "the time of {account} is {now} already, and no clock runs backwards; \
         POST reset makes an account fresh"
    )]
    Past {
        /// Whose clock.
        account: String,
        /// What it shows.
        now: String,
    },
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        let plain = || {
            let civil: DateTime = text.parse().ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let instant = text.parse().ok().or_else(plain);
        instant
            .map(Self)
            .ok_or_else(|| InstantError(text.to_owned()))
    }
}

impl Mock {
    /// Begins to move clocks forward to `instant`, which [`Self::step`] carries out.
    ///
    /// # Errors
    ///
    /// [`ClockError::Past`] if one of them shows a later time; then none is moved.
    pub fn begin_set(
        &mut self,
        now: Moment,
        scope: Scope,
        Instant(instant): Instant,
    ) -> Result<Advance, ClockError> {
        let now = self.advance(now);
        let epoch = self.epoch;
        // Answers show seconds: the one that is shown is not the past.
        let shown = |moment| history::wall_time(epoch, moment).as_second();
        let mut ahead = Vec::new();
        for place in self.places(scope) {
            let (key, account) = self.account_mut(place);
            let from = account.clock.local(now);
            if instant.as_second() < shown(from) {
                return Err(ClockError::Past {
                    account: redacted(key),
                    now: history::created_at(epoch, from),
                });
            }
            let passed = instant.duration_since(epoch).unsigned_abs();
            let target = Moment::from(passed).max(from);
            ahead.push((place, from, target));
        }
        Ok(Advance {
            ahead: ahead.into(),
            fired: Vec::new(),
        })
    }
}
