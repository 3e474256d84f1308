//! The receiver of webhooks for all customers of a run: takes any path, answers at
//! once, and hands what came to every worker. Whom a webhook is for, the fleets know.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use contract::truth;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use loadgen_core::webhook::Pushed;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

/// A webhook is far smaller.
const MAX_BODY: usize = 64 << 10;

/// As many connections as the kernel lets wait; a server may post to many customers
/// at once.
const BACKLOG: u32 = 4096;

/// What came: a webhook, or something that is none.
pub(crate) type Post = Option<Pushed>;

/// Where a worker finds what came.
pub(crate) type Inbox = UnboundedReceiver<Post>;

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    workers: Arc<Workers>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Those who want to know. A worker takes what is there between two looks at its
/// timers, so that little ever waits.
#[derive(Debug, Default)]
struct Workers(Mutex<Vec<UnboundedSender<Post>>>);

impl Listener {
    /// Listens at `address`; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// The operating system's complaint, if it cannot.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let listener = runtime.block_on(async { bind(address) })?;
        let address = listener.local_addr()?;
        let workers = Arc::new(Workers::default());
        let (stop, stopped) = oneshot::channel();
        let to = Arc::clone(&workers);
        let thread = thread::Builder::new()
            .name("webhooks".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, to) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            workers,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where webhooks are to be posted.
    pub fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// From now on somebody more hears of all that comes.
    pub(crate) fn subscribe(&self) -> Inbox {
        let (sender, inbox) = mpsc::unbounded_channel();
        self.workers.lock().push(sender);
        inbox
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A thread that is gone already hears nothing.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Workers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<UnboundedSender<Post>>> {
        // A list of senders is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, post: &Post) {
        self.lock()
            .retain(|worker| worker.send(post.clone()).is_ok());
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, workers: Arc<Workers>) {
    loop {
        // Out of descriptors for a moment: the next is taken when there is one again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let workers = Arc::clone(&workers);
        let service = service_fn(move |request| receive(request, Arc::clone(&workers)));
        tokio::spawn(async move {
            // What is wrong with a sender's connection is the sender's to notice.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn receive(
    request: Request<Incoming>,
    workers: Arc<Workers>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let truth = head.headers.get(truth::HEADER);
    let truth = truth.and_then(|truth| truth.to_str().ok());
    workers.tell(&Pushed::read(&body, truth));
    Ok(Response::new(Full::default()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    fn post(listener: &Listener, body: &str) -> String {
        let mut stream = TcpStream::connect(listener.address).expect("it listens");
        let length = body.len();
        let request = format!(
            "POST /webhook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\nX-Otplab-Truth: delay_us=5 readable_us=7\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn every_worker_hears_of_every_post_and_each_is_answered() {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::start(any).expect("a free port");
        let mut inboxes = [(); 2].map(|()| listener.subscribe());
        let body = r#"{"event":"sms.received","rental_id":7,"sms_code":"0042"}"#;
        for body in [body, "{}"] {
            assert!(post(&listener, body).starts_with("HTTP/1.1 200"));
        }
        for inbox in &mut inboxes {
            let first = inbox.try_recv().expect("it came").expect("a webhook");
            assert_eq!((first.rental, &*first.code), (7, "0042"));
            let truth = first.truth.expect("it was told");
            assert_eq!(truth.readable.as_micros(), 7);
            assert_eq!(inbox.try_recv(), Ok(None), "and something else");
        }
    }
}
