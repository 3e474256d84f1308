//! One mutant for each clause: a server that breaks exactly it. The judge has
//! to notice, and to name that clause first.

mod account;
mod history;
mod polling;
mod renting;
mod webhooks;

use std::time::Instant;

use judge_core::clause::{CLAUSES, Severity};
use judge_core::verdict::Verdict;
use serde_json::{Value, json};

use super::bent::{Answered, Bend, bend};
use super::{KEYS, checked, complaints, mock, plan};

/// A mutant: the clause that it breaks, the one that is told first, and how.
type Mutant = (&'static str, &'static str, Bend);

fn set(object: &mut serde_json::Map<String, Value>, name: &str, value: Value) {
    object.insert(name.to_owned(), value);
}

/// Takes money off the balance that is shown.
fn less(answered: &mut Answered<'_>, amount: f64) {
    answered.alter_in("profile", "user", |user| {
        let balance: f64 = user["balance"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        set(user, "balance", json!(format!("{:.2}", balance - amount)));
    });
}

fn all() -> Vec<Mutant> {
    let families = [
        account::KEYS_AND_BODIES,
        account::PROFILE,
        renting::RENTING,
        polling::POLLING,
        history::HISTORY,
        webhooks::WEBHOOKS,
    ];
    families.concat()
}

/// Clauses without a mutant: a key of another length has a test of its own, the
/// rest is about clients and about our own models.
const NO_MUTANT: [&str; 3] = ["A3", "R15", "X4"];

#[test]
fn every_clause_that_can_be_broken_has_a_mutant() {
    let mutants = all();
    for clause in CLAUSES
        .iter()
        .filter(|clause| clause.severity != Severity::May)
    {
        let has = mutants.iter().any(|(broken, ..)| *broken == clause.id);
        assert_ne!(has, NO_MUTANT.contains(&clause.id), "{}", clause.id);
    }
}

/// What is wrong with the judgement of one mutant, if anything is.
fn tried((clause, first, bent): Mutant) -> Option<String> {
    let began = Instant::now();
    let server = mock("default");
    let (_, judgement) = checked(&plan(bend(server.address(), bent)));
    let complaints = complaints(&judgement);
    let severity = CLAUSES
        .iter()
        .find(|row| row.id == clause)
        .expect("a clause")
        .severity;
    let expected = match severity {
        Severity::Must => [Verdict::Broken].as_slice(),
        _ => &[Verdict::Warned],
    };
    let named = complaints
        .first()
        .is_some_and(|line| line.split(' ').nth(1) == Some(first));
    let caught = judgement
        .verdict(clause)
        .is_some_and(|verdict| expected.contains(&verdict));
    (!named || !caught).then(|| {
        let took = began.elapsed().as_secs_f64();
        format!(
            "the mutant of {clause} ({took:.1} s) gives\n  {}",
            complaints.join("\n  ")
        )
    })
}

#[test]
fn each_mutant_is_caught_and_its_clause_is_told_first() {
    let mut handles = Vec::new();
    let mut mutants = all();
    while !mutants.is_empty() {
        // A few at a time: each has a server, a layer and a listener.
        let some = mutants.split_off(mutants.len().saturating_sub(12));
        handles.push(std::thread::spawn(move || {
            some.into_iter().filter_map(tried).collect::<Vec<_>>()
        }));
    }
    let wrong: Vec<_> = handles
        .into_iter()
        .flat_map(|handle| handle.join().expect("no panic"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
