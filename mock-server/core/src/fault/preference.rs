//! The fault that a request asks for itself: `Prefer: fault=status(503)`. For
//! that request only, and without anything set up before.
//!
//! The header is RFC 7240's: preferences separated by commas, of which those
//! that mean nothing here are passed over. One deviation: a value may have
//! parentheses without being quoted.

use contract::Operation;
use contract::expression::ExpressionError;

use super::grammar::{self, Part};
use super::{FaultRule, Target, When};

/// Not a fault that can be preferred.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The mock server cannot read the fault {text:?} of the Prefer header, {mistake}; \
     write it like `Prefer: fault=status(503)`."
)]
pub struct PreferenceError {
    text: String,
    mistake: ExpressionError,
}

/// What the preference is called, in any case.
const NAME: &str = "fault";

/// Whether a `Prefer` header may be about a fault; cheap, and right if it says no.
pub fn mentions_fault(header: &str) -> bool {
    header
        .as_bytes()
        .windows(NAME.len())
        .any(|part| part.eq_ignore_ascii_case(NAME.as_bytes()))
}

/// The fault that a header asks for, if it asks for one, as a rule about a
/// request for `operation`. Of several, the first counts, as RFC 7240 has it.
pub(crate) fn preferred(
    header: &str,
    operation: Operation,
) -> Result<Option<FaultRule>, PreferenceError> {
    let Some(text) = preferences(header).find_map(fault) else {
        return Ok(None);
    };
    let rule = read(text, operation).map_err(|mistake| PreferenceError {
        text: text.to_owned(),
        mistake,
    })?;
    Ok(Some(rule))
}

fn read(text: &str, operation: Operation) -> Result<FaultRule, ExpressionError> {
    let Part {
        fault,
        when,
        ttl,
        target,
    } = grammar::read_part(text, Target::Only(operation))?;
    let when = when.map(|(word, _)| word);
    if let Some(word) = when.or_else(|| ttl.map(|(word, _)| word)) {
        return Err(word.error("a preferred fault is for this one request; write no condition"));
    }
    Ok(FaultRule {
        target,
        fault,
        when: When::Always,
        ttl: None,
    })
}

/// The value of a preference that is named `fault`, without its quotes and
/// without the parameters behind a semicolon.
fn fault(preference: &str) -> Option<&str> {
    let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
    if !name.trim().eq_ignore_ascii_case(NAME) {
        return None;
    }
    let value = value.trim();
    Some(match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => value.split(';').next().unwrap_or_default().trim(),
    })
}

/// What stands between the commas that are neither quoted nor in parentheses.
fn preferences(header: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let mut quoted = false;
    header.split(move |character| {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0 && !quoted
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Option<String> {
        let rule = preferred(header, Operation::Rent).expect(header)?;
        assert!(mentions_fault(header));
        Some(rule.to_string())
    }

    #[test]
    fn a_fault_is_found_among_other_preferences() {
        for (header, expected) in [
            ("fault=status(503)", "rent: status(503)"),
            ("Fault = reset_peer", "rent: reset_peer"),
            (
                "respond-async, fault=html_error, wait=10",
                "rent: html_error(502)",
            ),
            (
                "return=minimal;x=\"a,b\",fault=latency(uniform(1s,2s)); y=z",
                "rent: latency(uniform(1s,2s))",
            ),
            (
                "fault=\"reset_peer after_commit\"",
                "rent: reset_peer after_commit",
            ),
            ("fault=no_numbers, fault=timeout", "rent: no_numbers"),
            ("fault=EMPTY_RESPONSE", "rent: empty_response"),
        ] {
            assert_eq!(read(header).as_deref(), Some(expected), "{header}");
        }
        for other in [
            "",
            "respond-async",
            "x=\"fault=timeout\"",
            "default=1",
            ",,",
        ] {
            assert_eq!(preferred(other, Operation::Rent), Ok(None), "{other}");
        }
    }

    #[test]
    fn complaints_name_the_header_place_and_remedy() {
        for (header, expected) in [
            (
                "fault",
                "\"\" of the Prefer header, at character 1: expected a name",
            ),
            (
                "fault=explode",
                "at character 1: no fault is named \"explode\"",
            ),
            (
                "fault=status(42)",
                "at character 8: \"42\" is not an HTTP status",
            ),
            (
                "fault=timeout first 2",
                "at character 9: a preferred fault is for this one request",
            ),
            ("fault=timeout ttl 2s", "at character 9: a preferred fault"),
        ] {
            let error = preferred(header, Operation::Rent).expect_err(header);
            let error = error.to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.ends_with("write it like `Prefer: fault=status(503)`."));
        }
        let error = preferred("fault=no_numbers", Operation::Profile).expect_err("not a rent");
        assert!(error.to_string().contains("profile makes no rental"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in r#"(fault=)?[a-z_()0-9.,;=" é]{0,40}"#) {
            let read = preferred(&header, Operation::CheckOtp);
            prop_assert!(mentions_fault(&header) || read == Ok(None));
        }
    }
}
