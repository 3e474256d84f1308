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
//! There is no hull here, so that the recursion looks at all pairs.

use contract::Law;
use loadgen_core::polling::Webhook;

use super::grid::Grid;
use super::schedule::Schedule;

/// Cells of the recursion.
const CELLS: usize = 600;

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
}

impl Table {
    fn new(law: &Law, webhook: Webhook, times: Vec<f64>) -> Self {
        let mut fresh = Vec::with_capacity(times.len());
        let mut sum = 0.0;
        let (mut before, mut happened) = (0.0, 0.0);
        for &time in &times {
            let width = (time - before) / PARTS as f64;
            for part in 1..=PARTS {
                let reached = if part == PARTS {
                    law.cdf(time)
                } else {
                    law.cdf(before + width * part as f64)
                };
                sum *= (-width / webhook.mean).exp();
                sum += (reached - happened) * (-width / (2.0 * webhook.mean)).exp();
                happened = reached;
            }
            before = time;
            fresh.push(sum);
        }
        Self {
            webhook,
            cdf: times.iter().map(|&time| law.cdf(time)).collect(),
            survival: times.iter().map(|&time| law.survival(time)).collect(),
            integral: times.iter().map(|&time| law.cdf_integral(time)).collect(),
            fresh,
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

impl WebhookProblem {
    /// Codes arrive by `law`, and what is pushed by `webhook`; times are seconds.
    pub fn new(law: &Law, deadline: f64, least_gap: f64, webhook: Webhook) -> Self {
        let table = Table::new(law, webhook, Grid::moments(law, deadline, CELLS));
        let count = table.times.len();
        let row = |from: Option<usize>| {
            let first = from.map_or(0, |node| node + 1);
            (first..count).map(|to| table.gap(from, to)).collect()
        };
        let rows = std::iter::once(None).chain((0..count - 1).map(Some));
        Self {
            gaps: rows.map(row).collect(),
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
    /// which it is found. Unlike that
    /// for polls alone it is computed on a grid without a certificate; a
    /// thousandth is taken off for that.
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
        let bound = |price: f64| self.solve(price).cost - price * requests;
        ((0.999 * bound(low).max(bound(high))).max(0.0), high)
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
        let least = |price: f64| (self.solve(price).cost - lag) / price;
        least(low).max(least(high)).max(0.0)
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
