//! Polling strategies: when to ask next. A strategy is data; the user machine
//! walks along it, and nothing here waits.
//!
//! Conventions (they make strategies comparable): no poll at the moment of the
//! rent unless `first` says so, and always one last poll at the deadline.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::expression::{Argument, ExpressionError, Sum, Term};
use contract::{Dice, Law, Stream, TimeSpan, dice};
use serde_with::DeserializeFromStr;

/// When a customer asks for its code.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr)]
pub struct Strategy {
    text: String,
    pace: Pace,
    /// When the first poll is due after the rent, if not after one gap.
    first: Option<Law>,
}

/// How the gaps between polls develop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// Always the same gap.
    Fixed(Duration),
    /// Gaps that grow by a factor up to a cap.
    Backoff {
        initial: Duration,
        factor: f64,
        cap: Duration,
        jitter: Jitter,
    },
}

/// How chance changes a gap `w`; the formulas that AWS published under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    None,
    /// Uniform in [0, w].
    Full,
    /// Uniform in [w/2, w].
    Equal,
    /// min(cap, uniform in [initial, 3 · previous gap]); the factor is ignored.
    Decorrelated,
}

/// Not a polling strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a polling strategy, {0}; there are fixed(3s) and backoff(1s,x2,cap=60s), the latter with \
     jitter=none, full, equal or decorrelated, and both with first=LAW for the first poll"
)]
pub struct StrategyError(#[from] ExpressionError);

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
    pub fn next(&self, position: Position, deadline: Duration, dice: Dice, user: u64) -> Position {
        let roll = || dice.roll(user, Stream::Polling, u64::from(position.beats));
        let gap = match &self.first {
            Some(law) if position.beats == 0 => law.sample(&mut roll()).unwrap_or(deadline),
            _ => self.pace.gap(position, &mut || dice::unit(&mut roll())),
        };
        Position {
            beats: position.beats.saturating_add(1),
            offset: position.offset.saturating_add(gap).min(deadline),
            gap,
        }
    }
}

impl Pace {
    fn gap(self, position: Position, chance: &mut dyn FnMut() -> f64) -> Duration {
        let (initial, factor, cap, jitter) = match self {
            Self::Fixed(interval) => return interval,
            Self::Backoff {
                initial,
                factor,
                cap,
                jitter,
            } => (initial, factor, cap, jitter),
        };
        let exponent = i32::try_from(position.beats).unwrap_or(i32::MAX);
        let grown = initial.as_secs_f64() * factor.powi(exponent);
        let width = grown.min(cap.as_secs_f64());
        Duration::from_secs_f64(match jitter {
            Jitter::None => width,
            Jitter::Full => width * chance(),
            Jitter::Equal => width / 2.0 * (1.0 + chance()),
            Jitter::Decorrelated => {
                let low = initial.as_secs_f64();
                let previous = position.gap.max(initial).as_secs_f64();
                (low + (3.0 * previous - low) * chance()).min(cap.as_secs_f64())
            }
        })
    }

    /// Gap number `number`, from 1; `chance` is asked for each gap up to it, from 0.
    pub(crate) fn nth(self, number: u32, chance: &mut dyn FnMut(u32) -> f64) -> Duration {
        let mut position = Position::START;
        for beat in 0..number {
            position.gap = self.gap(position, &mut || chance(beat));
            position.beats = beat + 1;
        }
        position.gap
    }

    /// The pace, and the law of the first gap if there is one.
    pub(crate) fn from_term(term: &Term<'_>) -> Result<(Self, Option<Law>), ExpressionError> {
        let arguments = term.arguments.as_deref().unwrap_or_default();
        let (plain, named): (Vec<_>, Vec<_>) = arguments
            .iter()
            .partition(|argument| argument.name.is_none());
        let mut options = Options::default();
        for argument in named {
            options.read(argument)?;
        }
        let pace = match (term.word.text, plain.as_slice()) {
            ("fixed", [interval]) => {
                options.none_of_backoff(term)?;
                Self::Fixed(positive(&interval.value)?)
            }
            ("backoff", [initial, factor]) => Self::Backoff {
                initial: positive(&initial.value)?,
                factor: growth(&factor.value)?,
                cap: options.cap.unwrap_or(Duration::from_secs(60)),
                jitter: options.jitter.unwrap_or(Jitter::None),
            },
            ("fixed", _) => return Err(term.word.error("write it like fixed(3s)")),
            ("backoff", _) => return Err(term.word.error("write it like backoff(1s,x2,cap=60s)")),
            (name, _) => return Err(term.word.error(format!("{name:?} is not a known strategy"))),
        };
        Ok((pace, options.first))
    }
}

/// The named arguments.
#[derive(Default)]
struct Options {
    cap: Option<Duration>,
    jitter: Option<Jitter>,
    first: Option<Law>,
}

impl Options {
    fn read(&mut self, argument: &Argument<'_>) -> Result<(), ExpressionError> {
        let Some(name) = argument.name else {
            return Ok(());
        };
        match name.text {
            "cap" => self.cap = Some(positive(&argument.value)?),
            "jitter" => self.jitter = Some(jitter(&argument.value)?),
            "first" => self.first = Some(Law::from_sum(&argument.value)?),
            _ => return Err(name.error("the options are cap, jitter and first")),
        }
        Ok(())
    }

    fn none_of_backoff(&self, term: &Term<'_>) -> Result<(), ExpressionError> {
        if self.cap.is_some() || self.jitter.is_some() {
            return Err(term.word.error("cap and jitter belong to backoff"));
        }
        Ok(())
    }
}

fn positive(value: &Sum<'_>) -> Result<Duration, ExpressionError> {
    let word = value.word()?;
    let span: TimeSpan = word.read()?;
    if span.0.is_zero() {
        return Err(word.error("this has to be longer than nothing"));
    }
    Ok(span.0)
}

fn growth(value: &Sum<'_>) -> Result<f64, ExpressionError> {
    let word = value.word()?;
    word.text
        .strip_prefix('x')
        .and_then(|digits| digits.parse().ok())
        .filter(|factor: &f64| (1.0..=1000.0).contains(factor))
        .ok_or_else(|| word.error("write the factor like x2 or x1.5, at least x1"))
}

fn jitter(value: &Sum<'_>) -> Result<Jitter, ExpressionError> {
    let word = value.word()?;
    match word.text {
        "none" => Ok(Jitter::None),
        "full" => Ok(Jitter::Full),
        "equal" => Ok(Jitter::Equal),
        "decorrelated" => Ok(Jitter::Decorrelated),
        _ => Err(word.error("jitter is none, full, equal or decorrelated")),
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
        let (pace, first) = Pace::from_term(sum.single()?)?;
        Ok(Self {
            text: text.trim().to_owned(),
            pace,
            first,
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
    fn mistakes_are_named_with_their_place() {
        for (text, message) in [
            ("fixed(3)", "at character 7: \"3\" is not a duration"),
            (
                "fixed(0s)",
                "at character 7: this has to be longer than nothing",
            ),
            (
                "fixed(3s,cap=4s)",
                "at character 1: cap and jitter belong to backoff",
            ),
            ("backoff(1s,2)", "at character 12: write the factor like x2"),
            (
                "backoff(1s,x2,jitter=some)",
                "at character 22: jitter is none, full",
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
        fn no_text_makes_it_panic(text in r"(fixed|backoff)?[(]?[a-z0-9(),=.x ]{0,30}[)]?") {
            let _ = text.parse::<Strategy>();
        }
    }
}
