//! One phase of a run: a plan, carried out by worker threads that start
//! together. They hand over what they count second by second.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use contract::{ApiKey, Moment};
use loadgen_core::arrivals::Shard;
use loadgen_core::budget::Budget;
use loadgen_core::fleet::{Fleet, Found, Plan};
use loadgen_core::interval::Slice;
use loadgen_core::tally::Tally;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::client::{Client, Connection, Factory, Line, Opening};
use crate::clock::Clock;
use crate::gather::Gatherer;
use crate::interrupt::Interrupt;
use crate::listener::{Inbox, Listener};
use crate::pacer::Pacer;
use crate::processor::{self, Thread};
use crate::progress::{Board, Display, Stage};
use crate::recorder::Recorder;
use crate::target::Target;
use crate::worker::{self, Tools};

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
    /// What the whole run may do to the server.
    pub(crate) budget: Arc<Budget>,
    /// Who hears the webhooks.
    pub(crate) webhooks: Option<&'a Listener>,
}

/// What a phase does, who may interrupt it, and what is shown and kept meanwhile.
pub(crate) struct Work<'a> {
    pub(crate) plan: Arc<Plan>,
    pub(crate) interrupt: Interrupt,
    pub(crate) stage: Stage,
    pub(crate) display: &'a mut dyn Display,
    pub(crate) recorder: &'a mut dyn Recorder,
}

/// A finished phase, whose counts have been kept.
pub(crate) struct Finished {
    pub(crate) found: Found,
    /// When the first user could start.
    pub(crate) start: Moment,
    /// When the last user was done.
    pub(crate) end: Moment,
    /// When no more users started.
    pub(crate) end_of_arrivals: Moment,
}

/// What a worker reports.
pub(crate) enum Report {
    /// Its connections are open. It names its thread, if it can.
    Ready(io::Result<Option<Thread>>),
    /// This worker is done; with what it has not handed over yet.
    Done(usize, Finished, Box<Tally>),
}

/// Runs a phase to its end. All workers open their connections first; then
/// they are told one moment to start from.
pub(crate) fn run(context: &Context<'_>, work: &mut Work<'_>) -> io::Result<Finished> {
    // A worker without a connection could carry nothing.
    let threads = context.threads.clamp(1, context.connections);
    let boards: Vec<_> = (0..threads).map(|_| Board::default()).collect();
    thread::scope(|scope| {
        let (sender, reports) = mpsc::channel();
        let (mut starters, mut handed_over) = (Vec::new(), Vec::new());
        for (index, board) in (0..).zip(&boards) {
            let (starter, start) = mpsc::channel();
            starters.push(starter);
            let (slices, received) = mpsc::channel();
            handed_over.push(received);
            let worker = Worker {
                context,
                plan: Arc::clone(&work.plan),
                shard: Shard { index, of: threads },
                interrupt: work.interrupt.clone(),
                board,
                reports: sender.clone(),
                slices,
            };
            // If this fails, those that wait for their start see it fail too.
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || worker.run(&start))?;
        }
        drop(sender);
        let gatherer = Gatherer {
            context,
            reports: &reports,
            starters,
            slices: handed_over,
            boards: &boards,
        };
        gatherer.gather(work)
    })
}

struct Worker<'a> {
    context: &'a Context<'a>,
    plan: Arc<Plan>,
    shard: Shard,
    interrupt: Interrupt,
    board: &'a Board,
    reports: mpsc::Sender<Report>,
    slices: mpsc::Sender<Slice>,
}

/// What a worker works with, and how the opening of the connections went.
struct Opened {
    pacer: Pacer,
    connections: Vec<Connection>,
    openings: Vec<Opening>,
    /// Where webhooks arrive, before anybody can have caused one.
    inbox: Option<Inbox>,
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
                if report(Report::Ready(Ok(processor::this_thread())))
                    && let Ok(start) = start.recv()
                {
                    let index = self.shard.index as usize;
                    let (finished, rest) = runtime.block_on(self.work(start, opened));
                    report(Report::Done(index, finished, rest));
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

    async fn work(self, start: Moment, opened: Opened) -> (Finished, Box<Tally>) {
        let mut fleet = Fleet::new(self.plan, self.shard, start);
        fleet.keep_to(Arc::clone(&self.context.budget), self.shard);
        fleet.cut_into_seconds(start, self.slices);
        for opening in opened.openings {
            opening.count(&mut fleet);
        }
        let tools = Tools {
            clock: self.context.clock,
            pacer: opened.pacer,
            connections: opened.connections,
            inbox: opened.inbox,
        };
        let work = worker::work(fleet, tools, self.interrupt, self.board);
        let (mut fleet, end) = work.await;
        let end_of_arrivals = fleet.end_of_arrivals(end);
        let (rest, found) = fleet.finished();
        let finished = Finished {
            found,
            start,
            end,
            end_of_arrivals,
        };
        (finished, Box::new(rest))
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
        // Before the connections, which may take all descriptors that there are.
        pacer: Pacer::start()?,
        connections: Vec::with_capacity(count as usize),
        openings: Vec::with_capacity(count as usize),
        inbox: context.webhooks.map(Listener::subscribe),
    };
    for index in 0..count {
        let mut connection = factory.connection(&line);
        let opening = match connection.open().await {
            Err(error) if index == 0 => return Err(error),
            Err(error) => Opening::failed(&error),
            Ok(opening) => opening,
        };
        opened.openings.push(opening);
        opened.connections.push(connection);
    }
    Ok(opened)
}

impl Finished {
    /// A phase that began and ended at `now`, because nobody wanted it any more.
    pub(crate) fn nothing(now: Moment) -> Self {
        Self {
            found: Found::default(),
            start: now,
            end: now,
            end_of_arrivals: now,
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.found.merge(other.found);
        self.end = self.end.max(other.end);
        self.end_of_arrivals = self.end_of_arrivals.max(other.end_of_arrivals);
    }
}
