//! From the workers of a phase to its seconds: starts the workers when all are
//! ready, puts their slices together, hands whole seconds to whoever keeps
//! them, and keeps the display up to date.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use contract::Moment;
use loadgen_core::gathering::Gathering;
use loadgen_core::interval::{self, Interval, Slice};
use loadgen_core::tally::Tally;

use crate::phase::{Context, Finished, Report, Work};
use crate::processor::Watch;
use crate::progress::{Board, Snapshot, Stage};
use crate::recorder::Recorder;

/// How often the display is refreshed and slices are collected.
const REFRESH: Duration = Duration::from_millis(200);

/// The main thread's view of a phase.
pub(crate) struct Gatherer<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) reports: &'a Receiver<Report>,
    /// How workers are told when to start.
    pub(crate) starters: Vec<mpsc::Sender<Moment>>,
    /// What workers hand over, one after the other.
    pub(crate) slices: Vec<Receiver<Slice>>,
    pub(crate) boards: &'a [Board],
}

/// What is under way.
struct Collected {
    stage: Stage,
    start: Moment,
    gathering: Gathering,
    watch: Watch,
    watched_since: Moment,
}

impl Gatherer<'_> {
    /// Waits for all workers.
    pub(crate) fn gather(&self, work: &mut Work<'_>) -> io::Result<Finished> {
        let mut preparing = self.starters.len();
        let mut merged: Option<Finished> = None;
        let mut collected = Collected {
            stage: work.stage,
            start: Moment::START,
            gathering: Gathering::of(self.slices.len()),
            watch: Watch::default(),
            watched_since: Moment::START,
        };
        loop {
            match self.reports.recv_timeout(REFRESH) {
                Ok(Report::Ready(ready)) => {
                    if let Some(thread) = ready? {
                        collected.watch.add(thread);
                    }
                    preparing -= 1;
                    if preparing == 0 {
                        collected.start = self.start(&mut collected);
                    }
                }
                Ok(Report::Done(worker, finished, rest)) => {
                    self.collect(&mut collected, work);
                    collected.gathering.end(worker, &rest);
                    match &mut merged {
                        None => merged = Some(finished),
                        Some(merged) => merged.merge(finished),
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.collect(&mut collected, work);
                    let snapshot = Snapshot {
                        elapsed: match preparing {
                            0 => self.context.clock.now().since(collected.start),
                            _ => Duration::ZERO,
                        },
                        ..Board::read(self.boards)
                    };
                    work.display.show(work.stage, &snapshot);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        work.display.clear();
        let finished = merged.ok_or_else(|| io::Error::other("a worker thread has vanished"))?;
        collected.rest(&finished, work.recorder);
        Ok(finished)
    }

    fn start(&self, collected: &mut Collected) -> Moment {
        let start = self.context.clock.now();
        for starter in &self.starters {
            // A worker that is gone reports nothing, which is noticed later.
            let _ = starter.send(start);
        }
        collected.watch.busiest();
        collected.watched_since = start;
        start
    }

    /// Hands over the seconds that are whole.
    fn collect(&self, collected: &mut Collected, work: &mut Work<'_>) {
        for (worker, slices) in self.slices.iter().enumerate() {
            for slice in slices.try_iter() {
                collected.gathering.add(worker, &slice);
            }
        }
        while let Some((index, tally)) = collected.gathering.take() {
            let cpu = collected.cpu(self.context.clock.now());
            work.recorder
                .second(&collected.interval(index, interval::LENGTH, tally, cpu));
        }
    }
}

impl Collected {
    /// What is left when all workers are done; the last second is not a whole one.
    fn rest(&mut self, finished: &Finished, recorder: &mut dyn Recorder) {
        while let Some((index, tally)) = self.gathering.take() {
            let since = finished.end.since(self.start + interval::LENGTH * index);
            let length = since.min(interval::LENGTH);
            let interval = self.interval(index, length, tally, None);
            recorder.second(&interval);
        }
    }

    /// The share of the time since it was last asked for that the busiest worker worked.
    fn cpu(&mut self, now: Moment) -> Option<f64> {
        let elapsed = now.since(self.watched_since);
        self.watched_since = now;
        let busiest = self.watch.busiest()?;
        // Two seconds handed over together: the second of them was not watched.
        (elapsed >= REFRESH / 2).then(|| busiest.as_secs_f64() / elapsed.as_secs_f64())
    }

    fn interval(&self, index: u32, length: Duration, tally: Tally, cpu: Option<f64>) -> Interval {
        Interval {
            stage: self.stage,
            index,
            start: self.start + interval::LENGTH * index,
            length,
            tally,
            cpu,
        }
    }
}
