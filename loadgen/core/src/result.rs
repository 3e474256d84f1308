//! `result.json`: a run for machines. The field names are a promise; a change
//! of meaning needs a new `schema_version`, a new field does not. The schema is
//! checked in as `loadgen/result.schema.json`.

use std::collections::BTreeMap;

use contract::Operation;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::lag::LagShares;
use crate::latencies::{Latencies, Summary};
use crate::outcome::{Certainty, Ledger, WarmupPart};
use crate::record::Ending;
use crate::run::Run;
use crate::tally::{OperationTally, PopulationTally, RentalTally, Tally, WebhookTally};
use crate::threshold::Verdict;
use crate::validity::Validity;

/// The version of these field names.
const SCHEMA_VERSION: u32 = 2;

/// A run as it is written to `result.json`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunResult {
    /// Of these field names.
    pub schema_version: u32,
    /// Of all chance in the run.
    pub seed: u64,
    /// The scenario's name.
    pub scenario: String,
    /// The server's address.
    pub target: String,
    /// Seconds from the first arrival to the last answer.
    pub duration_s: f64,
    /// Whether the user stopped the run early.
    pub interrupted: bool,
    /// Whether the run was killed, so that what is here ends with its last whole second.
    pub cut_short: bool,
    /// When the run began, in seconds since 1970.
    pub started_s: f64,
    /// By operation, those that were used; without the warm-up.
    pub operations: BTreeMap<&'static str, OperationResult>,
    /// What was left out as warm-up; null where nothing was.
    pub warmup: Option<WarmupResult>,
    /// How the generator itself fared.
    pub instrument: InstrumentResult,
    /// Whether the figures can be relied on.
    pub validity: Validity,
    /// What became of the rentals.
    pub rentals: RentalResult,
    /// By population, where they are told apart.
    pub populations: BTreeMap<String, PopulationResult>,
    /// What was held back on purpose.
    pub bounds: BoundsResult,
    /// What became of the webhooks; null where none came and none was awaited.
    pub webhooks: Option<WebhookTally>,
    /// Requests per second while users arrived.
    pub rates: Rates,
    /// The audit of the balances; null where there was none.
    pub ledger: Option<LedgerResult>,
    /// How each threshold came out.
    pub thresholds: Vec<Verdict>,
}

/// The requests of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OperationResult {
    /// All requests, failed ones too.
    pub requests: u64,
    /// Failed requests by kind.
    pub errors: BTreeMap<String, u64>,
    /// Failed requests that were made again.
    pub retries: u64,
    /// From intended to answered: what a customer waits.
    pub response_us: Summary,
    /// From sent to answered: what the server and the network took.
    pub service_us: Summary,
    /// From intended to sent: what the generator and its connections took.
    pub slip_us: Summary,
}

/// One population, over the whole run but for the requests of the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PopulationResult {
    /// All requests, failed ones too.
    pub requests: u64,
    /// Failed requests.
    pub errors: u64,
    /// What became of its rentals.
    pub rentals: RentalResult,
}

/// What was held back on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BoundsResult {
    /// Requests sent later than planned, because of a bound on the rate or `Retry-After`.
    pub requests_held: u64,
    /// Users that did not start, because of a bound on rentals or money.
    pub users_turned_away: u64,
}

/// The beginning of the load, which the other figures leave out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WarmupResult {
    /// How long it was.
    pub seconds: u32,
    /// By operation, those that were used.
    pub operations: BTreeMap<&'static str, OperationResult>,
}

/// How the generator itself fared.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InstrumentResult {
    /// Opening a connection.
    pub connect_us: Summary,
    /// From the moment something was due to the moment the generator noticed.
    pub lateness_us: Summary,
}

/// What detection lag was made of, as means over all rentals, in microseconds;
/// the three add up to the mean lag.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LagSharesResult {
    /// Nobody asked, because the strategy said to wait.
    pub strategy: f64,
    /// A poll was with the server, or on its way.
    pub server: f64,
    /// A poll was due and had not been sent.
    pub generator: f64,
}

/// What became of the rentals, over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "documented at RentalTally")]
pub struct RentalResult {
    pub started: u64,
    pub peak_in_flight: u64,
    pub delivered: u64,
    pub confirmed: u64,
    pub expired: u64,
    pub abandoned: u64,
    pub failed: u64,
    pub polls_delivered: u64,
    /// Polls of rentals that never got their code, and of those that were given up.
    pub polls_undelivered: u64,
    /// Mean polls of a delivered rental; null if there was none.
    pub polls_per_delivered: Option<f64>,
    /// Mean polls of a rental that ended without its code; null if there was none.
    pub polls_per_undelivered: Option<f64>,
    pub detection_lag_us: Summary,
    /// Null where nobody knows the lag.
    pub lag_shares_us: Option<LagSharesResult>,
    pub sms_delay_us: Summary,
    pub time_to_code_us: Summary,
    /// Equal in two runs if all delivered rentals, codes and delays were, in any order.
    pub fingerprint: String,
}

/// Requests per second while users arrived.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rates {
    /// Meant to be sent.
    pub offered_rps: f64,
    /// Answered.
    pub achieved_rps: f64,
}

/// The audit of the balances.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LedgerResult {
    /// Accounts audited.
    pub accounts: usize,
    /// Charged by rents, like `"340.50"`.
    pub charged: String,
    /// Given back.
    pub refunded: String,
    /// What is left over; anything but `"0.00"` is money lost or made.
    pub unexplained: String,
    /// `exact`, or why `unexplained` cannot be relied on: `balances_unread` or `rents_unanswered`.
    pub certainty: &'static str,
}

impl RunResult {
    /// The result of a run.
    pub fn new(run: &Run) -> Self {
        let (about, outcome) = (&run.about, &run.outcome);
        let tally = &outcome.tally;
        Self {
            schema_version: SCHEMA_VERSION,
            seed: about.seed,
            scenario: about.scenario.clone(),
            target: about.target.clone(),
            duration_s: rounded(outcome.duration.as_secs_f64(), 6),
            interrupted: run.ending == Ending::Interrupted,
            cut_short: run.ending == Ending::CutShort,
            started_s: rounded(about.started_s, 3),
            operations: operations(tally),
            warmup: outcome.warmup.as_ref().map(WarmupResult::new),
            instrument: InstrumentResult {
                connect_us: tally.instrument.connect.summary(),
                lateness_us: tally.instrument.lateness.summary(),
            },
            validity: run.validity.clone(),
            rentals: RentalResult::new(&tally.rentals),
            populations: populations(&about.populations, tally),
            bounds: BoundsResult {
                requests_held: tally.held,
                users_turned_away: tally.turned_away,
            },
            webhooks: Some(tally.webhooks).filter(|webhooks| !webhooks.is_empty()),
            rates: Rates {
                offered_rps: rounded(outcome.rate(tally.offered), 1),
                achieved_rps: rounded(outcome.rate(tally.achieved), 1),
            },
            ledger: outcome.ledger.map(LedgerResult::new),
            thresholds: run.verdicts.clone(),
        }
    }

    /// As it is written to `result.json`.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data can be written") + "\n"
    }

    /// What all such files look like.
    pub fn schema() -> Schema {
        schemars::schema_for!(Self)
    }
}

fn operations(tally: &Tally) -> BTreeMap<&'static str, OperationResult> {
    Operation::ALL
        .into_iter()
        .map(|operation| (operation.name(), tally.operation(operation)))
        .filter(|(_, tally)| tally.requests > 0)
        .map(|(name, tally)| (name, OperationResult::new(tally)))
        .collect()
}

fn populations(names: &[String], tally: &Tally) -> BTreeMap<String, PopulationResult> {
    let nothing = PopulationTally::default();
    let tallies = (0..).map(|place| tally.populations().get(place).unwrap_or(&nothing));
    let named = names.iter().zip(tallies);
    named
        .map(|(name, tally)| {
            let result = PopulationResult {
                requests: tally.requests,
                errors: tally.failures,
                rentals: RentalResult::new(&tally.rentals),
            };
            (name.clone(), result)
        })
        .collect()
}

impl WarmupResult {
    fn new(part: &WarmupPart) -> Self {
        Self {
            seconds: part.seconds,
            operations: operations(&part.tally),
        }
    }
}

impl LedgerResult {
    fn new(ledger: Ledger) -> Self {
        Self {
            accounts: ledger.accounts,
            charged: ledger.charged.to_string(),
            refunded: ledger.refunded.to_string(),
            unexplained: ledger.unexplained.to_string(),
            certainty: match ledger.certainty {
                Certainty::Exact => "exact",
                Certainty::BalancesUnread(_) => "balances_unread",
                Certainty::RentsUnanswered(_) => "rents_unanswered",
            },
        }
    }
}

impl OperationResult {
    fn new(tally: &OperationTally) -> Self {
        Self {
            requests: tally.requests,
            errors: tally
                .failures
                .iter()
                .map(|(kind, count)| (kind.to_string(), *count))
                .collect(),
            retries: tally.retries,
            response_us: tally.response.summary(),
            service_us: tally.service.summary(),
            slip_us: tally.slip.summary(),
        }
    }
}

impl RentalResult {
    fn new(rentals: &RentalTally) -> Self {
        let mean =
            |polls: u64, count: u64| (count > 0).then(|| rounded(polls as f64 / count as f64, 3));
        Self {
            started: rentals.started,
            peak_in_flight: rentals.peak_in_flight,
            delivered: rentals.delivered,
            confirmed: rentals.confirmed,
            expired: rentals.expired,
            abandoned: rentals.abandoned,
            failed: rentals.failed,
            polls_delivered: rentals.polls_delivered,
            polls_undelivered: rentals.polls_undelivered,
            polls_per_delivered: mean(rentals.polls_delivered, rentals.delivered),
            polls_per_undelivered: mean(
                rentals.polls_undelivered,
                rentals.expired + rentals.abandoned,
            ),
            detection_lag_us: rentals.detection_lag.summary(),
            lag_shares_us: lag_shares(&rentals.detection_lag, rentals.lag_shares),
            sms_delay_us: rentals.sms_delay.summary(),
            time_to_code_us: rentals.time_to_code.summary(),
            fingerprint: format!("{:016x}", rentals.fingerprint),
        }
    }
}

fn lag_shares(lag: &Latencies, shares: LagShares) -> Option<LagSharesResult> {
    let mean = |sum: u64| rounded(sum as f64 / lag.count() as f64, 1);
    (lag.count() > 0).then(|| LagSharesResult {
        strategy: mean(shares.strategy),
        server: mean(shares.server),
        generator: mean(shares.generator),
    })
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
