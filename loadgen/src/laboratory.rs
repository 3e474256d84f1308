//! What the polling laboratory found, for people and for machines. Nothing is
//! computed here.
//!
//! | module | holds |
//! | --- | --- |
//! | `table` | the rows as a text, with the frontier drawn in characters |
//! | `page` | the same as a page with a drawing |
//! | [`snippet`] | a schedule as code for a client |

mod page;
mod plot;
pub mod snippet;
mod table;

pub use page::html;
pub use table::{figures, text};

use std::time::Duration;

use loadgen_sim::polling::Row;

/// What strategies were compared under, and what came of it.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The law of the delay, as it was written.
    pub law: String,
    /// When clients give up.
    pub deadline: Duration,
    /// What all chance was counted from.
    pub seed: u64,
    /// The strategies.
    pub rows: Vec<Row>,
    /// Requests, and the least mean lag of the delivered with them.
    pub frontier: Vec<(f64, f64)>,
}

/// The rows as JSON: an array of one object per strategy.
pub fn json(rows: &[Row]) -> String {
    let text = serde_json::to_string_pretty(rows);
    text.expect("invariant: rows are plain data") + "\n"
}

/// The rows as CSV, with the names of the JSON fields; a schedule is left out.
pub fn csv(rows: &[Row]) -> String {
    let mut out = String::from(
        "strategy,requests,requests_delivered,requests_never,delivered,lag_mean_s,lag_p50_s,\
         lag_p95_s,lag_p99_s,bound_s,efficiency,wasted,exact,se,se_requests,\
         se_requests_never,se_lag_p50,se_lag_p95,se_lag_p99,se_efficiency\n",
    );
    for row in rows {
        let figures = [
            row.requests,
            row.requests_delivered,
            row.requests_never,
            row.delivered,
            row.lag_mean_s,
            row.lag_p50_s,
            row.lag_p95_s,
            row.lag_p99_s,
            row.bound_s,
            row.efficiency,
            row.wasted,
        ];
        out += &format!("\"{}\"", row.strategy.replace('"', "\"\""));
        for figure in figures {
            out += &format!(",{figure}");
        }
        out += &format!(",{}", row.exact);
        let others = row.errors.as_ref();
        let errors = [
            row.se,
            row.se_requests,
            others.map(|errors| errors.se_requests_never),
            others.map(|errors| errors.se_lag_p50),
            others.map(|errors| errors.se_lag_p95),
            others.map(|errors| errors.se_lag_p99),
            others.map(|errors| errors.se_efficiency),
        ];
        for error in errors {
            out.push(',');
            out += &error.map(|error| error.to_string()).unwrap_or_default();
        }
        out.push('\n');
    }
    out
}
