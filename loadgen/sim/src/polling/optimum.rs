//! The best schedule there is: under a price per request, or under a budget of
//! requests.
//!
//! With a price λ in seconds per request, J = E\[L\] + λ·E\[N\] of a schedule is
//! Σₖ Sₖ·(tₖ₊₁ − tₖ + λ) − ∫₀ᵀS, where S₀ = 1 at the rent. So the cost ahead of a
//! poll at t is V(t) = min over the next poll u of S(t)·(u − t + λ) + V(u), and
//! V(T) = 0: a minimum of straight lines in S(t), with slope u and intercept
//! V(u). Going back in time, slopes fall, so that the lines form a lower envelope
//! that only grows at its end.

use contract::Law;

use super::grid::{COARSE, FINE, Grid};
use super::schedule::{Schedule, ScheduleError};

/// A best schedule under a price.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// When to poll.
    pub schedule: Schedule,
    /// E\[L\] + λ·E\[N\] of this schedule, in seconds.
    pub cost: f64,
    /// No strategy whatever costs less than this.
    pub certified: f64,
}

/// What may not be asked for.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum OptimumError {
    /// A deadline that is none.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// Free or negative requests: then one would poll all the time.
    #[error("the price of a request is longer than 0 s and finite; write it like lambda=1s")]
    Price,
    /// Fewer requests than the one at the deadline.
    #[error("a budget is at least one request per rental, which is the one at the deadline")]
    Budget,
    /// A gap that is none.
    #[error("the least gap between polls is not negative and shorter than the deadline")]
    Gap,
}

/// The problem without its price: the law, the deadline, and how fast one may ask.
#[derive(Clone, Debug)]
pub struct Problem {
    law: Law,
    /// To find a price on.
    coarse: Grid,
    /// To find polls and bounds on.
    fine: Grid,
    least_gap: f64,
}

impl Problem {
    /// Codes arrive by `law`, are given up after `deadline` seconds, and polls are
    /// at least `least_gap` seconds apart.
    ///
    /// # Errors
    ///
    /// [`OptimumError`] for a deadline or gap that makes no sense.
    pub fn new(law: &Law, deadline: f64, least_gap: f64) -> Result<Self, OptimumError> {
        Schedule::new(Vec::new(), deadline)?;
        if !(0.0..deadline).contains(&least_gap) {
            return Err(OptimumError::Gap);
        }
        Ok(Self {
            law: law.clone(),
            coarse: Grid::new(law, deadline, COARSE),
            fine: Grid::new(law, deadline, FINE),
            least_gap,
        })
    }

    /// The least time between two polls.
    pub(crate) const fn least_gap(&self) -> f64 {
        self.least_gap
    }

    /// The law of the delay.
    pub const fn law(&self) -> &Law {
        &self.law
    }

    /// The last moment at which is polled.
    pub fn deadline(&self) -> f64 {
        self.fine.deadline()
    }

    /// The best schedule if a request is worth `price` seconds of lag.
    ///
    /// # Errors
    ///
    /// [`OptimumError::Price`].
    pub fn optimum(&self, price: f64) -> Result<Optimum, OptimumError> {
        if !(price > 0.0 && price.is_finite()) {
            return Err(OptimumError::Price);
        }
        let best = self.solve(&self.fine, price, Certainty::Achieved);
        Ok(Optimum {
            schedule: self.schedule(&best.nodes),
            cost: best.cost,
            certified: self.certified(price),
        })
    }

    /// The schedule with the least lag of those with at most `budget` requests
    /// per rental on average; it uses the budget up, as far as that is of any use.
    ///
    /// Prices reach corners of the frontier only. Between two of them the number
    /// of polls is kept and the price moved until the budget is met.
    ///
    /// # Errors
    ///
    /// [`OptimumError::Budget`].
    pub fn optimum_within(&self, budget: f64) -> Result<Schedule, OptimumError> {
        if !(budget >= 1.0 && budget.is_finite()) {
            return Err(OptimumError::Budget);
        }
        let (dear, cheap) = self.corners_around(budget);
        let most = cheap.nodes.len().max(dear.nodes.len());
        let candidates = (dear.nodes.len()..=most).map(|polls| self.within(budget, polls));
        let best = candidates
            .flatten()
            .chain([dear])
            .min_by(|a, b| self.lag(&a.nodes).total_cmp(&self.lag(&b.nodes)));
        let best = best.expect("invariant: the dear corner is a candidate");
        Ok(self.schedule(&best.nodes))
    }

    /// No strategy, however adaptive or random, has a lower E\[L\] + `price`·E\[N\].
    ///
    /// Before it finds the code a poll tells nothing but "not yet", so that any
    /// strategy is a mixture of schedules. A schedule is rounded to the grid by
    /// one common random number, so that each poll keeps its mean; that costs at
    /// most the excess of the chord of S, and a quarter of h·ΔS for a poll and
    /// its own moment. Both are taken off here.
    pub(crate) fn certified(&self, price: f64) -> f64 {
        // Below the width of a cell that ends in an atom the rounding is not covered.
        // What costs nothing for free requests and is concave in their price costs
        // at least its share of what it costs there.
        let covered = price.max(self.fine.atom_cell);
        self.solve(&self.fine, covered, Certainty::Below).cost * price / covered
    }

    /// Requests per rental of the schedule on the grid that is best under `price`.
    pub(crate) fn requests(&self, price: f64) -> f64 {
        self.solve(&self.coarse, price, Certainty::Achieved)
            .requests
    }

    /// Its lag per rental.
    pub(crate) fn lag_per_rental(&self, price: f64) -> f64 {
        let best = self.solve(&self.coarse, price, Certainty::Achieved);
        best.cost - price * best.requests
    }

    /// The smallest price at which the certificate is one.
    pub(crate) const fn least_price(&self) -> f64 {
        self.fine.atom_cell
    }

    fn schedule(&self, nodes: &[usize]) -> Schedule {
        let polls = nodes.iter().map(|&node| self.fine.times[node]).collect();
        let schedule = Schedule::new(polls, self.deadline());
        schedule.expect("invariant: nodes are in order and end at the deadline")
    }

    fn lag(&self, nodes: &[usize]) -> f64 {
        self.schedule(nodes).means(&self.law).1
    }

    /// The two corners of the frontier next to the budget: one within it, and
    /// the next beyond, if there is one.
    fn corners_around(&self, budget: f64) -> (Solution, Solution) {
        const STEPS: u32 = 60;
        let (mut low, mut high) = (self.deadline() * 1e-9, self.deadline() * 1e3);
        let mut cheap = self.solve(&self.fine, low, Certainty::Achieved);
        let mut dear = self.solve(&self.fine, high, Certainty::Achieved);
        if cheap.requests <= budget {
            return (cheap.clone(), cheap);
        }
        for _ in 0..STEPS {
            let middle = (low * high).sqrt();
            let solution = self.solve(&self.fine, middle, Certainty::Achieved);
            if solution.requests > budget {
                (low, cheap) = (middle, solution);
            } else {
                (high, dear) = (middle, solution);
            }
        }
        (dear, cheap)
    }

    /// The best schedule with exactly so many polls within the budget, if there is one.
    fn within(&self, budget: f64, polls: usize) -> Option<Solution> {
        const STEPS: u32 = 40;
        let (mut low, mut high) = (0.0, self.deadline() * 1e3);
        let free = self.solve_with(low, polls)?;
        if free.requests <= budget {
            return Some(free);
        }
        let mut best = None;
        for _ in 0..STEPS {
            let middle = if low == 0.0 {
                high * 1e-3
            } else {
                (low * high).sqrt()
            };
            let solution = self.solve_with(middle, polls)?;
            if solution.requests > budget {
                low = middle;
            } else {
                high = middle;
                best = Some(solution);
            }
            if high < self.deadline() * 1e-9 {
                break;
            }
        }
        best
    }

    /// The whole recursion, for any number of polls.
    fn solve(&self, grid: &Grid, price: f64, certainty: Certainty) -> Solution {
        let last = grid.last();
        let mut ahead = vec![0.0_f64; last + 1];
        let mut next = vec![last; last + 1];
        let mut lines = Envelope::default();
        let mut reachable = last + 1;
        // Rounding a poll to the grid may bring it nearer to the next by a cell.
        let least_gap = match certainty {
            Certainty::Achieved => self.least_gap,
            Certainty::Below => self.least_gap - 1.001 * grid.widest,
        };
        for node in (0..last).rev() {
            while reachable > node + 1 && grid.times[reachable - 1] >= grid.times[node] + least_gap
            {
                reachable -= 1;
                if ahead[reachable].is_finite() {
                    lines.push(grid.times[reachable], ahead[reachable], reachable);
                }
            }
            (ahead[node], next[node]) = match certainty.weigh(grid, node, price) {
                None => (grid.ahead[node], last),
                Some((weight, credit)) => match lines.lowest(weight) {
                    None => (f64::INFINITY, last),
                    Some((value, chosen)) => {
                        let own = weight * (price - grid.times[node]) - credit;
                        (value + own, chosen)
                    }
                },
            };
        }
        // From the rent, every node may be the first; a poll at once makes sense
        // only if the code may be there at once.
        let first = (usize::from(!grid.instant)..=last)
            .min_by(|&a, &b| (grid.times[a] + ahead[a]).total_cmp(&(grid.times[b] + ahead[b])))
            .expect("invariant: the deadline is a node");
        let nodes = path(first, &next, last);
        Solution {
            cost: price + grid.times[first] + ahead[first] - grid.ahead[0],
            requests: requests(grid, &nodes),
            nodes,
        }
    }

    /// The recursion layer by layer, for exactly `polls` polls.
    fn solve_with(&self, price: f64, polls: usize) -> Option<Solution> {
        let grid = &self.fine;
        let last = grid.last();
        // What is ahead of a node at which so many polls are still to come.
        let mut ahead: Vec<f64> = vec![f64::INFINITY; last + 1];
        ahead[last] = 0.0;
        let mut choices = Vec::with_capacity(polls);
        for _ in 1..polls {
            let (mut before, mut next) = (vec![f64::INFINITY; last + 1], vec![last; last + 1]);
            let mut lines = Envelope::default();
            let mut reachable = last + 1;
            for node in (0..last).rev() {
                while reachable > node + 1
                    && grid.times[reachable - 1] >= grid.times[node] + self.least_gap
                {
                    reachable -= 1;
                    if ahead[reachable].is_finite() {
                        lines.push(grid.times[reachable], ahead[reachable], reachable);
                    }
                }
                if let Some((value, chosen)) = lines.lowest(grid.survival[node]) {
                    let own = grid.survival[node] * (price - grid.times[node]);
                    (before[node], next[node]) = (value + own, chosen);
                }
            }
            choices.push(next);
            ahead = before;
        }
        let first = (usize::from(!grid.instant)..=last)
            .min_by(|&a, &b| (grid.times[a] + ahead[a]).total_cmp(&(grid.times[b] + ahead[b])))?;
        if ahead[first].is_infinite() {
            return None;
        }
        let mut nodes = vec![first];
        for next in choices.iter().rev() {
            nodes.push(next[nodes[nodes.len() - 1]]);
        }
        Some(Solution {
            cost: price + grid.times[first] + ahead[first] - grid.ahead[0],
            requests: requests(grid, &nodes),
            nodes,
        })
    }
}

fn requests(grid: &Grid, nodes: &[usize]) -> f64 {
    let waited = nodes[..nodes.len() - 1].iter();
    1.0 + waited.map(|&node| grid.survival[node]).sum::<f64>()
}

fn path(first: usize, next: &[usize], last: usize) -> Vec<usize> {
    let mut nodes = vec![first];
    let mut node = first;
    while node < last {
        node = next[node];
        nodes.push(node);
    }
    nodes
}

/// A schedule on the grid.
#[derive(Clone, Debug)]
struct Solution {
    nodes: Vec<usize>,
    cost: f64,
    requests: f64,
}

/// What the recursion is to be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certainty {
    /// Costs of schedules on the grid.
    Achieved,
    /// Costs below those of any schedule, on the grid or not.
    Below,
}

impl Certainty {
    /// The weight of what follows a poll at `node`, and what is taken off for the
    /// poll; `None` where it is better to charge what no schedule can avoid.
    fn weigh(self, grid: &Grid, node: usize, price: f64) -> Option<(f64, f64)> {
        match self {
            Self::Achieved => Some((grid.survival[node], 0.0)),
            Self::Below => {
                let weight = grid.survival[node] - grid.chord[node];
                let credit = grid.rounding[node];
                // Where a poll would earn something, the waiting itself is the bound:
                // whatever the schedule, Σ S·gap is at least ∫S.
                (price * weight >= credit).then_some((weight, credit))
            }
        }
    }
}

/// The lower envelope of straight lines that come with falling slopes.
#[derive(Debug, Default)]
struct Envelope {
    /// Slope, intercept, and what the line stands for.
    lines: Vec<(f64, f64, usize)>,
    /// From where on each line but the first is the lowest.
    from: Vec<f64>,
}

impl Envelope {
    fn push(&mut self, slope: f64, intercept: f64, node: usize) {
        while let Some(&(steeper, other, _)) = self.lines.last() {
            let crossing = (intercept - other) / (steeper - slope);
            let begins = self.from.last().copied().unwrap_or(0.0);
            if crossing >= begins {
                self.from.push(crossing);
                break;
            }
            self.lines.pop();
            self.from.pop();
        }
        self.lines.push((slope, intercept, node));
    }

    /// The lowest value at `x` ≥ 0, and whose it is; of equal ones the steepest
    /// line, which is the latest poll, because a free poll is still one.
    fn lowest(&self, x: f64) -> Option<(f64, usize)> {
        let place = self.from.partition_point(|&from| from < x);
        let (slope, intercept, node) = *self.lines.get(place)?;
        Some((slope * x + intercept, node))
    }
}
