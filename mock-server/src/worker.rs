//! The threads: one that accepts and sends webhooks, and workers that serve.
//!
//! Each has a runtime of its own and connections never move between workers, so
//! a poll is answered without one thread waking another. Workers take turns in
//! getting new connections, which spreads a pool of them evenly.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::connection;
use crate::state::State;
use crate::stop::Stop;

/// How long requests in flight may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Pause after a failed accept: the usual cause, too many open files, passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Where a worker gets its connections from.
pub(crate) type Inbox = UnboundedSender<std::net::TcpStream>;

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

async fn serve_all(
    mut arrivals: UnboundedReceiver<std::net::TcpStream>,
    state: Arc<State>,
    stop: Stop,
) {
    let mut connections = JoinSet::new();
    while let Some(stream) = arrivals.recv().await {
        if let Ok(stream) = TcpStream::from_std(stream) {
            connections.spawn(connection::serve(stream, Arc::clone(&state), stop.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all_ended).await;
}

/// Hands new connections to the workers in turn until the stop.
pub(crate) async fn accept(listener: TcpListener, workers: Vec<Inbox>, stop: Stop) {
    let accepting = async {
        for worker in workers.iter().cycle() {
            let _ = worker.send(next_stream(&listener).await);
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.requested() => {}
    }
}

async fn next_stream(listener: &TcpListener) -> std::net::TcpStream {
    loop {
        let accepted = listener.accept().await;
        match accepted.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
