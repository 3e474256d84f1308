//! Starting a server, holding it, and stopping it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use mock_server_core::control::Reloaded;
use mock_server_core::queue::Pending;
use mock_server_core::{LintReport, Scope, Settings};
use tokio::task::JoinSet;

use crate::door::{Door, Entrance, Role};
use crate::feed::Happenings;
use crate::guard::{Guard, Reach, WebhookHosts};
use crate::limits::Limits;
use crate::listener::Listener;
use crate::place::Place;
use crate::state::State;
use crate::stop::{self, Stop, StopSwitch};
use crate::tls::Tls;
use crate::{webhook, worker};

/// How a server is reached, as opposed to how its mock behaves.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens, at one place or several.
    pub listen: Vec<Place>,
    /// Who may connect to a Unix socket, as the permissions of its file.
    pub socket_mode: u32,
    /// What is spoken at every address; Unix sockets have no need of it.
    pub tls: Option<Tls>,
    /// Threads that serve connections.
    pub workers: NonZeroUsize,
    /// Hosts beyond this machine that webhooks may go to.
    pub webhook_hosts: Vec<String>,
    /// How much a client may ask for.
    pub limits: Limits,
    /// Where the control API and the metrics are, if not on the same port.
    pub admin_listen: Option<Place>,
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
    InUse(Place),
    /// The same for the control API's own port.
    #[error(
        "{0} is in use by another program or by --listen; choose another port, or any free one \
         with --admin-listen 127.0.0.1:0"
    )]
    AdminInUse(Place),
    /// Listening failed otherwise.
    #[error("cannot listen on {0}")]
    Listen(Place, #[source] io::Error),
    /// There is nowhere to listen.
    #[error("a server has to listen somewhere; write it like 127.0.0.1:8080")]
    Nowhere,
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
    /// Its owner alone may connect to a Unix socket, unless something else is said.
    pub const SOCKET_MODE: u32 = 0o600;

    /// On a free port of this machine, with one worker: what a test or an
    /// embedding program wants.
    pub fn local() -> Self {
        Self {
            listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0).into()],
            socket_mode: Self::SOCKET_MODE,
            tls: None,
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
        let ports = self.ports()?;
        let guard = Guard::new(self.admin_token.clone());
        let mut doors: Vec<_> = ports.iter().map(|port| Arc::clone(&port.door)).collect();
        doors.dedup_by_key(|door| Arc::as_ptr(door));
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
        let mut places = bound
            .recv()
            .expect("invariant: the front reports before anything else")?;
        let admin_place = self.admin_listen.as_ref().and_then(|_| places.pop());
        Ok(Running {
            places,
            admin_place,
            is_secure: self.tls.is_some(),
            main,
            state: kept,
            threads,
        })
    }

    /// The control API's own port comes last.
    fn ports(&self) -> Result<Vec<Port>, StartError> {
        let door = |role| Arc::new(Door::new(role, self.limits.connections));
        let port = |door: &Arc<Door>, place: &Place| Port {
            door: Arc::clone(door),
            place: place.clone(),
            mode: self.socket_mode,
            tls: self.tls.clone().filter(|_| place.address().is_some()),
        };
        if self.listen.is_empty() {
            return Err(StartError::Nowhere);
        }
        let role = match self.admin_listen {
            None => Role::Everything,
            Some(_) => Role::Api,
        };
        let main = door(role);
        let mut ports: Vec<_> = self.listen.iter().map(|place| port(&main, place)).collect();
        let admin = self.admin_listen.iter();
        ports.extend(admin.map(|place| port(&door(Role::Control), place)));
        Ok(ports)
    }

    /// Whether webhooks may go where these settings send them.
    ///
    /// # Errors
    ///
    /// [`StartError::WebhookHost`] with the first that may not.
    pub fn check_webhook_hosts(&self, settings: &Settings) -> Result<(), StartError> {
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
    place: Place,
    mode: u32,
    tls: Option<Tls>,
}

impl Port {
    fn bind(self) -> Result<Open, StartError> {
        let role = self.door.role;
        let entrance = Entrance {
            role,
            reach: Reach::of(&self.place),
            tls: self.tls,
        };
        match Listener::bind(&self.place, self.mode) {
            Ok(listener) => Ok((listener, entrance, self.door)),
            Err(error) => Err(match (error.kind(), role) {
                (io::ErrorKind::AddrInUse, Role::Control) => StartError::AdminInUse(self.place),
                (io::ErrorKind::AddrInUse, _) => StartError::InUse(self.place),
                _ => StartError::Listen(self.place, error),
            }),
        }
    }
}

/// Somebody may come in.
type Open = (Listener, Entrance, Arc<Door>);

/// Where the ports of a server are, or why they are not.
type Bound = Result<Vec<Place>, StartError>;

/// What the first thread does: bind and say so, then accept, and send webhooks
/// if there are any.
async fn front(
    (ports, report): (Vec<Port>, Sender<Bound>),
    inboxes: Vec<worker::Inbox>,
    state: Arc<State>,
    stop: Stop,
) {
    let open = match bind(ports) {
        Ok((places, open)) => {
            let _ = report.send(Ok(places));
            open
        }
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    let sending = tokio::spawn(webhook::send_all(state, stop.clone()));
    let accepting = open
        .into_iter()
        .map(|open| worker::accept(open, inboxes.clone(), stop.clone()));
    let mut accepting: JoinSet<()> = accepting.collect();
    // The workers end when nobody can send them connections any more.
    drop(inboxes);
    while accepting.join_next().await.is_some() {}
    let _ = sending.await;
}

fn bind(ports: Vec<Port>) -> Result<(Vec<Place>, Vec<Open>), StartError> {
    let open: Result<Vec<Open>, _> = ports.into_iter().map(Port::bind).collect();
    let open = open?;
    let places = open.iter().map(|(listener, ..)| listener.place());
    let places: io::Result<_> = places.collect();
    Ok((places?, open))
}

/// A server that runs until this is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    places: Vec<Place>,
    admin_place: Option<Place>,
    is_secure: bool,
    main: Arc<Door>,
    state: Arc<State>,
    threads: Threads,
}

impl Running {
    /// The first address where it listens, with the port that it got.
    ///
    /// # Panics
    ///
    /// If it only listens on Unix sockets; then [`Running::places`] says where.
    pub fn address(&self) -> SocketAddr {
        let address = self.places.iter().find_map(Place::address);
        address.expect("a server that is asked for its address listens at one")
    }

    /// Where it listens, in the order in which that was asked for, with the ports that it got.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The address of the control API, if it has one of its own.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_place.as_ref().and_then(Place::address)
    }

    /// Where the control API is, if that is a place of its own.
    pub const fn admin_place(&self) -> Option<&Place> {
        self.admin_place.as_ref()
    }

    /// One of its places as a client is told of it: `https://127.0.0.1:8443`, or
    /// `unix:/run/otplab.sock`.
    pub fn url(&self, place: &Place) -> String {
        match place {
            Place::Tcp(address) if self.is_secure => format!("https://{address}"),
            Place::Tcp(address) => format!("http://{address}"),
            Place::Unix(_) => place.to_string(),
        }
    }

    /// Waits until the main port refuses a connection for the first time, because it has as many
    /// as it may have. One may wait for it, once.
    pub async fn crowded(&self) {
        self.main.crowded().await;
    }

    /// Listens to what happens from now on.
    pub fn happenings(&self) -> Happenings {
        Happenings::of(&self.state)
    }

    pub(crate) const fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Goes on with the settings `after`, which were `before`, as far as they are
    /// different; accounts keep what they own. Tells those who listen.
    pub fn reload(&self, before: &Settings, after: &Settings, reloaded: Reloaded) {
        self.state.with(|mock, now| {
            mock.reload(now, before, after);
            mock.tell_reloaded(now, reloaded);
        });
        self.state.rented.notify_one();
    }

    /// Tells those who listen that settings were not understood.
    pub fn refuse(&self, reloaded: Reloaded) {
        self.state
            .with(|mock, now| mock.tell_reloaded(now, reloaded));
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
    /// what is left undone and what was found about the clients. Dropping does the
    /// same, but leaves webhooks as they are.
    pub fn stop(self) -> Stopped {
        let Self { state, threads, .. } = self;
        state.drains.store(true, Ordering::Release);
        drop(threads);
        Stopped {
            webhooks: state.pending_webhooks(),
            lint: state.with(|mock, now| mock.lint_report(now, Scope::Server)),
        }
    }
}

/// What a server leaves behind.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Webhooks that were not delivered: those whose moment is still to come, and
    /// those that there was no time for.
    pub webhooks: Pending,
    /// What was found about the clients, if somebody was to look.
    pub lint: LintReport,
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
