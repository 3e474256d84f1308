//! How figures are shown to people: four significant digits and a unit that
//! keeps them short. Machines get plain microseconds instead.

/// A time in microseconds as `812us`, `10.01ms`, `1.234s` or `75.2s`.
pub fn time(microseconds: f64) -> String {
    match microseconds {
        short if short < 999.95 => format!("{}us", digits(short)),
        middle if middle < 999_950.0 => format!("{}ms", digits(middle / 1e3)),
        long => format!("{}s", digits(long / 1e6)),
    }
}

/// A share of one as `99.95%`.
pub fn percent(share: f64) -> String {
    format!("{}%", digits(share * 100.0))
}

/// A number as `4.25`, `12345`.
pub fn digits(number: f64) -> String {
    let decimals = match number.abs() {
        small if small < 10.0 => 3,
        small if small < 100.0 => 2,
        small if small < 1000.0 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// A count with its thousands set apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let plain = number.to_string();
    let first = (plain.len() - 1) % 3 + 1;
    let (head, tail) = plain.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    groups.fold(head.to_owned(), |text, group| text + "," + &group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_keep_four_digits() {
        for (microseconds, shown) in [
            (0.0, "0us"),
            (812.0, "812us"),
            (999.96, "1ms"),
            (10_007.0, "10.01ms"),
            (123_456.0, "123.5ms"),
            (1_234_567.0, "1.235s"),
            (75_200_000.0, "75.2s"),
        ] {
            assert_eq!(time(microseconds), shown);
        }
        assert_eq!(percent(0.99951), "99.95%");
        assert_eq!(digits(12_345.6), "12346");
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), shown);
        }
    }
}
