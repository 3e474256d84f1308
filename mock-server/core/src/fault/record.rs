//! The fault rules of one account and what they have seen so far. Both are the
//! account's, so that tests in parallel do not count each other's requests.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use contract::Moment;
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::FaultRule;

/// Who made a rule. In this order rules are asked, so that what a test wants
/// for itself comes before what everybody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A tester, for one account.
    Account,
    /// A tester, for every account.
    Server,
    /// The settings.
    Settings,
}

/// Names a rule of an account: who made it, and the how-manieth of theirs it
/// is, from 1. Nobody else's rules change it, so its dice stay the same.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr, SerializeDisplay,
)]
pub struct RuleId {
    /// Who made it.
    pub origin: Origin,
    /// From 1.
    pub number: u32,
}

/// Not the name of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a fault rule; they look like account-1, server-1 and settings-1")]
pub struct RuleIdError(String);

/// A rule with its memory.
#[derive(Clone, Debug)]
pub(crate) struct ActiveRule {
    pub(crate) id: RuleId,
    pub(crate) rule: Arc<FaultRule>,
    /// From where its ttl runs, in the account's time.
    pub(crate) since: Moment,
    /// How many requests it has counted.
    pub(crate) seen: u64,
    /// On how many of them it fired.
    pub(crate) fired: u64,
}

/// The rules of one account, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultRecord {
    pub(crate) rules: Vec<ActiveRule>,
    /// How many requests brought a fault of their own.
    pub(crate) preferred: u64,
    /// How many rules a tester ever made for this account.
    pub(crate) made: u32,
}

impl RuleId {
    /// What the rule's dice are counted by. Rules of the settings have their
    /// place in the list, from 0; the others begin where no list of settings ends.
    pub(crate) const fn stream(self) -> u32 {
        match self.origin {
            Origin::Settings => self.number - 1,
            Origin::Server => (1 << 30) | self.number,
            Origin::Account => (1 << 31) | self.number,
        }
    }
}

impl ActiveRule {
    /// A rule that has seen nothing yet.
    pub(crate) const fn fresh(id: RuleId, rule: Arc<FaultRule>, since: Moment) -> Self {
        Self {
            id,
            rule,
            since,
            seen: 0,
            fired: 0,
        }
    }
}

impl FaultRecord {
    /// The rules of `settings`, whose ttl runs from `since`, which is when the
    /// account was first used: a suite that starts long after its server still
    /// meets them.
    pub(crate) fn begin(since: Moment, settings: &[FaultRule]) -> Self {
        let mut record = Self::default();
        record.replace_settings(since, settings);
        record
    }

    /// Other rules of the settings from now on.
    pub(crate) fn replace_settings(&mut self, since: Moment, settings: &[FaultRule]) {
        self.forget(Origin::Settings);
        let origin = Origin::Settings;
        self.rules
            .extend(settings.iter().zip(1..).map(|(rule, number)| {
                ActiveRule::fresh(RuleId { origin, number }, Arc::new(rule.clone()), since)
            }));
    }

    /// The rule of this name.
    pub(crate) fn find(&self, id: RuleId) -> Option<&ActiveRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Has one more rule, or another of the same name.
    pub(crate) fn put(&mut self, rule: ActiveRule) {
        let place = self.rules.partition_point(|other| other.id < rule.id);
        match self.rules.get_mut(place) {
            Some(same) if same.id == rule.id => *same = rule,
            _ => self.rules.insert(place, rule),
        }
    }

    /// Is without the rule of this name.
    pub(crate) fn remove(&mut self, id: RuleId) {
        self.rules.retain(|rule| rule.id != id);
    }

    /// Is without the rules that somebody made.
    pub(crate) fn forget(&mut self, origin: Origin) {
        self.rules.retain(|rule| rule.id.origin != origin);
    }
}

impl Origin {
    /// As a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Server => "server",
            Self::Settings => "settings",
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.origin.word(), self.number)
    }
}

impl FromStr for RuleId {
    type Err = RuleIdError;

    fn from_str(text: &str) -> Result<Self, RuleIdError> {
        let read = || {
            let (word, number) = text.split_once('-')?;
            let origins = [Origin::Account, Origin::Server, Origin::Settings];
            let origin = origins.into_iter().find(|origin| origin.word() == word)?;
            let number = number.parse().ok().filter(|number| *number > 0)?;
            Some(Self { origin, number })
        };
        read().ok_or_else(|| RuleIdError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_no_two_share_dice() {
        let mut streams = std::collections::BTreeSet::new();
        for text in [
            "account-1",
            "account-2",
            "server-1",
            "server-2",
            "settings-1",
        ] {
            let id: RuleId = text.parse().expect(text);
            assert_eq!(id.to_string(), text);
            assert!(streams.insert(id.stream()), "{text}");
        }
        for text in [
            "",
            "account",
            "account-0",
            "account--1",
            "mine-1",
            "server-x",
        ] {
            assert!(text.parse::<RuleId>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn an_accounts_own_rules_are_asked_first_and_keep_their_order() {
        let rule: FaultRule = "*: timeout".parse().expect("a rule");
        let mut record = FaultRecord::begin(Moment::START, &[rule.clone(), rule.clone()]);
        for id in ["server-2", "account-1", "server-1", "account-2", "server-2"] {
            let id = id.parse().expect(id);
            record.put(ActiveRule::fresh(id, Arc::new(rule.clone()), Moment::START));
        }
        let ids = |record: &FaultRecord| -> Vec<_> {
            record
                .rules
                .iter()
                .map(|rule| rule.id.to_string())
                .collect()
        };
        assert_eq!(
            ids(&record),
            [
                "account-1",
                "account-2",
                "server-1",
                "server-2",
                "settings-1",
                "settings-2"
            ]
        );
        record.forget(Origin::Account);
        record.remove("server-1".parse().expect("an id"));
        record.replace_settings(Moment::START, &[]);
        assert_eq!(ids(&record), ["server-2"]);
    }
}
