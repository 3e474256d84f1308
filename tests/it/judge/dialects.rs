//! The measured dialect: a mock that is made from it answers as the server did.

use contract::document;
use judge::Plan;
use judge_core::dialect;
use judge_core::difference::{Difference, Likeness};
use judge_core::evidence::Evidence;
use judge_core::verdict::Outcome;
use mock_server_core::DialectFile;
use serde::Deserialize;

use super::tolerated::ALTERNATIVES;
use super::{checked, mock, plan};

#[derive(Deserialize)]
struct File {
    dialect: DialectFile,
}

/// A mock like [`mock`], with the dialect of a file.
fn mock_of(text: &str) -> mock_server::Running {
    let file: File = document::parse("dialect.toml", text).expect(text);
    super::mock_with(file.dialect)
}

fn silent(plan: Plan) -> Plan {
    Plan {
        webhook_listen: None,
        ..plan
    }
}

fn differences(dialect: &str) -> Vec<Difference> {
    let original = mock(dialect);
    let (seen, _) = checked(&plan(original.address()));
    let copy = mock_of(&dialect::measure(&seen.evidence).text("a server"));
    let fresh = mock(dialect);
    let (first, _) = checked(&silent(plan(fresh.address())));
    let (second, _) = checked(&silent(plan(copy.address())));
    Likeness::of(&first.evidence).differences(&Likeness::of(&second.evidence))
}

#[test]
fn the_file_of_each_preset_makes_the_same_server() {
    for preset in ["default", "laravel", "strict", "hostile"] {
        assert_eq!(differences(preset), [], "{preset}");
    }
}

#[test]
fn a_lack_of_numbers_or_money_is_measured_without_spending() {
    let server = mock("no_numbers=404, insufficient_balance=403");
    let (seen, _) = checked(&plan(server.address()));
    let text = dialect::measure(&seen.evidence).text("a server");
    for line in [r#"no_numbers = "404""#, r#"insufficient_balance = "403""#] {
        assert!(text.contains(line), "{text}");
    }
    // Nothing is left behind: another check rents as before.
    let (_, judgement) = checked(&plan(server.address()));
    assert_eq!(judgement.outcome(), Outcome::Held);
}

#[test]
fn what_was_not_measured_is_named() {
    let text = dialect::measure(&Evidence::default()).text("a server");
    let (comments, settings) = text.split_once("[dialect]").expect("a table");
    for alternative in ALTERNATIVES {
        let Some((name, _)) = alternative.split_once('=') else {
            continue;
        };
        let named = |part: &str| {
            let mut words = part.split([' ', ',', '.', '\n']);
            words.any(|word| word == name)
        };
        assert!(named(comments) != named(settings), "{name}: {text}");
    }
}

#[test]
fn a_difference_is_told_field_by_field() {
    let (first, second) = (mock("default"), mock("rent_status=201, no_code=empty"));
    let (first, _) = checked(&silent(plan(first.address())));
    let (second, _) = checked(&silent(plan(second.address())));
    let differences = Likeness::of(&first.evidence).differences(&Likeness::of(&second.evidence));
    let told: Vec<_> = differences
        .iter()
        .map(|one| (one.field.as_str(), one.second.as_str()))
        .collect();
    assert!(told.contains(&("status", "201")), "{told:?}");
    assert!(
        told.iter()
            .any(|(field, second)| *field == "sms_code" && second.contains("an empty string")),
        "{told:?}"
    );
}
