//! The network between customers and server: delay, jitter and loss.

use std::str::FromStr;
use std::time::Duration;

use contract::{Dice, Stream, TimeSpan, dice};

/// One way of the network; the other is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The least time that a message takes.
    pub delay: Duration,
    /// On top of that, uniform between nothing and this.
    pub jitter: Duration,
    /// The probability that a message is lost; whoever waits for it waits in vain.
    pub loss: f64,
}

impl Default for Link {
    /// Loopback: tens of microseconds, and nothing is lost.
    fn default() -> Self {
        Self {
            delay: Duration::from_micros(40),
            jitter: Duration::ZERO,
            loss: 0.0,
        }
    }
}

/// Not a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it like delay=20ms,jitter=5ms,loss=0.01")]
pub struct LinkError(String);

impl Link {
    /// How long message number `message` takes; `None` if it is lost.
    pub fn carry(&self, dice: Dice, message: u64) -> Option<Duration> {
        if self.jitter.is_zero() && self.loss == 0.0 {
            return Some(self.delay);
        }
        // A stream that no customer uses: these numbers are beyond all users.
        let mut roll = dice.roll(u64::MAX, Stream::Polling, message);
        let lost = dice::unit(&mut roll) < self.loss;
        let more = self.jitter.mul_f64(dice::unit(&mut roll));
        (!lost).then(|| self.delay + more)
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let mut link = Self::default();
        let span = |value: &str| -> Result<Duration, LinkError> {
            let span = value.trim().parse::<TimeSpan>();
            span.map(|span| span.0)
                .map_err(|error| LinkError(error.to_string()))
        };
        for part in text.split(',') {
            match part
                .split_once('=')
                .map(|(name, value)| (name.trim(), value))
            {
                Some(("delay", value)) => link.delay = span(value)?,
                Some(("jitter", value)) => link.jitter = span(value)?,
                Some(("loss", value)) => {
                    let loss = value.trim().parse().ok();
                    let loss = loss.filter(|loss: &f64| (0.0..1.0).contains(loss));
                    let complaint = || LinkError(format!("{value:?} is not a probability below 1"));
                    link.loss = loss.ok_or_else(complaint)?;
                }
                _ => return Err(LinkError(format!("{part:?} says nothing of a link"))),
            }
        }
        Ok(link)
    }
}
