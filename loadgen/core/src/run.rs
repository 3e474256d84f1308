//! A finished run, as every report sees it: put together in the same way
//! whether it has just ended or is read from its directory.

use std::time::Duration;

use crate::outcome::{Outcome, WarmupPart};
use crate::record::{About, End, Ending};
use crate::series::{Series, Sums};
use crate::threshold::Verdict;
use crate::timeline::Row;
use crate::validity::{Evidence, Validity};

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was run.
    pub about: About,
    /// What was measured.
    pub outcome: Outcome,
    /// The load, second by second.
    pub rows: Vec<Row>,
    /// How each threshold came out.
    pub verdicts: Vec<Verdict>,
    /// Whether the figures can be relied on.
    pub validity: Validity,
    /// How it ended.
    pub ending: Ending,
}

impl Run {
    /// Adds up what is known of a run. Without an end, it was cut short.
    pub fn new(about: About, series: Series, end: Option<End>) -> Self {
        let sums = series.finish();
        let ending = Ending::of(end.as_ref());
        let outcome = outcome(&sums, end);
        let evidence = Evidence {
            about: &about,
            outcome: &outcome,
            ending,
            cpu: busiest(&sums.rows, outcome.window),
            steady: sums.steady,
        };
        let validity = evidence.judge();
        let thresholds = about.thresholds.iter();
        Self {
            verdicts: thresholds
                .map(|threshold| threshold.judge(&outcome))
                .collect(),
            outcome,
            validity,
            rows: sums.rows,
            about,
            ending,
        }
    }

    /// Whether all thresholds held.
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.passed)
    }
}

fn outcome(sums: &Sums, end: Option<End>) -> Outcome {
    let recorded: f64 = sums.rows.iter().map(|row| row.length_s).sum();
    let recorded = Duration::from_secs_f64(recorded);
    let (duration, window) = end.map_or((recorded, recorded), |end| {
        let (duration, window) = (end.duration_ns, end.window_ns);
        (Duration::from_nanos(duration), Duration::from_nanos(window))
    });
    let warmup = Duration::from_secs(u64::from(sums.warmup_seconds));
    Outcome {
        tally: sums.measured.clone(),
        warmup: (sums.warmup_seconds > 0).then(|| WarmupPart {
            seconds: sums.warmup_seconds,
            tally: sums.warming.clone(),
        }),
        duration,
        window: window.saturating_sub(warmup),
        ledger: end.and_then(|end| end.ledger).map(Into::into),
    }
}

/// The busiest worker's mean share of a processor while users arrived, after
/// the warm-up. Afterwards it may well be idle, which would hide that it was not.
fn busiest(rows: &[Row], window: Duration) -> Option<f64> {
    let measured = rows.iter().filter(|row| !row.warmup);
    let seconds = window.as_secs_f64().ceil() as usize;
    let shares: Vec<_> = measured.take(seconds).filter_map(|row| row.cpu).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}
