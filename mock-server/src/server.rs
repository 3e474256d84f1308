//! Starting a server, holding it, and stopping it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use mock_server_core::Settings;
use mock_server_core::queue::Pending;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::door::{Door, Role};
use crate::guard::{Guard, WebhookHosts};
use crate::limits::Limits;
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
    /// How much a client may ask for.
    pub limits: Limits,
    /// Where the control API and the metrics are, if not on the same port.
    pub admin_listen: Option<SocketAddr>,
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
    /// The same for the control API's own port.
    #[error(
        "{0} is in use by another program or by --listen; choose another port, or any free one \
         with --admin-listen 127.0.0.1:0"
    )]
    AdminInUse(SocketAddr),
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

impl Server {
    /// On a free port of this machine, with one worker: what a test or an
    /// embedding program wants.
    pub const fn local() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            workers: NonZeroUsize::MIN,
            webhook_hosts: Vec::new(),
            limits: Limits::DEFAULT,
            admin_listen: None,
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
        let ports = self.ports();
        let control = self.admin_listen.unwrap_or(self.listen);
        let guard = Guard::new(control.ip(), self.admin_token.clone());
        let doors = ports.iter().map(|port| Arc::clone(&port.door)).collect();
        let hosts = WebhookHosts(self.webhook_hosts.clone());
        let state = State::new(settings, self.limits, doors, (guard, hosts));
        let state = Arc::new(state);
        let mut inboxes = Vec::new();
        for _ in 0..self.workers.get() {
            let (inbox, handle) = worker::start(Arc::clone(&state), stop.clone())?;
            inboxes.push(inbox);
            threads.handles.push(handle);
        }
        let (report, bound) = mpsc::channel();
        let main = Arc::clone(&ports[0].door);
        let kept = Arc::clone(&state);
        let front = front((ports, report), inboxes, state, stop);
        threads.handles.push(worker::spawn("otplab-accept", front)?);
        let addresses = bound
            .recv()
            .expect("invariant: the front reports before anything else")?;
        Ok(Running {
            address: addresses[0],
            admin_address: addresses.get(1).copied(),
            main,
            state: kept,
            threads,
        })
    }

    /// The main port first.
    fn ports(&self) -> Vec<Port> {
        let port = |role, address| Port {
            door: Arc::new(Door::new(role, self.limits.connections)),
            address,
        };
        match self.admin_listen {
            None => vec![port(Role::Everything, self.listen)],
            Some(admin) => vec![port(Role::Api, self.listen), port(Role::Control, admin)],
        }
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

/// Where one door is to be.
struct Port {
    door: Arc<Door>,
    address: SocketAddr,
}

impl Port {
    fn bind(self) -> Result<(Arc<Door>, TcpListener), StartError> {
        let Self { door, address } = self;
        match listen(address) {
            Ok(listener) => Ok((door, listener)),
            Err(error) => Err(match (error.kind(), door.role) {
                (io::ErrorKind::AddrInUse, Role::Control) => StartError::AdminInUse(address),
                (io::ErrorKind::AddrInUse, _) => StartError::InUse(address),
                _ => StartError::Listen(address, error),
            }),
        }
    }
}

/// Where the ports of a server are, or why they are not.
type Bound = Result<Vec<SocketAddr>, StartError>;

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
    (ports, report): (Vec<Port>, Sender<Bound>),
    inboxes: Vec<worker::Inbox>,
    state: Arc<State>,
    stop: Stop,
) {
    let listeners = match bind(ports) {
        Ok((addresses, listeners)) => {
            let _ = report.send(Ok(addresses));
            listeners
        }
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    let sending = tokio::spawn(webhook::send_all(state, stop.clone()));
    let accepting = listeners
        .into_iter()
        .map(|(door, listener)| worker::accept(listener, door, inboxes.clone(), stop.clone()));
    let mut accepting: JoinSet<()> = accepting.collect();
    // The workers end when nobody can send them connections any more.
    drop(inboxes);
    while accepting.join_next().await.is_some() {}
    let _ = sending.await;
}

type Listeners = Vec<(Arc<Door>, TcpListener)>;

fn bind(ports: Vec<Port>) -> Result<(Vec<SocketAddr>, Listeners), StartError> {
    let listeners: Result<Listeners, _> = ports.into_iter().map(Port::bind).collect();
    let listeners = listeners?;
    let addresses = listeners.iter().map(|(_, listener)| listener.local_addr());
    let addresses: io::Result<_> = addresses.collect();
    Ok((addresses?, listeners))
}

/// A server that runs until this is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    main: Arc<Door>,
    state: Arc<State>,
    threads: Threads,
}

impl Running {
    /// Where it listens, with the port that it got.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the control API is, if it has a port of its own.
    pub const fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Waits until the main port refuses a connection for the first time, because it has as many
    /// as it may have. One may wait for it, once.
    pub async fn crowded(&self) {
        self.main.crowded().await;
    }

    /// Answers nothing for `duration`, as a server does whose machine is busy with
    /// something else: requests are taken and wait. Says how long it was.
    pub fn stand_still(&self, duration: Duration) -> Duration {
        self.state.with(|_, since| {
            std::thread::sleep(duration);
            self.state.clock.now().since(since)
        })
    }

    /// Accepts no more, lets what is in flight finish and posts the webhooks that are
    /// due, for five seconds at most, and returns when every thread has ended, with
    /// what is left undone. Dropping does the same, but leaves webhooks as they are.
    pub fn stop(self) -> Stopped {
        let Self { state, threads, .. } = self;
        state.drains.store(true, Ordering::Release);
        drop(threads);
        Stopped {
            webhooks: state.pending_webhooks(),
        }
    }
}

/// What a server leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Webhooks that were not delivered: those whose moment is still to come, and
    /// those that there was no time for.
    pub webhooks: Pending,
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
