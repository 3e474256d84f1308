//! What will happen, in the order of its moments. Most of it is put behind what
//! is there already, so that a queue takes it; a heap has the rest.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use contract::Moment;
use loadgen_core::answer::{Answer, Failure};
use loadgen_core::call::Order;
use mock_server_core::{DeliveryId, WebhookAttempt, WebhookOutcome};

/// Something that will happen.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: Moment,
    /// Of two at one moment, the lower comes first.
    pub(crate) number: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// A request that was sent then reaches the host.
    Arrives(Order, Moment),
    /// The customer learns what came of it, and how long to wait, if the server said so.
    Ends(Order, Moment, Outcome, Option<Duration>),
    /// A webhook reaches the customers.
    Posted(Box<WebhookAttempt>),
    /// The mock learns what became of it.
    Acknowledged(DeliveryId, WebhookOutcome),
}

/// What came of a request.
pub(crate) type Outcome = Result<Answer, Failure>;

/// Everything that will happen. Numbers rise from one event to the next.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    in_order: VecDeque<Event>,
    others: BinaryHeap<Event>,
}

impl Queue {
    pub(crate) fn push(&mut self, event: Event) {
        if self.in_order.back().is_none_or(|last| last.at <= event.at) {
            self.in_order.push_back(event);
        } else {
            self.others.push(event);
        }
    }

    /// When the next event happens.
    pub(crate) fn next(&self) -> Option<Moment> {
        let (front, other) = (self.in_order.front(), self.others.peek());
        front.into_iter().chain(other).map(|event| event.at).min()
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        // The greater is the earlier.
        if self.in_order.front() > self.others.peek() {
            self.in_order.pop_front()
        } else {
            self.others.pop()
        }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, because the heap gives that first.
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}
