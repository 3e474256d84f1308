//! The HDR interval log, version 1.3: one line for each distribution that had
//! values in an interval, readable by the tools of the HdrHistogram family.
//!
//! Timestamps count from the start of the run. `StartTime` and `BaseTime` are
//! both written and equal, because readers that find only one of them guess
//! what the other might be. Values are microseconds, the legible maximum of a
//! line is in milliseconds. The tag is the name of the [`Distribution`], behind
//! `warmup.` during the warm-up, so that whoever selects a name gets what the
//! reports show.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::distribution::Distribution;
use crate::interval::Interval;

/// What stands before the name in the tag of an interval of the warm-up.
pub const WARMUP: &str = "warmup.";

/// Microseconds in a millisecond: what the maximum of a line is divided by.
const MAXIMUM_DIVISOR: f64 = 1000.0;

/// The lines before the first interval; the run started at `started`, in
/// seconds since 1970.
pub fn header(started: f64) -> String {
    format!(
        "#[Histogram log format version 1.3]\n\
         #[StartTime: {started:.3} (seconds since epoch)]\n\
         #[BaseTime: {started:.3} (seconds since epoch)]\n\
         #[MaxValueDivisor: {MAXIMUM_DIVISOR:.3}]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

/// The lines of one interval, in the order of [`Distribution::all`].
pub fn lines(interval: &Interval, warmup: bool) -> String {
    let mut out = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    for distribution in Distribution::all() {
        let Some(histogram) = distribution.of(&interval.tally).histogram() else {
            continue;
        };
        let name = distribution.to_string();
        // Connections are counted over the whole run.
        let tagged = warmup && distribution != Distribution::Connect;
        let tag = if tagged {
            WARMUP.to_owned() + &name
        } else {
            name
        };
        IntervalLogWriterBuilder::new()
            .with_max_value_divisor(MAXIMUM_DIVISOR)
            .begin_log_with(&mut out, &mut serializer)
            .and_then(|mut writer| {
                let tag = Tag::new(&tag);
                let start = interval.start.since_start();
                writer
                    .write_histogram(&histogram, start, interval.length, tag)
                    .map_err(std::io::Error::other)
            })
            .expect("writing to memory does not fail, and all counts fit");
    }
    // The builder repeats the divisor before each line; the header has said it.
    let text = String::from_utf8(out).expect("the log is ASCII");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// A log that was written without tags for its warm-up, with them. `seconds`
/// tells how many histograms each second has, and whether it warms up.
pub fn tagged(log: &str, seconds: impl Iterator<Item = (usize, bool)>) -> String {
    let is_interval = |line: &&str| line.starts_with("Tag=");
    let mut out: String = log
        .lines()
        .take_while(|line| !is_interval(line))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let mut intervals = log.lines().filter(is_interval);
    for (histograms, warming) in seconds {
        for line in intervals.by_ref().take(histograms) {
            let rest = line.trim_start_matches("Tag=");
            let connect = rest.starts_with("connect,");
            let prefix = if warming && !connect { WARMUP } else { "" };
            out += &format!("Tag={prefix}{rest}\n");
        }
    }
    out
}

/// One line of a log.
#[derive(Debug)]
pub struct Entry {
    /// What was measured.
    pub distribution: Distribution,
    /// Whether the interval belongs to the warm-up.
    pub warmup: bool,
    /// From the start of the run to the interval.
    pub start: Duration,
    /// The values, in microseconds.
    pub histogram: Histogram<u64>,
}

/// The intervals of a log in order, up to the first line that is damaged.
pub fn entries(log: &[u8]) -> impl Iterator<Item = Entry> {
    let mut deserializer = Deserializer::new();
    IntervalLogIterator::new(log)
        .map_while(Result::ok)
        .filter_map(|entry| match entry {
            LogEntry::Interval(interval) => Some(interval),
            LogEntry::StartTime(_) | LogEntry::BaseTime(_) => None,
        })
        .map_while(move |interval| {
            let tag = interval.tag()?.as_str();
            let plain = tag.strip_prefix(WARMUP);
            let bytes = STANDARD.decode(interval.encoded_histogram()).ok()?;
            Some(Entry {
                distribution: plain.unwrap_or(tag).parse().ok()?,
                warmup: plain.is_some(),
                start: interval.start_timestamp(),
                histogram: deserializer.deserialize(&mut bytes.as_slice()).ok()?,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use contract::{Moment, Operation};

    fn interval() -> Interval {
        let mut tally = Tally::default();
        for milliseconds in 1..=100 {
            let response = Distribution::Response(Operation::CheckOtp);
            response
                .of_mut(&mut tally)
                .record(Duration::from_millis(milliseconds));
        }
        tally.rentals.detection_lag.record(Duration::from_secs(2));
        Interval {
            stage: crate::interval::Stage::Load,
            index: 3,
            start: Moment::START + Duration::from_millis(3250),
            length: Duration::from_secs(1),
            tally,
            cpu: None,
        }
    }

    #[test]
    fn a_log_opens_with_its_version_both_times_and_the_legend() {
        let header = header(1_795_000_000.25);
        assert!(
            header.starts_with("#[Histogram log format version 1.3]\n#[StartTime: 1795000000.250")
        );
        assert!(header.contains("\n#[BaseTime: 1795000000.250 (seconds since epoch)]\n"));
        assert!(header.ends_with("\"Interval_Compressed_Histogram\"\n"));
        let lines = lines(&interval(), false);
        assert!(
            lines.starts_with("Tag=check_otp.response,3.250,1.000,100.031,HISTFAAAA"),
            "{lines}"
        );
    }

    #[test]
    fn a_warm_up_that_was_found_afterwards_is_tagged_afterwards() {
        let interval = interval();
        let log = header(0.0) + &lines(&interval, false);
        let count = lines(&interval, false).lines().count();
        let tagged = |warming| tagged(&log, std::iter::once((count, warming)));
        assert_eq!(tagged(false), log);
        let expected = header(0.0) + &lines(&interval, true);
        assert_eq!(tagged(true), expected);
    }

    #[test]
    fn what_was_written_is_read_and_a_torn_line_ends_it() {
        let interval = interval();
        let log = header(0.0) + &lines(&interval, true) + &lines(&interval, false);
        let read: Vec<_> = entries(log.as_bytes()).collect();
        assert_eq!(read.len(), 4);
        assert_eq!((read[0].warmup, read[2].warmup), (true, false));
        assert_eq!(read[3].distribution, Distribution::Lag);
        assert_eq!(read[3].start, Duration::from_millis(3250));
        for entry in &read {
            let written = entry.distribution.of(&interval.tally).histogram();
            assert_eq!(written.as_deref(), Some(&entry.histogram));
        }
        let torn = &log.as_bytes()[..log.len() - 30];
        assert_eq!(entries(torn).count(), 3);
    }
}
