//! The threads: one that accepts and sends webhooks, and workers that serve.
//!
//! Each has a runtime of its own and connections never move between workers, so
//! a poll is answered without one thread waking another. Workers take turns in
//! getting new connections, which spreads a pool of them evenly.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::arrival::Arrival;
use crate::connection;
use crate::door::{Door, Entrance, Seat};
use crate::leash::{Held, Leash};
use crate::listener::Listener;
use crate::socket::Parcel;
use crate::state::State;
use crate::stop::Stop;

/// How long requests in flight may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Pause after a failed accept: the usual cause, too many open files, passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// So many dead connections are not worth a search.
const FEW: usize = 1024;

/// Where a worker gets its connections from.
pub(crate) type Inbox = UnboundedSender<Newcomer>;

/// A connection that was let in.
pub(crate) type Newcomer = (Parcel, Entrance, Seat);

/// Runs `main` on a thread and a runtime of its own. Returns when the runtime
/// is there, or with the reason why it is not.
///
/// The runtime is made on its thread, because a caller that is itself
/// asynchronous would not be allowed to drop it.
pub(crate) fn spawn(
    name: &str,
    main: impl Future<Output = ()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let (report, outcome) = std::sync::mpsc::channel();
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .spawn(
            move || match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => {
                    let _ = report.send(Ok(()));
                    runtime.block_on(main);
                }
                Err(error) => {
                    let _ = report.send(Err(error));
                }
            },
        )?;
    match outcome.recv() {
        Ok(Err(error)) => Err(error),
        _ => Ok(thread),
    }
}

/// Starts a thread that serves what is put into its inbox, until that is gone.
pub(crate) fn start(state: Arc<State>, stop: Stop) -> io::Result<(Inbox, JoinHandle<()>)> {
    let (inbox, arrivals) = mpsc::unbounded_channel();
    let thread = spawn("otplab-worker", serve_all(arrivals, state, stop))?;
    Ok((inbox, thread))
}

async fn serve_all(mut arrivals: UnboundedReceiver<Newcomer>, state: Arc<State>, stop: Stop) {
    let mut worker = Worker {
        tasks: JoinSet::new(),
        held: Vec::new(),
        state,
        stop,
    };
    let mut looks = tokio::time::interval(worker.state.limits.arrival_time.duration());
    // Two looks in a row would take a request that has just begun for a stalled one.
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => worker.look_after(),
            newcomer = arrivals.recv() => match newcomer {
                Some(newcomer) => worker.take(newcomer),
                None => return worker.finish().await,
            },
        }
    }
}

/// A worker's connections.
struct Worker {
    tasks: JoinSet<()>,
    /// The living, and those that died since the last look.
    held: Vec<Held>,
    state: Arc<State>,
    stop: Stop,
}

impl Worker {
    fn take(&mut self, (parcel, entrance, seat): Newcomer) {
        let Ok(socket) = parcel.open() else {
            return;
        };
        let (arrival, leash) = (Arrival::default(), Leash::default());
        let state = Arc::clone(&self.state);
        let serving = connection::serve(
            (socket, entrance),
            state,
            arrival.clone(),
            leash.clone(),
            self.stop.clone(),
        );
        let task = self.tasks.spawn(async move {
            let _seat = seat;
            serving.await;
        });
        self.held.push(Held {
            leash,
            arrival,
            task,
            suspect: None,
        });
        while self.tasks.try_join_next().is_some() {}
        if self.held.len() > 2 * self.tasks.len() + FEW {
            self.held.retain(Held::is_alive);
        }
    }

    /// Ends connections on which a request has begun and does not arrive: when it
    /// is seen at two looks in a row, after once to twice the time it had.
    fn look_after(&mut self) {
        self.held.retain(Held::is_alive);
        let alive = self.held.len();
        // Not held on to until they are dead, or a late look would count them again.
        self.held.retain_mut(|held| !held.end_if_stalled());
        let stalled = (alive - self.held.len()) as u64;
        let tally = &self.state.tally;
        tally.stalled.fetch_add(stalled, Ordering::Relaxed);
    }

    /// Lets what is in flight finish, for a while.
    async fn finish(mut self) {
        for held in &self.held {
            held.call_back();
        }
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, all_ended).await;
    }
}

/// Hands new connections to the workers in turn until the stop.
pub(crate) async fn accept(
    (listener, entrance, door): (Listener, Entrance, Arc<Door>),
    workers: Vec<Inbox>,
    stop: Stop,
) {
    let accepting = async {
        for worker in workers.iter().cycle() {
            let _ = worker.send(next(&listener, &entrance, &door).await);
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.requested() => {}
    }
}

async fn next(listener: &Listener, entrance: &Entrance, door: &Arc<Door>) -> Newcomer {
    loop {
        let Ok(socket) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        match door.admit() {
            None => door.turn_away(socket, entrance.tls.as_ref()),
            Some(seat) => {
                if let Some(parcel) = socket.pack() {
                    return (parcel, entrance.clone(), seat);
                }
            }
        }
    }
}
