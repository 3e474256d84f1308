//! A webhook first, and polls as a fallback: what is left to ask.
//!
//! With probability p the code is pushed, an exponential time W of mean m after
//! it arrived. A poll is sent if neither it nor a push came before. After a poll
//! that found nothing the state is "not yet", as without a webhook, so that the
//! cost of a schedule is still a sum over the gaps between its polls:
//!
//! - lag(a, b) = ∫ₐᵇ f(x)·E\[min(W, b − x)\] dx, and
//!   E\[min(W, y)\] = (1 − p)·y + p·m·(1 − e^(−y/m));
//! - polls(a, b) = S(b) + ∫ₐᵇ f(x)·P(W > b − x) dx.
//!
//! Both need ∫ₐᵇ e^(−(b−x)/m) dF, which a running sum gives for any two nodes.
//! There is no hull here, so that the recursion looks at all pairs. What rounding
//! the polls of any schedule to its moments can cost at most is in `margin`, so
//! that a bound can be certified.

mod margin;

use contract::Law;
use loadgen_core::polling::Webhook;

use self::margin::Margins;
use super::grid::Grid;
use super::schedule::Schedule;

/// Cells of the recursion, and of that which certifies the bound.
const CELLS: usize = 600;
const FINE: usize = 1_200;

/// Parts that a cell is cut into for the running sum.
const PARTS: usize = 24;

/// The law at some moments, as a webhook sees it.
#[derive(Clone, Debug)]
struct Table {
    webhook: Webhook,
    times: Vec<f64>,
    cdf: Vec<f64>,
    survival: Vec<f64>,
    integral: Vec<f64>,
    /// ∫₀^tⱼ e^(−(tⱼ−x)/m) dF.
    fresh: Vec<f64>,
    /// The same in three points inside of the cell that ends at each node.
    inner: Vec<[f64; 3]>,
}

impl Table {
    fn new(law: &Law, webhook: Webhook, times: Vec<f64>) -> Self {
        let mut fresh = Vec::with_capacity(times.len());
        let mut inner = Vec::with_capacity(times.len());
        let mut sum = 0.0;
        let (mut before, mut happened) = (0.0, 0.0);
        for &time in &times {
            let width = (time - before) / PARTS as f64;
            let mut points = [0.0; 3];
            for part in 1..=PARTS {
                let reached = if part == PARTS {
                    law.cdf(time)
                } else {
                    law.cdf(before + width * part as f64)
                };
                sum *= (-width / webhook.mean).exp();
                sum += (reached - happened) * (-width / (2.0 * webhook.mean)).exp();
                happened = reached;
                let quarter = part * 4 / PARTS;
                if part * 4 % PARTS == 0 && quarter < 4 {
                    points[quarter - 1] = sum;
                }
            }
            before = time;
            fresh.push(sum);
            inner.push(points);
        }
        Self {
            webhook,
            cdf: times.iter().map(|&time| law.cdf(time)).collect(),
            survival: times.iter().map(|&time| law.survival(time)).collect(),
            integral: times.iter().map(|&time| law.cdf_integral(time)).collect(),
            fresh,
            inner,
            times,
        }
    }

    /// Lag and polls of the gap between two nodes; without a first, from the rent on.
    fn gap(&self, from: Option<usize>, to: usize) -> (f64, f64) {
        let Webhook { probability, mean } = self.webhook;
        let (start, happened, integral, fresh) = match from {
            Some(node) => (
                self.times[node],
                self.cdf[node],
                self.integral[node],
                self.fresh[node],
            ),
            None => (0.0, 0.0, 0.0, 0.0),
        };
        let width = self.times[to] - start;
        let arrived = self.cdf[to] - happened;
        let waiting = self.integral[to] - integral - happened * width;
        let fresh = self.fresh[to] - (-width / mean).exp() * fresh;
        let lag = (1.0 - probability) * waiting + probability * mean * (arrived - fresh);
        let unheard = (1.0 - probability) * arrived + probability * fresh;
        (lag.max(0.0), self.survival[to] + unheard)
    }
}

/// Mean requests and mean lag of a schedule, both per rental.
pub(crate) fn means(schedule: &Schedule, law: &Law, webhook: Webhook) -> (f64, f64) {
    // Cells as fine as the webhook is quick, and the polls among them.
    let deadline = schedule.deadline();
    let mut times = Grid::moments(law, deadline, CELLS);
    times.extend(schedule.polls());
    times.sort_by(f64::total_cmp);
    times.dedup();
    let table = Table::new(law, webhook, times);
    let mut from = None;
    let (mut requests, mut lag) = (0.0, 0.0);
    for poll in schedule.polls() {
        let node = table.times.partition_point(|time| time < poll);
        let (waited, polls) = table.gap(from, node);
        // The first poll at the rent itself is always sent.
        requests += if *poll == 0.0 { 1.0 } else { polls };
        lag += waited;
        from = Some(node);
    }
    (requests, lag)
}

/// The probability that a push has not come within `lag` of the code.
pub(crate) fn silence(webhook: Webhook, lag: f64) -> f64 {
    1.0 - webhook.probability * -(-lag / webhook.mean).exp_m1()
}

/// The best fallback for a webhook.
#[derive(Clone, Debug)]
pub struct WebhookProblem {
    table: Table,
    /// To certify with, and what is taken off there.
    fine: Table,
    margins: Margins,
    least_gap: f64,
    /// Lag and polls from each node to each later one, row by row; the first
    /// row is from the rent.
    gaps: Vec<Vec<(f64, f64)>>,
}

/// What a schedule under a price is and costs.
struct Solution {
    polls: Vec<f64>,
    cost: f64,
    requests: f64,
}

/// Parts of a price near which the best bound lies.
const NEARBY: [f64; 3] = [0.96, 1.0, 1.04];

impl WebhookProblem {
    /// Codes arrive by `law`, and what is pushed by `webhook`; times are seconds.
    pub fn new(law: &Law, deadline: f64, least_gap: f64, webhook: Webhook) -> Self {
        let table = Table::new(law, webhook, Grid::moments(law, deadline, CELLS));
        let fine = Table::new(law, webhook, Grid::moments(law, deadline, FINE));
        let count = table.times.len();
        let row = |from: Option<usize>| {
            let first = from.map_or(0, |node| node + 1);
            (first..count).map(|to| table.gap(from, to)).collect()
        };
        let rows = std::iter::once(None).chain((0..count - 1).map(Some));
        Self {
            gaps: rows.map(row).collect(),
            margins: Margins::new(&Grid::new(law, deadline, FINE), &fine),
            fine,
            table,
            least_gap,
        }
    }

    /// The best polls if a request is worth `price` seconds of lag.
    pub fn optimum(&self, price: f64) -> Vec<f64> {
        self.solve(price).polls
    }

    /// The best polls that some price gives, with at most `budget` requests.
    pub fn optimum_within(&self, budget: f64) -> Vec<f64> {
        let (mut low, mut high) = self.prices();
        for _ in 0..50 {
            let middle = (low * high).sqrt();
            if self.solve(middle).requests > budget {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.solve(high).polls
    }

    /// A lower bound on the lag per rental with so many requests, and the price at
    /// which it is found.
    pub fn bound(&self, requests: f64) -> (f64, f64) {
        let (mut low, mut high) = self.prices();
        for _ in 0..40 {
            let middle = (low * high).sqrt();
            if self.solve(middle).requests > requests {
                low = middle;
            } else {
                high = middle;
            }
        }
        // The price was found on a coarse table, so it is sought again nearby.
        let bound = |price: f64| (self.certified(price) - price * requests, price);
        let candidates = NEARBY.map(|factor| bound(factor * high));
        let best = candidates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (lag, price) = best.expect("invariant: there are candidates");
        (lag.max(0.0), price)
    }

    /// The fewest requests with which the lag per rental may be so low.
    pub fn least_requests(&self, lag: f64) -> f64 {
        let (mut low, mut high) = self.prices();
        for _ in 0..40 {
            let middle = (low * high).sqrt();
            let solution = self.solve(middle);
            if solution.cost - middle * solution.requests < lag {
                low = middle;
            } else {
                high = middle;
            }
        }
        let least = |price: f64| (self.certified(price) - lag) / price;
        let candidates = NEARBY.map(|factor| least(factor * low));
        candidates.into_iter().fold(0.0, f64::max)
    }

    /// No strategy, however adaptive or random, has a lower E\[L\] + `price`·E\[N\].
    pub(crate) fn certified(&self, price: f64) -> f64 {
        let (table, margins) = (&self.fine, &self.margins);
        let last = table.times.len() - 1;
        // Rounding may bring two polls nearer to each other by a cell.
        let least_gap = self.least_gap - 1.001 * margins.widest;
        let mut ahead = vec![0.0; last + 1];
        for node in (0..last).rev() {
            let taken_off = margins.at(node, price, table.webhook);
            // Where a poll would earn something, nothing more is charged.
            let Some((credit, share)) = taken_off
                .filter(|(credit, share)| price * table.survival[node] >= credit + share * price)
            else {
                continue;
            };
            let due = table.times[node] + least_gap;
            let first = table
                .times
                .partition_point(|time| *time < due)
                .max(node + 1);
            let costs = (first..=last).map(|to| {
                let (lag, polls) = table.gap(Some(node), to);
                let width = table.times[to] - table.times[node];
                lag + price * polls + ahead[to] - share * (width + price)
            });
            ahead[node] = costs.fold(f64::INFINITY, f64::min) - credit;
        }
        // A poll at the rent itself makes sense only if the code may be there.
        let first = usize::from(table.cdf[0] == 0.0);
        let costs = (first..=last).map(|to| {
            let (lag, polls) = table.gap(None, to);
            lag + price * polls + ahead[to]
        });
        costs.fold(f64::INFINITY, f64::min) - margins.atom_cell
    }

    fn prices(&self) -> (f64, f64) {
        let deadline = self.table.times[self.table.times.len() - 1];
        (deadline * 1e-7, deadline * 1e3)
    }

    fn solve(&self, price: f64) -> Solution {
        let last = self.table.times.len() - 1;
        let mut ahead = vec![(0.0, last); last + 1];
        for node in (0..last).rev() {
            ahead[node] = self.best(Some(node), price, &ahead);
        }
        let (cost, first) = self.best(None, price, &ahead);
        let (mut from, mut node) = (None, first);
        let (mut polls, mut requests) = (Vec::new(), 0.0);
        loop {
            requests += self.step(from, node).1;
            polls.push(self.table.times[node]);
            if node == last {
                break;
            }
            (from, node) = (Some(node), ahead[node].1);
        }
        Solution {
            polls,
            cost,
            requests,
        }
    }

    fn step(&self, from: Option<usize>, to: usize) -> (f64, f64) {
        match from {
            None => self.gaps[0][to],
            Some(node) => self.gaps[node + 1][to - node - 1],
        }
    }

    /// The least cost ahead of a node, and the poll that it begins with.
    fn best(&self, from: Option<usize>, price: f64, ahead: &[(f64, usize)]) -> (f64, usize) {
        let times = &self.table.times;
        // From the rent on, the node at 0 is no poll.
        let first = from.map_or(1, |node| {
            let due = times[node] + self.least_gap;
            times.partition_point(|time| *time < due).max(node + 1)
        });
        let mut best = (f64::INFINITY, times.len() - 1);
        for (to, (beyond, _)) in ahead.iter().enumerate().skip(first) {
            let (lag, polls) = self.step(from, to);
            let cost = lag + price * polls + beyond;
            if cost < best.0 {
                best = (cost, to);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use contract::{Dice, Stream, dice};

    use super::*;

    const WEBHOOK: Webhook = Webhook {
        probability: 0.9,
        mean: 1.5,
    };

    #[test]
    fn the_certificate_lies_below_every_schedule_and_near_the_best() {
        for (law, price) in [
            ("0.9*lognormal(12s,0.8) + 0.1*never", 0.2),
            ("0.9*lognormal(12s,0.8) + 0.1*never", 4.0),
            ("0.6*uniform(2s,9s) + 0.4*20s", 0.5),
            ("shifted(5s,exp(4s))", 0.3),
        ] {
            let law: Law = law.parse().expect(law);
            let problem = WebhookProblem::new(&law, 60.0, 0.0, WEBHOOK);
            let certified = problem.certified(price);
            let cost = |polls: Vec<f64>| {
                let schedule = Schedule::new(polls, 60.0).expect("in order");
                let (requests, lag) = means(&schedule, &law, WEBHOOK);
                lag + price * requests
            };
            let best = problem.optimum(price);
            for trial in 0..200 {
                // The best polls, each moved by up to a second and a half.
                let mut roll = Dice::new(3).roll(0, Stream::Polling, trial);
                let moved = best
                    .iter()
                    .map(|poll| poll + 3.0 * dice::unit(&mut roll) - 1.5);
                let mut moved: Vec<_> = moved.filter(|at| (0.0..60.0).contains(at)).collect();
                moved.sort_by(f64::total_cmp);
                let tried = cost(moved);
                assert!(
                    certified <= tried,
                    "{law} at {price}: {certified} above {tried}"
                );
            }
            let achieved = cost(best);
            assert!(
                certified <= achieved,
                "{law} at {price}: {certified} above {achieved}"
            );
            assert!(
                certified >= 0.985 * achieved,
                "{law} at {price}: {certified} is far below {achieved}"
            );
        }
    }
}
