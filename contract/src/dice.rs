//! Chance that is counted, not drawn.
//!
//! Every random decision is a function of four numbers: seed, account, stream
//! and index. Adding a user, a fault or a thread therefore changes nobody
//! else's dice, and a slice of a run can be computed anywhere. There is no
//! shared generator to advance, and no entropy is read here.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator of one decision: as many words as the decision needs.
///
/// ChaCha with eight rounds, because its key and stream number hold our four
/// numbers as they are, and its output is fixed by a specification rather than
/// by a library's version.
pub type Roll = ChaCha8Rng;

/// What a decision is about. Each purpose has dice of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The name and e-mail address of an account.
    Person,
    /// The order in which an account is given phone numbers.
    Phone,
    /// The one-time password of a rental.
    Code,
    /// The time from rent to SMS.
    SmsDelay,
    /// Whether a fault rule fires; the number is the rule's place in the list.
    Fault(u32),
    /// The length of a delay that a fault rule adds; numbered likewise.
    FaultDelay(u32),
    /// Bytes that a fault rule makes up; numbered likewise.
    FaultData(u32),
    /// The one-time password of a second SMS.
    SecondCode,
    /// Whether the event of an SMS is posted twice.
    WebhookDuplicate,
    /// When users arrive.
    Arrival,
    /// What a user asks for.
    Service,
    /// The jitter of a user's polling.
    Polling,
    /// The API keys that a load run makes up.
    Key,
    /// The jitter of a user's retries.
    Retry,
    /// Which population a user belongs to.
    Population,
    /// The secret that an endpoint's webhooks are signed with; the number is the endpoint's.
    WebhookSecret,
}

impl Stream {
    /// A number that no other stream has. Fixed for ever: seeds in bug reports rest on it.
    const fn number(self) -> u64 {
        match self {
            Self::Person => 1,
            Self::Phone => 2,
            Self::Code => 3,
            Self::SmsDelay => 4,
            Self::Arrival => 5,
            Self::Service => 6,
            Self::Polling => 7,
            Self::Key => 8,
            Self::SecondCode => 9,
            Self::WebhookDuplicate => 10,
            Self::Retry => 11,
            Self::Population => 12,
            Self::WebhookSecret => 13,
            Self::Fault(rule) => (1 << 32) | rule as u64,
            Self::FaultDelay(rule) => (2 << 32) | rule as u64,
            Self::FaultData(rule) => (3 << 32) | rule as u64,
        }
    }
}

/// All the dice of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice {
    seed: u64,
}

impl Dice {
    /// The dice that belong to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed, for a report to print.
    pub const fn seed(self) -> u64 {
        self.seed
    }

    /// The dice for decision number `index` of `stream` in `account`.
    pub fn roll(self, account: u64, stream: Stream, index: u64) -> Roll {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&account.to_le_bytes());
        key[16..24].copy_from_slice(&stream.number().to_le_bytes());
        let mut roll = ChaCha8Rng::from_seed(key);
        roll.set_stream(index);
        roll
    }
}

/// A number in [0, 1) with 53 random bits.
pub fn unit(roll: &mut Roll) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (roll.next_u64() >> 11) as f64 * STEP
}

/// Fills `bytes` with random ones.
pub fn fill(roll: &mut Roll, bytes: &mut [u8]) {
    roll.fill_bytes(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(account: u64, stream: Stream, index: u64) -> u64 {
        Dice::new(42).roll(account, stream, index).next_u64()
    }

    #[test]
    fn equal_coordinates_give_equal_dice() {
        assert_eq!(word(1, Stream::Code, 9), word(1, Stream::Code, 9));
    }

    #[test]
    fn each_coordinate_changes_the_dice() {
        let base = word(1, Stream::Code, 9);
        assert_ne!(base, word(2, Stream::Code, 9));
        assert_ne!(base, word(1, Stream::SmsDelay, 9));
        assert_ne!(base, word(1, Stream::Code, 10));
        assert_ne!(base, Dice::new(43).roll(1, Stream::Code, 9).next_u64());
        assert_ne!(word(1, Stream::Fault(0), 0), word(1, Stream::Fault(1), 0));
    }

    #[test]
    fn the_dice_never_change_between_versions() {
        // A seed quoted in a bug report must reproduce it next year.
        assert_eq!(word(0, Stream::Person, 0), 16_631_708_264_725_190_001);
    }

    #[test]
    fn units_are_uniform() {
        let mean = (0..10_000)
            .map(|index| unit(&mut Dice::new(1).roll(0, Stream::Code, index)))
            .sum::<f64>()
            / 10_000.0;
        // The standard error of the mean is 0.0029; the seed is fixed.
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
    }
}
