//! When which user acts next. Users with equal gaps come in the order in which
//! they were told to, so that most are put at the end of a queue and taken from
//! its front; a heap has the others. `benches/simulate` shows what that is worth.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use contract::Moment;

use crate::call::UserId;

/// All users with something to do later, by moment.
#[derive(Debug, Default)]
pub(super) struct Timers {
    in_order: VecDeque<(Moment, UserId)>,
    others: BinaryHeap<Reverse<(Moment, UserId)>>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Moment, user: UserId) {
        if self.in_order.back().is_none_or(|last| *last < (at, user)) {
            self.in_order.push_back((at, user));
        } else {
            self.others.push(Reverse((at, user)));
        }
    }

    /// The earliest; at one moment the user with the lowest number.
    pub(super) fn first(&self) -> Option<(Moment, UserId)> {
        let other = self.others.peek().map(|Reverse(other)| *other);
        match (self.in_order.front(), other) {
            (Some(front), Some(other)) => Some(other.min(*front)),
            (front, other) => front.copied().or(other),
        }
    }

    pub(super) fn pop(&mut self) -> Option<(Moment, UserId)> {
        let first = self.first();
        if self.in_order.front().copied() == first {
            self.in_order.pop_front()
        } else {
            self.others.pop().map(|Reverse(other)| other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_come_as_from_one_heap(
            steps in prop::collection::vec((any::<bool>(), 0_u64..20, 0_u32..9), 0..200),
        ) {
            let (mut timers, mut heap) = (Timers::default(), BinaryHeap::new());
            for (push, at, user) in steps {
                if push {
                    let (at, user) = (Moment::from_nanoseconds(at), UserId(user));
                    timers.push(at, user);
                    heap.push(Reverse((at, user)));
                } else {
                    let expected = heap.pop().map(|Reverse(first)| first);
                    prop_assert_eq!(timers.pop(), expected);
                }
            }
        }
    }
}
