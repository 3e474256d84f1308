//! What a detection lag was made of. The SMS lay readable at the server for so
//! long before the customer knew: how much of that did the customer sleep
//! through, because its strategy said so, how much did the server take, and how
//! much did the generator add? The three shares add up to the lag.

use std::ops::AddAssign;
use std::time::Duration;

use contract::Moment;

use crate::call::Times;

/// The parts of one detection lag, or of the sum of many, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LagShares {
    /// Nobody asked, because the strategy said to wait.
    pub strategy: u64,
    /// A poll was with the server, or on its way; or a webhook was.
    pub server: u64,
    /// A poll was due and had not been sent.
    pub generator: u64,
}

impl LagShares {
    /// The shares of a lag that ended with the answer of `poll`; `previous` is
    /// the customer's poll before that one.
    ///
    /// The SMS was readable during the time that ended with the answer. What of
    /// it fell between a poll's intended and actual sending is the generator's,
    /// what fell between sending and answer is the server's, and the rest is the
    /// strategy's. If several polls in a row failed, the time of those before
    /// the last two counts as the strategy's.
    pub fn of(lag: Duration, poll: Times, previous: Option<Times>) -> Self {
        let readable_since = Moment::START + poll.answered.since(Moment::START + lag);
        let mut shares = Self::default();
        let mut free_from = Moment::START;
        for times in previous.into_iter().chain([poll]) {
            // A poll that was due while the one before was still out waits for
            // that one, whose time is already counted.
            let due = times.intended.max(free_from);
            shares.generator += overlap(readable_since, due, times.sent);
            shares.server += overlap(readable_since, times.sent.max(free_from), times.answered);
            free_from = times.answered;
        }
        // Both parts were rounded down, so they cannot exceed the whole, unless
        // the clocks of mock and generator disagree.
        let lag = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        shares.server = shares.server.min(lag);
        shares.generator = shares.generator.min(lag - shares.server);
        shares.strategy = lag - shares.server - shares.generator;
        shares
    }

    /// The shares of a lag that a webhook ended: nobody had to ask.
    pub fn of_webhook(lag: Duration) -> Self {
        Self {
            server: u64::try_from(lag.as_micros()).unwrap_or(u64::MAX),
            ..Self::default()
        }
    }

    /// The whole lag.
    pub const fn sum(&self) -> u64 {
        self.strategy + self.server + self.generator
    }
}

/// Whole microseconds between `from` and `to`, not counting what is before `since`.
fn overlap(since: Moment, from: Moment, to: Moment) -> u64 {
    let span = to.since(from.max(since));
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl AddAssign for LagShares {
    fn add_assign(&mut self, other: Self) {
        self.strategy = self.strategy.saturating_add(other.strategy);
        self.server = self.server.saturating_add(other.server);
        self.generator = self.generator.saturating_add(other.generator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(intended: u64, sent: u64, answered: u64) -> Times {
        let at = |milliseconds: u64| Moment::START + Duration::from_millis(milliseconds);
        Times {
            intended: at(intended),
            sent: at(sent),
            answered: at(answered),
        }
    }

    /// Strategy, server and generator in milliseconds.
    fn split(lag: u64, poll: Times, previous: Option<Times>) -> (u64, u64, u64) {
        let shares = LagShares::of(Duration::from_millis(lag), poll, previous);
        (
            shares.strategy / 1000,
            shares.server / 1000,
            shares.generator / 1000,
        )
    }

    #[test]
    fn waiting_is_the_strategys_asking_the_servers_and_delay_the_generators() {
        let poll = times(1000, 1005, 1035);
        assert_eq!(split(200, poll, None), (165, 30, 5));
        assert_eq!(
            split(32, poll, None),
            (0, 30, 2),
            "readable while the poll was held back"
        );
        assert_eq!(
            split(20, poll, None),
            (0, 20, 0),
            "readable while the poll was out"
        );
    }

    #[test]
    fn a_slow_answer_that_made_the_customer_miss_a_beat_is_the_servers() {
        // The poll at 1 s said no after 3 s; the SMS was there from 2 s on.
        let previous = times(1000, 1010, 4000);
        let poll = times(5000, 5000, 5001);
        assert_eq!(split(3001, poll, Some(previous)), (1000, 2001, 0));
        // The last poll was due at 3 s, before the answer, and sent when it could be.
        let last = times(3000, 4002, 4003);
        assert_eq!(split(2003, last, Some(previous)), (0, 2001, 2));
    }

    proptest! {
        #[test]
        fn the_shares_add_up_to_the_lag(
            lag in 0_u64..10_000_000,
            gaps in prop::array::uniform6(0_u64..3_000_000),
        ) {
            let mut at = 0;
            let moments = gaps.map(|gap| { at += gap; Moment::from_nanoseconds(at * 1000 + gap % 1000) });
            let [i, s, a, j, t, b] = moments;
            let previous = Times { intended: i, sent: s, answered: a };
            let poll = Times { intended: j, sent: t, answered: b };
            let shares = LagShares::of(Duration::from_micros(lag), poll, Some(previous));
            prop_assert_eq!(shares.sum(), lag);
        }
    }
}
