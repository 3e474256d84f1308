//! A run over time: a row of figures for each second of the load, for plots and
//! for spreadsheets (`timeline.csv`).

use std::fmt::Write;

use contract::Operation;
use serde::Serialize;

use crate::interval::Interval;
use crate::tally::OperationTally;

/// One second of the load, or less at its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// From the start of the load.
    pub second: u32,
    /// How long it was, in seconds.
    pub length_s: f64,
    /// Whether it is warm-up.
    pub warmup: bool,
    /// Requests meant to be sent before the last user came.
    pub offered: u64,
    /// Of those, answered before the last user came; `operations` have all.
    pub achieved: u64,
    /// Users alive at most.
    pub users: u64,
    /// Codes received.
    pub delivered: u64,
    /// Median detection lag, in microseconds.
    pub lag_p50_us: Option<u64>,
    /// 99th percentile of the generator's lateness, in microseconds.
    pub lateness_p99_us: Option<u64>,
    /// Share of the busiest worker's time on a processor.
    pub cpu: Option<f64>,
    /// In the order of [`Operation::ALL`].
    pub operations: [Cell; 4],
}

/// One operation in one second; times in microseconds, absent without enough samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Cell {
    pub requests: u64,
    pub errors: u64,
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
    pub max: Option<u64>,
    pub service_p50: Option<u64>,
    pub service_p99: Option<u64>,
}

impl Row {
    /// The figures of an interval.
    pub fn of(interval: &Interval, warmup: bool) -> Self {
        let tally = &interval.tally;
        Self {
            second: interval.index,
            length_s: interval.length.as_secs_f64(),
            warmup,
            offered: tally.offered,
            achieved: tally.achieved,
            users: tally.rentals.peak_in_flight,
            delivered: tally.rentals.delivered,
            lag_p50_us: tally.rentals.detection_lag.percentile(0.5),
            lateness_p99_us: tally.instrument.lateness.percentile(0.99),
            cpu: interval.cpu.map(|share| (share * 1e4).round() / 1e4),
            operations: Operation::ALL.map(|operation| Cell::of(tally.operation(operation))),
        }
    }

    /// What a rule for the warm-up looks at: the median response time of the
    /// operation that was used most, or of any if there are too few for one.
    pub fn median(&self) -> Option<f64> {
        let most = self.operations.iter().max_by_key(|cell| cell.requests)?;
        most.p50.or(most.max).map(|value| value as f64)
    }
}

impl Cell {
    fn of(tally: &OperationTally) -> Self {
        Self {
            requests: tally.requests,
            errors: tally.failed(),
            p50: tally.response.percentile(0.5),
            p90: tally.response.percentile(0.9),
            p99: tally.response.percentile(0.99),
            max: tally.response.greatest(),
            service_p50: tally.service.percentile(0.5),
            service_p99: tally.service.percentile(0.99),
        }
    }
}

/// The names of the columns, with the end of the line.
pub fn csv_header() -> String {
    let mut out = "second,length_s,warmup,offered,achieved,users,delivered,lag_p50_us,\
                   lateness_p99_us,cpu"
        .to_owned();
    for operation in Operation::ALL {
        for column in [
            "requests",
            "errors",
            "response_p50_us",
            "response_p90_us",
            "response_p99_us",
            "response_max_us",
            "service_p50_us",
            "service_p99_us",
        ] {
            write!(out, ",{operation}_{column}").expect("writing to a string");
        }
    }
    out + "\n"
}

impl Row {
    /// The row as a line of the CSV file; what is not known is empty.
    pub fn csv(&self) -> String {
        fn shown<T: ToString>(value: Option<T>) -> String {
            value.map_or_else(String::new, |value| value.to_string())
        }
        let mut cells = vec![
            self.second.to_string(),
            self.length_s.to_string(),
            u8::from(self.warmup).to_string(),
            self.offered.to_string(),
            self.achieved.to_string(),
            self.users.to_string(),
            self.delivered.to_string(),
            shown(self.lag_p50_us),
            shown(self.lateness_p99_us),
            shown(self.cpu),
        ];
        for cell in &self.operations {
            cells.extend([cell.requests.to_string(), cell.errors.to_string()]);
            cells.extend([
                shown(cell.p50),
                shown(cell.p90),
                shown(cell.p99),
                shown(cell.max),
                shown(cell.service_p50),
                shown(cell.service_p99),
            ]);
        }
        cells.join(",") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Times;
    use crate::interval::Stage;
    use crate::tally::Tally;
    use contract::Moment;
    use std::time::Duration;

    #[test]
    fn a_line_has_a_cell_for_each_column() {
        let mut tally = Tally::default();
        let times = Times {
            intended: Moment::START,
            sent: Moment::START,
            answered: Moment::from_nanoseconds(70_000),
        };
        tally.request(Operation::Rent, times, None);
        let row = Row::of(
            &Interval {
                stage: Stage::Load,
                index: 4,
                start: Moment::START,
                length: Duration::from_millis(500),
                tally,
                cpu: Some(0.123_456),
            },
            true,
        );
        let (header, line) = (csv_header(), row.csv());
        assert_eq!(header.matches(',').count(), line.matches(',').count());
        assert!(line.starts_with("4,0.5,1,0,0,0,0,,,0.1235,0,0,"), "{line}");
        assert!(
            line.contains(",1,0,,,,70,,"),
            "one sample makes no percentile: {line}"
        );
        assert_eq!(row.median(), Some(70.0));
    }
}
