//! One worker: a thread with a shard of the users, its own connections and its
//! own counts. Nothing is shared with other workers while it runs.
//!
//! The loop has two halves. A connection that is free takes the next order
//! from the queue, carries it, and hands the answer to the fleet; the pacer
//! wakes the fleet when a timer or an arrival is due. After either, the fleet
//! is asked for orders until it has none.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use contract::Moment;
use loadgen_core::call::{Order, Times};
use loadgen_core::fleet::{Fleet, Output};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::connection::Connection;
use crate::interrupt::{Interrupt, Urgency};
use crate::pacer::Pacer;
use crate::progress::{Board, Snapshot};

/// How often a worker tells the display how it stands.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(200);

/// After the first Ctrl-C, customers may take this long to get their codes.
const DRAIN: Duration = Duration::from_secs(10);

/// The fleet and the orders between it and its connections.
struct Desk {
    clock: Clock,
    fleet: RefCell<Fleet>,
    queue: RefCell<VecDeque<Order>>,
    /// Wakes one of the connections that found the queue empty.
    ordered: Notify,
    done: Cell<bool>,
    pacer: Pacer,
    woken: Arc<Notify>,
}

/// Runs `fleet` to its end over `connections`; says when that was. The caller
/// runs this within a `LocalSet`.
pub(crate) async fn work(
    fleet: Fleet,
    clock: Clock,
    connections: Vec<Connection>,
    mut interrupt: Interrupt,
    board: &Board,
) -> std::io::Result<(Fleet, Moment)> {
    let woken = Arc::new(Notify::new());
    let desk = Rc::new(Desk {
        clock,
        fleet: RefCell::new(fleet),
        queue: RefCell::default(),
        ordered: Notify::new(),
        done: Cell::new(false),
        pacer: Pacer::start(Arc::clone(&woken))?,
        woken: Arc::clone(&woken),
    });
    let mut serving = JoinSet::new();
    for connection in connections {
        serving.spawn_local(Rc::clone(&desk).serve(connection));
    }
    let mut snapshots = tokio::time::interval(SNAPSHOT_EVERY);
    desk.pump();
    while !desk.done.get() {
        tokio::select! {
            () = woken.notified() => desk.pump(),
            _ = snapshots.tick() => board.post(desk.snapshot()),
            () = interrupt.changed() => desk.heed(interrupt.urgency()),
        }
    }
    let end = desk.clock.now();
    board.post(desk.snapshot());
    serving.shutdown().await;
    let desk = Rc::into_inner(desk).expect("only the connections' tasks shared the desk");
    Ok((desk.fleet.into_inner(), end))
}

impl Desk {
    async fn serve(self: Rc<Self>, mut connection: Connection) {
        loop {
            let order = self.next_order().await;
            let (sent, outcome) = connection.carry(&order).await;
            let times = Times {
                intended: order.intended,
                sent,
                answered: self.clock.now(),
            };
            let mut fleet = self.fleet.borrow_mut();
            if let Some(wait) = connection.retry_after() {
                fleet.told_to_wait(&order, wait, times.answered);
            }
            fleet.handle_answer(order, times, outcome);
            drop(fleet);
            self.pump();
        }
    }

    async fn next_order(&self) -> Order {
        loop {
            if let Some(order) = self.queue.borrow_mut().pop_front() {
                return order;
            }
            self.ordered.notified().await;
        }
    }

    /// Asks the fleet for orders until it has none.
    fn pump(&self) {
        let now = self.clock.now();
        loop {
            let output = self.fleet.borrow_mut().poll_output(now);
            match output {
                Output::Send(order) => {
                    self.queue.borrow_mut().push_back(order);
                    self.ordered.notify_one();
                }
                Output::Wait(until) => {
                    let due = (until != Moment::NEVER).then(|| self.clock.instant(until));
                    return self.pacer.set(due);
                }
                Output::Done => {
                    self.done.set(true);
                    return self.woken.notify_one();
                }
            }
        }
    }

    fn heed(&self, urgency: Urgency) {
        let now = self.clock.now();
        match urgency {
            Urgency::None => {}
            Urgency::Drain => {
                self.fleet.borrow_mut().stop(now, now + DRAIN);
                self.pump();
            }
            Urgency::Stop => self.done.set(true),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let fleet = self.fleet.borrow();
        Snapshot::of(fleet.tally(), fleet.alive())
    }
}
