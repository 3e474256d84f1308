//! Fault rules in a tester's hands: looked at, added and taken away while the
//! mock runs. What they do to a request is [`crate::fault`]'s business.

use std::sync::Arc;

use contract::{Moment, TimeSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{ActiveRule, Fault, FaultRule, FaultRuleError, Origin, RuleId, When};
use crate::mock::Mock;
use crate::scope::Scope;

/// Rules that a tester may add to an account, or to the server, before
/// something else must be wrong: every request asks all of them.
const MOST: usize = 1000;

/// A rule as a tester writes it: in one line, or in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenRule {
    /// The whole rule, as `--fault` takes it: `check_otp: status(503) first 2`.
    pub rule: Option<String>,
    /// `profile`, `rent`, `check_otp`, `history` or `*`.
    pub operation: Option<String>,
    /// What happens: `status(503)`, `latency(2s)` and so on.
    pub fault: Option<String>,
    /// To which of the requests: `first 2`, `every 5`, `probability 0.1`; to all, if unsaid.
    pub when: Option<String>,
    /// `before`, or `after_commit` if the operation is carried out all the same.
    pub phase: Option<String>,
    /// For how long from now on, by the account's clock: `30s`; for ever, if unsaid.
    pub ttl: Option<String>,
}

/// Not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenRuleError {
    /// Neither form, or both.
    #[error("say either `rule`, or `operation` and `fault`")]
    Form,
    /// Not understood.
    #[error(transparent)]
    Rule(#[from] FaultRuleError),
}

/// A rule as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaultView {
    /// Who made it, and the how-manieth of theirs it is.
    #[schemars(with = "String")]
    pub id: RuleId,
    /// The whole rule in one line.
    pub rule: String,
    /// `profile`, `rent`, `check_otp`, `history` or `*`.
    pub operation: String,
    /// What happens.
    pub fault: String,
    /// To which of the requests; left out if to all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether the operation is carried out, where the answer is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// For how long; left out if for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// How many requests it has counted; for the whole server, over all accounts.
    pub seen: u64,
    /// On how many of them it fired.
    pub fired: u64,
}

/// Why a rule cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such rule in this scope.
    #[error("there is no fault rule with this id here; GET faults lists those there are")]
    Missing,
    /// It is a rule of the settings.
    #[error("a rule of the settings is changed with PATCH accounts and its `faults`")]
    OfSettings,
    /// It is every account's.
    #[error("this rule is every account's; to change it, leave out the Auth header")]
    OfServer,
    /// There are too many.
    #[error("there are {MOST} rules already, and each request asks all of them")]
    TooMany,
}

impl WrittenRule {
    /// The rule.
    ///
    /// # Errors
    ///
    /// [`WrittenRuleError`] says what would be understood.
    pub fn read(&self) -> Result<FaultRule, WrittenRuleError> {
        let parts = [
            &self.operation,
            &self.fault,
            &self.when,
            &self.phase,
            &self.ttl,
        ];
        match (&self.rule, &self.operation, &self.fault) {
            (Some(rule), ..) if parts.iter().all(|part| part.is_none()) => Ok(rule.parse()?),
            (None, Some(operation), Some(fault)) => {
                let mut line = format!("{operation}: {fault}");
                let ttl = self.ttl.as_ref().map(|ttl| format!("ttl {ttl}"));
                for part in [&self.when, &ttl, &self.phase].into_iter().flatten() {
                    line = format!("{line} {part}");
                }
                Ok(line.parse()?)
            }
            _ => Err(WrittenRuleError::Form),
        }
    }
}

impl Mock {
    /// The rules of an account in the order in which they are asked; of the
    /// server, those that an account to come has.
    pub fn faults(&self, scope: Scope) -> Vec<FaultView> {
        let Some(place) = scope.place() else {
            let ids: Vec<_> = self.rules_to_come().map(|(id, _)| id).collect();
            return ids
                .into_iter()
                .filter_map(|id| self.fault(scope, id))
                .collect();
        };
        let rules = &self.accounts[place as usize].faults.rules;
        rules
            .iter()
            .map(|rule| view(rule, rule.seen, rule.fired))
            .collect()
    }

    /// One of these rules.
    pub fn fault(&self, scope: Scope, id: RuleId) -> Option<FaultView> {
        if let Some(place) = scope.place() {
            let rule = self.accounts[place as usize].faults.find(id)?;
            return Some(view(rule, rule.seen, rule.fired));
        }
        let (_, rule) = self.rules_to_come().find(|(other, _)| *other == id)?;
        let accounts = self.accounts.values();
        let same = accounts.filter_map(|account| account.faults.find(id));
        let same = same.filter(|active| *active.rule == *rule);
        let (seen, fired) = same.fold((0, 0), |(seen, fired), rule| {
            (seen + rule.seen, fired + rule.fired)
        });
        let rule = ActiveRule::fresh(id, Arc::new(rule.clone()), Moment::START);
        Some(view(&rule, seen, fired))
    }

    /// Adds a rule, which counts from now on.
    ///
    /// # Errors
    ///
    /// [`FaultError::TooMany`].
    pub fn add_fault(
        &mut self,
        now: Moment,
        scope: Scope,
        rule: FaultRule,
    ) -> Result<FaultView, FaultError> {
        let (origin, record) = match scope.place() {
            None => (Origin::Server, &mut self.server_rules),
            Some(place) => {
                let account = &mut self.accounts[place as usize];
                (Origin::Account, &mut account.faults)
            }
        };
        if record.rules.len() >= MOST {
            return Err(FaultError::TooMany);
        }
        record.made += 1;
        let number = record.made;
        let id = RuleId { origin, number };
        self.put_fault(now, scope, id, rule);
        self.fault(scope, id).ok_or(FaultError::Missing)
    }

    /// Puts another rule in the place of one, with nothing counted.
    ///
    /// # Errors
    ///
    /// There is no such rule, or it is not this scope's.
    pub fn replace_fault(
        &mut self,
        now: Moment,
        scope: Scope,
        id: RuleId,
        rule: FaultRule,
    ) -> Result<FaultView, FaultError> {
        self.own_fault(scope, id)?;
        self.put_fault(now, scope, id, rule);
        self.fault(scope, id).ok_or(FaultError::Missing)
    }

    /// Takes a rule away.
    ///
    /// # Errors
    ///
    /// There is no such rule, or it is not this scope's.
    pub fn remove_fault(&mut self, scope: Scope, id: RuleId) -> Result<(), FaultError> {
        self.own_fault(scope, id)?;
        if scope == Scope::Server {
            self.server_rules.remove(id);
        }
        for place in self.places(scope) {
            self.accounts[place as usize].faults.remove(id);
        }
        Ok(())
    }

    /// Takes away all rules that testers have added in this scope; of the whole
    /// server, also those of single accounts.
    pub fn remove_faults(&mut self, scope: Scope) {
        let everybodys = scope == Scope::Server;
        if everybodys {
            self.server_rules.forget(Origin::Server);
        }
        for place in self.places(scope) {
            let faults = &mut self.accounts[place as usize].faults;
            faults.forget(Origin::Account);
            if everybodys {
                faults.forget(Origin::Server);
            }
        }
    }

    /// What an account to come begins with: rules and endpoints that testers gave to
    /// every account.
    pub(crate) fn give_server_rules(&self, account: &mut crate::account::Account) {
        for rule in &self.server_rules.rules {
            account.faults.put(rule.clone());
        }
        for (id, settings) in &self.shared_endpoints.endpoints {
            account.webhooks.put(*id, Arc::clone(settings));
        }
    }

    fn put_fault(&mut self, now: Moment, scope: Scope, id: RuleId, rule: FaultRule) {
        let now = self.advance(now);
        let rule = Arc::new(rule);
        if scope == Scope::Server {
            // An account that is yet to come begins with the server's time.
            let active = ActiveRule::fresh(id, Arc::clone(&rule), now);
            self.server_rules.put(active);
        }
        for place in self.places(scope) {
            let account = &mut self.accounts[place as usize];
            let local = account.clock.local(now);
            account
                .faults
                .put(ActiveRule::fresh(id, Arc::clone(&rule), local));
        }
    }

    /// Whether a rule is there and this scope's to change.
    fn own_fault(&self, scope: Scope, id: RuleId) -> Result<(), FaultError> {
        if self.fault(scope, id).is_none() {
            return Err(FaultError::Missing);
        }
        match (id.origin, scope) {
            (Origin::Settings, _) => Err(FaultError::OfSettings),
            (Origin::Server, Scope::Account(_)) => Err(FaultError::OfServer),
            _ => Ok(()),
        }
    }

    fn rules_to_come(&self) -> impl Iterator<Item = (RuleId, &FaultRule)> {
        let added = self.server_rules.rules.iter();
        let added = added.map(|active| (active.id, &*active.rule));
        let settings = self.settings.account.faults.iter().zip(1..);
        let origin = Origin::Settings;
        added.chain(settings.map(move |(rule, number)| (RuleId { origin, number }, rule)))
    }
}

fn view(active: &ActiveRule, seen: u64, fired: u64) -> FaultView {
    let rule = &*active.rule;
    let phase = match rule.fault {
        Fault::Instead(_, phase) => Some(phase.to_string()),
        _ => None,
    };
    FaultView {
        id: active.id,
        rule: rule.to_string(),
        operation: rule.target.to_string(),
        fault: rule.fault.to_string(),
        when: (rule.when != When::Always).then(|| rule.when.to_string().trim().to_owned()),
        phase,
        ttl: rule.ttl.map(|ttl| TimeSpan(ttl).to_string()),
        seen,
        fired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<String, WrittenRuleError> {
        let rule: WrittenRule = serde_json::from_str(text).expect(text);
        rule.read().map(|rule| rule.to_string())
    }

    #[test]
    fn a_rule_may_be_written_in_one_line_or_in_its_parts() {
        let line = "check_otp: status(503) first 2 ttl 30s after_commit";
        assert_eq!(
            written(&format!(r#"{{"rule":"{line}"}}"#)),
            Ok(line.to_owned())
        );
        let parts = r#"{"operation":"check_otp","fault":"status(503)","when":"first 2",
                        "phase":"after_commit","ttl":"30s"}"#;
        assert_eq!(written(parts), Ok(line.to_owned()));
        for neither in [
            "{}",
            r#"{"rule":"*: timeout","ttl":"1s"}"#,
            r#"{"fault":"timeout"}"#,
        ] {
            assert_eq!(written(neither), Err(WrittenRuleError::Form), "{neither}");
        }
    }
}
