//! How fault rules are read. Every complaint names the place and what to
//! write there instead; what a rule does is not known here.

use std::str::FromStr;
use std::time::Duration;

use contract::Operation;
use contract::expression::{ExpressionError, Word};

use super::argument::read_fault;
use super::clause::Clauses;
use super::{Fault, FaultRule, Phase, Substitute, Target, When};

/// Not a fault rule. Shows the whole rule, since in a file it is one of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a fault rule, {mistake}; a rule reads OPERATION: FAULT WHEN, \
     like `check_otp: status(503) first 2`"
)]
pub struct FaultRuleError {
    text: String,
    mistake: ExpressionError,
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, FaultRuleError> {
        read_rule(text).map_err(|mistake| FaultRuleError {
            text: text.to_owned(),
            mistake,
        })
    }
}

/// A fault with what follows it, and the operations it can be about.
pub(super) struct Part<'a> {
    pub(super) target: Target,
    pub(super) fault: Fault,
    pub(super) when: Option<(Word<'a>, When)>,
    pub(super) ttl: Option<(Word<'a>, Duration)>,
}

fn read_rule(text: &str) -> Result<FaultRule, ExpressionError> {
    let colon = text
        .find(':')
        .ok_or_else(|| ExpressionError::new(text.len(), "expected : after the operation's name"))?;
    let target = read_target(&text[..colon])?;
    let start = colon + 1;
    let part = read_part(&text[start..], target).map_err(|error| error.shifted(start))?;
    Ok(FaultRule {
        target: part.target,
        fault: part.fault,
        when: part.when.map_or(When::Always, |(_, when)| when),
        ttl: part.ttl.map(|(_, ttl)| ttl),
    })
}

/// Reads what stands behind the colon of a rule about `target`.
pub(super) fn read_part(text: &str, target: Target) -> Result<Part<'_>, ExpressionError> {
    let end = fault_length(text);
    let fault = read_fault(&text[..end])?;
    let shift = |error: ExpressionError| error.shifted(end);
    let Clauses { when, ttl, phase } = Clauses::read(&text[end..]).map_err(shift)?;
    let fault = match phase {
        None => fault,
        Some((word, phase)) => {
            in_phase(fault, phase).map_err(|message| shift(word.error(message)))?
        }
    };
    let target = narrow(target, &fault)
        .map_err(|message| ExpressionError::new(leading_space(text), message))?;
    let placed = |word: Word<'_>| Word {
        text: &text[end + word.offset..][..word.text.len()],
        offset: end + word.offset,
    };
    Ok(Part {
        target,
        fault,
        when: when.map(|(word, when)| (placed(word), when)),
        ttl: ttl.map(|(word, ttl)| (placed(word), ttl)),
    })
}

/// Only what is sent instead of an answer leaves open whether there was one.
fn in_phase(fault: Fault, phase: Phase) -> Result<Fault, String> {
    match (fault, phase) {
        (Fault::Instead(substitute, _), phase) => Ok(Fault::Instead(substitute, phase)),
        (Fault::Damage(damage), Phase::AfterCommit) => Ok(Fault::Damage(damage)),
        (Fault::Damage(damage), Phase::Before) => Err(format!(
            "{damage} happens to the answer of an operation that was carried out, so it is \
             after_commit; before goes with status, reset_peer and others that replace the answer"
        )),
        (fault @ (Fault::Latency(_) | Fault::Sms(_) | Fault::Webhook(_)), _) => Err(format!(
            "{fault} loses no answer, so it has no phase; leave it out"
        )),
    }
}

fn read_target(text: &str) -> Result<Target, ExpressionError> {
    match text.trim() {
        "*" => Ok(Target::Every),
        name => name
            .parse::<Operation>()
            .map(Target::Only)
            .map_err(|error| {
                let message = format!("{error}, or write * for all of them");
                ExpressionError::new(leading_space(text), message)
            }),
    }
}

/// What is about a rental or its making can only happen to rent.
fn narrow(target: Target, fault: &Fault) -> Result<Target, String> {
    let only_rent = matches!(
        fault,
        Fault::Sms(_)
            | Fault::Webhook(_)
            | Fault::Instead(Substitute::NoNumbers | Substitute::InsufficientBalance, _)
    );
    match target {
        Target::Every if only_rent => Ok(Target::Only(Operation::Rent)),
        Target::Only(operation) if only_rent && operation != Operation::Rent => {
            Err(format!("{operation} makes no rental; write rent: {fault}"))
        }
        _ => Ok(target),
    }
}

/// Bytes up to the end of the first word, with the parentheses behind it if there are any.
fn fault_length(text: &str) -> usize {
    let start = leading_space(text);
    let after_word = text[start..]
        .find(|c: char| c.is_whitespace() || c == '(')
        .map_or(text.len(), |length| start + length);
    let gap = leading_space(&text[after_word..]);
    if !text[after_word + gap..].starts_with('(') {
        return after_word;
    }
    let mut depth = 0_usize;
    for (offset, character) in text.char_indices().skip_while(|(o, _)| *o < after_word) {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return offset + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_reads_back_as_it_was_written() {
        for text in [
            "check_otp: status(503) first 2",
            "rent: latency(lognormal(200ms,0.5)) probability 0.1",
            "*: reset_peer nth 3",
            "history: rate_limit(2s) every 5",
            "profile: timeout",
            "rent: no_numbers",
            "check_otp: truncate_body",
            "check_otp: truncate_body(10) probability 0",
            "*: malformed_json every 7",
            "*: latency(0.5*2s + 0.5*never) first 1",
            "rent: status(500) after 3 after_commit",
            "rent: timeout between 2 and 5 ttl 30s after_commit",
            "check_otp: status(503) every 2 ttl 1m30s",
            "*: empty_response ttl 5s",
            "*: reset_after_bytes(0)",
            "*: malformed_chunk after 0",
            "*: random_data",
            "*: html_error(503) after_commit",
            "*: slow_body(5s) nth 1",
            "*: slow_close(250ms)",
            "rent: insufficient_balance nth 2",
            "rent: sms_never",
            "rent: sms_late(30s) probability 0.5",
            "rent: sms_duplicate",
            "rent: sms_second_code(10s) first 1",
            "rent: webhook_drop nth 2",
            "rent: webhook_duplicate",
            "rent: webhook_duplicate(5s) probability 0.2",
            "rent: webhook_duplicate(concurrent)",
            "rent: webhook_reorder every 2",
            "rent: webhook_early",
            "rent: webhook_late(30s) ttl 1m",
            "rent: webhook_bad_signature",
            "rent: webhook_stale_timestamp",
        ] {
            let rule: FaultRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), text);
        }
    }

    #[test]
    fn spaces_may_stand_anywhere_between_words() {
        let written = " check_otp :status ( 503 )first   2 ";
        assert_eq!(rewritten(written), "check_otp: status(503) first 2");
    }

    fn rewritten(text: &str) -> String {
        text.parse::<FaultRule>().expect(text).to_string()
    }

    #[test]
    fn what_is_left_out_or_said_otherwise_is_written_our_way() {
        for (text, expected) in [
            ("*:no_numbers", "rent: no_numbers"),
            ("*: sms_never", "rent: sms_never"),
            ("*: webhook_drop", "rent: webhook_drop"),
            ("*: webhook_duplicate(1s)", "rent: webhook_duplicate"),
            (
                "*: webhook_duplicate(0s)",
                "rent: webhook_duplicate(concurrent)",
            ),
            ("*: rate_limit", "*: rate_limit(1s)"),
            ("*: html_error", "*: html_error(502)"),
            ("*: timeout before", "*: timeout"),
            ("*: slow_body(1s) after_commit", "*: slow_body(1s)"),
            ("rent: timeout between 2 5", "rent: timeout between 2 and 5"),
            (
                "rent: timeout after_commit ttl 60s nth 1",
                "rent: timeout nth 1 ttl 1m after_commit",
            ),
        ] {
            assert_eq!(rewritten(text), expected);
        }
    }

    #[test]
    fn other_tools_names_are_understood() {
        for (theirs, ours) in [
            ("CONNECTION_RESET_BY_PEER", "reset_peer"),
            ("EMPTY_RESPONSE", "empty_response"),
            ("MALFORMED_RESPONSE_CHUNK", "malformed_chunk"),
            ("RANDOM_DATA_THEN_CLOSE", "random_data"),
            ("reset_peer", "reset_peer"),
            ("timeout", "timeout"),
            ("latency(1s)", "latency(1s)"),
            ("slow_close(1s)", "slow_close(1s)"),
            ("limit_data(20)", "truncate_body(20)"),
        ] {
            let rule = rewritten(&format!("*: {theirs} nth 2"));
            assert_eq!(rule, format!("*: {ours} nth 2"));
        }
    }

    fn complain(table: &[(&str, &str)]) {
        for (text, expected) in table {
            let error = text.parse::<FaultRule>().expect_err(text).to_string();
            let expected = format!("{text:?} is not a fault rule, at character {expected}");
            assert!(error.starts_with(&expected), "{error}");
            assert!(
                error.ends_with("like `check_otp: status(503) first 2`"),
                "{error}"
            );
        }
    }

    #[test]
    fn complaints_about_operation_and_condition_name_place_and_remedy() {
        complain(&[
            ("", "1: expected : after the operation's name"),
            ("rent status(503)", "17: expected : after"),
            (
                "rnet: timeout",
                "1: no operation is named \"rnet\"; there are",
            ),
            (
                "profile: no_numbers",
                "10: profile makes no rental; write rent: no_numbers",
            ),
            (
                "history: sms_late(2s)",
                "10: history makes no rental; write rent: sms_late(2s)",
            ),
            ("rent: timeout first", "20: expected a whole number"),
            (
                "rent: timeout first 0",
                "21: expected a whole number from 1",
            ),
            (
                "rent: timeout probability 1.5",
                "27: expected a number from 0 to 1",
            ),
            (
                "rent: timeout sometimes",
                "15: \"sometimes\" is no condition",
            ),
            ("rent: timeout nth 2 3", "21: \"3\" is no condition"),
            (
                "rent: timeout nth 2 first 3",
                "21: did not expect \"first\" beside \"nth\"",
            ),
            ("rent: timeout after", "20: expected a whole number, as in"),
            (
                "rent: timeout after commit",
                "15: write after_commit as one",
            ),
            ("rent: timeout between 2", "24: expected a whole number"),
            ("rent: timeout between 5 and 2", "29: 2 comes before 5"),
            ("rent: timeout ttl", "18: \"\" is not a duration"),
            ("rent: timeout ttl 5", "19: \"5\" is not a duration"),
            (
                "rent: slow_body(1s) before",
                "21: slow_body(1s) happens to the answer of an operation",
            ),
            (
                "rent: latency(1s) after_commit",
                "19: latency(1s) loses no answer, so it has no phase",
            ),
            ("rent: sms_never before", "17: sms_never loses no answer"),
        ]);
    }

    #[test]
    fn complaints_about_the_fault_name_place_and_remedy() {
        complain(&[
            ("rent:", "6: expected a name or a number"),
            (
                "rent: explode",
                "7: no fault is named \"explode\"; there are status(503)",
            ),
            ("rent: status", "7: write it like status(503)"),
            (
                "rent: status(600)",
                "14: \"600\" is not an HTTP status; choose one",
            ),
            ("rent: status(101)", "14: a status below 200"),
            ("rent: status(503", "17: expected , or )"),
            ("rent: timeout(3s)", "7: write it like timeout"),
            ("rent: latency(2 parsecs)", "17: expected , or )"),
            ("rent: latency(2)", "15: \"2\" is not a duration"),
            (
                "rent: truncate_body(-1)",
                "21: \"-1\" is not a number of bytes",
            ),
            ("rent: rate_limit(2)", "18: \"2\" is not a duration"),
            (
                "rent: reset_after_bytes",
                "7: write it like reset_after_bytes(10)",
            ),
            ("rent: html_error(204)", "7: an answer with status 204"),
            ("rent: html_error(42)", "18: \"42\" is not an HTTP status"),
            ("rent: slow_body", "7: write it like slow_body(5s)"),
            ("rent: sms_late(2)", "16: \"2\" is not a duration"),
            ("rent: webhook_late", "7: write it like webhook_late(30s)"),
            (
                "check_otp: webhook_early",
                "12: check_otp makes no rental; write rent: webhook_early",
            ),
            (
                "rent: webhook_duplicate(twice)",
                "25: \"twice\" is not a duration",
            ),
        ]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[a-z_*: ()0-9.,é+]{0,40}") {
            let _ = text.parse::<FaultRule>();
        }

        #[test]
        fn no_tail_makes_it_panic(
            fault in r"(timeout|slow_body\(1s\)|sms_never|[ ()a-zé0-9.,*+]{0,20})",
            clauses in r"( (nth|after|between|ttl|before|after_commit|and|[0-9]{1,3}s?)){0,6}",
        ) {
            let tail = format!("{fault}{clauses}");
            if let Ok(rule) = format!("rent: {tail}").parse::<FaultRule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }
    }
}
