//! Polling strategies: when to ask next. A strategy is data; the user machine
//! walks along it, and nothing here waits.
//!
//! Conventions (they make strategies comparable): no poll at the moment of the
//! rent unless a schedule or `first` says so, and always one last poll at the
//! deadline. A least gap binds between polls and before the deadline, not
//! between rent and first poll.
//!
//! | module | holds |
//! | --- | --- |
//! | `pace` | how the gaps develop |
//! | `grammar` | strategies as text |
//! | [`learner`] | what `adaptive` makes of what it has seen |
//! | `school` | who learns from whom in a run |

mod grammar;
pub mod learner;
mod pace;
pub(crate) mod school;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use contract::expression::{ExpressionError, Sum};
use contract::{Dice, Law, Stream, dice};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use pace::Pace;

/// When a customer asks for its code.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr, SerializeDisplay)]
pub struct Strategy {
    text: String,
    pace: Pace,
    /// When the first poll is due after the rent, if not after one gap.
    first: Option<Law>,
    /// Between polls, and before the deadline.
    least_gap: Duration,
    /// Where the code is expected to be pushed, and polls are what is left.
    webhook: Option<Webhook>,
}

/// A schedule that can be worked out once the law of the delay and the deadline
/// are known. Prices are seconds of lag that one request is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Planned {
    /// So many polls, between which codes are equally likely.
    Quantile(u32),
    /// The square-root rule: polls as dense as √(h/2λ), h being the hazard.
    Hazard(f64),
    /// The least lag + λ · requests.
    OptimalAtPrice(f64),
    /// The least lag with at most so many requests per rental on average.
    OptimalWithin(f64),
}

/// What is assumed of a webhook by those who plan; a run has real ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Webhook {
    /// The probability that it comes.
    pub probability: f64,
    /// The mean time it takes, exponentially distributed, in seconds.
    pub mean: f64,
}

/// Not a polling strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a polling strategy, {0}; there are fixed(3s), backoff(1s,x2,cap=60s) with jitter=none, \
     full, equal or decorrelated, schedule(8s,13s,21s), quantile(10), hazard(lambda=1s), \
     optimal(lambda=1s), optimal(budget=4), adaptive, server-paced and webhook(fallback=STRATEGY), \
     all with first=LAW for the first poll and min_gap=1s"
)]
pub struct StrategyError(#[from] ExpressionError);

/// Not what can be assumed of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook, {0}; write it like p=0.95,mean=1s")]
pub struct WebhookError(#[from] ExpressionError);

/// Offsets are whole nanoseconds; a gap that is short by less than this is none
/// too short.
const ROUNDING: Duration = Duration::from_micros(1);

/// Where a customer stands on its schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Beats so far.
    pub beats: u32,
    /// From the rent to the latest beat.
    pub offset: Duration,
    /// The latest gap.
    gap: Duration,
}

impl Position {
    /// Before the first beat.
    pub const START: Self = Self {
        beats: 0,
        offset: Duration::ZERO,
        gap: Duration::ZERO,
    };
}

impl Strategy {
    /// The beat after `position`, in the schedule of the user with this index;
    /// never beyond `deadline`, and exactly there in the end.
    ///
    /// What is planned and not settled yet, and what adapts and has no
    /// timetable, knows of the deadline only.
    pub fn next(&self, position: Position, deadline: Duration, dice: Dice, user: u64) -> Position {
        self.next_along(None, (position, deadline), dice, user)
    }

    /// The same for a customer that was taught a timetable.
    pub(crate) fn next_along(
        &self,
        timetable: Option<&[Duration]>,
        (position, deadline): (Position, Duration),
        dice: Dice,
        user: u64,
    ) -> Position {
        let roll = || dice.roll(user, Stream::Polling, u64::from(position.beats));
        let mut gap = match &self.first {
            Some(law) if position.beats == 0 => law.sample(&mut roll()).unwrap_or(deadline),
            _ => match timetable {
                Some(timetable) => pace::along(timetable, position),
                None => self.pace.gap(position, &mut || dice::unit(&mut roll())),
            },
        };
        if position.beats > 0 {
            gap = gap.max(self.least_gap);
        }
        let mut offset = position.offset.saturating_add(gap);
        if offset.saturating_add(self.least_gap) > deadline.saturating_add(ROUNDING) {
            offset = deadline;
        }
        let offset = offset.min(deadline);
        Position {
            beats: position.beats.saturating_add(1),
            offset,
            gap,
        }
    }

    /// The beat at `position`, if the server says when it has to be: at `offset`
    /// from the rent, but not beyond `deadline`.
    pub(crate) fn as_told(
        &self,
        position: Position,
        offset: Duration,
        deadline: Duration,
    ) -> Position {
        let mut offset = offset;
        if offset.saturating_add(self.least_gap) > deadline {
            offset = deadline;
        }
        Position { offset, ..position }
    }

    /// Gap number `number`, from 1, where the strategy says how to pause between
    /// attempts; `chance` is asked for each gap up to it, from 0.
    pub(crate) fn pause(&self, number: u32, chance: &mut dyn FnMut(u32) -> f64) -> Duration {
        let mut position = Position::START;
        for beat in 0..number {
            position.gap = self.pace.gap(position, &mut || chance(beat));
            position.beats = beat + 1;
        }
        position.gap
    }

    /// Whether two customers may ask at different offsets.
    pub fn is_random(&self) -> bool {
        let drawn = |law: &Law| law.atoms().len() != 1 || !law.corners().is_empty();
        self.pace.is_random() || self.first.as_ref().is_some_and(drawn)
    }

    /// What has to be worked out before anybody can follow it, and from which
    /// law, if it names one itself.
    pub const fn planned(&self) -> Option<(Planned, Option<&Law>)> {
        match &self.pace {
            Pace::Planned(planned, law) => Some((*planned, law.as_ref())),
            _ => None,
        }
    }

    /// The same strategy, with these offsets worked out for it. They are in order.
    #[must_use]
    pub fn settled(&self, offsets: &[Duration]) -> Self {
        Self {
            pace: Pace::Schedule(Arc::from(offsets)),
            ..self.clone()
        }
    }

    /// If it learns while it is used: the price of a request, in seconds of lag.
    pub const fn learns(&self) -> Option<f64> {
        match self.pace {
            Pace::Adaptive(price) => Some(price),
            _ => None,
        }
    }

    /// Whether the server says when to ask next.
    pub const fn follows_server(&self) -> bool {
        matches!(self.pace, Pace::ServerPaced(_))
    }

    /// The least time between two polls, and before the deadline.
    pub const fn least_gap(&self) -> Duration {
        self.least_gap
    }

    /// The webhook that polls are a fallback for.
    pub const fn webhook(&self) -> Option<Webhook> {
        self.webhook
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Strategy {
    type Err = StrategyError;

    fn from_str(text: &str) -> Result<Self, StrategyError> {
        let sum = Sum::parse(text)?;
        let strategy = Self::from_term(sum.single()?)?;
        Ok(Self {
            text: text.trim().to_owned(),
            ..strategy
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(strategy: &str, deadline_seconds: u64) -> Vec<f64> {
        let strategy: Strategy = strategy.parse().expect(strategy);
        let deadline = Duration::from_secs(deadline_seconds);
        let mut position = Position::default();
        let mut offsets = Vec::new();
        while position.offset < deadline {
            position = strategy.next(position, deadline, Dice::new(5), 0);
            offsets.push(position.offset.as_secs_f64());
        }
        offsets
    }

    #[test]
    fn fixed_polls_at_multiples_and_at_the_deadline() {
        assert_eq!(schedule("fixed(3s)", 10), [3.0, 6.0, 9.0, 10.0]);
        assert_eq!(schedule("fixed(3s, first=1s)", 10), [1.0, 4.0, 7.0, 10.0]);
    }

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        // research/polling.md, convention 1: 1, 3, 7, 15, 31, 63, …, T.
        assert_eq!(
            schedule("backoff(1s, x2, cap=60s)", 130),
            [1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 130.0]
        );
        assert_eq!(
            schedule("backoff(1s,x2,cap=4s)", 12),
            [1.0, 3.0, 7.0, 11.0, 12.0]
        );
    }

    #[test]
    fn jitter_keeps_its_bounds_and_its_mean() {
        // Full jitter halves the mean gap of 10 s, equal jitter leaves three quarters.
        for (jitter, least, mean) in [
            ("full", 0.0, 5.0),
            ("equal", 5.0, 7.5),
            ("decorrelated", 10.0, 10.0),
        ] {
            let offsets = schedule(&format!("backoff(10s,x1,cap=10s,jitter={jitter})"), 100_000);
            let inner = &offsets[..offsets.len() - 1];
            let gaps = inner.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(
                gaps.clone()
                    .all(|gap| gap > least - 1e-6 && gap < 10.0 + 1e-6),
                "{jitter}"
            );
            let actual = gaps.sum::<f64>() / (inner.len() - 1) as f64;
            assert!(
                (actual / mean - 1.0).abs() < 0.02,
                "{jitter}: mean gap {actual}"
            );
        }
    }

    #[test]
    fn schedules_name_their_moments_and_may_be_shifted() {
        assert_eq!(schedule("schedule(0s, 2s, 5s)", 9), [0.0, 2.0, 5.0, 9.0]);
        assert_eq!(
            schedule("schedule(2s, 5s, first=3s)", 9),
            [3.0, 6.0, 9.0],
            "the whole schedule is later by what its first poll is"
        );
    }

    #[test]
    fn a_least_gap_binds_between_polls_and_before_the_deadline() {
        assert_eq!(
            schedule("schedule(1s, 2s, 8s, 9s, min_gap=3s)", 16),
            [1.0, 4.0, 10.0, 13.0, 16.0]
        );
        assert_eq!(schedule("fixed(4s, min_gap=3s)", 10), [4.0, 10.0]);
    }

    #[test]
    fn what_is_not_settled_asks_at_the_deadline() {
        for strategy in ["optimal(lambda=1s)", "quantile(10)", "adaptive"] {
            assert_eq!(schedule(strategy, 60), [60.0]);
        }
        let planned: Strategy = "optimal(budget=4, law=exp(5s))".parse().expect("planned");
        let (plan, law) = planned.planned().expect("it is planned");
        assert_eq!(plan, Planned::OptimalWithin(4.0));
        assert_eq!(law.map(ToString::to_string).as_deref(), Some("exp(5s)"));
        let settled = planned.settled(&[Duration::from_secs(7)]);
        assert_eq!(settled.planned(), None);
        assert_eq!(settled.to_string(), planned.to_string());
    }

    #[test]
    fn what_is_random_is_known_to_be() {
        for (text, random) in [
            ("fixed(3s)", false),
            ("fixed(3s,first=1s)", false),
            ("fixed(3s,first=uniform(0s,3s))", true),
            ("backoff(1s,x2,jitter=full)", true),
            ("webhook(fallback=backoff(1s,x2,jitter=full))", true),
            ("webhook(fallback=fixed(3s))", false),
        ] {
            let strategy: Strategy = text.parse().expect(text);
            assert_eq!(strategy.is_random(), random, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, message) in [
            ("fixed(3)", "at character 7: \"3\" is not a duration"),
            (
                "fixed(0s)",
                "at character 7: this has to be longer than nothing",
            ),
            (
                "fixed(3s,cap=4s)",
                "at character 10: cap belongs to backoff",
            ),
            ("backoff(1s,2)", "at character 12: write the factor like x2"),
            (
                "backoff(1s,x2,jitter=some)",
                "at character 22: jitter is none, full",
            ),
            (
                "schedule(3s,2s)",
                "at character 13: 2s is not after the poll before it",
            ),
            ("quantile(0)", "at character 10: write how many polls"),
            (
                "optimal",
                "at character 1: write it like optimal(lambda=1s) or optimal(budget=4)",
            ),
            (
                "optimal(budget=0)",
                "at character 16: a budget is at least one request",
            ),
            (
                "optimal(lambda=0s)",
                "at character 16: this has to be longer than nothing",
            ),
            (
                "optimal(lambda=1s,budget=4)",
                "at character 1: give lambda or budget, not both",
            ),
            (
                "webhook(fallback=often)",
                "at character 18: \"often\" is not a known strategy",
            ),
            (
                "webhook(fallback=webhook(fallback=fixed(1s)))",
                "at character 18: a webhook is no fallback for a webhook",
            ),
            (
                "webhook(fallback=fixed(1s),p=1.5)",
                "at character 30: p is a probability between 0 and 1",
            ),
            (
                "fixed(3s,min_gap=-1s)",
                "at character 18: \"-1s\" is not a duration",
            ),
            (
                "hourly",
                "at character 1: \"hourly\" is not a known strategy",
            ),
        ] {
            let error = text.parse::<Strategy>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"(fixed|backoff|schedule|optimal|webhook|quantile)?[(]?[a-z0-9(),=.x ]{0,30}[)]?") {
            let _ = text.parse::<Strategy>();
        }
    }
}
