//! What will happen, in the order of its moments. Most of it is put behind what
//! is there already, so that a queue takes it; a heap has the rest.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use contract::Moment;
use loadgen_core::answer::{Answer, Failure};
use loadgen_core::call::Order;

/// Something that will happen.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: Moment,
    /// Of two at one moment, the lower comes first.
    pub(crate) number: u64,
    pub(crate) order: Order,
    pub(crate) sent: Moment,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The request reaches the host.
    Arrives,
    /// The customer learns what came of it, and how long to wait, if the server said so.
    Ends(Result<Answer, Failure>, Option<Duration>),
}

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
