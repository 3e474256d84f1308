//! How arrivals are written: one grammar for the flag, the environment and the
//! scenario.
//!
//! ```text
//! 400                                       so many users at any time
//! 500/s                                     so many started per second, evenly
//! stages(500/s,10s,500/s,30s,0/s,5s)        to each rate in a straight line over the time after it
//! stages(100,10s,400,30s)                   the same with a number of users
//! 50/s + spike(950/s,at=10s,for=2s)         a sum
//! poisson(50/s + spike(950/s,at=10s,for=2s))  at random around that rate
//! replay(arrivals.csv,speed=2)              recorded times
//! ```
//!
//! Stages begin at nothing unless `from` says otherwise, and stay at their last value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contract::TimeSpan;
use contract::expression::{Argument, ExpressionError, Sum, Term, Word};
use serde_with::DeserializeFromStr;

use crate::arrivals::{Arrivals, Process};
use crate::curve::Curve;
use crate::rate::{Rate, RateProfile};
use crate::recording::Recording;

/// Arrivals as they are written.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr)]
pub struct Shape {
    text: String,
    arrivals: Arrivals,
}

/// Not a shape of arrivals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a shape of arrivals, {0}; there are 400 (users), 500/s, stages(500/s,10s,500/s,30s), \
     spike(950/s,at=10s,for=2s), sums of these, poisson(…) of rates, and replay(FILE)"
)]
pub struct ShapeError(#[from] ExpressionError);

/// More users than this are a slip of the keyboard, and would eat all memory.
const MOST_USERS: f64 = 1_000_000.0;

impl Shape {
    /// What it means.
    pub fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        Ok(Self {
            text: text.trim().to_owned(),
            arrivals: arrivals(&Sum::parse(text)?)?,
        })
    }
}

fn arrivals(sum: &Sum<'_>) -> Result<Arrivals, ExpressionError> {
    if let Ok(term) = sum.single() {
        match term.word.text {
            "poisson" => return open(term, Process::Poisson),
            "constant" => return open(term, Process::Constant),
            "replay" => return replay(term),
            _ => {}
        }
    }
    let Level { curve, unit } = level(sum)?;
    Ok(match unit {
        Unit::Users => Arrivals::Closed(curve),
        Unit::Rate => Arrivals::Open {
            profile: RateProfile::along(curve),
            process: Process::Constant,
        },
    })
}

fn open(term: &Term<'_>, process: Process) -> Result<Arrivals, ExpressionError> {
    let usage = format!("{}(50/s)", term.word.text);
    let inner = term.exactly(1, &usage)?;
    match level(inner[0])? {
        Level {
            curve,
            unit: Unit::Rate,
        } => Ok(Arrivals::Open {
            profile: RateProfile::along(curve),
            process,
        }),
        Level { .. } => Err(ExpressionError::new(
            inner[0].offset,
            format!("{} is about rates; write it like {usage}", term.word.text),
        )),
    }
}

fn replay(term: &Term<'_>) -> Result<Arrivals, ExpressionError> {
    let usage = || term.word.error("write it like replay(arrivals.csv)");
    let arguments = term.arguments.as_deref().unwrap_or_default();
    let (file, options) = arguments.split_first().ok_or_else(usage)?;
    let mut speed = 1.0;
    for option in options {
        let word = option.value.word()?;
        match option.name {
            Some(name) if name.text == "speed" => {
                speed = word.number()?;
                if speed <= 0.0 {
                    return Err(word.error("speed is more than nothing, like 2 or 0.5"));
                }
            }
            _ => return Err(word.error("the only option of replay is speed=2")),
        }
    }
    match file {
        Argument { name: None, value } => {
            Ok(Arrivals::Replay(Recording::new(value.word()?.text, speed)))
        }
        Argument { .. } => Err(usage()),
    }
}

/// A number of users or a rate over time.
struct Level {
    curve: Curve,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Users,
    Rate,
}

/// A sum of parts that have one unit.
fn level(sum: &Sum<'_>) -> Result<Level, ExpressionError> {
    let mut whole: Option<Level> = None;
    for product in &sum.products {
        if let Some(weight) = product.weight {
            return Err(weight.error("parts are added as they are; write the number itself"));
        }
        let next = part(&product.term)?;
        whole = Some(match whole {
            None => next,
            Some(level) if level.unit == next.unit => Level {
                curve: level.curve.plus(&next.curve),
                unit: level.unit,
            },
            Some(_) => {
                let word = product.term.word;
                return Err(word.error("users and rates cannot be added"));
            }
        });
    }
    let starts = |level: &Level| level.curve.greatest() > 0.0;
    let nobody = "this starts nobody; write for instance 400 or 500/s";
    let whole = whole.filter(starts);
    let whole = whole.ok_or_else(|| ExpressionError::new(sum.offset, nobody))?;
    if whole.unit == Unit::Users && whole.curve.greatest() > MOST_USERS {
        let message = "that is more than a million users at a time";
        return Err(ExpressionError::new(sum.offset, message));
    }
    Ok(whole)
}

fn part(term: &Term<'_>) -> Result<Level, ExpressionError> {
    match (term.word.text, &term.arguments) {
        ("stages", Some(arguments)) => stages(term, arguments),
        ("spike", Some(arguments)) => spike(term, arguments),
        (_, None) => {
            let (value, unit) = value(term.word)?;
            let curve = Curve::constant(value);
            Ok(Level { curve, unit })
        }
        (name, Some(_)) => Err(term.word.error(format!("{name:?} is not a known shape"))),
    }
}

fn stages(term: &Term<'_>, arguments: &[Argument<'_>]) -> Result<Level, ExpressionError> {
    let usage = || term.word.error("write it like stages(500/s,10s,0/s,5s)");
    let (named, plain): (Vec<_>, Vec<_>) = arguments
        .iter()
        .partition(|argument| argument.name.is_some());
    let mut unit = None;
    let mut read = |word: Word<'_>| {
        let (number, its) = value(word)?;
        if *unit.get_or_insert(its) == its {
            Ok(number)
        } else {
            Err(word.error("all values of stages are users, or all are rates"))
        }
    };
    let mut ramps = Vec::new();
    for pair in plain.chunks(2) {
        let [value, over] = pair else {
            return Err(usage());
        };
        let over: TimeSpan = over.value.word()?.read()?;
        ramps.push((read(value.value.word()?)?, over.0));
    }
    let mut begin = 0.0;
    for argument in named {
        match argument.name {
            Some(name) if name.text == "from" => begin = read(argument.value.word()?)?,
            Some(name) => return Err(name.error("the only option of stages is from=50/s")),
            None => {}
        }
    }
    Ok(Level {
        curve: Curve::through(begin, ramps),
        unit: unit.ok_or_else(usage)?,
    })
}

fn spike(term: &Term<'_>, arguments: &[Argument<'_>]) -> Result<Level, ExpressionError> {
    let usage = || term.word.error("write it like spike(950/s,at=10s,for=2s)");
    let (mut height, mut at, mut lasts) = (None, None, None);
    for argument in arguments {
        let word = argument.value.word()?;
        match argument.name.map(|name| name.text) {
            None => height = Some(value(word)?),
            Some("at") => at = Some(word.read::<TimeSpan>()?.0),
            Some("for") => lasts = Some(word.read::<TimeSpan>()?.0),
            Some(_) => return Err(usage()),
        }
    }
    match (height, at, lasts) {
        (Some((height, unit)), Some(at), Some(lasts)) if lasts > Duration::ZERO => Ok(Level {
            curve: Curve::pulse(height, at, lasts),
            unit,
        }),
        _ => Err(usage()),
    }
}

/// `400` are users, `500/s` is a rate.
fn value(word: Word<'_>) -> Result<(f64, Unit), ExpressionError> {
    if word.text.contains('/') {
        let rate: Rate = word.read()?;
        return Ok((rate.per_second(), Unit::Rate));
    }
    let users: u32 = word.text.parse().map_err(|_| {
        word.error(format!(
            "{:?} is neither users like 400 nor a rate like 500/s",
            word.text
        ))
    })?;
    Ok((f64::from(users), Unit::Users))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Dice;

    fn shape(text: &str) -> Arrivals {
        text.parse::<Shape>().expect(text).arrivals()
    }

    /// How many start in each of the first seconds.
    fn starts(text: &str, seconds: u64) -> Vec<u64> {
        let mut schedule = shape(text).schedule(Dice::new(1)).expect(text);
        let before: Vec<_> = (0..=seconds)
            .map(|at| schedule.before(Duration::from_secs(at)))
            .collect();
        before.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn rates_are_carried_as_written() {
        assert_eq!(starts("20/s", 3), [20, 20, 20]);
        assert_eq!(starts("stages(20/s,2s)", 4), [5, 15, 20, 20]);
        assert_eq!(starts("stages(20/s,2s,0/s,0s)", 4), [5, 15, 0, 0]);
        assert_eq!(starts("stages(20/s,2s,from=20/s)", 2), [20, 20]);
        assert_eq!(
            starts("10/s + spike(90/s, at=1s, for=1s)", 3),
            [10, 100, 10]
        );
        assert_eq!(starts("constant(600/m)", 2), [10, 10]);
        let random = starts("poisson(10/s + spike(990/s,at=1s,for=1s))", 3);
        assert!(random[0] < 30 && random[1] > 800, "{random:?}");
    }

    #[test]
    fn users_are_closed_arrivals() {
        assert_eq!(shape("400"), Arrivals::users(400));
        assert_eq!(shape("stages(100,10s,400,30s)").slots(), Some(400));
        assert_eq!(shape("100 + spike(300,at=10s,for=5s)").slots(), Some(400));
    }

    #[test]
    fn a_recording_names_its_file() {
        let Arrivals::Replay(recording) = shape("replay(logs/a-1.csv,speed=2)") else {
            panic!("not a recording");
        };
        assert_eq!((&*recording.file, recording.speed), ("logs/a-1.csv", 2.0));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, message) in [
            ("", "at character 1: expected a name"),
            ("5 per second", "at character 3: did not expect 'p'"),
            ("50/d", "at character 1: \"50/d\" is not a rate"),
            ("many", "at character 1: \"many\" is neither users"),
            ("0/s", "at character 1: this starts nobody"),
            (
                "spike(5/s,at=1s)",
                "write it like spike(950/s,at=10s,for=2s)",
            ),
            ("stages(5/s)", "write it like stages(500/s,10s,0/s,5s)"),
            (
                "stages(5/s,1s,4,1s)",
                "at character 15: all values of stages",
            ),
            ("stages(5/s,1)", "at character 12: \"1\" is not a duration"),
            ("5/s + 4", "at character 7: users and rates cannot be added"),
            ("2*5/s", "at character 1: parts are added as they are"),
            ("poisson(5)", "at character 9: poisson is about rates"),
            ("ramp(5/s)", "at character 1: \"ramp\" is not a known shape"),
            ("replay()", "write it like replay(arrivals.csv)"),
            ("replay(a,speed=0)", "at character 16: speed is more"),
            ("2000000", "more than a million users"),
        ] {
            let error = text.parse::<Shape>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"(stages|spike|poisson|replay)?[(]?[a-z0-9(),=./+ ]{0,40}[)]?") {
            if let Ok(shape) = text.parse::<Shape>() {
                let _ = shape.arrivals().slots();
            }
        }
    }
}
