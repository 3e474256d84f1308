//! What a decoder complains about, in words for whoever wrote the file. Not the
//! place of a mistake: that is the document's to say.

/// How much alike two names are at least, for one to be meant by the other: what
/// clap takes for its flags.
const ALIKE: f64 = 0.7;

/// A complaint of a decoder, of which those about a value of the wrong kind and a
/// name that there is not are put in the words of TOML and JSON; all others are as they were.
pub fn plain(message: &str) -> String {
    wrong_kind(message)
        .or_else(|| unknown_name(message))
        .unwrap_or_else(|| message.to_owned())
}

/// `invalid type: integer `5`, expected a string`.
fn wrong_kind(message: &str) -> Option<String> {
    let rest = message.strip_prefix("invalid type: ");
    let rest = rest.or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!("write {}, not {}", wanted(expected), thing(found)))
}

/// What belongs there.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" => "a text in quotation marks",
        "a boolean" => "true or false",
        "a sequence" => "a list in square brackets",
        "a map" => "a table",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("a nonzero ") => "a whole number of 1 or more",
        _ if expected.starts_with("struct ") || expected.contains("enum ") => "a table",
        other => other,
    }
}

/// What is there instead.
fn thing(found: &str) -> String {
    let value = found
        .split_once('`')
        .and_then(|(_, value)| value.strip_suffix('`'));
    match (found.split([' ', '`']).next(), value) {
        (Some("integer" | "floating"), Some(number)) => format!("the number {number}"),
        (Some("boolean"), Some(word)) => word.to_owned(),
        (Some("string"), _) => format!("the text {}", found.trim_start_matches("string ")),
        (Some("sequence"), _) => "a list".to_owned(),
        (Some("map"), _) => "a table".to_owned(),
        _ => found.to_owned(),
    }
}

/// `unknown field `live`, expected `life` or `delay``.
fn unknown_name(message: &str) -> Option<String> {
    let names = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?;
    let mut names = names.split('`').skip(1).step_by(2);
    let said = names.next()?;
    let alike = names.map(|name| (strsim::jaro(said, name), name));
    let alike = alike.filter(|(likeness, _)| *likeness > ALIKE);
    let (_, meant) = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(format!("{message}; did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_kind_is_told_what_to_write() {
        for (message, expected) in [
            (
                "invalid type: integer `5`, expected a string",
                "write a text in quotation marks, not the number 5",
            ),
            (
                "invalid type: floating point `1.5`, expected u64",
                "write a whole number of 0 or more, not the number 1.5",
            ),
            (
                "invalid value: integer `0`, expected a nonzero usize",
                "write a whole number of 1 or more, not the number 0",
            ),
            (
                "invalid type: string \"yes, expected\", expected a boolean",
                "write true or false, not the text \"yes, expected\"",
            ),
            (
                "invalid type: boolean `true`, expected a pace of time such as 60",
                "write a pace of time such as 60, not true",
            ),
            (
                "invalid type: sequence, expected struct AccountPatch",
                "write a table, not a list",
            ),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(plain(message), expected);
        }
    }

    #[test]
    fn a_name_that_there_is_not_brings_up_the_one_that_is_meant() {
        assert_eq!(
            plain("unknown field `sms_dely`, expected one of `seed`, `sms_delay`, `faults`"),
            "unknown field `sms_dely`, expected one of `seed`, `sms_delay`, `faults`; \
             did you mean `sms_delay`?"
        );
        let far = "unknown field `colour`, expected `seed` or `faults`";
        assert_eq!(plain(far), far);
    }
}
