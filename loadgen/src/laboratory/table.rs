//! Rows as a text: a table, and the frontier drawn in characters.

use anstyle::Style;
use loadgen_core::units;
use loadgen_sim::polling::{Errors, Row};

use super::Comparison;
use super::plot::Frame;

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The drawing, in characters.
const WIDTH: usize = 64;
const HEIGHT: usize = 16;

/// The whole text.
pub fn text(comparison: &Comparison) -> String {
    let delivered = comparison.rows.first().map_or(0.0, |row| row.delivered);
    let mut out = format!(
        "{HEADING}codes by {}{HEADING:#}, given up after {}: {} delivered\n\n",
        comparison.law,
        contract::TimeSpan(comparison.deadline),
        units::percent(delivered),
    );
    out += &figures(&comparison.rows);
    out += &format!(
        "\n{DIM}requests: polls per rental, and of those with and without a code; lag and bound: \
         seconds, of delivered rentals;\nbound: the least mean lag of any strategy with as many \
         requests; wasted: requests beyond those that so short a lag needs{DIM:#}\n"
    );
    if comparison.rows.iter().any(|row| !row.exact) {
        out += &format!(
            "{DIM}~ estimated, seed {}, with the half-width of the 95 % confidence interval; all others are exact{DIM:#}\n",
            comparison.seed
        );
    }
    if comparison.frontier.len() > 1 {
        out.push('\n');
        out += &drawing(comparison);
    }
    out
}

/// The table alone.
pub fn figures(rows: &[Row]) -> String {
    let name = |row: &Row| row.strategy.chars().count() + 3;
    let width = rows.iter().map(name).max().unwrap_or(8).max(8);
    // What is estimated needs room for its error.
    let wide = if rows.iter().all(|row| row.exact) {
        8
    } else {
        16
    };
    let mut out = format!(
        "{HEADING}   {:<width$}{:>16}{:>8}{:>wide$}{:>16}{:>wide$}{:>wide$}{:>wide$}{:>8}{:>wide$}{:>8}{HEADING:#}\n",
        "strategy",
        "requests",
        "code",
        "none",
        "lag mean",
        "p50",
        "p95",
        "p99",
        "bound",
        "eff.",
        "wasted"
    );
    for (index, row) in rows.iter().enumerate() {
        let other = |error: fn(&Errors) -> f64| row.errors.as_ref().map(error);
        out += &format!(
            "{} {:<width$} {:>16}{:>8}{:>wide$}{:>16}{:>wide$}{:>wide$}{:>wide$}{:>8}{:>wide$}{:>8}\n",
            mark(index),
            row.strategy,
            estimated(row.requests, row.se_requests),
            short(row.requests_delivered),
            estimated(row.requests_never, other(|errors| errors.se_requests_never)),
            estimated(row.lag_mean_s, row.se),
            estimated(row.lag_p50_s, other(|errors| errors.se_lag_p50)),
            estimated(row.lag_p95_s, other(|errors| errors.se_lag_p95)),
            estimated(row.lag_p99_s, other(|errors| errors.se_lag_p99)),
            short(row.bound_s),
            share(row.efficiency, other(|errors| errors.se_efficiency)),
            short(row.wasted),
        );
    }
    out
}

fn estimated(value: f64, error: Option<f64>) -> String {
    match error {
        Some(error) => format!("~{} ±{}", short(value), short(1.96 * error)),
        None => short(value),
    }
}

fn share(value: f64, error: Option<f64>) -> String {
    match error {
        Some(error) => format!("~{:.1}% ±{:.1}", 100.0 * value, 196.0 * error),
        None => format!("{:.1}%", 100.0 * value),
    }
}

/// Three digits behind the point for what is short, fewer for what is long.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 10.0 => 3,
        small if small < 100.0 => 2,
        small if small < 10_000.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A letter for each row.
fn mark(index: usize) -> char {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    LETTERS.get(index).map_or('*', |letter| char::from(*letter))
}

fn drawing(comparison: &Comparison) -> String {
    let frame = Frame::around(comparison);
    let mut cells = vec![vec![' '; WIDTH]; HEIGHT];
    let mut put = |point: (f64, f64), character| {
        if let Some((x, y)) = frame.place(point) {
            let column = (x * (WIDTH - 1) as f64).round() as usize;
            let line = ((1.0 - y) * (HEIGHT - 1) as f64).round() as usize;
            cells[line][column] = character;
        }
    };
    for pair in comparison.frontier.windows(2) {
        for part in 0..8 {
            let part = f64::from(part) / 8.0;
            let between = |a: f64, b: f64| a + part * (b - a);
            put(
                (between(pair[0].0, pair[1].0), between(pair[0].1, pair[1].1)),
                '·',
            );
        }
    }
    for (index, row) in comparison.rows.iter().enumerate().rev() {
        put((row.requests, row.lag_mean_s), mark(index));
    }
    let mut out = String::new();
    for (line, cells) in cells.iter().enumerate() {
        let label = match line {
            0 => short(frame.lag.1) + " s",
            line if line == HEIGHT - 1 => short(frame.lag.0) + " s",
            line if line == HEIGHT / 2 => "mean lag".to_owned(),
            _ => String::new(),
        };
        let cells: String = cells.iter().collect();
        out += &format!("{DIM}{label:>10} │{DIM:#}{}\n", cells.trim_end());
    }
    let (least, most) = (short(frame.requests.0), short(frame.requests.1));
    let middle = "requests per rental; · is the frontier";
    let room = WIDTH.saturating_sub(least.len() + most.len());
    out += &format!("{DIM}{:>10} └{}\n", "", "─".repeat(WIDTH));
    out += &format!("{:>12}{least}{middle:^room$}{most}{DIM:#}\n", "");
    out
}
