//! One worker: a thread with a shard of the users, its own connections and its
//! own counts. Nothing is shared with other workers while it runs.
//!
//! The loop has two halves. A connection that is free takes the next order
//! from the queue, carries it, and hands the answer to the fleet; the pacer
//! wakes the fleet when a timer or an arrival is due. After either, the fleet
//! is asked for orders until it has none.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use contract::Moment;
use loadgen_core::call::{Order, Times};
use loadgen_core::fleet::{Fleet, Output};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::{Carried, Connection};
use crate::clock::Clock;
use crate::interrupt::{Interrupt, Urgency};
use crate::listener::{Inbox, Post};
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
    /// Orders that no connection was free for.
    queue: RefCell<VecDeque<Order>>,
    /// The connections that are free, those that have been so for longest first.
    free: RefCell<VecDeque<Rc<Seat>>>,
    pacer: Pacer,
    done: Cell<bool>,
    /// Tells the loop that the fleet is done.
    finished: Notify,
}

/// Where a free connection waits for an order.
#[derive(Default)]
struct Seat {
    order: Cell<Option<Order>>,
    waker: Cell<Option<Waker>>,
}

/// What a worker works with; made in the runtime that runs it.
pub(crate) struct Tools {
    pub(crate) clock: Clock,
    pub(crate) pacer: Pacer,
    pub(crate) connections: Vec<Connection>,
    /// Where webhooks arrive, if anybody listens.
    pub(crate) inbox: Option<Inbox>,
}

/// Runs `fleet` to its end; says when that was.
pub(crate) async fn work(
    fleet: Fleet,
    tools: Tools,
    mut interrupt: Interrupt,
    board: &Board,
) -> (Fleet, Moment) {
    let Tools {
        clock,
        pacer,
        connections,
        mut inbox,
    } = tools;
    let desk = Rc::new(Desk {
        clock,
        fleet: RefCell::new(fleet),
        queue: RefCell::default(),
        free: RefCell::default(),
        pacer,
        done: Cell::new(false),
        finished: Notify::new(),
    });
    let mut serving = JoinSet::new();
    for connection in connections {
        serving.spawn_local(Rc::clone(&desk).serve(connection));
    }
    let mut snapshots = tokio::time::interval(SNAPSHOT_EVERY);
    desk.pump();
    desk.hand_out();
    while !desk.done.get() {
        tokio::select! {
            () = desk.finished.notified() => {}
            () = desk.pacer.rung() => {
                desk.pump();
                desk.hand_out();
            }
            post = arrival(&mut inbox) => {
                desk.arrived(post, inbox.as_mut());
                desk.pump();
                desk.hand_out();
            }
            _ = snapshots.tick() => board.post(desk.snapshot()),
            () = interrupt.changed() => desk.heed(interrupt.urgency()),
        }
    }
    let end = desk.clock.now();
    board.post(desk.snapshot());
    serving.shutdown().await;
    let desk = Rc::into_inner(desk).expect("only the connections' tasks shared the desk");
    (desk.fleet.into_inner(), end)
}

/// The next post; never, where nobody listens.
async fn arrival(inbox: &mut Option<Inbox>) -> Post {
    match inbox {
        Some(inbox) => match inbox.recv().await {
            Some(post) => post,
            None => pending().await,
        },
        None => pending().await,
    }
}

impl Desk {
    /// Hands over a post, and all that came since.
    fn arrived(&self, post: Post, inbox: Option<&mut Inbox>) {
        let mut fleet = self.fleet.borrow_mut();
        let now = self.clock.now();
        let mut take = |post: Post| match post {
            Some(pushed) => fleet.handle_webhook(now, pushed),
            None => fleet.handle_unreadable_webhook(now),
        };
        take(post);
        if let Some(inbox) = inbox {
            while let Ok(post) = inbox.try_recv() {
                take(post);
            }
        }
    }

    async fn serve(self: Rc<Self>, mut connection: Connection) {
        let seat = Rc::new(Seat::default());
        loop {
            // Its own next order first: nobody has to be woken for that.
            let next = self.queue.borrow_mut().pop_front();
            self.hand_out();
            let order = match next {
                Some(order) => order,
                None => self.order(&seat).await,
            };
            let carried = connection.carry(&order).await;
            let times = Times {
                intended: order.intended,
                sent: carried.sent,
                answered: self.clock.now(),
            };
            self.answered(order, times, carried);
            self.pump();
        }
    }

    fn answered(&self, order: Order, times: Times, carried: Carried) {
        let mut fleet = self.fleet.borrow_mut();
        carried.opening.count(&mut fleet);
        if let Some(wait) = carried.retry_after {
            fleet.told_to_wait(&order, wait, times.answered);
        }
        fleet.handle_answer(order, times, carried.outcome);
    }

    /// Waits for an order.
    async fn order(&self, seat: &Rc<Seat>) -> Order {
        self.free.borrow_mut().push_back(Rc::clone(seat));
        poll_fn(|context| match seat.order.take() {
            Some(order) => Poll::Ready(order),
            None => {
                seat.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    /// Gives orders that wait to connections that are free.
    fn hand_out(&self) {
        let (mut queue, mut free) = (self.queue.borrow_mut(), self.free.borrow_mut());
        while !queue.is_empty()
            && let Some(seat) = free.pop_front()
        {
            seat.order.set(queue.pop_front());
            if let Some(waker) = seat.waker.take() {
                waker.wake();
            }
        }
    }

    /// Asks the fleet for orders until it has none.
    fn pump(&self) {
        let now = self.clock.now();
        loop {
            let output = self.fleet.borrow_mut().poll_output(now);
            match output {
                Output::Send(order) => self.queue.borrow_mut().push_back(order),
                Output::Wait(until) => {
                    let due = (until != Moment::NEVER).then(|| self.clock.instant(until));
                    return self.pacer.set(due);
                }
                Output::Done => {
                    self.done.set(true);
                    return self.finished.notify_one();
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
                self.hand_out();
            }
            Urgency::Stop => self.done.set(true),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let fleet = self.fleet.borrow();
        Snapshot::of(fleet.tally(), fleet.alive())
    }
}
