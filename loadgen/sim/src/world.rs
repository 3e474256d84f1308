//! The event queue between both machines: what is on its way, in the order of
//! its moments. No sockets, no waiting; the same seed gives the same run.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use contract::{ApiKey, Dice, Moment};
use loadgen_core::answer::{self, Answer, Failure};
use loadgen_core::call::{Call, Order, Times};
use loadgen_core::fleet::{Fleet, Output};
use mock_server_core::{Body, Delivery, Mock, Reply, Request};

use crate::host::{Desk, Host};
use crate::link::Link;
use crate::queue::{Event, Outcome, Queue, What};
use crate::shortcut::Shortcuts;

/// Everything that outlives a phase.
#[derive(Debug)]
pub struct World {
    pub(crate) mock: Mock,
    keys: Vec<ApiKey>,
    link: Link,
    desk: Desk,
    dice: Dice,
    connections: usize,
    request_timeout: Duration,
    pub(crate) now: Moment,
    /// Numbers messages and events.
    count: u64,
    events: Queue,
    /// Orders that no connection is free for.
    queue: VecDeque<Order>,
    in_use: usize,
    /// The answer that most polls get, so that it is read only once. As long as
    /// it is kept, no other bytes are in its place.
    waiting: Bytes,
    /// Where targets are written.
    target: String,
    shortcuts: Shortcuts,
    /// Whether the mock's webhooks go to the customers.
    pub(crate) posts: bool,
    most_at_once: u64,
}

/// A run that gets nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// Events without time passing.
    #[error("the simulation makes no progress: {0} events at {1:?} after the start of the run")]
    Busy(u64, Duration),
    /// Users alive, and nothing to come.
    #[error("the simulation makes no progress: {0} users wait for something that never comes")]
    Idle(u32),
}

/// More events at one moment than any run has users and requests.
const MOST_AT_ONCE: u64 = 50_000_000;

/// What the customer learns of a request, and how long to wait, if the server said so.
type Told = (Outcome, Option<Duration>);

/// No answer, as the customer sees it.
const LOST: Told = (Err(Failure::Timeout), None);

/// The answer that most polls get.
const WAITS: Told = (Ok(Answer::Waiting), None);

impl World {
    /// A mock that has seen nothing yet, and customers with these keys.
    pub fn new(mock: Mock, keys: Vec<ApiKey>, link: Link, host: Host, dice: Dice) -> Self {
        Self {
            mock,
            keys,
            link,
            desk: Desk::new(host),
            dice,
            connections: usize::MAX,
            request_timeout: Duration::MAX,
            now: Moment::START,
            count: 0,
            events: Queue::default(),
            queue: VecDeque::new(),
            in_use: 0,
            waiting: Bytes::new(),
            target: String::new(),
            shortcuts: Shortcuts::default(),
            posts: false,
            most_at_once: MOST_AT_ONCE,
        }
    }

    /// How many requests may be under way, and how long each.
    pub const fn limit(&mut self, connections: u32, request_timeout: Duration) {
        self.connections = connections as usize;
        self.request_timeout = request_timeout;
    }

    /// Whether the mock's webhooks go to the customers from now on.
    pub const fn post_webhooks(&mut self, posts: bool) {
        self.posts = posts;
    }

    /// Gives up after so many events at one moment, which is more than all users
    /// together can have there.
    pub const fn limit_events(&mut self, at_once: u64) {
        self.most_at_once = at_once;
    }

    /// Makes every request in full, although some of the answers are known.
    pub const fn forbid_shortcuts(&mut self) {
        self.shortcuts.forbid();
    }

    /// The time it is.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Lets a fleet live to its end. `second` is called about once a second.
    ///
    /// # Errors
    ///
    /// [`Stuck`] instead of running for ever.
    pub fn live(&mut self, fleet: &mut Fleet, second: &mut dyn FnMut()) -> Result<(), Stuck> {
        let (mut told, mut at_once) = (self.now, 0);
        loop {
            let before = self.now;
            if !self.step(fleet)? {
                return Ok(());
            }
            at_once = if self.now > before { 0 } else { at_once + 1 };
            if at_once > self.most_at_once {
                return Err(Stuck::Busy(at_once, self.now.since_start()));
            }
            if self.now.since(told) >= Duration::from_secs(1) {
                told = self.now;
                second();
            }
        }
    }

    fn step(&mut self, fleet: &mut Fleet) -> Result<bool, Stuck> {
        let until = match fleet.poll_output(self.now) {
            Output::Send(order) if self.in_use < self.connections && self.queue.is_empty() => {
                self.send(order, fleet);
                return Ok(true);
            }
            Output::Send(order) => {
                self.queue.push_back(order);
                return Ok(true);
            }
            Output::Wait(until) => Some(until),
            Output::Done => None,
        };
        while self.in_use < self.connections
            && let Some(order) = self.queue.pop_front()
        {
            self.send(order, fleet);
        }
        if until.is_none() && self.in_use == 0 {
            return Ok(false);
        }
        let due = self.posts_due();
        if let Some(due) = due
            && until.is_none_or(|until| due <= until)
            && self.events.next().is_none_or(|at| due <= at)
        {
            self.now = self.now.max(due);
            self.post();
            return Ok(true);
        }
        match (until, self.events.next()) {
            (Some(until), Some(at)) if at > until => self.now = self.now.max(until),
            (_, Some(at)) => self.happen(at, fleet),
            (Some(Moment::NEVER), None) => return Err(Stuck::Idle(fleet.alive())),
            (Some(until), None) => self.now = self.now.max(until),
            (None, None) => return Ok(false),
        }
        Ok(true)
    }

    fn send(&mut self, order: Order, fleet: &Fleet) {
        self.in_use += 1;
        let sent = self.now;
        let plain = self.link.jitter.is_zero() && self.desk.take_at_once();
        match self.carry() {
            None => self.end(order, sent, Moment::NEVER, LOST),
            // Nobody overtakes anybody: the request is handled as if it were there.
            Some(way) if plain => self.handle(order, sent, sent + way, fleet),
            Some(way) => self.push(sent + way, What::Arrives(order, sent)),
        }
    }

    pub(crate) fn carry(&mut self) -> Option<Duration> {
        self.count += 1;
        self.link.carry(self.dice, self.count)
    }

    fn happen(&mut self, at: Moment, fleet: &mut Fleet) {
        self.now = self.now.max(at);
        let Some(event) = self.events.pop() else {
            return;
        };
        match event.what {
            What::Arrives(order, sent) => match self.desk.take(self.now) {
                Some(done) => self.handle(order, sent, done, fleet),
                None => self.end(order, sent, self.now, (Err(Failure::Closed), None)),
            },
            What::Ends(order, sent, outcome, wait) => {
                self.in_use -= 1;
                let times = Times {
                    intended: order.intended,
                    sent,
                    answered: self.now,
                };
                if let Some(wait) = wait {
                    fleet.told_to_wait(&order, wait, self.now);
                }
                fleet.handle_answer(order, times, outcome);
            }
            What::Posted(post) if self.posts => self.deliver(&post, fleet),
            What::Posted(_) => {}
            What::Acknowledged(delivery, outcome) => {
                self.mock.webhook_answered(self.now, delivery, outcome);
            }
        }
    }

    /// The mock decides at `at`, and the answer goes on its way.
    fn handle(&mut self, order: Order, sent: Moment, at: Moment, fleet: &Fleet) {
        if self.shortcuts.waits(&order, at, &mut self.mock) {
            return match self.carry() {
                Some(way) => self.end(order, sent, at + way, WAITS),
                None => self.end(order, sent, Moment::NEVER, LOST),
            };
        }
        let sought = match order.call {
            Call::History(_) => fleet.sought(&order),
            _ => None,
        };
        let mut reply = self.ask(&order, at, sought);
        for attempt in reply.take_posts() {
            self.send_off(attempt, at);
        }
        let ends = match reply.delivery {
            Delivery::Whole { at } | Delivery::Linger { at, .. } => Some((at, None)),
            Delivery::Trickle { at, over } => Some((at + over, None)),
            Delivery::Cut { at, .. } | Delivery::Empty { at } => Some((at, Some(Failure::Closed))),
            Delivery::CutByReset { at, .. } | Delivery::Reset { at } => {
                Some((at, Some(Failure::Reset)))
            }
            Delivery::BrokenChunk { at } | Delivery::Raw { at } => {
                Some((at, Some(Failure::Protocol)))
            }
            Delivery::Never => None,
        };
        let way = self.carry();
        let wait = reply.retry_after;
        let wait = wait.map(|seconds| Duration::from_secs(u64::from(seconds)));
        match (ends, way) {
            (Some((at, failure)), Some(way)) => {
                let outcome = match failure {
                    None => self.decode(&order.call, reply),
                    Some(failure) => Err(failure),
                };
                if let Ok(answer) = &outcome {
                    self.shortcuts.note(&order, answer, &self.mock);
                }
                self.end(order, sent, at + way, (outcome, wait));
            }
            _ => self.end(order, sent, Moment::NEVER, LOST),
        }
    }

    fn ask(&mut self, order: &Order, at: Moment, sought: Option<u64>) -> Reply {
        let body = order.call.body().unwrap_or_default();
        self.target.clear();
        order.call.write_target(&mut self.target);
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let key = &self.keys[order.account as usize];
        let request = Request {
            method: order.call.operation().method(),
            query: Some(query),
            content_type: Some("application/json"),
            truth: true,
            sought,
            body: Body::Whole(body.as_bytes()),
            ..Request::plain("", path, key.secret().as_bytes())
        };
        self.mock.handle(at, &request)
    }

    fn decode(&mut self, call: &Call, reply: Reply) -> Result<Answer, Failure> {
        let poll = matches!(call, Call::CheckOtp(_)) && reply.status == 200;
        if poll
            && reply.body.as_ptr() == self.waiting.as_ptr()
            && reply.body.len() == self.waiting.len()
        {
            return Ok(Answer::Waiting);
        }
        let truth = reply.truth.map(|truth| truth.to_string());
        let outcome = answer::decode(call, reply.status, truth.as_deref(), &reply.body);
        if outcome == Ok(Answer::Waiting) {
            self.waiting = reply.body;
        }
        outcome
    }

    /// The end of a request, not later than the customer's patience.
    fn end(&mut self, order: Order, sent: Moment, at: Moment, told: Told) {
        let patience = sent + self.request_timeout;
        let (at, (outcome, wait)) = match at > patience {
            true => (patience, LOST),
            false => (at, told),
        };
        self.push(at, What::Ends(order, sent, outcome, wait));
    }

    pub(crate) fn push(&mut self, at: Moment, what: What) {
        self.count += 1;
        let number = self.count;
        self.events.push(Event { at, number, what });
    }
}
