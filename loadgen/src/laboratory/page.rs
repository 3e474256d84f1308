//! Rows as a page: one file that loads nothing, with the frontier as a drawing.

use std::fmt::Write;

use contract::TimeSpan;
use loadgen_core::units;
use loadgen_sim::polling::Errors;

use super::Comparison;
use super::plot::Frame;
use crate::report::markup::{POLICY, STYLE, Text};

/// The drawing, in its own units.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
/// Room for the numbers on the left and below.
const MARGIN: f64 = 48.0;

/// The whole page.
pub fn html(comparison: &Comparison) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Polling strategies: otplab</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    let deadline = TimeSpan(comparison.deadline);
    let law = Text(&comparison.law);
    out += &format!(
        "<h1>Polling strategies</h1>\n<p class=\"quiet\">Codes arrive by {law} and are given up \
         after {deadline}. Seed {}.</p>\n",
        comparison.seed
    );
    drawing(&mut out, comparison);
    table(&mut out, comparison);
    out += "<p class=\"quiet\">Lag and bound are seconds, of delivered rentals. The bound is the \
            least mean lag of any strategy with as many requests; wasted are the requests beyond \
            those that so short a lag needs. ± is the half-width of the 95 % confidence interval \
            of what is estimated; all other figures are exact.</p>\n</body>\n</html>\n";
    out
}

fn drawing(out: &mut String, comparison: &Comparison) {
    let frame = Frame::around(comparison);
    let _ = writeln!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"mean lag against requests per \
         rental\" font-size=\"12\" fill=\"currentColor\">",
        HEIGHT + 24.0
    );
    ticks(out, &frame);
    points(out, comparison, &frame);
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">requests per rental; the line is the \
         frontier that nothing beats</text>\n</svg>",
        WIDTH - MARGIN,
        HEIGHT + 20.0
    );
}

/// A place in the frame, in the drawing's units.
fn at((x, y): (f64, f64)) -> (f64, f64) {
    let across = MARGIN + x * (WIDTH - 2.0 * MARGIN);
    let down = (1.0 - y) * (HEIGHT - MARGIN) + 8.0;
    (across, down)
}

fn ticks(out: &mut String, frame: &Frame) {
    for tick in Frame::ticks(frame.requests) {
        if let Some((x, _)) = frame.place((tick, frame.lag.0)) {
            let (x, bottom) = at((x, 0.0));
            let top = at((0.0, 1.0)).1;
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {bottom:.1}V{top:.1}\" stroke=\"currentColor\" opacity=\".12\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                units::digits(tick)
            );
        }
    }
    for tick in Frame::ticks(frame.lag) {
        if let Some((_, y)) = frame.place((frame.requests.0, tick)) {
            let (left, y) = at((0.0, y));
            let right = at((1.0, 0.0)).0;
            let _ = writeln!(
                out,
                "<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"currentColor\" opacity=\".12\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} s</text>",
                left - 6.0,
                y + 4.0,
                units::digits(tick)
            );
        }
    }
}

fn points(out: &mut String, comparison: &Comparison, frame: &Frame) {
    let frontier = comparison
        .frontier
        .iter()
        .filter_map(|point| frame.place(*point));
    let line: Vec<_> = frontier
        .map(|place| {
            let (x, y) = at(place);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"var(--first)\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for row in &comparison.rows {
        if let Some(place) = frame.place((row.requests, row.lag_mean_s)) {
            let (x, y) = at(place);
            let name = Text(&row.strategy);
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"var(--second)\"><title>{name}: {:.2} \
                 requests, {:.3} s</title></circle><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\">{name}</text>",
                row.requests,
                row.lag_mean_s,
                x + 7.0,
                y - 5.0
            );
        }
    }
}

fn table(out: &mut String, comparison: &Comparison) {
    *out += "<div class=\"scroll\"><table>\n<tr><th>strategy</th><th>requests</th><th>with a \
             code</th><th>without</th><th>lag mean</th><th>p50</th><th>p95</th><th>p99</th>\
             <th>bound</th><th>efficiency</th><th>wasted</th></tr>\n";
    for row in &comparison.rows {
        let error = |error: Option<f64>, digits: usize| match error {
            Some(error) => format!(" ± {:.digits$}", 1.96 * error),
            None => String::new(),
        };
        let other = |of: fn(&Errors) -> f64| error(row.errors.as_ref().map(of), 3);
        let efficiency = row
            .errors
            .as_ref()
            .map(|errors| 100.0 * errors.se_efficiency);
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{:.3}{}</td><td>{:.3}</td><td>{:.2}{}</td><td>{:.3}{}</td><td>{:.3}{}</td>\
             <td>{:.3}{}</td><td>{:.3}{}</td><td>{:.3}</td><td>{:.1}%{}</td><td>{:.2}</td></tr>",
            Text(&row.strategy),
            row.requests,
            error(row.se_requests, 3),
            row.requests_delivered,
            row.requests_never,
            other(|errors| errors.se_requests_never),
            row.lag_mean_s,
            error(row.se, 3),
            row.lag_p50_s,
            other(|errors| errors.se_lag_p50),
            row.lag_p95_s,
            other(|errors| errors.se_lag_p95),
            row.lag_p99_s,
            other(|errors| errors.se_lag_p99),
            row.bound_s,
            100.0 * row.efficiency,
            error(efficiency, 1),
            row.wasted,
        );
    }
    *out += "</table></div>\n";
}
