//! A result directory. What happens is appended while the run lasts, second by
//! second; the rest is made from that at the end, and can be made again.
//!
//! | file | written | holds |
//! | --- | --- | --- |
//! | `scenario.toml` | before | what was run, as it was read |
//! | `record.jsonl` | each second | what was counted; the source of every report |
//! | `latency.hlog` | each second | the histograms, for HdrHistogram's tools |
//! | `timeline.csv` | each second | figures over time |
//! | `result.json` | at the end | the result for machines |
//! | `*.hgrm` | at the end | percentile curves |
//! | `report.html` | at the end | the result for people |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use loadgen_core::distribution::Distribution;
use loadgen_core::interval::{Interval, Stage};
use loadgen_core::record::{self, About, End, Line, Second};
use loadgen_core::result::RunResult;
use loadgen_core::run::Run;
use loadgen_core::series::Series;
use loadgen_core::timeline::{self, Row};
use loadgen_core::warmup::Warmup;
use loadgen_core::{hgrm, hlog};

use crate::recorder::Recorder;
use crate::report;

const RECORD: &str = "record.jsonl";
const LOG: &str = "latency.hlog";
const TIMELINE: &str = "timeline.csv";
const SCENARIO: &str = "scenario.toml";
const RESULT: &str = "result.json";
const REPORT: &str = "report.html";

/// Why a directory is of no use.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be written.
    #[error("failed to write {path}: {reason}")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's complaint.
        reason: io::Error,
    },
    /// It cannot be read.
    #[error(
        "failed to read {path}: {reason}; is this a directory that otplab load -o has written?"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's complaint.
        reason: io::Error,
    },
    /// It was written by something else.
    #[error("{path} is not the record of a run; otplab load -o writes one")]
    NoRecord {
        /// The file.
        path: PathBuf,
    },
}

/// A directory that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    record: File,
    log: File,
    timeline: File,
    warmup: Warmup,
    /// What went wrong first; nothing is written after that.
    failed: Option<DirectoryError>,
}

impl Writer {
    /// Makes the directory, if it is not there, and puts the scenario into it.
    /// An earlier run's results are removed: half of each would be worse than none.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::Write`] if that is not possible.
    pub fn create(path: &Path, scenario: &str) -> Result<Self, DirectoryError> {
        let write = |path: &Path, reason| DirectoryError::Write {
            path: path.to_owned(),
            reason,
        };
        fs::create_dir_all(path).map_err(|reason| write(path, reason))?;
        remove_results(path).map_err(|reason| write(path, reason))?;
        let create = |name| {
            let path = path.join(name);
            File::create(&path).map_err(|reason| write(&path, reason))
        };
        let file = path.join(SCENARIO);
        fs::write(&file, scenario).map_err(|reason| write(&file, reason))?;
        Ok(Self {
            record: create(RECORD)?,
            log: create(LOG)?,
            timeline: create(TIMELINE)?,
            path: path.to_owned(),
            warmup: Warmup::None,
            failed: None,
        })
    }

    /// Writes what is made from the record, and says if anything could not be written.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::Write`] for what went wrong first, now or during the run.
    pub fn finish(mut self, run: &Run, scenario: &str) -> Result<(), DirectoryError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut files = vec![
            (RESULT.to_owned(), RunResult::new(run).text()),
            (REPORT.to_owned(), report::html(run, scenario)),
        ];
        for distribution in Distribution::all() {
            if let Some(text) = hgrm::text(distribution.of(&run.outcome.tally)) {
                files.push((format!("{distribution}.hgrm"), text));
            }
        }
        if self.warmup == Warmup::Auto {
            // Which seconds were warm-up was not known when they were written.
            let rows = run.rows.iter().map(Row::csv);
            files.push((
                TIMELINE.to_owned(),
                timeline::csv_header() + &rows.collect::<String>(),
            ));
            let warmup = run.outcome.warmup.as_ref().map_or(0, |part| part.seconds);
            files.push((LOG.to_owned(), self.tagged(warmup)?));
        }
        for (name, text) in files {
            self.replace(&name, &text)?;
        }
        Ok(())
    }

    /// The log with the tags of a warm-up of so many seconds.
    fn tagged(&self, seconds: u32) -> Result<String, DirectoryError> {
        let (record, log) = (read(&self.path, RECORD)?, read(&self.path, LOG)?);
        let parts = record::seconds(&record)
            .map(|second| (second.distributions.len(), second.warms_up(seconds)));
        Ok(hlog::tagged(&log, parts))
    }

    /// Renamed into place, so that nobody ever reads half a file.
    fn replace(&self, name: &str, text: &str) -> Result<(), DirectoryError> {
        let path = self.path.join(name);
        let unfinished = self.path.join(format!(".{name}.unfinished"));
        fs::write(&unfinished, text)
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|reason| DirectoryError::Write { path, reason })
    }

    fn append(&mut self, name: &str, text: &str) {
        if self.failed.is_some() {
            return;
        }
        let file = match name {
            RECORD => &mut self.record,
            LOG => &mut self.log,
            _ => &mut self.timeline,
        };
        if let Err(reason) = file.write_all(text.as_bytes()) {
            let path = self.path.join(name);
            self.failed = Some(DirectoryError::Write { path, reason });
        }
    }
}

impl Recorder for Writer {
    fn begin(&mut self, about: &About) {
        self.warmup = about.warmup;
        self.append(RECORD, &Line::Run(about.clone()).text());
        self.append(LOG, &hlog::header(about.started_s));
        self.append(TIMELINE, &timeline::csv_header());
    }

    fn second(&mut self, interval: &Interval) {
        let load = interval.stage == Stage::Load;
        let warmup = load && self.warmup.covers(interval.index);
        // The histograms first: a second is there when its line in the record is.
        self.append(LOG, &hlog::lines(interval, warmup));
        let second = Line::Second(Box::new(Second::of(interval)));
        self.append(RECORD, &second.text());
        if load {
            self.append(TIMELINE, &Row::of(interval, warmup).csv());
        }
    }

    fn end(&mut self, end: &End) {
        self.append(RECORD, &Line::End(*end).text());
    }
}

/// A run from its directory, and its scenario.
///
/// # Errors
///
/// [`DirectoryError`] if there is no record. One that stops in the middle is
/// read as far as it goes.
pub fn open(path: &Path) -> Result<(Run, String), DirectoryError> {
    let record = read(path, RECORD)?;
    let log = read(path, LOG)?;
    let mut series = None;
    let mut add = |about: &About, interval: &Interval| {
        series
            .get_or_insert_with(|| Series::new(about.warmup))
            .add(interval);
    };
    let Some((about, end)) = record::read(&record, log.as_bytes(), &mut add) else {
        let path = path.join(RECORD);
        return Err(DirectoryError::NoRecord { path });
    };
    // The report is complete without it.
    let scenario = read(path, SCENARIO).unwrap_or_default();
    let series = series.unwrap_or_else(|| Series::new(about.warmup));
    Ok((Run::new(about, series, end), scenario))
}

fn read(path: &Path, name: &str) -> Result<String, DirectoryError> {
    let path = path.join(name);
    match fs::read(&path) {
        // A file that was cut off may end in the middle of a character.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(reason) => Err(DirectoryError::Read { path, reason }),
    }
}

/// Removes the files that are written at the end only.
fn remove_results(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default();
        let stale = name == RESULT || name == REPORT;
        let curve = file
            .extension()
            .is_some_and(|extension| extension == "hgrm")
            && file.file_stem().is_some_and(is_distribution);
        if stale || curve {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

fn is_distribution(stem: &std::ffi::OsStr) -> bool {
    stem.to_str()
        .is_some_and(|stem| stem.parse::<Distribution>().is_ok())
}
