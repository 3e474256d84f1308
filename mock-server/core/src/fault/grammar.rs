//! How fault rules are written. Every complaint names the place and what to
//! write there instead; what a rule does is not known here.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use contract::expression::{ExpressionError, Sum, Term, Word};
use contract::{Law, Operation, TimeSpan};

use super::{Damage, Fault, FaultRule, Target, When};

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

/// What stands in for the argument of a bare `rate_limit`: the smallest wait
/// that Retry-After can express.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, FaultRuleError> {
        read_rule(text).map_err(|mistake| FaultRuleError {
            text: text.to_owned(),
            mistake,
        })
    }
}

fn read_rule(text: &str) -> Result<FaultRule, ExpressionError> {
    let colon = text
        .find(':')
        .ok_or_else(|| ExpressionError::new(text.len(), "expected : after the operation's name"))?;
    let target = read_target(&text[..colon])?;
    let start = colon + 1;
    let end = start + fault_length(&text[start..]);
    let fault = read_fault(&text[start..end]).map_err(|error| error.shifted(start))?;
    let when = read_when(&text[end..]).map_err(|error| error.shifted(end))?;
    let target = narrow(target, &fault)
        .map_err(|message| ExpressionError::new(leading_space(text), message))?;
    Ok(FaultRule {
        target,
        fault,
        when,
    })
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

/// Only rent hands out numbers, so only there can they run out.
fn narrow(target: Target, fault: &Fault) -> Result<Target, String> {
    match (target, fault) {
        (Target::Every, Fault::Damage(Damage::NoNumbers)) => Ok(Target::Only(Operation::Rent)),
        (Target::Only(operation), Fault::Damage(Damage::NoNumbers))
            if operation != Operation::Rent =>
        {
            Err(format!(
                "{operation} hands out no numbers; write rent: no_numbers"
            ))
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

fn read_fault(text: &str) -> Result<Fault, ExpressionError> {
    let sum = Sum::parse(text)?;
    let term = sum.single()?;
    let bare = |damage: Damage| term.exactly(0, &damage.to_string()).map(|_| damage);
    let damage = match term.word.text {
        "latency" => return read_latency(term),
        "status" => read_status(term)?,
        "truncate_body" => read_truncation(term)?,
        "rate_limit" => read_rate_limit(term)?,
        "reset_peer" => bare(Damage::ResetPeer)?,
        "timeout" => bare(Damage::Timeout)?,
        "malformed_json" => bare(Damage::MalformedJson)?,
        "no_numbers" => bare(Damage::NoNumbers)?,
        other => {
            return Err(term.word.error(format!(
                "no fault is named {other:?}; there are status(503), latency(200ms), reset_peer, \
                 timeout, truncate_body, malformed_json, rate_limit(2s) and no_numbers"
            )));
        }
    };
    Ok(Fault::Damage(damage))
}

fn read_latency(term: &Term<'_>) -> Result<Fault, ExpressionError> {
    let arguments = term.exactly(1, "latency(200ms) or latency(lognormal(200ms,0.5))")?;
    Law::from_sum(arguments[0]).map(Fault::Latency)
}

fn read_status(term: &Term<'_>) -> Result<Damage, ExpressionError> {
    let arguments = term.exactly(1, "status(503)")?;
    let word = arguments[0].word()?;
    match word.text.parse() {
        Ok(code) if (200..=599).contains(&code) => Ok(Damage::Status(code)),
        Ok(100..=199) => Err(word.error(
            "a status below 200 announces an answer and is none; choose one from 200 to 599",
        )),
        _ => Err(word.error(format!(
            "{:?} is not an HTTP status; choose one from 200 to 599",
            word.text
        ))),
    }
}

fn read_truncation(term: &Term<'_>) -> Result<Damage, ExpressionError> {
    if term.arguments.is_none() {
        return Ok(Damage::TruncateBody(None));
    }
    let arguments = term.exactly(1, "truncate_body or truncate_body(10)")?;
    let word = arguments[0].word()?;
    let bytes = word.text.parse().map_err(|_| {
        word.error(format!(
            "{:?} is not a number of bytes; write it like truncate_body(10)",
            word.text
        ))
    })?;
    Ok(Damage::TruncateBody(Some(bytes)))
}

fn read_rate_limit(term: &Term<'_>) -> Result<Damage, ExpressionError> {
    if term.arguments.is_none() {
        return Ok(Damage::RateLimit(SHORTEST_RETRY_AFTER));
    }
    let arguments = term.exactly(1, "rate_limit or rate_limit(2s)")?;
    let wait: TimeSpan = arguments[0].word()?.read()?;
    Ok(Damage::RateLimit(wait.0))
}

fn read_when(text: &str) -> Result<When, ExpressionError> {
    let mut words = words(text);
    let Some(name) = words.next() else {
        return Ok(When::Always);
    };
    let number = words.next();
    if let Some(extra) = words.next() {
        return Err(extra.error(format!("did not expect {:?}", extra.text)));
    }
    let number = number.unwrap_or(Word {
        text: "",
        offset: text.len(),
    });
    match name.text {
        "first" => count(number).map(When::First),
        "nth" => count(number).map(When::Nth),
        "every" => count(number).map(When::Every),
        "probability" => chance(number).map(When::Probability),
        other => Err(name.error(format!(
            "{other:?} is no condition; there are first 2, nth 3, every 5 and probability 0.1"
        ))),
    }
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(move |word| Word {
        text: word,
        // Both are slices of one text, so the distance is the place.
        offset: word.as_ptr() as usize - text.as_ptr() as usize,
    })
}

fn count(word: Word<'_>) -> Result<NonZeroU64, ExpressionError> {
    word.text
        .parse()
        .map_err(|_| word.error("expected a whole number from 1 on, as in first 2"))
}

fn chance(word: Word<'_>) -> Result<f64, ExpressionError> {
    word.number()
        .ok()
        .filter(|chance| (0.0..=1.0).contains(chance))
        .ok_or_else(|| word.error("expected a number from 0 to 1, as in probability 0.1"))
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
        ] {
            let rule: FaultRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), text);
        }
    }

    #[test]
    fn spaces_may_stand_anywhere_between_words() {
        let rule: FaultRule = " check_otp :status ( 503 )first   2 "
            .parse()
            .expect("well-formed");
        assert_eq!(rule.to_string(), "check_otp: status(503) first 2");
        let rule: FaultRule = "*:no_numbers".parse().expect("well-formed");
        assert_eq!(rule.to_string(), "rent: no_numbers");
        let rule: FaultRule = "*: rate_limit".parse().expect("well-formed");
        assert_eq!(rule.to_string(), "*: rate_limit(1s)");
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
                "1: profile hands out no numbers; write rent",
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
            ("rent: timeout nth 2 3", "21: did not expect \"3\""),
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
        ]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[a-z_*: ()0-9.,é+]{0,40}") {
            let _ = text.parse::<FaultRule>();
        }

        #[test]
        fn no_tail_makes_it_panic(tail in r"[ ()a-zé0-9.,*+]{0,30}") {
            if let Ok(rule) = format!("rent: {tail}").parse::<FaultRule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }
    }
}
