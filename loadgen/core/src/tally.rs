//! What a run counts. Each worker has a tally of its own; tallies add up
//! without loss, in any order.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::mem;
use std::time::Duration;

use contract::{Cents, Moment, Operation, Truth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Failure, Rented};
use crate::call::Times;
use crate::distribution::Distribution;
use crate::lag::LagShares;
use crate::latencies::Latencies;
use crate::place::Place;

/// Everything counted by one or more workers.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    operations: [OperationTally; 4],
    /// What became of the rentals.
    pub rentals: RentalTally,
    /// What the rentals did to the balances.
    pub money: MoneyTally,
    /// Requests that were meant to be sent before the end of the arrivals.
    pub offered: u64,
    /// Requests that were answered before the end of the arrivals.
    pub achieved: u64,
    /// How the generator itself fared.
    pub instrument: InstrumentTally,
    /// By population, where they are told apart: a part of what is counted above.
    populations: Vec<PopulationTally>,
    /// Requests that were due and were held back: their account was told to
    /// wait, or the run may not ask more often.
    pub held: u64,
    /// Users that did not start because a bound on rentals or money was reached.
    pub turned_away: u64,
    /// What became of the webhooks, where customers count on them.
    pub webhooks: WebhookTally,
}

/// What became of the webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTally {
    /// All that arrived about rentals whose customers count on them.
    pub received: u64,
    /// Those that told a customer its code.
    pub used: u64,
    /// Of these, those that came before the answer of their rent.
    pub early: u64,
    /// Those that came once more with the same bytes.
    pub duplicates: u64,
    /// Those that came after their customer knew the code from a poll, or had left.
    pub late: u64,
    /// Those that had not come at the end, though a poll had shown the SMS.
    pub lost: u64,
    /// Posts that are not the documented webhook.
    pub unreadable: u64,
}

/// One population's part.
#[derive(Clone, Debug, Default)]
pub struct PopulationTally {
    /// All requests, failed ones too.
    pub requests: u64,
    /// Failed requests.
    pub failures: u64,
    /// What became of its rentals.
    pub rentals: RentalTally,
}

/// How the generator itself fared.
#[derive(Clone, Debug, Default)]
pub struct InstrumentTally {
    /// Opening a connection.
    pub connect: Latencies,
    /// From the moment a timer or an arrival was due to the moment the
    /// generator noticed: the part of slip that nobody else can be blamed for.
    pub lateness: Latencies,
    /// Requests under way, from intended to answered, summed over time.
    pub under_way: Duration,
    /// Connections that could not be opened because this machine has no more
    /// file descriptors or ports.
    pub limits_hit: u64,
}

/// The requests of one operation.
#[derive(Clone, Debug, Default)]
pub struct OperationTally {
    /// All requests, failed ones too.
    pub requests: u64,
    /// Failed requests by kind.
    pub failures: BTreeMap<Failure, u64>,
    /// Failed requests that were made again.
    pub retries: u64,
    /// From intended to answered.
    pub response: Latencies,
    /// From sent to answered.
    pub service: Latencies,
    /// From intended to sent.
    pub slip: Latencies,
}

/// What became of the rentals.
#[derive(Clone, Debug, Default)]
pub struct RentalTally {
    /// Customers that set out to rent.
    pub started: u64,
    /// Most users alive at once; over several workers the sum of theirs.
    pub peak_in_flight: u64,
    /// Codes received.
    pub delivered: u64,
    /// Delivered rentals that the history confirmed.
    pub confirmed: u64,
    /// Rentals that ended at the server without an SMS.
    pub expired: u64,
    /// Rentals that the customer gave up on.
    pub abandoned: u64,
    /// Customers that got no rental.
    pub failed: u64,
    /// Polls made for delivered rentals.
    pub polls_delivered: u64,
    /// Polls made for all other rentals.
    pub polls_undelivered: u64,
    /// From the SMS being readable to the answer that carried it, by the mock's own clock.
    pub detection_lag: Latencies,
    /// What the detection lag of all rentals was made of.
    pub lag_shares: LagShares,
    /// From rent to SMS, as the mock drew it.
    pub sms_delay: Latencies,
    /// From the answer of rent to the code.
    pub time_to_code: Latencies,
    /// Changes if any rental, code or delay does; the order does not matter.
    pub fingerprint: u64,
}

/// What the rentals did to the balances.
#[derive(Clone, Debug, Default)]
pub struct MoneyTally {
    /// Charged by answered rents.
    pub charged: Cents,
    /// Given back for rentals that ended without an SMS.
    pub refunded: Cents,
    /// When the rentals that nobody saw the end of will end, and what each cost.
    pub unfinished: Vec<(Moment, Cents)>,
    /// What those cost whose end has passed since.
    pub ended_unseen: Cents,
    /// Rents without an answer: whether they were charged is unknown.
    pub unknown_rents: u64,
}

impl Tally {
    /// The requests of `operation`.
    pub const fn operation(&self, operation: Operation) -> &OperationTally {
        &self.operations[operation as usize]
    }

    pub(crate) const fn operation_mut(&mut self, operation: Operation) -> &mut OperationTally {
        &mut self.operations[operation as usize]
    }

    /// By population, where they are told apart. There may be none yet for those
    /// that have done nothing.
    pub fn populations(&self) -> &[PopulationTally] {
        &self.populations
    }

    /// Where a population is counted.
    pub(crate) fn population(&mut self, place: Place) -> &mut PopulationTally {
        let place = usize::from(place.0);
        if self.populations.len() <= place {
            self.populations
                .resize_with(place + 1, PopulationTally::default);
        }
        &mut self.populations[place]
    }

    /// Counts something that became of a rental, in all and where it is counted apart.
    pub(crate) fn rentals(
        &mut self,
        place: Option<Place>,
        mut count: impl FnMut(&mut RentalTally),
    ) {
        count(&mut self.rentals);
        if let Some(place) = place {
            count(&mut self.population(place).rentals);
        }
    }

    fn merge_populations(&mut self, others: &[PopulationTally]) {
        for (place, theirs) in (0..).map(Place).zip(others) {
            self.population(place).merge(theirs);
        }
    }

    /// Counts a finished request.
    ///
    /// Latencies are those of answers, refusals included, and of timeouts,
    /// whose time is a lower bound that must not go missing. A connection that
    /// broke has no latency.
    pub fn request(&mut self, operation: Operation, times: Times, failure: Option<Failure>) {
        let tally = &mut self.operations[operation as usize];
        tally.requests += 1;
        tally.slip.record(times.sent.since(times.intended));
        if failure.is_none_or(|kind| kind.was_answered() || kind == Failure::Timeout) {
            tally.response.record(times.answered.since(times.intended));
            tally.service.record(times.answered.since(times.sent));
        }
        if let Some(kind) = failure {
            *tally.failures.entry(kind).or_default() += 1;
        }
    }

    /// Counts a fault found in an answer that was already counted as a request.
    pub fn mismatch(&mut self) {
        let tally = &mut self.operations[Operation::History as usize];
        *tally.failures.entry(Failure::Mismatch).or_default() += 1;
    }

    /// Adds the counts of `other`, which were made at the same time.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.operations.iter_mut().zip(&other.operations) {
            ours.merge(theirs);
        }
        self.rentals.merge(&other.rentals);
        self.money.merge(&other.money);
        self.offered += other.offered;
        self.achieved += other.achieved;
        self.instrument.merge(&other.instrument);
        self.merge_populations(&other.populations);
        self.held += other.held;
        self.turned_away += other.turned_away;
        self.webhooks.merge(&other.webhooks);
    }

    /// Adds the counts of `later`, which were made afterwards: the most users
    /// alive at once are those of either, not of both.
    pub fn follow(&mut self, later: &Self) {
        let peak = self.rentals.peak_in_flight;
        self.merge(later);
        self.rentals.peak_in_flight = peak.max(later.rentals.peak_in_flight);
    }

    /// Takes over what is counted over a whole run from its warm-up: rentals
    /// and money, but none of their times, and connections.
    ///
    /// A rental that was made during the warm-up may end after it. Counting its
    /// end without its beginning would make no sense. Connections are opened
    /// before everything else, so without the warm-up there would be none.
    pub fn take_whole(&mut self, warmup: &mut Self) {
        self.instrument.connect.merge(&warmup.instrument.connect);
        self.instrument.limits_hit += mem::take(&mut warmup.instrument.limits_hit);
        warmup.instrument.connect = Latencies::default();
        let timeless = warmup.rentals.timeless();
        let populations: Vec<_> = warmup
            .populations
            .iter()
            .map(|population| PopulationTally {
                rentals: population.rentals.timeless(),
                ..PopulationTally::default()
            })
            .collect();
        self.merge_populations(&populations);
        self.turned_away += mem::take(&mut warmup.turned_away);
        self.webhooks.merge(&mem::take(&mut warmup.webhooks));
        let peak = self.rentals.peak_in_flight;
        self.rentals.merge(&timeless);
        self.rentals.peak_in_flight = peak.max(timeless.peak_in_flight);
        self.money.merge(&warmup.money);
    }

    /// Values beyond one hour, in any histogram.
    pub fn overflow(&self) -> u64 {
        Distribution::all()
            .filter(|distribution| !matches!(distribution, Distribution::Of(..)))
            .map(|distribution| distribution.of(self).overflow())
            .sum()
    }

    /// Requests of all operations.
    pub fn requests(&self) -> u64 {
        self.operations.iter().map(|tally| tally.requests).sum()
    }

    /// Failed requests of all operations.
    pub fn failures(&self) -> u64 {
        self.operations.iter().map(OperationTally::failed).sum()
    }
}

impl OperationTally {
    /// Failed requests of any kind.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        for (kind, count) in &other.failures {
            *self.failures.entry(*kind).or_default() += count;
        }
        self.retries += other.retries;
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.slip.merge(&other.slip);
    }
}

impl PopulationTally {
    /// Counts a finished request.
    pub(crate) fn request(&mut self, failed: bool) {
        self.requests += 1;
        self.failures += u64::from(failed);
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failures += other.failures;
        self.rentals.merge(&other.rentals);
    }
}

impl WebhookTally {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    const fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.used += other.used;
        self.early += other.early;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.lost += other.lost;
        self.unreadable += other.unreadable;
    }
}

impl InstrumentTally {
    fn merge(&mut self, other: &Self) {
        self.connect.merge(&other.connect);
        self.lateness.merge(&other.lateness);
        self.under_way += other.under_way;
        self.limits_hit += other.limits_hit;
    }
}

impl RentalTally {
    /// Counts a code that arrived `time_to_code` after its rent.
    pub fn received(&mut self, polls: u32, time_to_code: Duration) {
        self.delivered += 1;
        self.polls_delivered += u64::from(polls);
        self.time_to_code.record(time_to_code);
    }

    /// Counts what the mock says about a code that arrived, and what its
    /// detection lag was made of.
    pub fn explained(&mut self, truth: Truth, shares: LagShares) {
        self.detection_lag.record(truth.readable);
        self.sms_delay.record(truth.delay);
        self.lag_shares += shares;
    }

    /// Adds one delivered rental to the fingerprint.
    pub fn add_to_fingerprint(
        &mut self,
        account: u32,
        rented: &Rented,
        code: &str,
        truth: Option<Truth>,
    ) {
        // The default hasher's keys are fixed when it is built this way, and a
        // sum does not depend on the order of its parts.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let delay = truth.map(|truth| truth.delay);
        let hash = hasher.hash_one((account, rented.phone, rented.cost.0, code, delay));
        self.fingerprint = self.fingerprint.wrapping_add(hash);
    }

    /// Polls of any rental.
    pub const fn polls(&self) -> u64 {
        self.polls_delivered + self.polls_undelivered
    }

    /// Customers that are done.
    pub const fn ended(&self) -> u64 {
        self.delivered + self.expired + self.abandoned + self.failed
    }

    /// Without the times.
    fn timeless(&self) -> Self {
        Self {
            detection_lag: Latencies::default(),
            sms_delay: Latencies::default(),
            time_to_code: Latencies::default(),
            lag_shares: LagShares::default(),
            ..self.clone()
        }
    }

    fn merge(&mut self, other: &Self) {
        self.started += other.started;
        self.peak_in_flight += other.peak_in_flight;
        self.delivered += other.delivered;
        self.confirmed += other.confirmed;
        self.expired += other.expired;
        self.abandoned += other.abandoned;
        self.failed += other.failed;
        self.polls_delivered += other.polls_delivered;
        self.polls_undelivered += other.polls_undelivered;
        self.detection_lag.merge(&other.detection_lag);
        self.sms_delay.merge(&other.sms_delay);
        self.time_to_code.merge(&other.time_to_code);
        self.lag_shares += other.lag_shares;
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
    }
}

impl MoneyTally {
    /// It is `now` at least: what has ended unseen by then needs no list any more.
    pub fn pass(&mut self, now: Moment) {
        let ended = &mut self.ended_unseen;
        self.unfinished.retain(|(end, cost)| {
            let over = *end <= now;
            if over {
                *ended += *cost;
            }
            !over
        });
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.charged += other.charged;
        self.refunded += other.refunded;
        self.unfinished.extend_from_slice(&other.unfinished);
        self.ended_unseen += other.ended_unseen;
        self.unknown_rents += other.unknown_rents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(intended: u64, sent: u64, answered: u64) -> Times {
        let at = |microseconds: u64| Moment::from_nanoseconds(microseconds * 1000);
        Times {
            intended: at(intended),
            sent: at(sent),
            answered: at(answered),
        }
    }

    #[test]
    fn response_is_service_plus_slip() {
        let mut tally = Tally::default();
        tally.request(Operation::CheckOtp, times(100, 130, 200), None);
        let polls = tally.operation(Operation::CheckOtp);
        assert_eq!(polls.response.greatest(), Some(100));
        assert_eq!(polls.service.greatest(), Some(70));
        assert_eq!(polls.slip.greatest(), Some(30));
    }

    #[test]
    fn a_broken_connection_has_no_latency_but_a_timeout_has() {
        let mut tally = Tally::default();
        tally.request(Operation::Rent, times(0, 0, 9), Some(Failure::Reset));
        assert_eq!(tally.operation(Operation::Rent).response.count(), 0);
        tally.request(Operation::Rent, times(0, 0, 9), Some(Failure::Timeout));
        tally.request(Operation::Rent, times(0, 0, 9), Some(Failure::Status(503)));
        let rents = tally.operation(Operation::Rent);
        assert_eq!(
            (rents.requests, rents.failed(), rents.response.count()),
            (3, 3, 2)
        );
    }

    #[test]
    fn the_fingerprint_ignores_order_and_nothing_else() {
        let rented = |phone| Rented {
            id: 1,
            phone,
            cost: Cents(144),
            expires_in: Duration::from_secs(1200),
        };
        let sum = |rentals: &[(u32, u64, &str)]| {
            let mut tally = RentalTally::default();
            for (account, phone, code) in rentals {
                tally.add_to_fingerprint(*account, &rented(*phone), code, None);
            }
            tally.fingerprint
        };
        assert_eq!(
            sum(&[(0, 1, "11"), (1, 2, "22")]),
            sum(&[(1, 2, "22"), (0, 1, "11")])
        );
        assert_ne!(sum(&[(0, 1, "11")]), sum(&[(0, 1, "12")]));
        assert_ne!(sum(&[(0, 1, "11")]), sum(&[(1, 1, "11")]));
    }
}
