//! Those who listen to what happens, and the stream of events that each gets.
//! The core says what happened; this queues it, and wakes who waits.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use contract::Moment;
use hyper::body::Frame;
use mock_server_core::control::Scope;
use mock_server_core::feed::Happening;
use tokio::sync::Notify;

use crate::reply_body::{CutShort, ReplyBody};
use crate::state::State;
use crate::stop::Stop;

/// Events that wait for one listener; the oldest are lost first.
const WAITING: usize = 1000;

/// How often a silent stream says that it lives: what shows a listener that left.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// All who listen.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    /// How many there are: looked at for every request, so that nobody
    /// listening costs nothing.
    count: AtomicUsize,
    list: Mutex<Vec<Arc<Listener>>>,
}

/// One who listens.
#[derive(Debug)]
struct Listener {
    scope: Scope,
    queue: Mutex<Queue>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Happening>,
    lost: u64,
}

impl Listeners {
    /// Whether anybody listens.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// These things have happened.
    pub(crate) fn tell(&self, happenings: &[Happening]) {
        if happenings.is_empty() {
            return;
        }
        for listener in &*self.list() {
            listener.tell(happenings);
        }
    }

    fn join(&self, listener: &Arc<Listener>) {
        self.list().push(Arc::clone(listener));
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether nobody is left.
    fn leave(&self, listener: &Arc<Listener>) -> bool {
        let mut list = self.list();
        list.retain(|other| !Arc::ptr_eq(other, listener));
        self.count.store(list.len(), Ordering::Release);
        list.is_empty()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Listener>>> {
        self.list.lock().expect("invariant: listing does not panic")
    }
}

impl Listener {
    fn tell(&self, happenings: &[Happening]) {
        let mut queue = self.queue();
        for happening in happenings.iter().filter(|what| what.concerns(self.scope)) {
            if queue.events.len() == WAITING {
                queue.events.pop_front();
                queue.lost += 1;
            }
            queue.events.push_back(happening.clone());
        }
        drop(queue);
        self.news.notify_one();
    }

    /// All that waits; `None` if nothing does.
    fn take(&self) -> Option<Queue> {
        let queue = std::mem::take(&mut *self.queue());
        let is_empty = queue.events.is_empty() && queue.lost == 0;
        (!is_empty).then_some(queue)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue
            .lock()
            .expect("invariant: queueing does not panic")
    }
}

impl Queue {
    /// As a stream of events has it.
    fn written(self) -> Bytes {
        let mut text = String::new();
        if self.lost > 0 {
            text += &format!("event: lagged\ndata: {{\"lost\":{}}}\n\n", self.lost);
        }
        for Happening { id, name, data, .. } in self.events {
            let data = String::from_utf8_lossy(&data);
            let _ = write!(text, "id: {id}\nevent: {name}\ndata: {data}\n\n");
        }
        text.into()
    }
}

/// Begins to listen; what happens from now on is in the body.
pub(crate) fn listen(state: &Arc<State>, scope: Scope, stop: Stop) -> ReplyBody {
    ReplyBody::Events(Box::new(EventStream {
        attention: Attention::pay(state, scope),
        stop,
        next: None,
    }))
}

/// A listener that listens until this goes.
#[derive(Debug)]
struct Attention {
    listener: Arc<Listener>,
    state: Arc<State>,
}

impl Attention {
    fn pay(state: &Arc<State>, scope: Scope) -> Self {
        let listener = Arc::new(Listener {
            scope,
            queue: Mutex::default(),
            news: Notify::new(),
        });
        state.with(|mock, now| {
            state.listeners.join(&listener);
            mock.listen(now, true);
        });
        Self {
            listener,
            state: Arc::clone(state),
        }
    }
}

impl Drop for Attention {
    fn drop(&mut self) {
        self.state.with(|mock, now| {
            if self.state.listeners.leave(&self.listener) {
                mock.listen(now, false);
            }
        });
    }
}

/// What happens at a server, for the program that runs it.
#[derive(Debug)]
pub struct Happenings(Attention);

impl Happenings {
    pub(crate) fn of(state: &Arc<State>) -> Self {
        Self(Attention::pay(state, Scope::Server))
    }

    /// What comes next, when it is there, and how many before it were lost, because nobody
    /// came for them in time.
    pub async fn next(&self) -> (Vec<Happening>, u64) {
        let Attention { listener, state } = &self.0;
        loop {
            let due = state.with(|mock, _| mock.next_happening());
            if let Some(queue) = listener.take() {
                return (queue.events.into(), queue.lost);
            }
            tokio::select! {
                () = listener.news.notified() => {}
                () = state.clock.sleep_until(due.unwrap_or(Moment::NEVER)) => {}
            }
        }
    }
}

/// The events of one listener, who leaves when this goes.
pub(crate) struct EventStream {
    attention: Attention,
    stop: Stop,
    next: Option<Pin<Box<dyn Future<Output = Option<Bytes>> + Send>>>,
}

impl EventStream {
    /// What comes next, when it is there; the end at the server's.
    pub(crate) fn poll_part(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        let next = self.next.get_or_insert_with(|| {
            let Attention { listener, state } = &self.attention;
            let (state, listener) = (Arc::clone(state), Arc::clone(listener));
            Box::pin(next(state, listener, self.stop.clone()))
        });
        let part = ready!(next.as_mut().poll(context));
        self.next = None;
        Poll::Ready(part.map(Frame::data).map(Ok))
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("attention", &self.attention)
            .finish_non_exhaustive()
    }
}

async fn next(state: Arc<State>, listener: Arc<Listener>, stop: Stop) -> Option<Bytes> {
    loop {
        // Looking at the mock tells everybody what has become due.
        let due = state.with(|mock, _| mock.next_happening());
        if let Some(queue) = listener.take() {
            return Some(queue.written());
        }
        tokio::select! {
            () = listener.news.notified() => {}
            () = state.clock.sleep_until(due.unwrap_or(Moment::NEVER)) => {}
            () = tokio::time::sleep(SIGN_OF_LIFE) => return Some(Bytes::from_static(b":\n\n")),
            () = stop.clone().requested() => return None,
        }
    }
}
