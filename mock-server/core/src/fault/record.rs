//! What the fault rules of one account have seen so far. It is the account's,
//! so that tests in parallel do not count each other's requests.

use contract::Moment;

/// The memory of one account's rules.
#[derive(Clone, Debug)]
pub(crate) struct FaultRecord {
    /// When the account was first used, from where a rule's ttl runs: a suite
    /// that starts long after its server still meets its rules.
    pub(crate) since: Moment,
    /// How many requests each rule has counted.
    pub(crate) seen_by_rule: Vec<u64>,
    /// How many requests brought a fault of their own.
    pub(crate) preferred: u64,
}

impl FaultRecord {
    /// Nothing is seen yet of what `rules` rules will see from `since` on.
    pub(crate) fn begin(since: Moment, rules: usize) -> Self {
        Self {
            since,
            seen_by_rule: vec![0; rules],
            preferred: 0,
        }
    }
}
