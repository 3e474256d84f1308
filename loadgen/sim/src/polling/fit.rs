//! Estimating the law of the delay from what was seen of it: exact delays, or
//! polls that only tell between which two of them a code arrived.
//!
//! A family of laws with a share that never arrives is fitted by maximum
//! likelihood, Σ log(F(b) − F(a)) for codes that arrived after a and by b, and
//! Σ log S(c) for those that had not by c. Between families decides Akaike's
//! criterion. Confidence intervals come from the curvature of the likelihood.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc;

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
}

/// The families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Exponential,
    LogNormal,
}

/// Longer than any code takes.
const YEAR: f64 = 365.0 * 86_400.0;

/// Delays that are given exactly are known to this part of themselves.
const PRECISION: f64 = 1e-4;

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
    let mut fits =
        [Family::LogNormal, Family::Exponential].map(|family| fitted(family, observations));
    fits.sort_by(|a, b| a.aic.total_cmp(&b.aic));
    Ok(fits.into())
}

fn plain(law: &str) -> Fit {
    Fit {
        law: law.to_owned(),
        parameters: Vec::new(),
        log_likelihood: 0.0,
        aic: 0.0,
    }
}

/// All that arrived took the same time.
fn always(observations: &[Observation], delay: f64, total: f64) -> Fit {
    let never = observations.iter().filter(|seen| seen.by.is_infinite());
    let lost = never.map(|seen| seen.count).sum::<f64>() / total;
    plain(&with_loss(&seconds(delay), lost))
}

fn seconds(seconds: f64) -> String {
    let text = format!("{seconds:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}s")
}

fn with_loss(law: &str, lost: f64) -> String {
    let lost = (lost * 1e6).round() / 1e6;
    if lost <= 0.0 {
        return law.to_owned();
    }
    format!("{:.6}*{law} + {lost:.6}*never", 1.0 - lost)
}

/// One family at its most likely.
fn fitted(family: Family, observations: &[Observation]) -> Fit {
    let censored = observations.iter().any(|seen| seen.by.is_infinite());
    let loss = |point: &[f64]| -log_likelihood(family, observations, point);
    let start = start(family, observations, censored);
    let best = descend(&loss, &start);
    let spread = spreads(&loss, &best);
    let estimates = family.parameters(&best);
    let parameters = estimates.into_iter().zip(&best).zip(&spread);
    let parameters = parameters.map(|(((name, back), place), spread)| Parameter {
        name,
        value: back(*place),
        low: back(place - 1.96 * spread),
        high: back(place + 1.96 * spread),
    });
    let lost = best
        .get(family.count())
        .map_or(0.0, |place| logistic(*place));
    let law = match family {
        Family::Exponential => format!("exp({})", seconds(best[0].exp())),
        Family::LogNormal => format!("lognormal({},{:.4})", seconds(best[0].exp()), best[1].exp()),
    };
    let log_likelihood = -loss(&best);
    Fit {
        law: with_loss(&law, lost),
        parameters: parameters.collect(),
        log_likelihood,
        aic: 2.0 * best.len() as f64 - 2.0 * log_likelihood,
    }
}

/// From a place on the line, where all values are allowed, to a parameter.
type Back = fn(f64) -> f64;

impl Family {
    /// Parameters beside the share that never arrives.
    const fn count(self) -> usize {
        match self {
            Self::Exponential => 1,
            Self::LogNormal => 2,
        }
    }

    /// Names and meanings of the places.
    fn parameters(self, point: &[f64]) -> Vec<(&'static str, Back)> {
        let mut all: Vec<(&'static str, Back)> = match self {
            Self::Exponential => vec![("mean_s", f64::exp)],
            Self::LogNormal => vec![("median_s", f64::exp), ("sigma", f64::exp)],
        };
        all.push(("never", logistic));
        all.truncate(point.len());
        all
    }

    /// The probability of being later than `time`, of those that arrive.
    fn survival(self, point: &[f64], time: f64) -> f64 {
        if time <= 0.0 {
            return 1.0;
        }
        match self {
            Self::Exponential => (-time / point[0].exp()).exp(),
            Self::LogNormal => {
                let z = (time.ln() - point[0]) / point[1].exp();
                erfc(z / SQRT_2) / 2.0
            }
        }
    }
}

fn logistic(place: f64) -> f64 {
    1.0 / (1.0 + (-place).exp())
}

fn log_likelihood(family: Family, observations: &[Observation], point: &[f64]) -> f64 {
    let lost = point
        .get(family.count())
        .map_or(0.0, |place| logistic(*place));
    let term = |seen: &Observation| {
        let survived = family.survival(point, seen.after);
        let probability = if seen.by.is_infinite() {
            (1.0 - lost) * survived + lost
        } else {
            // An exact delay is a narrow interval.
            let width = (PRECISION * seen.by).max(1e-9);
            let (from, to) = match seen.by - seen.after < width {
                true => (seen.by - width, seen.by + width),
                false => (seen.after, seen.by),
            };
            let (from, to) = (family.survival(point, from), family.survival(point, to));
            (1.0 - lost) * (from - to)
        };
        seen.count * probability.max(1e-300).ln()
    };
    observations.iter().map(term).sum()
}

/// Where to begin: moments of the logarithms, and the share that was not seen.
fn start(family: Family, observations: &[Observation], censored: bool) -> Vec<f64> {
    let seen = observations.iter().filter(|seen| seen.by.is_finite());
    let middle = |seen: &Observation| f64::midpoint(seen.after, seen.by).max(1e-6).ln();
    let count: f64 = seen.clone().map(|seen| seen.count).sum();
    let mean = seen
        .clone()
        .map(|seen| seen.count * middle(seen))
        .sum::<f64>()
        / count;
    let squares = seen.map(|seen| seen.count * (middle(seen) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / count).sqrt().max(0.05);
    let mut point = match family {
        Family::Exponential => vec![mean + 0.5],
        Family::LogNormal => vec![mean, deviation.ln()],
    };
    if censored {
        let total: f64 = observations.iter().map(|seen| seen.count).sum();
        let lost = ((total - count) / total).clamp(0.001, 0.999);
        point.push((lost / (1.0 - lost)).ln());
    }
    point
}

/// The lowest point near `start`, by the simplex method of Nelder and Mead.
fn descend(loss: &impl Fn(&[f64]) -> f64, start: &[f64]) -> Vec<f64> {
    const STEPS: u32 = 600;
    let count = start.len();
    let mut simplex: Vec<(f64, Vec<f64>)> = (0..=count)
        .map(|corner| {
            let mut point = start.to_vec();
            if let Some(place) = point.get_mut(corner) {
                *place += 0.3;
            }
            (loss(&point), point)
        })
        .collect();
    for _ in 0..STEPS {
        simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
        let worst = simplex[count].clone();
        let centre: Vec<f64> = (0..count)
            .map(|place| {
                simplex[..count]
                    .iter()
                    .map(|(_, point)| point[place])
                    .sum::<f64>()
                    / count as f64
            })
            .collect();
        let along = |share: f64| {
            let point: Vec<f64> = centre
                .iter()
                .zip(&worst.1)
                .map(|(c, w)| c + share * (c - w))
                .collect();
            (loss(&point), point)
        };
        let mirrored = along(1.0);
        let next = if mirrored.0 < simplex[0].0 {
            let further = along(2.0);
            if further.0 < mirrored.0 {
                further
            } else {
                mirrored
            }
        } else if mirrored.0 < simplex[count - 1].0 {
            mirrored
        } else {
            along(if mirrored.0 < worst.0 { 0.5 } else { -0.5 })
        };
        if next.0 < worst.0 {
            simplex[count] = next;
            continue;
        }
        let best = simplex[0].1.clone();
        for corner in &mut simplex[1..] {
            let point: Vec<f64> = best
                .iter()
                .zip(&corner.1)
                .map(|(b, c)| f64::midpoint(*b, *c))
                .collect();
            *corner = (loss(&point), point);
        }
    }
    simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
    simplex.swap_remove(0).1
}

/// Standard errors: roots of the diagonal of the inverse of the curvature.
fn spreads(loss: &impl Fn(&[f64]) -> f64, best: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1e-3;
    let count = best.len();
    let at = |moves: &[(usize, f64)]| {
        let mut point = best.to_vec();
        for (place, step) in moves {
            point[*place] += step;
        }
        loss(&point)
    };
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|i| {
            let curvature = |j: usize| {
                let (up, down) = (STEP, -STEP);
                (at(&[(i, up), (j, up)]) - at(&[(i, up), (j, down)]) - at(&[(i, down), (j, up)])
                    + at(&[(i, down), (j, down)]))
                    / (4.0 * STEP * STEP)
            };
            let unit = (0..count).map(|j| f64::from(u8::from(i == j)));
            (0..count).map(curvature).chain(unit).collect()
        })
        .collect();
    // Gauss and Jordan; the curvature at a minimum is positive.
    for pivot in 0..count {
        let divisor = rows[pivot][pivot];
        for value in &mut rows[pivot] {
            *value /= divisor;
        }
        let pivot_row = rows[pivot].clone();
        for (place, row) in rows.iter_mut().enumerate() {
            let factor = row[pivot];
            if place != pivot {
                for (value, above) in row.iter_mut().zip(&pivot_row) {
                    *value -= factor * above;
                }
            }
        }
    }
    (0..count)
        .map(|place| rows[place][count + place].max(0.0).sqrt())
        .collect()
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
        assert!(exponential[0].law.contains("exp("), "{exponential:?}");
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
