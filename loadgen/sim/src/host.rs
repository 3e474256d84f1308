//! The machine that the server runs on: workers that take their time, and a
//! queue before them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::str::FromStr;
use std::time::Duration;

use contract::{Moment, TimeSpan};

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Requests that are worked on at the same time.
    pub workers: u32,
    /// How long each takes.
    pub service: Duration,
    /// Requests that may wait for a worker; one more is turned away.
    pub queue: u32,
}

impl Default for Host {
    /// Fast enough not to matter.
    fn default() -> Self {
        Self {
            workers: 1,
            service: Duration::ZERO,
            queue: u32::MAX,
        }
    }
}

/// Not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it like workers=2,service=50us,queue=1000")]
pub struct HostError(String);

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let mut host = Self::default();
        let number = |value: &str, least: u32| -> Result<u32, HostError> {
            let number = value.trim().parse().ok().filter(|number| *number >= least);
            number.ok_or_else(|| HostError(format!("{value:?} is not a number from {least}")))
        };
        for part in text.split(',') {
            match part
                .split_once('=')
                .map(|(name, value)| (name.trim(), value))
            {
                Some(("workers", value)) => host.workers = number(value, 1)?,
                Some(("queue", value)) => host.queue = number(value, 0)?,
                Some(("service", value)) => {
                    let span = value.trim().parse::<TimeSpan>();
                    host.service = span.map_err(|error| HostError(error.to_string()))?.0;
                }
                _ => return Err(HostError(format!("{part:?} says nothing of a host"))),
            }
        }
        Ok(host)
    }
}

/// The machine at work.
#[derive(Debug)]
pub(crate) struct Desk {
    host: Host,
    /// When each busy worker is free again.
    busy: BinaryHeap<Reverse<Moment>>,
    /// When those who wait begin.
    waiting: BinaryHeap<Reverse<Moment>>,
}

impl Desk {
    pub(crate) fn new(host: Host) -> Self {
        Self {
            host,
            busy: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
        }
    }

    /// Whether every request is answered the moment it comes.
    pub(crate) const fn take_at_once(&self) -> bool {
        self.host.service.is_zero()
    }

    /// A request arrives at `now`, not earlier than the one before: when it will
    /// have been worked on, or `None` if it is turned away.
    pub(crate) fn take(&mut self, now: Moment) -> Option<Moment> {
        if self.host.service.is_zero() {
            return Some(now);
        }
        while self
            .waiting
            .peek()
            .is_some_and(|Reverse(begins)| *begins <= now)
        {
            self.waiting.pop();
        }
        let free = if self.busy.len() < self.host.workers as usize {
            now
        } else {
            let Reverse(free) = self.busy.peek().copied()?;
            if free > now && self.waiting.len() >= self.host.queue as usize {
                return None;
            }
            self.busy.pop();
            free.max(now)
        };
        if free > now {
            self.waiting.push(Reverse(free));
        }
        let done = free + self.host.service;
        self.busy.push(Reverse(done));
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_wait_for_a_worker_and_are_turned_away_when_too_many_do() {
        let mut desk = Desk::new("workers=2,service=10ms,queue=1".parse().expect("a host"));
        let at = |milliseconds| Moment::START + Duration::from_millis(milliseconds);
        assert_eq!(desk.take(at(0)), Some(at(10)));
        assert_eq!(desk.take(at(1)), Some(at(11)));
        assert_eq!(desk.take(at(2)), Some(at(20)), "waits for the first worker");
        assert_eq!(desk.take(at(3)), None);
        assert_eq!(desk.take(at(10)), Some(at(21)), "the queue is empty again");
    }
}
