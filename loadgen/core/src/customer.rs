//! A virtual user that rents a number and waits for its code: rent, poll until
//! the code or the deadline, then read the history to confirm it. A state
//! machine without a clock: it is told what came back and when, and says what
//! to ask next and when.

use std::time::Duration;

use contract::{Cents, Dice, Moment, Service, Stream, Truth};
use rand::RngExt;

use crate::answer::{Answer, Failure, Rented, Row};
use crate::call::{Call, Times};
use crate::lag::LagShares;
use crate::place::Place;
use crate::polling::learner::Learner;
use crate::polling::school::Lesson;
use crate::polling::{Position, Strategy};
use crate::retry::Retry;
use crate::tally::Tally;
use crate::webhook::Pushed;

/// What all customers of a scenario have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerPlan {
    /// Each customer rents for one of these, with equal chance; never empty.
    pub services: Vec<&'static Service>,
    /// When to ask.
    pub polling: Strategy,
    /// How long to wait for the code after the rent; `None` is as long as the rental lives.
    pub give_up: Option<Duration>,
    /// What to do when a request fails.
    pub retry: Retry,
}

/// How far to look for a rental: with a hundred rows a page, among the newest
/// 20,000 of the account. A server that ignores paging would never show an end.
const MAX_READINGS: u32 = 200;

/// How often a failed reading of the history is tried again, and after what pause.
const HISTORY_RETRIES: u32 = 3;
const HISTORY_PAUSE: Duration = Duration::from_millis(250);

/// After what pause a history is read again that does not show yet what a webhook
/// has told.
const EARLY_PAUSE: Duration = Duration::from_secs(1);

/// One customer.
#[derive(Clone, Debug)]
pub struct Customer {
    index: u64,
    account: u32,
    /// Where it is counted apart from others.
    place: Option<Place>,
    state: State,
    /// Where its strategy learns.
    lesson: Option<Box<Lesson>>,
}

#[derive(Clone, Debug)]
enum State {
    Renting,
    Waiting(Wait),
    Confirming(Confirmation),
}

/// A rental whose code is awaited.
#[derive(Clone, Debug)]
struct Wait {
    rented: Rented,
    since: Moment,
    deadline: Duration,
    position: Position,
    /// Polls made; beats of the schedule that passed unused are none.
    polls: u32,
    /// The latest poll that did not bring the code.
    latest: Option<Times>,
    /// Until when its answer said to wait.
    told: Option<Moment>,
}

/// A code that the history should show.
#[derive(Clone, Debug)]
struct Confirmation {
    id: u64,
    cost: Cents,
    code: Box<str>,
    /// How often the history was read, each time further down; from 1. While a poll
    /// is under way that a webhook has overtaken, 0.
    reading: u32,
    retries: u32,
    /// Until when the history need not show it yet, because a webhook came first.
    early_until: Moment,
}

/// What a user does next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Make this request, meant for this moment.
    Ask(Call, Moment),
    /// Nothing: it is done.
    Done(End),
}

/// How a user's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With what it came for, or with a plain no.
    Served,
    /// Without: the server failed it.
    Failed,
}

impl Customer {
    /// What customer number `index` of the plan rents for.
    pub fn service(index: u64, plan: &CustomerPlan, dice: Dice) -> &'static Service {
        let mut roll = dice.roll(index, Stream::Service, 0);
        plan.services[roll.random_range(0..plan.services.len())]
    }

    /// Customer number `index` of the plan, who asks for a rental first.
    pub fn new(index: u64, account: u32, place: Option<Place>, tally: &mut Tally) -> Self {
        tally.rentals(place, |rentals| rentals.started += 1);
        Self {
            index,
            account,
            place,
            state: State::Renting,
            lesson: None,
        }
    }

    /// Takes the outcome of the request it made.
    pub fn answered(
        &mut self,
        times: Times,
        outcome: Result<Answer, Failure>,
        plan: &CustomerPlan,
        dice: Dice,
        tally: &mut Tally,
    ) -> Next {
        let now = times.answered;
        match (&mut self.state, outcome) {
            (State::Renting, Ok(Answer::Rented(rented))) => {
                tally.money.charged += rented.cost;
                let wait = Wait {
                    rented,
                    since: now,
                    deadline: plan.give_up.unwrap_or(rented.expires_in),
                    position: Position::default(),
                    polls: 0,
                    latest: None,
                    told: None,
                };
                self.wait(wait, now, plan, dice)
            }
            (State::Renting, outcome) => {
                tally.rentals(self.place, |rentals| rentals.failed += 1);
                let unknown = outcome.is_err_and(Failure::may_have_charged);
                tally.money.unknown_rents += u64::from(unknown);
                Next::Done(End::Failed)
            }
            (State::Waiting(wait), Ok(Answer::Received { code, truth })) => {
                let whose = (self.account, self.place);
                let shares = |truth: Truth| LagShares::of(truth.readable, times, wait.latest);
                let explained = truth.map(|truth| (truth, shares(truth)));
                let confirmation = wait.received(whose, code, explained, now, tally);
                self.state = State::Confirming(confirmation);
                Next::Ask(Call::History(1), now)
            }
            (State::Waiting(wait), Ok(Answer::Ended)) => {
                let polls = u64::from(wait.polls);
                tally.rentals(self.place, |rentals| {
                    rentals.expired += 1;
                    rentals.polls_undelivered += polls;
                });
                tally.money.refunded += wait.rented.cost;
                Next::Done(End::Served)
            }
            (State::Waiting(wait), _) if wait.position.offset >= wait.deadline => {
                self.abandon(tally);
                Next::Done(End::Served)
            }
            (State::Waiting(wait), _) => {
                let wait = Wait {
                    latest: Some(times),
                    ..wait.clone()
                };
                self.wait(wait, now, plan, dice)
            }
            (State::Confirming(confirmation), _) if confirmation.reading == 0 => {
                confirmation.reading = 1;
                Next::Ask(Call::History(1), now)
            }
            (State::Confirming(confirmation), outcome) => {
                confirmation.read(outcome, now, self.place, tally)
            }
        }
    }

    /// The rental that it looks for in the history.
    pub fn sought(&self) -> Option<u64> {
        match &self.state {
            State::Confirming(confirmation) => Some(confirmation.id),
            State::Renting | State::Waiting(_) => None,
        }
    }

    /// The code has come by webhook, while a poll was under way or between two; in
    /// the latter case the poll to come is not made, and the history comes next.
    pub(crate) fn pushed(
        &mut self,
        now: Moment,
        pushed: &Pushed,
        polling: bool,
        tally: &mut Tally,
    ) {
        let State::Waiting(wait) = &mut self.state else {
            return;
        };
        wait.polls -= u32::from(!polling);
        let whose = (self.account, self.place);
        let explained = pushed
            .truth
            .map(|truth| (truth, LagShares::of_webhook(truth.readable)));
        let mut confirmation = wait.received(whose, pushed.code.clone(), explained, now, tally);
        confirmation.reading = u32::from(!polling);
        confirmation.early_until = wait.since + wait.rented.expires_in;
        self.state = State::Confirming(confirmation);
    }

    /// Whether it has what it waited for.
    pub(crate) const fn knows_code(&self) -> bool {
        matches!(self.state, State::Confirming(_))
    }

    /// The answer that comes next teaches `learner`, and its customer when to ask.
    pub(crate) fn learn(
        &mut self,
        outcome: &Result<Answer, Failure>,
        plan: &CustomerPlan,
        learner: &mut Learner,
    ) {
        if let (State::Renting, Ok(Answer::Rented(rented))) = (&self.state, outcome) {
            self.lesson = Some(Box::new(Lesson {
                timetable: learner.timetable(plan.give_up.unwrap_or(rented.expires_in)),
                nothing_at: Duration::ZERO,
            }));
        }
        let (State::Waiting(wait), Some(lesson)) = (&self.state, &mut self.lesson) else {
            return;
        };
        let (before, asked) = (lesson.nothing_at, wait.position.offset);
        match outcome {
            Ok(Answer::Received { .. }) => learner.saw(before, asked, true),
            Ok(Answer::Ended) => learner.saw(asked, asked, false),
            Ok(Answer::Waiting) if asked >= wait.deadline => learner.saw(asked, asked, false),
            Ok(Answer::Waiting) => lesson.nothing_at = asked,
            // What failed tells nothing of the code.
            _ => {}
        }
    }

    /// The webhook that comes next teaches `learner` when codes arrive.
    pub(crate) fn learn_from_webhook(&self, now: Moment, learner: &mut Learner) {
        if let (State::Waiting(wait), Some(lesson)) = (&self.state, &self.lesson) {
            learner.saw(lesson.nothing_at, now.since(wait.since), true);
        }
    }

    /// The answer that comes next says not to ask before `until`.
    pub fn told_to_wait(&mut self, until: Moment) {
        if let State::Waiting(wait) = &mut self.state {
            wait.told = Some(until);
        }
    }

    /// Its request has failed and is made again: another poll, if it was one.
    pub fn repeats(&mut self, times: Times) {
        if let State::Waiting(wait) = &mut self.state {
            wait.polls += 1;
            wait.latest = Some(times);
            wait.told = None;
        }
    }

    /// Stops wherever it stands, because the run ends.
    pub fn abandon(&self, tally: &mut Tally) {
        match &self.state {
            State::Renting => tally.rentals(self.place, |rentals| rentals.failed += 1),
            State::Waiting(wait) => {
                tally.rentals(self.place, |rentals| {
                    rentals.abandoned += 1;
                    rentals.polls_undelivered += u64::from(wait.polls);
                });
                let end = wait.since + wait.rented.expires_in;
                tally.money.unfinished.push((end, wait.rented.cost));
            }
            State::Confirming(_) => {}
        }
    }

    /// On to the next beat of the schedule that has not passed yet.
    ///
    /// After a slow answer, beats have passed: a client that waits for one
    /// answer at a time cannot have asked at them. The slow answer itself is
    /// counted from the beat it was meant for, and the last poll is due at the
    /// deadline, however late it is.
    fn wait(&mut self, mut wait: Wait, now: Moment, plan: &CustomerPlan, dice: Dice) -> Next {
        let (deadline, index) = (wait.deadline, self.index);
        let taught = self.lesson.as_ref().map(|lesson| &*lesson.timetable);
        let next = |position| {
            let plan = &plan.polling;
            plan.next_along(taught, (position, deadline), dice, index)
        };
        wait.position = next(wait.position);
        while wait.since + wait.position.offset < now && wait.position.offset < deadline {
            wait.position = next(wait.position);
        }
        if let Some(until) = wait.told.take().filter(|_| plan.polling.follows_server()) {
            let offset = until.since(wait.since);
            wait.position = plan.polling.as_told(wait.position, offset, deadline);
        }
        wait.polls += 1;
        let due = wait.since + wait.position.offset;
        let ask = Next::Ask(Call::CheckOtp(wait.rented.id), due);
        self.state = State::Waiting(wait);
        ask
    }
}

impl Wait {
    fn received(
        &self,
        (account, place): (u32, Option<Place>),
        code: Box<str>,
        explained: Option<(Truth, LagShares)>,
        now: Moment,
        tally: &mut Tally,
    ) -> Confirmation {
        let truth = explained.map(|(truth, _)| truth);
        tally.rentals(place, |rentals| {
            rentals.received(self.polls, now.since(self.since));
            if let Some((truth, shares)) = explained {
                rentals.explained(truth, shares);
            }
            rentals.add_to_fingerprint(account, &self.rented, &code, truth);
        });
        Confirmation {
            id: self.rented.id,
            cost: self.rented.cost,
            code,
            reading: 1,
            retries: 0,
            early_until: Moment::START,
        }
    }
}

impl Confirmation {
    fn read(
        &mut self,
        outcome: Result<Answer, Failure>,
        now: Moment,
        place: Option<Place>,
        tally: &mut Tally,
    ) -> Next {
        let Ok(Answer::History(rows)) = outcome else {
            return self.retry(now);
        };
        match rows.iter().find(|row| row.id == self.id) {
            Some(row) if self.agrees(row) => {
                tally.rentals(place, |rentals| rentals.confirmed += 1);
            }
            Some(row) if !row.completed && row.code.is_none() && now < self.early_until => {
                self.reading = 1;
                return Next::Ask(Call::History(1), now + EARLY_PAUSE);
            }
            // Newer rentals of the account stand before ours; an empty page is the end.
            None if !rows.is_empty() && self.reading < MAX_READINGS => {
                self.reading += 1;
                return Next::Ask(Call::History(self.reading), now);
            }
            _ => tally.mismatch(),
        }
        Next::Done(End::Served)
    }

    fn agrees(&self, row: &Row) -> bool {
        row.completed && row.code.as_deref() == Some(&*self.code) && row.cost == self.cost
    }

    fn retry(&mut self, now: Moment) -> Next {
        self.retries += 1;
        if self.retries > HISTORY_RETRIES {
            return Next::Done(End::Failed);
        }
        Next::Ask(Call::History(self.reading), now + HISTORY_PAUSE)
    }
}
