//! The stall test: a server that is asked at a steady rate stands still for a
//! moment. What response times have to say then is arithmetic; a tool whose
//! figures differ hides what its users wait.

use std::time::Duration;

use serde::Serialize;

use crate::fitness::Standing;
use crate::latencies::Latencies;

/// What was done and measured.
#[derive(Clone, Copy, Debug)]
pub struct Stalled<'a> {
    /// How long requests were due, at a steady rate.
    pub arrivals: Duration,
    /// How long of that the server stood still.
    pub stood_still: Duration,
    /// From intended to answered.
    pub response: &'a Latencies,
    /// From sent to answered.
    pub service: &'a Latencies,
}

/// What it shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Demonstration {
    /// How long requests were due, in seconds.
    pub arrivals_s: f64,
    /// How long of that the server stood still, in seconds.
    pub stood_still_s: f64,
    /// How far response times are from arithmetic: good within a tenth, bad beyond a quarter.
    pub verdict: Standing,
    /// One by one.
    pub percentiles: Vec<Row>,
}

/// A percentile in three ways, in microseconds; null without enough samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub percentile: &'static str,
    /// What has to come out.
    pub arithmetic_us: u64,
    /// What customers waited.
    pub response_us: Option<u64>,
    /// What a tool sees that times only what it has sent.
    pub service_us: Option<u64>,
}

/// How far off is good, and how far is bad.
const OFF: (f64, f64) = (0.1, 0.25);

/// What `quantile` of all response times do not exceed if the server stood still
/// for `share` of the arrivals.
///
/// Those due during the stall waited for its end, evenly from nothing to all of
/// it; the others hardly waited at all.
pub fn expected(quantile: f64, share: f64, stood_still: Duration) -> Duration {
    let beyond = (1.0 - quantile) / share.max(f64::MIN_POSITIVE);
    stood_still.mul_f64((1.0 - beyond).clamp(0.0, 1.0))
}

impl Stalled<'_> {
    /// Arithmetic beside what was measured.
    pub fn judge(&self) -> Demonstration {
        let share = self.stood_still.as_secs_f64() / self.arrivals.as_secs_f64().max(1e-9);
        let rows = [("p90", 0.9), ("p95", 0.95), ("p99", 0.99)].map(|(percentile, quantile)| {
            let arithmetic = expected(quantile, share, self.stood_still);
            Row {
                percentile,
                arithmetic_us: u64::try_from(arithmetic.as_micros()).unwrap_or(u64::MAX),
                response_us: self.response.percentile(quantile),
                service_us: self.service.percentile(quantile),
            }
        });
        Demonstration {
            arrivals_s: self.arrivals.as_secs_f64(),
            stood_still_s: self.stood_still.as_secs_f64(),
            verdict: verdict(&rows),
            percentiles: rows.to_vec(),
        }
    }
}

fn verdict(rows: &[Row]) -> Standing {
    let off = rows.iter().map(|row| {
        let measured = row.response_us? as f64;
        Some((measured / row.arithmetic_us.max(1) as f64 - 1.0).abs())
    });
    // One percentile that is not known makes the whole unknown.
    let off: Option<Vec<f64>> = off.collect();
    match off.map(|all| all.into_iter().fold(0.0, f64::max)) {
        None => Standing::Unknown,
        Some(worst) if worst > OFF.1 => Standing::Bad,
        Some(worst) if worst > OFF.0 => Standing::Warn,
        Some(_) => Standing::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_time_is_a_tenth_of_the_requests() {
        let stall = Duration::from_secs(1);
        for (quantile, milliseconds) in [(0.5, 0), (0.9, 0), (0.95, 500), (0.99, 900), (1.0, 1000)]
        {
            let waited = expected(quantile, 0.1, stall);
            assert!(
                waited.as_millis().abs_diff(milliseconds) <= 1,
                "{quantile}: {waited:?}"
            );
        }
        assert_eq!(
            expected(0.99, 0.0, stall),
            Duration::ZERO,
            "nobody stood still"
        );
    }

    /// 1500 requests in 3 s, of which a fifth was due during the stall.
    fn demonstrated(scale: f64) -> Demonstration {
        let (mut response, mut service) = (Latencies::default(), Latencies::default());
        for index in 0_u32..1500 {
            let waited = Duration::from_millis(u64::from(index.saturating_sub(1200)) * 2);
            response.record(waited.mul_f64(scale) + Duration::from_micros(50));
            service.record(Duration::from_micros(50));
        }
        let stalled = Stalled {
            arrivals: Duration::from_secs(3),
            stood_still: Duration::from_millis(600),
            response: &response,
            service: &service,
        };
        stalled.judge()
    }

    #[test]
    fn response_times_agree_with_arithmetic_or_are_called_what_they_are() {
        let good = demonstrated(1.0);
        assert_eq!(good.verdict, Standing::Ok, "{good:?}");
        assert_eq!(good.percentiles[0].arithmetic_us, 300_000);
        assert_eq!(good.percentiles[2].service_us, Some(50));
        assert_eq!(demonstrated(1.2).verdict, Standing::Warn);
        assert_eq!(
            demonstrated(0.0).verdict,
            Standing::Bad,
            "a tool that hides the stall"
        );
        let none = Latencies::default();
        let stalled = Stalled {
            arrivals: Duration::from_secs(3),
            stood_still: Duration::from_millis(600),
            response: &none,
            service: &none,
        };
        assert_eq!(stalled.judge().verdict, Standing::Unknown);
    }
}
