//! Arrivals that were recorded, to be replayed: one line for each, with its
//! time in seconds. Opening the file is the shell's business.

use std::sync::Arc;
use std::time::Duration;

/// Recorded arrivals.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The file's name.
    pub file: String,
    /// How many times as fast as it was recorded.
    pub speed: f64,
    /// From the first arrival to each, in nanoseconds; empty until it is read.
    instants: Arc<[u64]>,
}

/// Why a recording cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// A line without a time.
    #[error("{file}:{line}: {text:?} is not a time; write seconds like 12.25, one arrival a line")]
    Line {
        /// The file's name.
        file: String,
        /// From 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// No lines.
    #[error("{0}: there are no arrivals; write seconds like 12.25, one arrival a line")]
    Empty(String),
}

/// Longer than any recording: some thirty years.
const LONGEST: f64 = 1e9;

impl Recording {
    /// The recording in `file`, not read yet.
    pub fn new(file: &str, speed: f64) -> Self {
        Self {
            file: file.to_owned(),
            speed,
            instants: Arc::default(),
        }
    }

    /// Reads the file's `text`: the first number of each line, in seconds since
    /// whenever. What follows a comma and what begins with `#` is not read, and
    /// neither is a first line of names. Lines may be in any order.
    ///
    /// # Errors
    ///
    /// [`RecordingError`] with the line that has no time.
    pub fn read(&mut self, text: &str) -> Result<(), RecordingError> {
        let mut times = Vec::new();
        let lines = (1..).zip(text.lines().map(str::trim));
        for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
            let field = text.split(',').next().unwrap_or_default().trim();
            match field.parse::<f64>() {
                Ok(time) if time.is_finite() => times.push(time),
                _ if line == 1 => {}
                _ => {
                    return Err(RecordingError::Line {
                        file: self.file.clone(),
                        line,
                        text: field.to_owned(),
                    });
                }
            }
        }
        times.sort_by(f64::total_cmp);
        let Some(first) = times.first().copied() else {
            return Err(RecordingError::Empty(self.file.clone()));
        };
        let since = |time: f64| ((time - first) / self.speed).clamp(0.0, LONGEST);
        self.instants = times
            .into_iter()
            .map(|time| Duration::from_secs_f64(since(time)).as_nanos() as u64)
            .collect();
        Ok(())
    }

    /// When arrival number `index` is due after the first.
    pub fn instant(&self, index: u64) -> Option<Duration> {
        let place = usize::try_from(index).ok()?;
        self.instants.get(place).copied().map(Duration::from_nanos)
    }

    /// How many arrive before `at`.
    pub fn before(&self, at: Duration) -> u64 {
        let nanoseconds = at.as_nanos();
        let count = self
            .instants
            .partition_point(|instant| u128::from(*instant) < nanoseconds);
        count as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, speed: f64) -> Result<Vec<u64>, String> {
        let mut recording = Recording::new("a.csv", speed);
        recording.read(text).map_err(|error| error.to_string())?;
        let instants = (0..).map_while(|index| recording.instant(index));
        Ok(instants.map(|at| at.as_millis() as u64).collect())
    }

    #[test]
    fn times_count_from_the_first_whatever_the_order() {
        let text = "time,who\n# from the log\n1700000003.5,b\n\n1700000001,a\n1700000001.25\n";
        assert_eq!(read(text, 1.0), Ok(vec![0, 250, 2500]));
        assert_eq!(read(text, 2.5), Ok(vec![0, 100, 1000]));
    }

    #[test]
    fn mistakes_name_the_line() {
        let error = read("1.5\nlater\n", 1.0).expect_err("no time");
        assert!(
            error.starts_with("a.csv:2: \"later\" is not a time"),
            "{error}"
        );
        assert!(read("1\nNaN\n", 1.0).is_err());
        let error = read("# nobody\n", 1.0).expect_err("nobody");
        assert!(error.starts_with("a.csv: there are no arrivals"), "{error}");
    }
}
