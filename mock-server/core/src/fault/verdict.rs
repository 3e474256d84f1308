//! What the fault rules say about one request. Counting is per account and per
//! rule, so the verdicts of one account never depend on another's requests.

use std::time::Duration;

use contract::dice::unit;
use contract::{Dice, Operation, Stream};

use super::{Damage, Fault, FaultRule, Target, When};

/// How a request is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How much later the answer leaves; `None` means never.
    pub(crate) latency: Option<Duration>,
    /// What else happens to it.
    pub(crate) damage: Option<Damage>,
}

impl Verdict {
    /// Nothing goes wrong.
    pub(crate) const HARMLESS: Self = Self {
        latency: Some(Duration::ZERO),
        damage: None,
    };

    /// Counts one request for `operation` of `account` and says what becomes of it.
    pub(crate) fn reach(
        rules: &[FaultRule],
        seen_by_rule: &mut [u64],
        (dice, account): (Dice, u64),
        operation: Operation,
    ) -> Self {
        let mut verdict = Self::HARMLESS;
        for ((rule, seen), number) in rules.iter().zip(seen_by_rule).zip(0..) {
            if !rule.target.includes(operation) {
                continue;
            }
            *seen += 1;
            let count = *seen;
            let chance = || unit(&mut dice.roll(account, Stream::Fault(number), count));
            if rule.when.fires(count, chance) {
                let mut roll = dice.roll(account, Stream::FaultDelay(number), count);
                match &rule.fault {
                    Fault::Latency(law) => verdict.delay(law.sample(&mut roll)),
                    Fault::Damage(damage) => verdict.damage = verdict.damage.or(Some(*damage)),
                }
            }
        }
        verdict
    }

    fn delay(&mut self, more: Option<Duration>) {
        self.latency = self
            .latency
            .zip(more)
            .map(|(latency, more)| latency.saturating_add(more));
    }
}

impl Target {
    fn includes(self, operation: Operation) -> bool {
        match self {
            Self::Every => true,
            Self::Only(only) => only == operation,
        }
    }
}

impl When {
    fn fires(self, count: u64, chance: impl FnOnce() -> f64) -> bool {
        match self {
            Self::Always => true,
            Self::First(limit) => count <= limit.get(),
            Self::Nth(place) => count == place.get(),
            Self::Every(period) => count.is_multiple_of(period.get()),
            Self::Probability(share) => chance() < share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(rules: &[&str], count: usize) -> Vec<Verdict> {
        let rules: Vec<FaultRule> = rules.iter().map(|rule| rule.parse().expect(rule)).collect();
        let mut seen = vec![0; rules.len()];
        let dice = (Dice::new(3), 9);
        (0..count)
            .map(|_| Verdict::reach(&rules, &mut seen, dice, Operation::CheckOtp))
            .collect()
    }

    fn hit(when: &str, count: usize) -> Vec<usize> {
        verdicts(&[&format!("check_otp: timeout {when}")], count)
            .iter()
            .zip(1..)
            .filter(|(verdict, _)| verdict.damage.is_some())
            .map(|(_, place)| place)
            .collect()
    }

    #[test]
    fn exact_conditions_count_from_one() {
        assert_eq!(hit("", 3), [1, 2, 3]);
        assert_eq!(hit("first 2", 5), [1, 2]);
        assert_eq!(hit("nth 3", 9), [3]);
        assert_eq!(hit("every 4", 12), [4, 8, 12]);
        assert_eq!(hit("probability 0", 100), [0; 0]);
        assert_eq!(hit("probability 1", 100).len(), 100);
    }

    #[test]
    fn probability_is_a_share() {
        let share = hit("probability 0.1", 10_000).len();
        // The standard deviation of the count is 30; the seed is fixed.
        assert!((900..1100).contains(&share), "{share}");
    }

    #[test]
    fn latencies_add_up_and_the_first_damage_decides() {
        let rules = [
            "*: latency(100ms)",
            "rent: status(500)",
            "check_otp: reset_peer nth 2",
            "check_otp: status(503)",
            "check_otp: latency(50ms) first 1",
        ];
        let latency = Some(Duration::from_millis(100));
        let [first, second] = verdicts(&rules, 2).try_into().expect("two verdicts");
        assert_eq!(first.latency, Some(Duration::from_millis(150)));
        assert_eq!(first.damage, Some(Damage::Status(503)));
        let damage = Some(Damage::ResetPeer);
        assert_eq!(second, Verdict { latency, damage });
    }

    #[test]
    fn a_latency_of_never_outlasts_all_others() {
        let rules = ["*: latency(never)", "*: latency(1s)"];
        assert_eq!(verdicts(&rules, 1)[0].latency, None);
    }
}
