//! One phase of a run: a plan, carried out by worker threads that start
//! together. Their counts are merged when all of them are done.

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use contract::{ApiKey, Moment};
use hyper::header::HeaderValue;
use loadgen_core::arrivals::Shard;
use loadgen_core::fleet::{Fleet, Found, Plan};
use loadgen_core::tally::Tally;
use tokio::task::LocalSet;

use crate::clock::Clock;
use crate::connection::{Connection, Line};
use crate::interrupt::Interrupt;
use crate::progress::{Board, Display, Stage};
use crate::target::Target;
use crate::worker;

/// What all phases of a run have in common.
pub(crate) struct Context<'a> {
    pub(crate) clock: Clock,
    pub(crate) target: &'a Target,
    pub(crate) keys: &'a [ApiKey],
    pub(crate) connections: u32,
    pub(crate) request_timeout: Duration,
    pub(crate) threads: u32,
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
    pub(crate) last_start: Moment,
}

/// What the workers of a phase share: only how to start.
struct Start {
    ready: Barrier,
    at: OnceLock<Moment>,
    failed: AtomicBool,
}

/// Runs a phase to its end.
pub(crate) fn run(context: &Context<'_>, work: &mut Work<'_>) -> io::Result<Finished> {
    // A worker without a connection could carry nothing.
    let threads = context.threads.clamp(1, context.connections);
    let boards: Vec<_> = (0..threads).map(|_| Board::default()).collect();
    let start = Start {
        ready: Barrier::new(threads as usize),
        at: OnceLock::new(),
        failed: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for (index, board) in (0..).zip(&boards) {
            let shard = Shard { index, of: threads };
            let (plan, interrupt) = (Arc::clone(&work.plan), work.interrupt.clone());
            let (start, sender) = (&start, sender.clone());
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || {
                    // The receiver waits for every worker, so this cannot fail.
                    let _ = sender.send(worker(context, plan, shard, start, interrupt, board));
                })?;
        }
        drop(sender);
        gather(&results, &boards, work.stage, &mut *work.display)
    })
}

fn worker(
    context: &Context<'_>,
    plan: Arc<Plan>,
    shard: Shard,
    start: &Start,
    interrupt: Interrupt,
    board: &Board,
) -> io::Result<Finished> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    let opened = local.block_on(&runtime, open(context, shard));
    start.failed.fetch_or(opened.is_err(), Ordering::Relaxed);
    start.ready.wait();
    let connections = opened?;
    if start.failed.load(Ordering::Relaxed) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let began = *start.at.get_or_init(|| context.clock.now());
    let fleet = Fleet::new(plan, shard, began);
    let work = worker::work(fleet, context.clock, connections, interrupt, board);
    let (fleet, end) = local.block_on(&runtime, work)?;
    let last_start = fleet.last_start().min(end);
    let (tally, found) = fleet.finished();
    Ok(Finished {
        tally,
        found,
        start: began,
        end,
        last_start,
    })
}

/// This shard's connections, opened before the clock runs. Only the first has
/// to open; the others try again when there is something to carry.
async fn open(context: &Context<'_>, shard: Shard) -> io::Result<Vec<Connection>> {
    let host = HeaderValue::from_str(&context.target.authority).map_err(io::Error::other)?;
    let line = Rc::new(Line {
        target: context.target.clone(),
        host,
        keys: context.keys.iter().map(auth).collect(),
        truth: context.target.is_loopback(),
        request_timeout: context.request_timeout,
        clock: context.clock,
    });
    let count = (context.connections + shard.of - 1 - shard.index) / shard.of;
    let mut connections = Vec::with_capacity(count as usize);
    for index in 0..count {
        let mut connection = Connection::new(Rc::clone(&line));
        let opened = connection.open().await;
        if index == 0 {
            opened?;
        }
        connections.push(connection);
    }
    Ok(connections)
}

fn auth(key: &ApiKey) -> HeaderValue {
    let mut value = HeaderValue::from_str(key.secret()).expect("a key is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Waits for the workers, keeping the display up to date.
fn gather(
    results: &mpsc::Receiver<io::Result<Finished>>,
    boards: &[Board],
    stage: Stage,
    display: &mut dyn Display,
) -> io::Result<Finished> {
    const REFRESH: Duration = Duration::from_millis(200);
    let mut merged: Option<Finished> = None;
    loop {
        match results.recv_timeout(REFRESH) {
            Ok(finished) => {
                let finished = finished?;
                match &mut merged {
                    None => merged = Some(finished),
                    Some(merged) => merged.merge(finished),
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => display.show(stage, &Board::read(boards)),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    display.clear();
    merged.ok_or_else(|| io::Error::other("a worker thread has vanished"))
}

impl Finished {
    fn merge(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        self.found.merge(other.found);
        self.end = self.end.max(other.end);
        self.last_start = self.last_start.max(other.last_start);
    }
}
