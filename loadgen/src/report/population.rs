//! The table of populations, where a run tells them apart: what became of the
//! users of each, and what their waiting cost.

use std::fmt::Write;

use loadgen_core::latencies::Latencies;
use loadgen_core::tally::{PopulationTally, Tally};
use loadgen_core::units;

use super::markup::Text;
use super::{BAD, HEADING, figure, line};

/// Appends the table; nothing where users are all alike.
pub(super) fn table(out: &mut String, names: &[String], tally: &Tally) {
    if names.is_empty() {
        return;
    }
    line!(
        out,
        "\n{HEADING}{:<21}{:>9}{:>7}{:>9}{:>11}{:>11}{:>9}{:>9}{:>9}{HEADING:#}",
        "population",
        "requests",
        "errors",
        "rentals",
        "delivered",
        "polls/code",
        "lag p50",
        "lag p95",
        "code p50"
    );
    let nothing = PopulationTally::default();
    for (place, name) in names.iter().enumerate() {
        row(
            out,
            name,
            tally.populations().get(place).unwrap_or(&nothing),
        );
    }
    line!(out, "");
}

fn row(out: &mut String, name: &str, population: &PopulationTally) {
    let rentals = &population.rentals;
    let failed = match population.failures {
        0 => format!("{:>7}", 0),
        some => format!("{BAD}{:>7}{BAD:#}", units::count(some)),
    };
    let [delivered, polls] = delivered(population);
    let quantile = |latencies: &Latencies, quantile| figure(latencies.percentile(quantile));
    line!(
        out,
        "{HEADING}{name:<21}{HEADING:#}{:>9}{failed}{:>9}{delivered:>11}{polls:>11}{:>9}{:>9}{:>9}",
        units::count(population.requests),
        units::count(rentals.started),
        quantile(&rentals.detection_lag, 0.5),
        quantile(&rentals.detection_lag, 0.95),
        quantile(&rentals.time_to_code, 0.5)
    );
}

/// The table as HTML; nothing where users are all alike.
pub(super) fn page(out: &mut String, names: &[String], tally: &Tally) {
    if names.is_empty() {
        return;
    }
    line!(
        out,
        "<h2>Populations</h2>\n<div class=\"scroll\"><table>\n<tr><th></th><th>requests</th>\
         <th>errors</th><th>rentals</th><th>delivered</th><th>polls per code</th>\
         <th>lag p50</th><th>lag p95</th><th>time to code p50</th></tr>"
    );
    for (name, population) in names.iter().zip(tally.populations()) {
        let rentals = &population.rentals;
        let [delivered, polls] = delivered(population);
        line!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{delivered}</td><td>{polls}</td>\
             <td>{}</td><td>{}</td><td>{}</td></tr>",
            Text(name),
            units::count(population.requests),
            units::count(population.failures),
            units::count(rentals.started),
            figure(rentals.detection_lag.percentile(0.5)),
            figure(rentals.detection_lag.percentile(0.95)),
            figure(rentals.time_to_code.percentile(0.5))
        );
    }
    line!(out, "</table></div>");
}

/// The share of rentals that got their code, and the polls for each; readers have neither.
pub(super) fn delivered(population: &PopulationTally) -> [String; 2] {
    let rentals = &population.rentals;
    let share = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
    let shown = |text: Option<String>| text.unwrap_or_else(|| "n/a".to_owned());
    [
        shown(share(rentals.delivered, rentals.ended()).map(units::percent)),
        shown(share(rentals.polls_delivered, rentals.delivered).map(units::digits)),
    ]
}
