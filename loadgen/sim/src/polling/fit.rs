//! Estimating the law of the delay from what was seen of it: exact delays, or
//! polls that only tell between which two of them a code arrived.
//!
//! Families of laws, each with a share that never arrives if there is any, are
//! fitted by maximum likelihood: Σ log(F(b) − F(a)) for codes that arrived after
//! a and by b, and Σ log S(c) for those that had not by c. Between families
//! decides Akaike's criterion. Confidence intervals come from the likelihood's
//! profile. What the observations say without any family, Turnbull's estimate,
//! stands beside the fit ([`Curve`]).

mod descent;
mod family;
mod turnbull;

use std::collections::BTreeMap;

use self::family::{Family, Place};
pub use self::turnbull::Curve;

/// What is known of one delay; times are seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// It had not arrived by then.
    pub after: f64,
    /// It had arrived by then; infinite if that was never seen.
    pub by: f64,
    /// How many rentals saw just this.
    pub count: f64,
}

/// Why nothing can be estimated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Hardly any.
    #[error("{0} observations are too few to fit a law to; five are the least")]
    TooFew(u64),
    /// Not a time.
    #[error(
        "an observation from {after} s to {by} s is none: times are not negative, in order, and below a year"
    )]
    Absurd {
        /// From.
        after: f64,
        /// To.
        by: f64,
    },
}

/// A parameter with its 95 % confidence interval.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A law that was fitted.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Fit {
    /// In the grammar of laws.
    pub law: String,
    /// Its parameters; times are seconds.
    pub parameters: Vec<Parameter>,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Akaike's criterion: less is better.
    pub aic: f64,
    /// How far its distribution is from what the observations say without a
    /// family, at most: a probability.
    pub distance: f64,
}

/// Longer than any code takes.
const YEAR: f64 = 365.0 * 86_400.0;

/// Delays that are given exactly are known to this part of themselves.
const PRECISION: f64 = 1e-4;

/// Half of the 95 % quantile of χ² with one degree of freedom: by so much the
/// likelihood may fall on the way to the end of a confidence interval.
const FALL: f64 = 1.920_729;

/// A difference of Akaike's criterion that is no reason for a richer family.
const WEAK: f64 = 6.0;

/// Fits all families; the best comes first.
///
/// # Errors
///
/// [`FitError`] for observations that are too few or are none.
pub fn fit(observations: &[Observation]) -> Result<Vec<Fit>, FitError> {
    for &Observation { after, by, count } in observations {
        let possible = after >= 0.0 && by >= after && after < YEAR && count > 0.0;
        if !possible || (by.is_finite() && by >= YEAR) {
            return Err(FitError::Absurd { after, by });
        }
    }
    let total: f64 = observations.iter().map(|seen| seen.count).sum();
    if total < 5.0 {
        return Err(FitError::TooFew(total as u64));
    }
    let arrived = observations.iter().filter(|seen| seen.by.is_finite());
    let Some(latest) = arrived.clone().map(|seen| seen.by).reduce(f64::max) else {
        return Ok(vec![plain("never")]);
    };
    let earliest = arrived.map(|seen| seen.after).fold(f64::INFINITY, f64::min);
    if latest - earliest < PRECISION * latest || latest == 0.0 {
        return Ok(vec![always(observations, latest, total)]);
    }
    let observations = merged(observations);
    let curve = Curve::of(&observations);
    let mut found: Vec<_> = Family::ALL
        .into_iter()
        .filter_map(|family| Found::new(family, &observations))
        .collect();
    let least = found.iter().map(Found::aic).fold(f64::INFINITY, f64::min);
    // The simplest of those that are about as likely, then the others.
    let rank = |one: &Found<'_>| match one.aic() <= least + WEAK {
        true => (0, one.point.len()),
        false => (1, 0),
    };
    found.sort_by(|a, b| {
        let ranks = rank(a).cmp(&rank(b));
        ranks.then(a.aic().total_cmp(&b.aic()))
    });
    let fits = found.iter().zip(0..);
    Ok(fits.map(|(one, rank)| one.fit(rank == 0, &curve)).collect())
}

/// Equal observations are one. Of very many, those are equal that differ by half a
/// per cent, so that a fit takes seconds and not minutes.
fn merged(observations: &[Observation]) -> Vec<Observation> {
    const MANY: usize = 2_000;
    const WIDTH: f64 = 1.005;
    let mut counts = BTreeMap::new();
    let blurred = |seen: &Observation| {
        let cell = |time: f64| WIDTH.powf((time.ln() / WIDTH.ln()).floor());
        let fine = seen.by < WIDTH * seen.after && seen.after > 0.0;
        match fine && observations.len() > MANY {
            true => (cell(seen.after), cell(seen.by) * WIDTH),
            false => (seen.after, seen.by),
        }
    };
    for seen in observations {
        let (after, by) = blurred(seen);
        // Times are not negative, so their bits are in their order.
        let key = (after.to_bits(), by.to_bits());
        *counts.entry(key).or_insert(0.0) += seen.count;
    }
    let seen = counts.into_iter().map(|((after, by), count)| Observation {
        after: f64::from_bits(after),
        by: f64::from_bits(by),
        count,
    });
    seen.collect()
}

fn plain(law: &str) -> Fit {
    Fit {
        law: law.to_owned(),
        parameters: Vec::new(),
        log_likelihood: 0.0,
        aic: 0.0,
        distance: 0.0,
    }
}

/// All that arrived took the same time.
fn always(observations: &[Observation], delay: f64, total: f64) -> Fit {
    let never = observations.iter().filter(|seen| seen.by.is_infinite());
    let lost = never.map(|seen| seen.count).sum::<f64>() / total;
    plain(&family::sum(&[(1.0, family::seconds(delay))], lost))
}

/// One family at its most likely.
struct Found<'a> {
    family: Family,
    places: Vec<Place>,
    point: Vec<f64>,
    observations: &'a [Observation],
    loss: f64,
}

impl<'a> Found<'a> {
    /// `None` where the family does not fit these observations at all.
    fn new(family: Family, observations: &'a [Observation]) -> Option<Self> {
        let arrived = observations.iter().filter(|seen| seen.by.is_finite());
        if arrived.map(|seen| seen.count).sum::<f64>() < family.least() {
            return None;
        }
        let censored = observations.iter().any(|seen| seen.by.is_infinite());
        let places = family.places(observations, censored);
        let loss = |point: &[f64]| loss(family, &places, observations, point);
        let starts = family.starts(observations, censored);
        let found = starts
            .into_iter()
            .map(|start| descent::descend(&loss, &start, 0.3, 1e-8))
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        let (loss, point) = found;
        loss.is_finite().then_some(Self {
            family,
            places,
            point,
            observations,
            loss,
        })
    }

    fn aic(&self) -> f64 {
        2.0 * (self.point.len() as f64 + self.loss)
    }

    fn fit(&self, is_best: bool, curve: &Curve) -> Fit {
        let Self { family, places, .. } = self;
        let values: Vec<_> = places
            .iter()
            .zip(&self.point)
            .map(|(place, at)| place.value(*at))
            .collect();
        let loss = |point: &[f64]| loss(*family, places, self.observations, point);
        let spreads = descent::spreads(&loss, &self.point);
        let parameters = places.iter().enumerate().map(|(index, place)| {
            let spread = 1.96 * spreads[index];
            let (low, high) = match is_best {
                true => self.profile(index, spread),
                false => (self.point[index] - spread, self.point[index] + spread),
            };
            Parameter {
                name: place.name,
                value: values[index],
                low: place.value(low),
                high: place.value(high),
            }
        });
        let cdf = |time: f64| 1.0 - family.survival(&values, time);
        Fit {
            law: family.law(&values),
            parameters: parameters.collect(),
            log_likelihood: -self.loss,
            aic: self.aic(),
            distance: curve.distance(cdf),
        }
    }

    /// The interval of a parameter's place outside of which even the best values
    /// of all others leave the likelihood lower by [`FALL`]; `step` is where the
    /// curvature puts its ends.
    fn profile(&self, index: usize, step: f64) -> (f64, f64) {
        const STEPS: u32 = 7;
        let step = if step > 0.0 && step.is_finite() {
            step
        } else {
            1.0
        };
        let end = |sign: f64| {
            let fall = |distance: f64| self.profiled(index, sign * distance) - self.loss - FALL;
            let (mut near, mut far) = (0.0, step);
            let mut doubled = 0;
            while fall(far) < 0.0 {
                if doubled == STEPS {
                    // The likelihood knows no end on this side.
                    return self.point[index] + sign * far;
                }
                (near, far) = (far, 2.0 * far);
                doubled += 1;
            }
            for _ in 0..STEPS {
                let middle = f64::midpoint(near, far);
                match fall(middle) < 0.0 {
                    true => near = middle,
                    false => far = middle,
                }
            }
            self.point[index] + sign * f64::midpoint(near, far)
        };
        (end(-1.0), end(1.0))
    }

    /// The least loss with one place moved away from the best.
    fn profiled(&self, index: usize, distance: f64) -> f64 {
        let whole = |others: &[f64]| {
            let mut point = others.to_vec();
            point.insert(index, self.point[index] + distance);
            loss(self.family, &self.places, self.observations, &point)
        };
        let mut others = self.point.clone();
        others.remove(index);
        match others.is_empty() {
            true => whole(&[]),
            false => descent::descend(&whole, &others, 0.05, 1e-3).0,
        }
    }
}

/// The logarithm of the likelihood, with the sign turned.
fn loss(family: Family, places: &[Place], observations: &[Observation], point: &[f64]) -> f64 {
    let values = places.iter().zip(point);
    let values: Vec<_> = values.map(|(place, at)| place.value(*at)).collect();
    let term = |seen: &Observation| {
        let probability = if seen.by.is_infinite() {
            family.survival(&values, seen.after)
        } else {
            // An exact delay is a narrow interval.
            let width = (PRECISION * seen.by).max(1e-9);
            let (from, to) = match seen.by - seen.after < width {
                true => (seen.by - width, seen.by + width),
                false => (seen.after, seen.by),
            };
            family.survival(&values, from) - family.survival(&values, to)
        };
        seen.count * probability.max(1e-300).ln()
    };
    -observations.iter().map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use contract::{Dice, Law, Stream};

    use super::*;

    /// Delays of a law as polls every `gap` seconds see them until a minute.
    fn polled(law: &str, gap: f64, count: u64) -> Vec<Observation> {
        let law: Law = law.parse().expect(law);
        let seen = |index| {
            let delay = law.sample(&mut Dice::new(4).roll(0, Stream::SmsDelay, index));
            match delay.map(|delay| delay.as_secs_f64()) {
                Some(delay) if delay <= 60.0 => {
                    let poll = (delay / gap).ceil();
                    ((poll - 1.0) * gap, poll * gap)
                }
                _ => (60.0, f64::INFINITY),
            }
        };
        let observation = |(after, by)| Observation {
            after,
            by,
            count: 1.0,
        };
        (0..count).map(seen).map(observation).collect()
    }

    #[test]
    fn polls_are_enough_to_find_the_law() {
        let fits = fit(&polled("0.9*lognormal(12s,0.8) + 0.1*never", 3.0, 4000)).expect("a fit");
        assert!(fits[0].law.contains("lognormal"), "{fits:?}");
        for (parameter, truth) in fits[0].parameters.iter().zip([12.0, 0.8, 0.1]) {
            let wide = parameter.high - parameter.low;
            assert!((parameter.value - truth).abs() < wide, "{parameter:?}");
            assert!(parameter.low < parameter.value && parameter.value < parameter.high);
        }
        assert!(fits[0].law.parse::<Law>().is_ok(), "{}", fits[0].law);
        let exponential = fit(&polled("exp(8s)", 2.0, 4000)).expect("a fit");
        assert!(exponential[0].law.starts_with("exp("), "{exponential:?}");
    }

    #[test]
    fn a_shift_and_a_second_hill_are_found_where_there_are_some() {
        let first = |law: &str| fit(&polled(law, 0.5, 4000)).expect("a fit").swap_remove(0);
        let value = |fit: &Fit, name: &str| {
            let found = fit
                .parameters
                .iter()
                .find(|parameter| parameter.name == name);
            found.unwrap_or_else(|| panic!("{name}: {fit:?}")).clone()
        };
        let shifted = first("0.95*shifted(5s,exp(3s)) + 0.05*never");
        let shift = value(&shifted, "shift_s");
        assert!(
            (4.4..5.1).contains(&shift.value) && shift.high < 5.5,
            "{shifted:?}"
        );
        let two = first("0.7*lognormal(4s,0.2) + 0.3*lognormal(20s,0.2)");
        let share = value(&two, "second");
        let share = share.value.min(1.0 - share.value);
        assert!((share - 0.3).abs() < 0.03, "{two:?}");
        for fit in [&shifted, &two] {
            assert!(fit.distance < 0.03, "{fit:?}");
            assert!(fit.law.parse::<Law>().is_ok(), "{}", fit.law);
        }
    }

    #[test]
    fn intervals_of_confidence_hold_the_truth_about_as_often_as_they_say() {
        let truth = [6.0, 0.5];
        let law: Law = "lognormal(6s,0.5)".parse().expect("a law");
        let mut held = [0, 0];
        for seed in 0..60 {
            let seen = (0..80).map(|index| {
                let delay = law.sample(&mut Dice::new(seed).roll(1, Stream::SmsDelay, index));
                let poll = (delay.expect("it arrives").as_secs_f64() / 3.0).ceil();
                let (after, by) = ((poll - 1.0) * 3.0, poll * 3.0);
                Observation {
                    after,
                    by,
                    count: 1.0,
                }
            });
            let fits = fit(&seen.collect::<Vec<_>>()).expect("a fit");
            let lognormal = fits.iter().find(|fit| fit.law.starts_with("lognormal"));
            let parameters = &lognormal.expect("it is fitted").parameters;
            for (index, parameter) in parameters.iter().enumerate() {
                held[index] += u32::from((parameter.low..parameter.high).contains(&truth[index]));
            }
        }
        // 57 of 60 on average, with a standard deviation of 1.7.
        assert!(held.iter().all(|held| *held >= 51), "{held:?}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused_and_what_is_plain_is_said_plainly() {
        let seen = |after, by, count| Observation { after, by, count };
        assert_eq!(fit(&[]), Err(FitError::TooFew(0)));
        assert!(fit(&[seen(3.0, 2.0, 9.0)]).is_err());
        assert!(fit(&[seen(-1.0, 2.0, 9.0)]).is_err());
        assert!(fit(&[seen(1.0, 1e12, 9.0)]).is_err());
        let law = |seen: &[Observation]| fit(seen).expect("a fit")[0].law.clone();
        assert_eq!(law(&[seen(60.0, f64::INFINITY, 9.0)]), "never");
        assert_eq!(law(&[seen(2.0, 2.0, 9.0)]), "2s");
        assert_eq!(
            law(&[seen(2.0, 2.0, 9.0), seen(60.0, f64::INFINITY, 1.0)]),
            "0.900000*2s + 0.100000*never"
        );
    }
}
