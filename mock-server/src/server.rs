//! Starting a server, holding it, and stopping it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use mock_server_core::Settings;
use tokio::net::{TcpListener, TcpSocket};

use crate::guard::{Guard, WebhookHosts};
use crate::state::State;
use crate::stop::{self, Stop, StopSwitch};
use crate::{webhook, worker};

/// How a server is reached, as opposed to how its mock behaves.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Threads that serve connections.
    pub workers: NonZeroUsize,
    /// Hosts beyond this machine that webhooks may go to.
    pub webhook_hosts: Vec<String>,
    /// How long a request may take from its first byte to its last. A connection
    /// without a request may stay for ever.
    pub arrival_time: Duration,
    /// What a control request has to bring as `Authorization: Bearer TOKEN`.
    /// Without one, the control API only serves this machine.
    pub admin_token: Option<String>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error(
        "{0} is in use by another program; choose another port, or any free one with --listen 127.0.0.1:0"
    )]
    InUse(SocketAddr),
    /// Listening failed otherwise.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// Webhooks would leave this machine.
    #[error(
        "webhooks only go to this machine unless a host is allowed by name; \
         if {0} is meant, add --allow-webhook-host {0}"
    )]
    WebhookHost(String),
    /// The system gave no thread or no event queue.
    #[error("cannot start a thread of the server")]
    Thread(#[from] io::Error),
}

/// hyper's own default for the head of a request.
const ARRIVAL_TIME: Duration = Duration::from_secs(30);

impl Server {
    /// On a free port of this machine, with one worker: what a test or an
    /// embedding program wants.
    pub const fn local() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            workers: NonZeroUsize::MIN,
            webhook_hosts: Vec::new(),
            arrival_time: ARRIVAL_TIME,
            admin_token: None,
        }
    }

    /// Starts the server on threads of its own. When this returns it is bound
    /// and answers.
    ///
    /// # Errors
    ///
    /// [`StartError`], and then nothing runs.
    pub fn start(&self, settings: Settings) -> Result<Running, StartError> {
        self.check_webhook_hosts(&settings)?;
        let (switch, stop) = stop::channel();
        let mut threads = Threads {
            switch,
            handles: Vec::new(),
        };
        let guard = Guard::new(self.listen.ip(), self.admin_token.clone());
        let hosts = WebhookHosts(self.webhook_hosts.clone());
        let state = State::new(settings, self.arrival_time, (guard, hosts));
        let state = Arc::new(state);
        let mut inboxes = Vec::new();
        for _ in 0..self.workers.get() {
            let (inbox, handle) = worker::start(Arc::clone(&state), stop.clone())?;
            inboxes.push(inbox);
            threads.handles.push(handle);
        }
        let (report, bound) = mpsc::channel();
        let front = front((self.listen, report), inboxes, state, stop);
        threads.handles.push(worker::spawn("otplab-accept", front)?);
        let address = bound
            .recv()
            .expect("invariant: the front reports before anything else")
            .map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => StartError::InUse(self.listen),
                _ => StartError::Listen(self.listen, error),
            })?;
        Ok(Running { address, threads })
    }

    fn check_webhook_hosts(&self, settings: &Settings) -> Result<(), StartError> {
        let accounts = settings.accounts.values().chain([&settings.account]);
        let webhooks = accounts.filter_map(|account| account.webhook.as_deref());
        let mut hosts = webhooks.map(|webhook| webhook.url.host());
        let allowed = WebhookHosts(self.webhook_hosts.clone());
        match hosts.find(|host| !allowed.allow(host)) {
            Some(host) => Err(StartError::WebhookHost(host.to_owned())),
            None => Ok(()),
        }
    }
}

/// As many connections as the kernel lets wait to be accepted (its usual
/// `somaxconn`); a load run opens hundreds at once.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // So that a restart need not wait for the last run's connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What the first thread does: bind and say so, then accept, and send webhooks
/// if there are any.
async fn front(
    (address, report): (SocketAddr, Sender<io::Result<SocketAddr>>),
    inboxes: Vec<worker::Inbox>,
    state: Arc<State>,
    stop: Stop,
) {
    let bound = listen(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let listener = match bound {
        Ok((address, listener)) => {
            let _ = report.send(Ok(address));
            listener
        }
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    tokio::spawn(webhook::send_all(state, stop.clone()));
    worker::accept(listener, inboxes, stop).await;
}

/// A server that runs until this is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    threads: Threads,
}

impl Running {
    /// Where it listens, with the port that it got.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, lets what is in flight finish for five seconds at most,
    /// and returns when every thread has ended. Dropping does the same.
    pub fn stop(self) {
        drop(self.threads);
    }
}

/// The threads of a server; they end with this.
#[derive(Debug)]
struct Threads {
    switch: StopSwitch,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.switch.request();
        for handle in self.handles.drain(..) {
            let _ = handle.join();
        }
    }
}
