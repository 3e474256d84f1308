//! A virtual user that only looks: at its profile or at the history, once or
//! for a while. A state machine without a clock, like the customer.

use std::time::Duration;

use contract::{Dice, Moment};

use crate::call::{Call, Times};
use crate::customer::{End, Next};
use crate::polling::{Position, Strategy};

/// One reader.
#[derive(Clone, Debug)]
pub struct Reader {
    index: u64,
    call: Call,
    /// When it first looked, once that is known.
    since: Option<Moment>,
    position: Position,
}

impl Reader {
    /// Reader number `index` of the plan, who makes this request.
    pub const fn new(index: u64, call: Call) -> Self {
        let position = Position::START;
        Self {
            index,
            call,
            since: None,
            position,
        }
    }

    /// Its request was answered, well or not. It looks again at the next beat of
    /// its strategy that has not passed, counted from its first request, for as
    /// long as it stays; one that does not stay looks once.
    pub fn answered(
        &mut self,
        times: Times,
        stays: Option<Duration>,
        strategy: &Strategy,
        dice: Dice,
    ) -> Next {
        let since = *self.since.get_or_insert(times.intended);
        let Some(stays) = stays else {
            return Next::Done(End::Served);
        };
        loop {
            if self.position.offset >= stays {
                return Next::Done(End::Served);
            }
            self.position = strategy.next(self.position, stays, dice, self.index);
            let due = since + self.position.offset;
            if due >= times.answered {
                return Next::Ask(self.call, due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_looks_on_its_beats_until_it_leaves() {
        let strategy: Strategy = "fixed(1s)".parse().expect("a strategy");
        let at = |milliseconds| Moment::from(Duration::from_millis(milliseconds));
        let mut reader = Reader::new(0, Call::Profile);
        let mut looked = Vec::new();
        let mut intended = at(500);
        loop {
            looked.push(intended.since_start().as_millis());
            // The second answer takes two and a half seconds.
            let takes = Duration::from_millis(if looked.len() == 2 { 2500 } else { 10 });
            let times = Times {
                intended,
                sent: intended,
                answered: intended + takes,
            };
            let stays = Some(Duration::from_secs(5));
            match reader.answered(times, stays, &strategy, Dice::new(1)) {
                Next::Ask(Call::Profile, at) => intended = at,
                Next::Ask(..) => panic!("another request"),
                Next::Done(end) => break assert_eq!(end, End::Served),
            }
        }
        assert_eq!(looked, [500, 1500, 4500, 5500]);
    }
}
