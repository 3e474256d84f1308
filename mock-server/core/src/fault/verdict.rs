//! What the fault rules say about one request. Counting is per account and per
//! rule, so the verdicts of one account never depend on another's requests.

use std::time::Duration;

use contract::dice::{Roll, unit};
use contract::{Dice, Moment, Operation, Stream};

use super::effect::Effect;
use super::{Fault, FaultRecord, FaultRule, SmsPlan, Target, When};

/// How a request is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How much later the answer leaves; `None` means never.
    pub(crate) latency: Option<Duration>,
    /// What else happens to it, and whose strike that is.
    effect: Option<(Effect, Strike)>,
    /// What happens to the SMS, if the request makes a rental.
    pub(crate) sms: SmsPlan,
}

/// One firing of one rule: what its dice are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    rule: u32,
    count: u64,
}

impl Strike {
    /// The number of the rule that a request brings itself: no list gets this long.
    const PREFERRED: u32 = u32::MAX;

    /// The dice for what the rule sends.
    pub(crate) fn data(self, (dice, account): (Dice, u64)) -> Roll {
        dice.roll(account, Stream::FaultData(self.rule), self.count)
    }
}

impl Verdict {
    /// Nothing goes wrong.
    pub(crate) const HARMLESS: Self = Self {
        latency: Some(Duration::ZERO),
        effect: None,
        sms: SmsPlan::ORDINARY,
    };

    /// Counts one request for `operation` of `account` and says what becomes of
    /// it. What it `preferred` for itself comes before all rules.
    pub(crate) fn reach(
        preferred: Option<&FaultRule>,
        record: &mut FaultRecord,
        dice: (Dice, u64),
        (operation, now): (Operation, Moment),
    ) -> Self {
        let mut verdict = Self::HARMLESS;
        if let Some(rule) = preferred {
            record.preferred += 1;
            let strike = Strike {
                rule: Strike::PREFERRED,
                count: record.preferred,
            };
            verdict.suffer(&rule.fault, strike, dice);
        }
        for active in &mut record.rules {
            let rule = &active.rule;
            let age = now.since(active.since);
            if !rule.target.includes(operation) || rule.ttl.is_some_and(|ttl| age >= ttl) {
                continue;
            }
            active.seen += 1;
            let strike = Strike {
                rule: active.id.stream(),
                count: active.seen,
            };
            let (all, account) = dice;
            let chance = || unit(&mut all.roll(account, Stream::Fault(strike.rule), strike.count));
            if rule.when.fires(strike.count, chance) {
                active.fired += 1;
                verdict.suffer(&rule.fault, strike, dice);
            }
        }
        verdict
    }

    /// Whether the answer is as it should be, but for when it comes.
    pub(crate) const fn is_harmless(&self) -> bool {
        self.latency.is_some() && self.effect.is_none()
    }

    /// Whether the operation is to be left undone.
    pub(crate) fn prevents_operation(&self) -> bool {
        match self.effect {
            Some((effect @ Effect::Instead(..), _)) => effect.prevents(),
            // An answer that never comes is usually not even computed.
            _ => self.latency.is_none(),
        }
    }

    /// What happens to the answer, and whose strike that is.
    pub(crate) const fn effect(&self) -> Option<(Effect, Strike)> {
        self.effect
    }

    fn suffer(&mut self, fault: &Fault, strike: Strike, (dice, account): (Dice, u64)) {
        let effect = match fault {
            Fault::Latency(law) => {
                let stream = Stream::FaultDelay(strike.rule);
                return self.delay(law.sample(&mut dice.roll(account, stream, strike.count)));
            }
            Fault::Sms(fault) => return self.sms.suffer(*fault),
            Fault::Webhook(fault) => return self.sms.webhook.suffer(*fault),
            Fault::Instead(substitute, phase) => Effect::Instead(*substitute, *phase),
            Fault::Damage(damage) => Effect::Damage(*damage),
        };
        self.effect = self.effect.or(Some((effect, strike)));
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
            Self::After(limit) => count > limit,
            Self::Between(first, last) => (first.get()..=last.get()).contains(&count),
            // Certain either way, whatever the dice would say.
            Self::Probability(share) if share <= 0.0 => false,
            Self::Probability(share) if share >= 1.0 => true,
            Self::Probability(share) => chance() < share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Damage, Phase, Substitute};

    /// The verdicts about polls that come a second apart, from one second after
    /// the account's beginning on.
    fn verdicts(rules: &[&str], count: u64) -> Vec<Verdict> {
        let rules: Vec<FaultRule> = rules.iter().map(|rule| rule.parse().expect(rule)).collect();
        let since = Moment::START + Duration::from_secs(100);
        let mut record = FaultRecord::begin(since, &rules);
        let dice = (Dice::new(3), 9);
        (1..=count)
            .map(|second| {
                let now = since + Duration::from_secs(second);
                let request = (Operation::CheckOtp, now);
                Verdict::reach(None, &mut record, dice, request)
            })
            .collect()
    }

    fn effect(verdict: Verdict) -> Option<Effect> {
        verdict.effect.map(|(effect, _)| effect)
    }

    fn instead(substitute: Substitute) -> Option<Effect> {
        Some(Effect::Instead(substitute, Phase::Before))
    }

    fn hit(when: &str, count: u64) -> Vec<u64> {
        verdicts(&[&format!("check_otp: timeout {when}")], count)
            .iter()
            .zip(1..)
            .filter(|(verdict, _)| verdict.effect.is_some())
            .map(|(_, place)| place)
            .collect()
    }

    #[test]
    fn exact_conditions_count_from_one() {
        assert_eq!(hit("", 3), [1, 2, 3]);
        assert_eq!(hit("first 2", 5), [1, 2]);
        assert_eq!(hit("nth 3", 9), [3]);
        assert_eq!(hit("every 4", 12), [4, 8, 12]);
        assert_eq!(hit("after 3", 6), [4, 5, 6]);
        assert_eq!(hit("after 0", 2), [1, 2]);
        assert_eq!(hit("between 2 and 4", 9), [2, 3, 4]);
        assert_eq!(hit("between 3 and 3", 9), [3]);
        assert_eq!(hit("probability 0", 100), [0; 0]);
        assert_eq!(hit("probability 1", 100).len(), 100);
    }

    #[test]
    fn certainty_needs_no_dice() {
        let dice = || -> f64 { unreachable!("nothing is to be decided") };
        assert!(!When::Probability(0.0).fires(1, dice));
        assert!(!When::Probability(-0.0).fires(1, dice));
        assert!(When::Probability(1.0).fires(1, dice));
    }

    #[test]
    fn a_rule_lives_as_long_as_it_says_from_the_accounts_beginning() {
        assert_eq!(hit("ttl 3s", 9), [1, 2]);
        assert_eq!(hit("every 2 ttl 7s", 20), [2, 4, 6]);
        assert_eq!(hit("ttl 0s", 3), [0; 0]);
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
        assert_eq!(effect(first), instead(Substitute::Status(503)));
        assert_eq!(second.latency, latency);
        assert_eq!(effect(second), instead(Substitute::ResetPeer));
    }

    #[test]
    fn what_is_preferred_comes_before_all_rules_and_counts_for_them() {
        let rules = ["*: status(500) nth 1", "*: slow_close(1s) nth 2"]
            .map(|rule| rule.parse::<FaultRule>().expect(rule));
        let preferred: FaultRule = "*: timeout".parse().expect("well-formed");
        let mut record = FaultRecord::begin(Moment::START, &rules);
        let mut reach = |preferred| {
            let request = (Operation::Profile, Moment::START);
            let dice = (Dice::new(3), 9);
            effect(Verdict::reach(preferred, &mut record, dice, request))
        };
        assert_eq!(reach(Some(&preferred)), instead(Substitute::Timeout));
        let slow = Damage::SlowClose(Duration::from_secs(1));
        assert_eq!(reach(None), Some(Effect::Damage(slow)));
        assert_eq!(reach(None), None);
    }

    #[test]
    fn only_an_answer_lost_after_the_operation_lets_it_happen() {
        for (rule, prevented) in [
            ("*: timeout", true),
            ("*: timeout after_commit", false),
            ("*: status(500) after_commit", false),
            ("*: slow_body(1s)", false),
            ("*: latency(never)", true),
            ("*: latency(1s)", false),
        ] {
            let verdict = verdicts(&[rule], 1)[0];
            assert_eq!(verdict.prevents_operation(), prevented, "{rule}");
        }
        let both = verdicts(&["*: latency(never)", "*: status(500) after_commit"], 1)[0];
        assert!(!both.prevents_operation());
    }

    #[test]
    fn a_latency_of_never_outlasts_all_others() {
        let rules = ["*: latency(never)", "*: latency(1s)"];
        assert_eq!(verdicts(&rules, 1)[0].latency, None);
    }
}
