//! One phase of a run: a plan, carried out by worker threads that start
//! together. Their counts are merged when all of them are done.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use contract::{ApiKey, Moment};
use loadgen_core::arrivals::Shard;
use loadgen_core::fleet::{Fleet, Found, Plan};
use loadgen_core::tally::Tally;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::client::{Client, Connection, Factory, Line};
use crate::clock::Clock;
use crate::interrupt::Interrupt;
use crate::progress::{Board, Display, Stage};
use crate::target::Target;
use crate::worker;

/// What all phases of a run have in common.
pub(crate) struct Context<'a> {
    pub(crate) clock: Clock,
    pub(crate) target: &'a Target,
    pub(crate) keys: Arc<[ApiKey]>,
    pub(crate) client: Client,
    pub(crate) connections: u32,
    pub(crate) request_timeout: Duration,
    pub(crate) threads: u32,
    /// Whether to ask the server for ground truth.
    pub(crate) truth: bool,
}

/// What a phase does, who may interrupt it, and what is shown meanwhile.
pub(crate) struct Work<'a> {
    pub(crate) plan: Arc<Plan>,
    pub(crate) interrupt: Interrupt,
    pub(crate) stage: Stage,
    pub(crate) display: &'a mut dyn Display,
}

/// A finished phase.
pub(crate) struct Finished {
    pub(crate) tally: Tally,
    pub(crate) found: Found,
    /// When the first user could start.
    pub(crate) start: Moment,
    /// When the last user was done.
    pub(crate) end: Moment,
    /// When no more users started.
    pub(crate) end_of_arrivals: Moment,
}

/// What a worker reports: that its connections are open, or that it is done.
enum Report {
    Ready(io::Result<()>),
    Done(io::Result<Box<Finished>>),
}

/// Runs a phase to its end. All workers open their connections first; then
/// they are told one moment to start from.
pub(crate) fn run(context: &Context<'_>, work: &mut Work<'_>) -> io::Result<Finished> {
    // A worker without a connection could carry nothing.
    let threads = context.threads.clamp(1, context.connections);
    let boards: Vec<_> = (0..threads).map(|_| Board::default()).collect();
    thread::scope(|scope| {
        let (sender, reports) = mpsc::channel();
        let mut starters = Vec::new();
        for (index, board) in (0..).zip(&boards) {
            let (starter, start) = mpsc::channel();
            starters.push(starter);
            let worker = Worker {
                context,
                plan: Arc::clone(&work.plan),
                shard: Shard { index, of: threads },
                interrupt: work.interrupt.clone(),
                board,
                reports: sender.clone(),
            };
            // If this fails, those that wait for their start see it fail too.
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || worker.run(&start))?;
        }
        drop(sender);
        gather(context, &reports, &starters, &boards, work)
    })
}

struct Worker<'a> {
    context: &'a Context<'a>,
    plan: Arc<Plan>,
    shard: Shard,
    interrupt: Interrupt,
    board: &'a Board,
    reports: mpsc::Sender<Report>,
}

/// Connections, and how long each that opened took.
struct Opened {
    connections: Vec<Connection>,
    took: Vec<Duration>,
}

impl Worker<'_> {
    /// The thread: ready, wait for the start, work, report.
    fn run(self, start: &mpsc::Receiver<Moment>) {
        let reports = self.reports.clone();
        // Nobody listens any more when another worker has failed.
        let report = |report| reports.send(report).is_ok();
        match self.prepare() {
            Err(error) => {
                report(Report::Ready(Err(error)));
            }
            Ok((runtime, opened)) => {
                if report(Report::Ready(Ok(())))
                    && let Ok(start) = start.recv()
                {
                    let work = self.work(start, opened);
                    report(Report::Done(runtime.block_on(work).map(Box::new)));
                }
            }
        }
    }

    fn prepare(&self) -> io::Result<(LocalRuntime, Opened)> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().build_local(LocalOptions::default())?;
        let opened = runtime.block_on(open(self.context, self.shard))?;
        Ok((runtime, opened))
    }

    async fn work(self, start: Moment, opened: Opened) -> io::Result<Finished> {
        let mut fleet = Fleet::new(self.plan, self.shard, start);
        for took in opened.took {
            fleet.connected(took);
        }
        let connections = opened.connections;
        let clock = self.context.clock;
        let work = worker::work(fleet, clock, connections, self.interrupt, self.board);
        let (mut fleet, end) = work.await?;
        let end_of_arrivals = fleet.end_of_arrivals(end);
        let (tally, found) = fleet.finished();
        Ok(Finished {
            tally,
            found,
            start,
            end,
            end_of_arrivals,
        })
    }
}

impl Context<'_> {
    fn line(&self) -> Line {
        Line {
            target: self.target.clone(),
            keys: Arc::clone(&self.keys),
            truth: self.truth,
            request_timeout: self.request_timeout,
            clock: self.clock,
        }
    }
}

/// This shard's connections, opened before the clock runs. Only the first has
/// to open; the others try again when there is something to carry.
async fn open(context: &Context<'_>, shard: Shard) -> io::Result<Opened> {
    let line = Rc::new(context.line());
    let factory = Factory::new(context.client, &line)?;
    let count = (context.connections + shard.of - 1 - shard.index) / shard.of;
    let mut opened = Opened {
        connections: Vec::with_capacity(count as usize),
        took: Vec::new(),
    };
    for index in 0..count {
        let mut connection = factory.connection(&line);
        let took = match connection.open().await {
            Err(error) if index == 0 => return Err(error),
            took => took.ok().flatten(),
        };
        opened.took.extend(took);
        opened.connections.push(connection);
    }
    Ok(opened)
}

/// Starts the workers when all are ready, and waits for them, keeping the display up to date.
fn gather(
    context: &Context<'_>,
    reports: &mpsc::Receiver<Report>,
    starters: &[mpsc::Sender<Moment>],
    boards: &[Board],
    work: &mut Work<'_>,
) -> io::Result<Finished> {
    const REFRESH: Duration = Duration::from_millis(200);
    let mut preparing = starters.len();
    let mut merged: Option<Finished> = None;
    loop {
        match reports.recv_timeout(REFRESH) {
            Ok(Report::Ready(ready)) => {
                ready?;
                preparing -= 1;
                if preparing == 0 {
                    let start = context.clock.now();
                    for starter in starters {
                        // A worker that is gone reports nothing, which is noticed below.
                        let _ = starter.send(start);
                    }
                }
            }
            Ok(Report::Done(finished)) => {
                let finished = *finished?;
                match &mut merged {
                    None => merged = Some(finished),
                    Some(merged) => merged.merge(finished),
                }
            }
            Err(RecvTimeoutError::Timeout) => work.display.show(work.stage, &Board::read(boards)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    work.display.clear();
    merged.ok_or_else(|| io::Error::other("a worker thread has vanished"))
}

impl Finished {
    /// A phase that began and ended at `now`, because nobody wanted it any more.
    pub(crate) fn nothing(now: Moment) -> Self {
        Self {
            tally: Tally::default(),
            found: Found::default(),
            start: now,
            end: now,
            end_of_arrivals: now,
        }
    }

    fn merge(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        self.found.merge(other.found);
        self.end = self.end.max(other.end);
        self.end_of_arrivals = self.end_of_arrivals.max(other.end_of_arrivals);
    }
}
