//! Figures of strategies with chance in them: seeded Monte Carlo.
//!
//! Rental number i has the same delay under every strategy, and customer number
//! i the same dice, so that two strategies differ by what they do. Means are
//! taken over schedules, each with its exact figures under the law, which leaves
//! only the chance that the strategy itself brings in.

use std::time::Duration;

use contract::{Dice, Law, Stream};
use loadgen_core::polling::Strategy;
use loadgen_core::polling::learner::Learner;

use super::schedule::{Figures, Schedule};
use super::settle::LabError;
use super::{walk, webhook};

/// Rentals that a random strategy is tried on.
const RENTALS: u64 = 20_000;

/// Customers who learn, each by itself, and rentals of each.
const LEARNERS: u64 = 16;
const LESSONS: u64 = 1_000;

/// Figures that were estimated, with the standard errors of the means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figures.
    pub figures: Figures,
    /// The mean number of polls of a rental without a code.
    pub requests_never: f64,
    /// The standard error of the requests.
    pub requests_error: f64,
    /// The standard error of the mean lag of the delivered, in seconds.
    pub lag_error: f64,
    /// Those of its median, 95th and 99th percentile.
    pub percentile_errors: [f64; 3],
    /// That of the polls of a rental without a code.
    pub never_error: f64,
}

/// Estimates what a strategy with chance in it costs.
pub(super) fn estimate(
    strategy: &Strategy,
    law: &Law,
    deadline: Duration,
    dice: Dice,
) -> Result<Estimate, LabError> {
    match strategy.learns() {
        Some(price) => learning(strategy, price, law, deadline, dice),
        None => independent(strategy, law, deadline, dice),
    }
}

fn independent(
    strategy: &Strategy,
    law: &Law,
    deadline: Duration,
    dice: Dice,
) -> Result<Estimate, LabError> {
    let mut books = Books::default();
    for rental in 0..RENTALS {
        let schedule = walk::schedule(strategy, deadline, dice, rental)?;
        books.add(means(strategy, &schedule, law), &schedule);
        books.rental(strategy, &schedule, law, dice, rental);
    }
    Ok(books.estimate(law.cdf(deadline.as_secs_f64())))
}

/// Each learner begins with nothing; what it pays for learning is in the figures.
fn learning(
    strategy: &Strategy,
    price: f64,
    law: &Law,
    deadline: Duration,
    dice: Dice,
) -> Result<Estimate, LabError> {
    let mut books = Books::default();
    for lesson in 0..LEARNERS {
        let mut learner = Learner::new(price);
        let (mut sums, mut polls) = ((0.0, 0.0), 0.0);
        let mut known: Option<(*const Duration, Schedule, (f64, f64))> = None;
        for number in 0..LESSONS {
            let timetable = learner.timetable(deadline);
            if known
                .as_ref()
                .is_none_or(|(which, ..)| *which != timetable.as_ptr())
            {
                let schedule = walk::schedule(&strategy.settled(&timetable), deadline, dice, 0)?;
                let figures = means(strategy, &schedule, law);
                known = Some((timetable.as_ptr(), schedule, figures));
            }
            let Some((_, schedule, figures)) = &known else {
                continue;
            };
            sums = (sums.0 + figures.0, sums.1 + figures.1);
            let rental = lesson * LESSONS + number;
            let (nothing_at, asked, arrived) = books.rental(strategy, schedule, law, dice, rental);
            let moment = Duration::from_secs_f64;
            learner.saw(moment(nothing_at), moment(asked), arrived);
            polls += schedule.polls().len() as f64 / LESSONS as f64;
        }
        books.polls.push(polls);
        books.ends.push(books.lags.len());
        let lessons = LESSONS as f64;
        books.means.push((sums.0 / lessons, sums.1 / lessons));
    }
    Ok(books.estimate(law.cdf(deadline.as_secs_f64())))
}

fn means(strategy: &Strategy, schedule: &Schedule, law: &Law) -> (f64, f64) {
    match strategy.webhook() {
        Some(webhook) => webhook::means(schedule, law, webhook),
        None => schedule.means(law),
    }
}

/// What is gathered over many rentals.
#[derive(Debug, Default)]
struct Books {
    /// Requests and lag per rental of each sample.
    means: Vec<(f64, f64)>,
    /// Polls until the deadline of each sample.
    polls: Vec<f64>,
    /// Lags of the delivered.
    lags: Vec<f64>,
    /// Where in these the lags of each learner end, if somebody learns.
    ends: Vec<usize>,
}

impl Books {
    fn add(&mut self, means: (f64, f64), schedule: &Schedule) {
        self.means.push(means);
        self.polls.push(schedule.polls().len() as f64);
    }

    /// One rental's delay against a schedule: when the last poll before the one
    /// that ended it was, when that was, and whether it brought the code.
    fn rental(
        &mut self,
        strategy: &Strategy,
        schedule: &Schedule,
        law: &Law,
        dice: Dice,
        rental: u64,
    ) -> (f64, f64, bool) {
        let mut roll = dice.roll(rental, Stream::SmsDelay, 0);
        let delay = law.sample(&mut roll).map(|delay| delay.as_secs_f64());
        let polls = schedule.polls();
        let found = delay.map_or(polls.len(), |delay| {
            polls.partition_point(|poll| *poll < delay)
        });
        let arrived = found < polls.len();
        let last = found.min(polls.len() - 1);
        let nothing_at = last.checked_sub(1).map_or(0.0, |before| polls[before]);
        if let (true, Some(delay)) = (arrived, delay) {
            let lag = polls[found] - delay;
            let push = strategy.webhook().and_then(|webhook| {
                let mut roll = dice.roll(rental, Stream::WebhookDuplicate, 0);
                let comes = contract::dice::unit(&mut roll) < webhook.probability;
                let wait = -webhook.mean * (1.0 - contract::dice::unit(&mut roll)).ln();
                comes.then_some(wait)
            });
            self.lags.push(push.map_or(lag, |push| lag.min(push)));
        }
        (nothing_at, polls[last], arrived)
    }

    fn estimate(mut self, delivered: f64) -> Estimate {
        // Of learners each is one observation, because its own lags are not independent.
        let mut learners: Vec<Vec<f64>> = Vec::new();
        let mut start = 0;
        for end in &self.ends {
            learners.push(sorted(&self.lags[start..*end]));
            start = *end;
        }
        self.lags.sort_by(f64::total_cmp);
        let error = |p: f64| match learners.is_empty() {
            true => order_error(&self.lags, p),
            false => mean(learners.iter().map(|lags| percentile(lags, p))).1,
        };
        let (requests, requests_error) = mean(self.means.iter().map(|means| means.0));
        let (lag, lag_error) = mean(self.means.iter().map(|means| means.1));
        let (requests_never, never_error) = mean(self.polls.iter().copied());
        let share = if delivered > 0.0 { delivered } else { 1.0 };
        Estimate {
            figures: Figures {
                requests,
                delivered,
                lag_mean: lag / share,
                lag_p50: percentile(&self.lags, 0.5),
                lag_p95: percentile(&self.lags, 0.95),
                lag_p99: percentile(&self.lags, 0.99),
            },
            requests_never,
            requests_error,
            lag_error: lag_error / share,
            percentile_errors: [0.5, 0.95, 0.99].map(error),
            never_error,
        }
    }
}

fn sorted(lags: &[f64]) -> Vec<f64> {
    let mut lags = lags.to_vec();
    lags.sort_by(f64::total_cmp);
    lags
}

fn percentile(sorted: &[f64], p: f64) -> f64 {
    match sorted.len() {
        0 => 0.0,
        count => sorted[((p * count as f64).ceil() as usize).clamp(1, count) - 1],
    }
}

/// The standard error of a percentile of independent lags, from its neighbours in
/// order: how many lags lie below it is binomially distributed.
fn order_error(sorted: &[f64], p: f64) -> f64 {
    let count = sorted.len() as f64;
    let spread = (count * p * (1.0 - p)).sqrt();
    let at = |place: f64| percentile(sorted, (p * count + place) / count.max(1.0));
    (at(1.96 * spread) - at(-1.96 * spread)) / (2.0 * 1.96)
}

/// The mean and its standard error.
fn mean(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.len().max(2) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}
