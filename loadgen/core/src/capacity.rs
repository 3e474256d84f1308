//! Looking for the highest rate at which a condition holds: first up by
//! doubling until it does not, then between the two. What a trial at a rate
//! shows is judged here; making trials is the shell's business.
//!
//! What does not hold is tried once more before it is believed. A trial in
//! which the generator could not keep up is no evidence against the server: the
//! search goes on below it, and the answer says that the limit may be higher.

use schemars::JsonSchema;
use serde::Serialize;

use crate::run::Run;
use crate::threshold::Threshold;
use crate::validity::Grade;

/// What one trial has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The condition held.
    Held,
    /// It did not, or the server did not carry the rate.
    Missed,
    /// The generator could not keep up.
    Generator,
    /// Too few samples to say.
    TooFew,
}

/// The checks of a run's validity that are about the generator; `rate` is not
/// among them, because a server that falls behind fails it as well.
const ABOUT_THE_GENERATOR: [&str; 5] = ["slip", "cpu", "overflow", "little", "limits"];

impl Finding {
    /// What a finished trial shows about its conditions, and why, in words.
    pub fn of(run: &Run, conditions: &[Threshold]) -> (Self, String) {
        let invalid = |names: &[&str]| {
            let mut checks = run.validity.checks.iter();
            checks.find(|check| check.grade == Grade::Invalid && names.contains(&check.name))
        };
        if let Some(check) = invalid(&ABOUT_THE_GENERATOR) {
            let why = format!("the generator could not keep up: {}", check.found);
            return (Self::Generator, why);
        }
        let mut shortages = conditions
            .iter()
            .filter_map(|condition| condition.too_few(&run.outcome));
        if let Some((count, needed)) = shortages.next()
            && run.outcome.tally.failures() == 0
        {
            return (Self::TooFew, format!("{count} of {needed} samples"));
        }
        let verdicts: Vec<_> = conditions
            .iter()
            .map(|condition| condition.judge(&run.outcome))
            .collect();
        let found: Vec<_> = verdicts
            .iter()
            .map(|verdict| verdict.actual.as_deref().unwrap_or("nothing"))
            .collect();
        let found = found.join(", ");
        if let Some(check) = invalid(&["rate"]) {
            return (
                Self::Missed,
                format!("{found}; not carried: {}", check.found),
            );
        }
        let held = verdicts.iter().all(|verdict| verdict.passed);
        (if held { Self::Held } else { Self::Missed }, found)
    }

    /// In a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Missed => "missed",
            Self::Generator => "no evidence",
            Self::TooFew => "too few samples",
        }
    }
}

/// What a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// It holds up to `rate`, and no more at `missed`.
    Capacity {
        /// Users per second.
        rate: f64,
        /// Users per second.
        missed: f64,
    },
    /// It holds at `rate`; above it nothing was shown, because of the generator
    /// or because nobody asked for more.
    AtLeast {
        /// Users per second.
        rate: f64,
    },
    /// It does not hold even at `rate`.
    Below {
        /// Users per second.
        rate: f64,
    },
    /// No trial has shown anything.
    Unknown,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    start: f64,
    most: f64,
    /// The highest rate that held.
    held: Option<f64>,
    /// The highest rate from which the way led up.
    low: Option<f64>,
    /// The lowest rate from which the way led down, and whether the server was why.
    high: Option<(f64, bool)>,
    /// The rate that is tried once more.
    again: Option<f64>,
    trials: u32,
}

/// The answer is known when both ends are this close.
const PRECISION: f64 = 1.05;

/// Trials at most.
const MOST_TRIALS: u32 = 30;

/// No search goes below one user in ten seconds.
const LEAST: f64 = 0.1;

impl Search {
    /// A search that begins at `start` users per second and never tries more than `most`.
    pub fn new(start: f64, most: f64) -> Self {
        Self {
            start: start.clamp(LEAST, most.max(LEAST)),
            most,
            held: None,
            low: None,
            high: None,
            again: None,
            trials: 0,
        }
    }

    /// The rate to try next; `None` if the answer is known as well as it will be.
    pub fn next(&self) -> Option<f64> {
        if self.trials >= MOST_TRIALS {
            return None;
        }
        if self.again.is_some() {
            return self.again;
        }
        match (self.low, self.high) {
            (None, None) => Some(self.start),
            (Some(low), None) => (low < self.most).then(|| rounded(low * 2.0).min(self.most)),
            (None, Some((high, _))) => (high / 2.0 >= LEAST).then(|| rounded(high / 2.0)),
            (Some(low), Some((high, _))) => {
                let middle = rounded((low * high).sqrt());
                (high / low > PRECISION && middle > low && middle < high).then_some(middle)
            }
        }
    }

    /// Takes what the trial at [`Self::next`] has shown.
    pub fn record(&mut self, finding: Finding) {
        let Some(rate) = self.next() else {
            return;
        };
        self.trials += 1;
        let first = self.again.take().is_none();
        match finding {
            Finding::Held => {
                self.held = Some(rate);
                self.low = Some(rate);
            }
            // More requests give more samples.
            Finding::TooFew => self.low = Some(rate),
            Finding::Missed | Finding::Generator if first => self.again = Some(rate),
            Finding::Missed => self.high = Some((rate, true)),
            Finding::Generator => self.high = Some((rate, false)),
        }
    }

    /// What is known so far.
    pub fn answer(&self) -> Answer {
        match (self.held, self.high) {
            (Some(rate), Some((missed, true))) => Answer::Capacity { rate, missed },
            (Some(rate), _) => Answer::AtLeast { rate },
            (None, Some((rate, true))) => Answer::Below { rate },
            (None, _) => Answer::Unknown,
        }
    }
}

/// Three digits are enough for anybody.
fn rounded(rate: f64) -> f64 {
    let digits = 10_f64.powf(rate.log10().floor() - 2.0);
    (rate / digits).round() * digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The trials of a whole search, and its answer.
    fn searched(
        start: f64,
        most: f64,
        mut trial: impl FnMut(f64) -> Finding,
    ) -> (Vec<(f64, Finding)>, Answer) {
        let mut search = Search::new(start, most);
        let mut trials = Vec::new();
        while let Some(rate) = search.next() {
            let finding = trial(rate);
            trials.push((rate, finding));
            search.record(finding);
        }
        (trials, search.answer())
    }

    fn up_to(limit: f64, beyond: Finding) -> impl FnMut(f64) -> Finding {
        move |rate| if rate <= limit { Finding::Held } else { beyond }
    }

    #[test]
    fn it_doubles_and_then_closes_in() {
        let (trials, answer) = searched(100.0, 1e6, up_to(1000.0, Finding::Missed));
        let rates: Vec<_> = trials.iter().map(|(rate, _)| *rate).collect();
        assert_eq!(rates[..6], [100.0, 200.0, 400.0, 800.0, 1600.0, 1600.0]);
        let Answer::Capacity { rate, missed } = answer else {
            panic!("{answer:?}");
        };
        assert!(rate <= 1000.0 && missed > 1000.0 && missed / rate <= 1.051);
        assert!(trials.len() < 20, "{trials:?}");
    }

    #[test]
    fn a_generator_at_its_end_is_not_the_servers() {
        let (_, answer) = searched(100.0, 1e6, up_to(1000.0, Finding::Generator));
        let Answer::AtLeast { rate } = answer else {
            panic!("{answer:?}");
        };
        assert!((950.0..=1000.0).contains(&rate));
        let (_, answer) = searched(100.0, 1e6, |_| Finding::Generator);
        assert_eq!(answer, Answer::Unknown);
        let (trials, answer) = searched(100.0, 150.0, |_| Finding::Held);
        assert_eq!(answer, Answer::AtLeast { rate: 150.0 });
        assert_eq!(trials.len(), 2);
    }

    #[test]
    fn one_bad_trial_is_tried_again() {
        let mut stumbled = false;
        let (trials, answer) = searched(100.0, 1e6, |rate| match rate {
            rate if rate > 1000.0 => Finding::Missed,
            400.0 if !std::mem::replace(&mut stumbled, true) => Finding::Missed,
            _ => Finding::Held,
        });
        assert_eq!(
            trials[2..4],
            [(400.0, Finding::Missed), (400.0, Finding::Held)]
        );
        assert!(matches!(answer, Answer::Capacity { rate, .. } if rate > 950.0));
    }

    #[test]
    fn it_goes_down_where_it_begins_too_high_and_up_where_samples_are_few() {
        let (_, answer) = searched(1000.0, 1e6, up_to(70.0, Finding::Missed));
        assert!(matches!(answer, Answer::Capacity { rate, .. } if rate > 66.0 && rate <= 70.0));
        let (_, answer) = searched(1000.0, 1e6, |_| Finding::Missed);
        assert!(
            matches!(answer, Answer::Below { rate } if rate < 0.25),
            "{answer:?}"
        );
        let (_, answer) = searched(10.0, 1e6, |rate| match rate {
            rate if rate < 200.0 => Finding::TooFew,
            rate if rate < 5000.0 => Finding::Held,
            _ => Finding::Missed,
        });
        assert!(matches!(answer, Answer::Capacity { rate, .. } if rate > 4700.0));
    }

    proptest! {
        #[test]
        fn it_ends_near_any_limit(start in 1.0..10_000.0, limit in 1.0..500_000.0) {
            let (trials, answer) = searched(start, 1e6, up_to(limit, Finding::Missed));
            prop_assert!(trials.len() <= MOST_TRIALS as usize);
            let Answer::Capacity { rate, missed } = answer else {
                return Err(TestCaseError::fail(format!("{answer:?}")));
            };
            prop_assert!(rate <= limit && limit < missed);
            prop_assert!(trials.len() == MOST_TRIALS as usize || missed / rate < 1.06);
        }
    }
}
