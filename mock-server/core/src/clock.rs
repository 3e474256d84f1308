//! An account's own time, as a function of the server's. Everything that an
//! account owns happens in its own time; only what leaves the server, an answer
//! or a webhook, has to know when that is for everybody else.
//!
//! Not a clock that could be read: the server's time is handed in.

use std::time::Duration;

use contract::Moment;

use crate::time_scale::TimeScale;

/// Where an account's time ends: ten years before [`Moment::NEVER`], so that what
/// a rental has ahead of it at the very end is still a moment and not never.
const LAST: Moment = Moment::from_nanoseconds(u64::MAX - 10 * 365 * 86_400 * 1_000_000_000);

/// A straight line from the server's time to the account's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AccountClock {
    /// Where the line begins, in the server's time …
    anchor: Moment,
    /// … and in the account's.
    local: Moment,
    /// How fast it rises: 1 is real time, 0 is frozen.
    pace: f64,
}

impl AccountClock {
    /// The server's own time up to `now`, and from then on a pace of its own.
    pub(crate) const fn starting(now: Moment, pace: f64) -> Self {
        Self {
            anchor: now,
            local: now,
            pace,
        }
    }

    /// From `now` of the server's time on, `local` and what follows; `None` if no
    /// clock has this pace.
    pub(crate) fn going_on(now: Moment, local: Moment, pace: f64) -> Option<Self> {
        let TimeScale(pace) = TimeScale::try_from(pace).ok()?;
        Some(Self {
            anchor: now,
            local: local.min(LAST),
            pace,
        })
    }

    /// How fast it runs.
    pub(crate) const fn pace(&self) -> f64 {
        self.pace
    }

    /// The account's time when the server's is `server`.
    pub(crate) fn local(&self, server: Moment) -> Moment {
        let passed = server.since(self.anchor);
        // Real time is the rule, and stays exact to the nanosecond.
        let passed = match self.pace {
            1.0 => passed,
            pace => scaled(passed, pace),
        };
        (self.local + passed).min(LAST)
    }

    /// The server's time when the account's is `local`; a frozen clock never gets
    /// anywhere, and none gets beyond its end, but what has come has come.
    pub(crate) fn server(&self, local: Moment) -> Moment {
        let ahead = local.since(self.local);
        match self.pace {
            _ if ahead.is_zero() => self.anchor,
            _ if local > LAST => Moment::NEVER,
            0.0 => Moment::NEVER,
            1.0 => self.anchor + ahead,
            pace => self.anchor + scaled(ahead, 1.0 / pace),
        }
    }

    /// From `server` on, runs at another pace.
    pub(crate) fn set_pace(&mut self, server: Moment, pace: f64) {
        *self = Self {
            anchor: server,
            local: self.local(server),
            pace,
        };
    }

    /// Jumps forward to `local`; time that has passed already does not come back.
    pub(crate) fn jump(&mut self, server: Moment, local: Moment) {
        *self = Self {
            anchor: server,
            local: self.local(server).max(local).min(LAST),
            pace: self.pace,
        };
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::from(Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_frozen_clock_moves_only_when_it_is_told_to() {
        let mut clock = AccountClock::starting(Moment::START, 1.0);
        clock.set_pace(at(100), 0.0);
        assert_eq!(clock.local(at(900)), at(100));
        assert_eq!(clock.server(at(101)), Moment::NEVER);
        clock.jump(at(900), at(5000));
        assert_eq!(clock.local(at(1000)), at(5000));
        clock.jump(at(1000), at(10));
        assert_eq!(clock.local(at(1000)), at(5000), "no way back");
    }

    #[test]
    fn time_ends_before_never() {
        let mut clock = AccountClock::starting(Moment::START, 86_400.0);
        assert_eq!(clock.local(Moment::NEVER), LAST);
        clock.jump(at(1), Moment::NEVER);
        assert_eq!(clock.local(at(2)), LAST);
        assert_eq!(clock.server(LAST + Duration::from_secs(1)), Moment::NEVER);
    }

    #[test]
    fn a_scaled_clock_lives_a_minute_in_a_second() {
        let clock = AccountClock::starting(Moment::START, 60.0);
        assert_eq!(clock.local(at(1000)), at(60_000));
        assert_eq!(clock.server(at(60_000)), at(1000));
    }

    proptest! {
        #[test]
        fn time_never_runs_backwards(
            steps in prop::collection::vec((0_u64..1000, 0_u64..3, 0_u64..100_000), 1..50),
        ) {
            let mut clock = AccountClock::starting(Moment::START, 1.0);
            let (mut server, mut latest) = (Moment::START, Moment::START);
            for (passed, what, amount) in steps {
                server += Duration::from_millis(passed);
                match what {
                    0 => clock.set_pace(server, amount as f64 / 1000.0),
                    1 => clock.jump(server, at(amount)),
                    _ => {}
                }
                let local = clock.local(server);
                prop_assert!(local >= latest);
                latest = local;
            }
        }

        #[test]
        fn the_way_there_and_the_way_back_agree(pace in 0.01_f64..1000.0, ahead in 0_u64..10_000_000) {
            let clock = AccountClock::starting(Moment::START, pace);
            let back = clock.local(clock.server(at(ahead)));
            let error = back.since(at(ahead)).max(at(ahead).since(back));
            prop_assert!(error < Duration::from_micros(10), "{error:?}");
        }
    }
}
