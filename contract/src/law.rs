//! Delay laws: distributions of the time from one event to another.
//!
//! A law is a weighted sum of simple shapes and may be defective: with
//! `never`, the event does not happen at all. A law draws nothing by itself;
//! it turns a [`Roll`] into a delay.

mod distribution;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use statrs::function::erf::erfc_inv;

use crate::dice::{Roll, unit};
use crate::duration::TimeSpan;
use crate::expression::{ExpressionError, Product, Sum, Term, Word};

/// The distribution of a delay.
#[derive(Clone, Debug, PartialEq, DeserializeFromStr, SerializeDisplay)]
pub struct Law {
    /// As it was written; a preset keeps its name.
    text: String,
    components: Vec<Component>,
}

/// One part of a weighted sum.
#[derive(Clone, Debug, PartialEq)]
struct Component {
    /// Probability of this part; all of them add up to one.
    weight: f64,
    shape: Shape,
}

/// A simple distribution.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Fixed(Duration),
    Uniform(Duration, Duration),
    /// By its mean.
    Exponential(Duration),
    /// By its median and the standard deviation of the logarithm.
    LogNormal(Duration, f64),
    /// Another law, later by a fixed time.
    Shifted(Duration, Box<Law>),
    Never,
}

/// The presets, each a law in our own grammar.
///
/// They are synthetic: anchored to quantiles that were published for other
/// routes in other years (`fast` and `typical`: vendor guidance of 2026 and
/// carrier measurements of 2007 and 2010; `congested`: a two-point fit of a
/// six-carrier test; `lossy`: a reseller's share of numbers without a code;
/// `retry_steps`: a store-and-forward centre that tries again every minute;
/// `late`: codes just before and after the 1200th second). None is a
/// measurement of CodySMS.
pub const PRESETS: [(&str, &str); 7] = [
    ("instant", "0s"),
    ("fast", "0.995*lognormal(3s,0.596) + 0.005*never"),
    (
        "typical",
        "0.93575*lognormal(4s,0.668) + 0.01425*lognormal(90s,1) + 0.05*never",
    ),
    ("congested", "0.925*lognormal(34.5s,1.391) + 0.075*never"),
    (
        "lossy",
        "0.6895*lognormal(4s,0.668) + 0.0105*lognormal(90s,1) + 0.3*never",
    ),
    // A first attempt succeeds with probability 0.62, each retry likewise, and
    // the fifth retry is the last: 0.98 · 0.62 · 0.38^k / (1 − 0.38^6).
    (
        "retry_steps",
        "0.609435*lognormal(4s,0.67) + 0.231585*shifted(60s,lognormal(4s,0.67)) \
         + 0.088002*shifted(120s,lognormal(4s,0.67)) + 0.033441*shifted(180s,lognormal(4s,0.67)) \
         + 0.012708*shifted(240s,lognormal(4s,0.67)) + 0.004829*shifted(300s,lognormal(4s,0.67)) \
         + 0.02*never",
    ),
    ("late", "0.334*1199s + 0.333*1201s + 0.333*1260s"),
];

/// Not a law.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a delay law, {0}; there are 2s, uniform(1s,5s), exp(5s), lognormal(4s,0.67), never, \
     shifted(60s,LAW), weighted sums like 0.95*exp(5s) + 0.05*never, and the presets instant, \
     fast, typical, congested, lossy, retry_steps and late"
)]
pub struct LawError(#[from] ExpressionError);

impl Law {
    /// The law that a tree describes.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] at the part that is not a law, or is an impossible one.
    pub fn from_sum(sum: &Sum<'_>) -> Result<Self, ExpressionError> {
        let components = match sum.products.as_slice() {
            [Product { weight: None, term }] => match preset(term) {
                Some(law) => law.components,
                None => vec![Component {
                    weight: 1.0,
                    shape: Shape::from_term(term)?,
                }],
            },
            products => weighted(products, sum.offset)?,
        };
        let mut law = Self {
            text: String::new(),
            components,
        };
        law.text = match sum.products.as_slice() {
            [Product { weight: None, term }] if preset(term).is_some() => term.word.text.to_owned(),
            _ => law.spelled_out(),
        };
        Ok(law)
    }

    /// A delay by this law; `None` means never.
    pub fn sample(&self, roll: &mut Roll) -> Option<Duration> {
        let mut choice = unit(roll);
        let (last, others) = self.components.split_last()?;
        let component = others
            .iter()
            .find(|component| {
                choice -= component.weight;
                choice < 0.0
            })
            .unwrap_or(last);
        component.shape.sample(roll)
    }

    fn spelled_out(&self) -> String {
        match self.components.as_slice() {
            [only] => only.shape.to_string(),
            components => components
                .iter()
                .map(|component| format!("{}*{}", component.weight, component.shape))
                .collect::<Vec<_>>()
                .join(" + "),
        }
    }
}

fn preset(term: &Term<'_>) -> Option<Law> {
    let (_, text) = PRESETS.iter().find(|(name, _)| *name == term.word.text)?;
    let sum = Sum::parse(text).expect("presets are tested to parse");
    term.arguments
        .is_none()
        .then(|| Law::from_sum(&sum).expect("presets are tested to be laws"))
}

fn weighted(products: &[Product<'_>], offset: usize) -> Result<Vec<Component>, ExpressionError> {
    let mut components = Vec::with_capacity(products.len());
    for Product { weight, term } in products {
        let Some(weight) = weight else {
            return Err(term
                .word
                .error("every part of a sum needs its weight, like 0.05*never"));
        };
        let share = weight.number()?;
        if !(0.0..=1.0).contains(&share) {
            return Err(weight.error("a weight is a probability between 0 and 1"));
        }
        components.push(Component {
            weight: share,
            shape: Shape::from_term(term)?,
        });
    }
    let total: f64 = components.iter().map(|component| component.weight).sum();
    if (total - 1.0).abs() > 1e-6 {
        let message = format!("the weights add up to {total}, not 1; 0.1*never is a loss of 10 %");
        return Err(ExpressionError::new(offset, message));
    }
    Ok(components)
}

impl Shape {
    fn from_term(term: &Term<'_>) -> Result<Self, ExpressionError> {
        match term.word.text {
            "never" => term.exactly(0, "never").map(|_| Self::Never),
            "uniform" => {
                let [low, high] = two(term, "uniform(1s,5s)")?;
                let (low, high) = (span(low.word()?)?, span(high.word()?)?);
                if low > high {
                    return Err(term
                        .word
                        .error("the first bound of uniform is the lower one"));
                }
                Ok(Self::Uniform(low, high))
            }
            "exp" => {
                let arguments = term.exactly(1, "exp(5s)")?;
                Ok(Self::Exponential(span(arguments[0].word()?)?))
            }
            "lognormal" => {
                let [median, sigma] = two(term, "lognormal(4s,0.67), median and sigma")?;
                let sigma = sigma.word()?;
                match sigma.number()? {
                    positive if (0.0..=10.0).contains(&positive) => {
                        Ok(Self::LogNormal(span(median.word()?)?, positive))
                    }
                    _ => Err(sigma.error("sigma lies between 0 and 10")),
                }
            }
            "shifted" => {
                let [shift, law] = two(term, "shifted(60s,lognormal(4s,0.67))")?;
                let law = Law::from_sum(law)?;
                Ok(Self::Shifted(span(shift.word()?)?, Box::new(law)))
            }
            _ if term.arguments.is_none() => span(term.word).map(Self::Fixed),
            name => Err(term.word.error(format!("{name:?} is not a known law"))),
        }
    }

    /// By inversion, so that two laws with the same dice are early and late together.
    fn sample(&self, roll: &mut Roll) -> Option<Duration> {
        let seconds = match self {
            Self::Never => return None,
            Self::Fixed(delay) => return Some(*delay),
            Self::Shifted(shift, law) => {
                return law.sample(roll).map(|delay| shift.saturating_add(delay));
            }
            Self::Uniform(low, high) => {
                let width = (*high - *low).as_secs_f64();
                low.as_secs_f64() + width * unit(roll)
            }
            Self::Exponential(mean) => -mean.as_secs_f64() * (1.0 - unit(roll)).ln(),
            Self::LogNormal(median, sigma) => {
                // The quantile of the standard normal law is −√2 · erfc⁻¹(2p). Half a
                // step keeps p away from 0, where it is infinite.
                let p = unit(roll) + f64::EPSILON / 4.0;
                let z = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
                median.as_secs_f64() * (sigma * z).exp()
            }
        };
        // A delay beyond what a Duration holds is as good as never.
        Duration::try_from_secs_f64(seconds).ok()
    }
}

fn two<'t, 'a>(term: &'t Term<'a>, usage: &str) -> Result<[&'t Sum<'a>; 2], ExpressionError> {
    let arguments = term.exactly(2, usage)?;
    Ok([arguments[0], arguments[1]])
}

fn span(word: Word<'_>) -> Result<Duration, ExpressionError> {
    word.read::<TimeSpan>().map(|span| span.0)
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Fixed(delay) => TimeSpan(*delay).fmt(f),
            Self::Uniform(low, high) => {
                write!(f, "uniform({},{})", TimeSpan(*low), TimeSpan(*high))
            }
            Self::Exponential(mean) => write!(f, "exp({})", TimeSpan(*mean)),
            Self::LogNormal(median, sigma) => write!(f, "lognormal({},{sigma})", TimeSpan(*median)),
            Self::Shifted(shift, law) => write!(f, "shifted({},{law})", TimeSpan(*shift)),
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Law {
    type Err = LawError;

    fn from_str(text: &str) -> Result<Self, LawError> {
        Ok(Self::from_sum(&Sum::parse(text)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, Stream};
    use proptest::prelude::*;

    /// The delays of 20,000 rentals in order, and the share that never arrives.
    fn drawn(law: &str) -> (Vec<f64>, f64) {
        const COUNT: u64 = 20_000;
        let law: Law = law.parse().expect(law);
        let mut seconds: Vec<f64> = (0..COUNT)
            .filter_map(|index| law.sample(&mut Dice::new(11).roll(0, Stream::SmsDelay, index)))
            .map(|delay| delay.as_secs_f64())
            .collect();
        seconds.sort_by(f64::total_cmp);
        let lost = 1.0 - seconds.len() as f64 / COUNT as f64;
        (seconds, lost)
    }

    fn quantile(sorted: &[f64], p: f64) -> f64 {
        sorted[(p * sorted.len() as f64) as usize]
    }

    #[test]
    fn presets_have_the_quantiles_they_promise() {
        // The table of research/domain.md: p50, p90, p95 and loss; 3 % is about
        // three standard errors of these quantiles at 20,000 samples.
        for (preset, p50, p90, p95, loss) in [
            ("fast", 3.0, 6.4, 8.0, 0.005),
            ("typical", 4.1, 9.9, 13.3, 0.05),
            ("congested", 34.5, 205.0, 340.0, 0.075),
            ("lossy", 4.1, 9.9, 13.3, 0.3),
        ] {
            let (delays, lost) = drawn(preset);
            for (p, expected) in [(0.5, p50), (0.9, p90), (0.95, p95)] {
                let actual = quantile(&delays, p);
                let error = (actual / expected - 1.0).abs();
                assert!(error < 0.06, "{preset} p{p}: {actual}, not {expected}");
            }
            assert!((lost - loss).abs() < 0.01, "{preset} loses {lost}");
        }
    }

    #[test]
    fn simple_laws_have_their_means() {
        for (law, mean) in [("2s", 2.0), ("uniform(1s,5s)", 3.0), ("exp(5s)", 5.0)] {
            let (delays, lost) = drawn(law);
            let actual = delays.iter().sum::<f64>() / delays.len() as f64;
            assert!((actual / mean - 1.0).abs() < 0.03, "{law}: {actual}");
            assert_eq!(lost, 0.0, "{law}");
        }
        assert_eq!(drawn("never").1, 1.0);
    }

    #[test]
    fn every_preset_is_a_law_and_keeps_its_name() {
        for (name, _) in PRESETS {
            assert_eq!(name.parse::<Law>().expect(name).to_string(), name);
        }
    }

    #[test]
    fn impossible_laws_are_refused_with_the_place_and_a_remedy() {
        for (text, message) in [
            (
                "lognormal(4s)",
                "at character 1: write it like lognormal(4s,0.67)",
            ),
            (
                "uniform(5s,1s)",
                "at character 1: the first bound of uniform is the lower one",
            ),
            (
                "lognormal(4s,-1)",
                "at character 14: sigma lies between 0 and 10",
            ),
            (
                "0.5*2s + 0.4*never",
                "at character 1: the weights add up to 0.9, not 1",
            ),
            (
                "2s + 0.5*never",
                "at character 1: every part of a sum needs its weight",
            ),
            (
                "1.5*2s + 0.5*never",
                "at character 1: a weight is a probability",
            ),
            (
                "gauss(1s,1s)",
                "at character 1: \"gauss\" is not a known law",
            ),
            ("2", "at character 1: \"2\" is not a duration"),
        ] {
            let error = text.parse::<Law>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[0-9.*+ ]{0,6}(uniform|exp|lognormal|shifted|never)?[(a-z0-9.,) *+]{0,30}") {
            if let Ok(law) = text.parse::<Law>() {
                let _ = law.sample(&mut Dice::new(1).roll(0, Stream::SmsDelay, 0));
            }
        }

        #[test]
        fn a_law_reads_back_what_it_writes(low in 0_u64..1000, width in 0_u64..1000, sigma in 0.0..3.0) {
            let high = low + width;
            let text = format!(
                "0.25*uniform({low}ms,{high}ms) + 0.5*lognormal({high}ms,{sigma}) + 0.25*never"
            );
            let law: Law = text.parse().expect("well-formed");
            prop_assert_eq!(law.to_string().parse::<Law>().expect("its own text"), law);
        }
    }
}
