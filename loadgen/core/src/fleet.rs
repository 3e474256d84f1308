//! The fleet: which virtual user sends which request next. One of the two
//! machines that decide everything; it does no I/O and reads no clock.
//!
//! Its owner follows one rule: after every input, and whenever the moment it
//! was told to wait for has come, call [`Fleet::poll_output`] until it answers
//! [`Output::Wait`] or [`Output::Done`]. Arrivals, the rule for stopping, the
//! kind of user and the owner that carries requests are independent values;
//! this is the only loop.

mod beginning;
mod learning;
mod post;
mod repetition;
mod timers;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use contract::{Dice, Moment};

use crate::answer::{Answer, Failure};
use crate::arrivals::{Arrival, Arrivals, Cursor, Shard};
use crate::budget::{Budget, Reserved};
use crate::call::{Call, Order, Times, UserId};
use crate::clearance::Clearance;
use crate::crowd::Crowd;
use crate::customer::{Customer, End, Next};
pub use crate::found::{Found, Target};
use crate::interval::{Cutter, Slice, Standing, Totals};
use crate::place::Place;
use crate::polling::school::School;
use crate::reader::Reader;
use crate::retry::Retry;
use crate::stop::Stop;
use crate::tally::Tally;
use crate::webhook::Postbox;
use timers::Timers;

/// Everything that decides what a fleet does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When users start.
    pub arrivals: Arrivals,
    /// When no more do.
    pub stop: Stop,
    /// What each does.
    pub role: Role,
    /// The users are spread over this many accounts; at least one.
    pub accounts: u32,
    /// All chance.
    pub dice: Dice,
}

/// What users do.
#[derive(Clone, Debug)]
pub enum Role {
    /// Rent, poll and confirm, or look around, each as its population does.
    Customer(Crowd),
    /// Make one poll of one of these rentals; never empty.
    PollOnce(Arc<[Target]>),
    /// Rent as the first population does, and leave the rental for others to poll.
    RentOnly(Crowd),
    /// Read the balance of their account.
    ReadBalance,
}

/// A closed slot whose customer got no rental, or whose request found nobody
/// to connect to, waits this long before its next user, so that a server that
/// refuses at once is not hammered.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Users alive at most. Arrivals beyond that start when others are done, late
/// by their own plan, which their slip will show.
const MOST_ALIVE: u32 = 1_000_000;

/// How often a failed reading of a balance is tried again, and after what pause.
const BALANCE_RETRIES: u8 = 3;
const BALANCE_PAUSE: Duration = Duration::from_millis(200);

/// What a fleet wants of its owner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// Send this request now.
    Send(Order),
    /// Nothing until this moment, or until an answer arrives.
    Wait(Moment),
    /// Nothing any more.
    Done,
}

/// One shard's users.
#[derive(Debug)]
pub struct Fleet {
    plan: Arc<Plan>,
    arrivals: Cursor,
    /// When the last user may start.
    last_start: Moment,
    /// When those still waiting give up.
    last_wait: Moment,
    users: Vec<Option<User>>,
    vacant: Vec<u32>,
    alive: u32,
    timers: Timers,
    /// Timers that are for nothing any more, and how many of each there are.
    cancelled: BTreeMap<(Moment, UserId), u32>,
    outbox: VecDeque<Order>,
    /// What was counted since the last cut, or in all if nobody wants slices.
    tally: Tally,
    cutter: Option<Cutter>,
    /// What was handed over.
    handed_over: Totals,
    /// Requests under way, and until when that has been counted.
    under_way: u32,
    counted_until: Moment,
    found: Found,
    clearance: Clearance,
    school: School,
    postbox: Postbox,
    /// Until when to wait for webhooks when all users are done.
    lingers_until: Option<Moment>,
    /// Whether it counts what all fleets of a run hear.
    is_first: bool,
}

#[derive(Debug)]
struct User {
    kind: Kind,
    /// Its number in the whole plan.
    index: u64,
    account: u32,
    slot: u32,
    /// What it asks when its timer fires.
    call: Call,
    place: Place,
    /// How often it has made this request.
    made: u8,
    /// Requests that it has got an answer to, or given up.
    requests: u32,
    /// Whether its request has been given a turn that is still to come.
    has_turn: bool,
    /// What it took from the budget for its rent.
    reserved: Reserved,
    /// When it asks next, if it is between two requests.
    timer: Option<Moment>,
    /// The rental whose webhook it waits for.
    awaits: Option<u64>,
}

#[derive(Debug)]
enum Kind {
    Customer(Customer),
    Reader(Reader),
    /// With the number of times that the request was tried again.
    OneRequest(u8),
}

impl Fleet {
    /// The users of `shard`, the first of whom may start at `start`.
    pub fn new(plan: Arc<Plan>, shard: Shard, start: Moment) -> Self {
        let last_start = plan.stop.last_start(start);
        Self {
            arrivals: Cursor::new(&plan.arrivals, plan.stop.count, shard, plan.dice, start),
            last_start,
            last_wait: plan.stop.last_wait(last_start),
            plan,
            users: Vec::new(),
            vacant: Vec::new(),
            alive: 0,
            timers: Timers::default(),
            cancelled: BTreeMap::new(),
            outbox: VecDeque::new(),
            tally: Tally::default(),
            cutter: None,
            handed_over: Totals::default(),
            under_way: 0,
            counted_until: start,
            found: Found::default(),
            clearance: Clearance::new(Arc::default(), shard),
            school: School::default(),
            postbox: Postbox::default(),
            lingers_until: None,
            is_first: shard.index == 0,
        }
    }

    /// Keeps to a budget, which it may share with the fleets of other shards.
    pub fn keep_to(&mut self, budget: Arc<Budget>, shard: Shard) {
        self.clearance = Clearance::new(budget, shard);
    }

    /// The server has answered this order with `Retry-After`, which is `wait`.
    /// To be said before the answer is handed in.
    pub fn told_to_wait(&mut self, order: &Order, wait: Duration, now: Moment) {
        let honours = || self.retry(order.user).is_some_and(Retry::honours);
        if self.clearance.budget.is_polite() || honours() {
            self.clearance.hold(order.account, now + wait);
        }
        let user = self.users.get_mut(order.user.0 as usize);
        if let Some(User {
            kind: Kind::Customer(customer),
            ..
        }) = user.and_then(Option::as_mut)
        {
            customer.told_to_wait(now + wait);
        }
    }

    /// Hands over what it counts, cut at the full seconds after `start`. What
    /// [`Self::finished`] gives is then the rest.
    pub fn cut_into_seconds(&mut self, start: Moment, slices: Sender<Slice>) {
        self.cutter = Some(Cutter::new(slices, start));
    }

    /// Counts a connection that was opened, and how long that took.
    pub fn connected(&mut self, took: Duration) {
        self.tally.instrument.connect.record(took);
    }

    /// Counts a connection that could not be opened because this machine has no
    /// more file descriptors or ports.
    pub const fn limit_hit(&mut self) {
        self.tally.instrument.limits_hit += 1;
    }

    /// What to do now.
    pub fn poll_output(&mut self, now: Moment) -> Output {
        self.cut(now);
        if now >= self.last_wait {
            self.abandon_waiting();
        }
        if self.outbox.is_empty() {
            self.fire(now);
        }
        if let Some(order) = self.outbox.pop_front() {
            return Output::Send(order);
        }
        let timer = self.next_timer().map(|(at, _)| at);
        let alive = self.alive;
        let arrival = self.next_arrival().filter(|_| alive < MOST_ALIVE);
        let arrival = arrival.map(|arrival| arrival.at);
        let end_of_second = self.cutter.as_ref().map_or(Moment::NEVER, Cutter::end);
        match timer.into_iter().chain(arrival).min() {
            Some(at) => Output::Wait(at.min(self.last_wait).min(end_of_second)),
            None if self.alive > 0 => Output::Wait(end_of_second),
            None => match self.lingers(now) {
                Some(until) => Output::Wait(until.min(end_of_second)),
                None => Output::Done,
            },
        }
    }

    /// Takes the outcome of a request that [`Self::poll_output`] asked for.
    pub fn handle_answer(&mut self, order: Order, times: Times, outcome: Result<Answer, Failure>) {
        self.cut(times.answered);
        self.count_under_way(times.answered);
        self.under_way = self.under_way.saturating_sub(1);
        let failure = outcome.as_ref().err().copied();
        self.tally.request(order.call.operation(), times, failure);
        if let Some(place) = self.counted(order.user) {
            self.tally.population(place).request(failure.is_some());
        }
        self.tally.achieved += u64::from(times.answered < self.last_start);
        self.settle(order, &outcome);
        if let Some(failure) = failure
            && let Some(pause) = self.pause(&order, failure)
        {
            return self.repeat(order, times, failure, pause);
        }
        self.learn(order.user, &outcome);
        let awaited = self.with_webhook(&order, &outcome);
        let Some(Some(user)) = self.users.get_mut(order.user.0 as usize) else {
            return;
        };
        user.made = 0;
        user.requests = user.requests.wrapping_add(1);
        let dice = self.plan.dice;
        let next = match (&mut user.kind, &self.plan.role) {
            (Kind::Customer(customer), Role::Customer(crowd)) => {
                let plan = &crowd.population(user.place).plan;
                customer.answered(times, outcome, plan, dice, &mut self.tally)
            }
            (Kind::Reader(reader), Role::Customer(crowd)) => {
                let plan = &crowd.population(user.place).plan;
                reader.answered(times, plan.give_up, &plan.polling, dice)
            }
            (Kind::OneRequest(retries), Role::ReadBalance)
                if failure.is_some_and(Failure::may_pass) && *retries < BALANCE_RETRIES =>
            {
                *retries += 1;
                Next::Ask(order.call, times.answered + BALANCE_PAUSE)
            }
            _ => self.found.take(order, times, &outcome, &mut self.tally),
        };
        match next {
            Next::Ask(call, at) => self.ask(order.user, call, at, times.answered),
            Next::Done(end) => self.finish(order.user, end, times.answered),
        }
        match awaited {
            Some(rental) => self.await_webhook(order.user, rental, times.answered),
            None => self.note_code(order.user),
        }
    }

    /// Starts no more users; those alive may go on until `deadline`.
    pub fn stop(&mut self, now: Moment, deadline: Moment) {
        self.last_start = self.last_start.min(now);
        self.last_wait = self.last_wait.min(deadline);
    }

    /// When the arrivals ended, seen from `now`, the end of the run: at the
    /// planned or asked-for end, or earlier if there were no more users to come.
    pub fn end_of_arrivals(&mut self, now: Moment) -> Moment {
        match self.arrivals.peek() {
            Some(_) => self.last_start,
            None => self.last_start.min(now),
        }
    }

    /// Users alive.
    pub const fn alive(&self) -> u32 {
        self.alive
    }

    /// What has been counted so far.
    pub const fn tally(&self) -> Standing<'_> {
        Standing {
            before: self.handed_over,
            current: &self.tally,
        }
    }

    /// The end: what was counted and not handed over, and what was found for
    /// later phases.
    pub fn finished(mut self) -> (Tally, Found) {
        self.abandon_all();
        self.tally.webhooks.lost += self.postbox.missing();
        (self.tally, self.found)
    }

    /// Hands over the seconds that have passed.
    fn cut(&mut self, now: Moment) {
        while let Some(end) = self.cutter.as_ref().map(Cutter::end)
            && end <= now
        {
            self.count_under_way(end);
            self.handed_over.add(&self.tally);
            if let Some(cutter) = &mut self.cutter {
                cutter.cut(&mut self.tally);
            }
            if matches!(self.plan.role, Role::Customer(_)) {
                self.tally.rentals.peak_in_flight = u64::from(self.alive);
            }
        }
    }

    /// Adds the time since the last change to the requests under way.
    fn count_under_way(&mut self, now: Moment) {
        self.tally.instrument.under_way += now.since(self.counted_until) * self.under_way;
        self.counted_until = self.counted_until.max(now);
    }

    /// Makes due arrivals and timers into orders.
    fn fire(&mut self, now: Moment) {
        while self.alive < MOST_ALIVE
            && let Some(arrival) = self.next_arrival().filter(|arrival| arrival.at <= now)
        {
            self.arrivals.take();
            self.tally.instrument.lateness.record(now.since(arrival.at));
            self.start(arrival, now);
        }
        while let Some((at, id)) = self.next_timer()
            && at <= now
        {
            self.timers.pop();
            self.tally.instrument.lateness.record(now.since(at));
            if let Some(user) = &mut self.users[id.0 as usize] {
                user.timer = None;
            }
            self.send(id, at, now);
        }
    }

    fn next_arrival(&mut self) -> Option<Arrival> {
        let last_start = self.last_start;
        self.arrivals
            .peek()
            .filter(|arrival| arrival.at < last_start)
    }

    fn admit(&mut self, user: User) -> UserId {
        self.alive += 1;
        if matches!(user.kind, Kind::Customer(_)) {
            let peak = &mut self.tally.rentals.peak_in_flight;
            *peak = (*peak).max(u64::from(self.alive));
        }
        if let Some(place) = self.vacant.pop() {
            self.users[place as usize] = Some(user);
            return UserId(place);
        }
        self.users.push(Some(user));
        UserId((self.users.len() - 1) as u32)
    }

    /// The request that a user stands before, meant for `intended`. What is held
    /// back is meant for when it may be sent: that it waits is no slip.
    fn send(&mut self, id: UserId, intended: Moment, now: Moment) {
        if let Some(user) = &mut self.users[id.0 as usize] {
            let turn = self
                .clearance
                .turn(user.account, intended, now, user.has_turn);
            self.tally.held += u64::from(turn > now && !user.has_turn);
            user.has_turn = turn > now;
            if user.has_turn {
                user.timer = Some(turn);
                return self.timers.push(turn, id);
            }
        }
        self.count_under_way(now);
        if let Some(user) = &self.users[id.0 as usize] {
            self.under_way += 1;
            self.tally.instrument.under_way += now.since(intended);
            self.tally.offered += u64::from(intended < self.last_start);
            self.outbox.push_back(Order {
                user: id,
                account: user.account,
                call: user.call,
                intended,
            });
        }
    }

    fn ask(&mut self, id: UserId, call: Call, at: Moment, now: Moment) {
        if now >= self.last_wait {
            return self.abandon(id);
        }
        if let Some(user) = &mut self.users[id.0 as usize] {
            user.call = call;
            user.timer = (at > now).then_some(at);
        }
        if at <= now {
            self.send(id, at, now);
        } else {
            self.timers.push(at, id);
        }
    }

    fn finish(&mut self, id: UserId, end: End, now: Moment) {
        if let Some(user) = self.users[id.0 as usize].take() {
            self.alive -= 1;
            self.vacant.push(id.0);
            if let Some(rental) = user.awaits {
                self.postbox.leave(rental);
            }
            let pause = match end {
                End::Served => Duration::ZERO,
                End::Failed => PAUSE_AFTER_FAILURE,
            };
            self.arrivals.freed(user.slot, now + pause);
        }
    }

    /// Users with a timer are between two requests; the others wait for an answer.
    fn abandon_waiting(&mut self) {
        while let Some((_, id)) = self.next_timer() {
            self.timers.pop();
            self.abandon(id);
        }
    }

    fn abandon(&mut self, id: UserId) {
        if let Some(User {
            kind: Kind::Customer(customer),
            ..
        }) = &self.users[id.0 as usize]
        {
            customer.abandon(&mut self.tally);
        }
        self.finish(id, End::Served, Moment::NEVER);
    }

    fn abandon_all(&mut self) {
        for place in 0..self.users.len() {
            if self.users[place].is_some() {
                self.abandon(UserId(place as u32));
            }
        }
    }
}
