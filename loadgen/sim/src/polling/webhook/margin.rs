//! What moving the polls of any schedule beside a webhook to the nodes of a table
//! can change in its cost.
//!
//! All polls are rounded by one common uniform number, so that each keeps its
//! mean. The cost of a gap from a to b is then, with R(t) = ∫₀ᵗ e^(−(t−x)/m) dF
//! and up to what telescopes away,
//!
//! (1 − p)·\[(b − a)·S(a) + λ·S(a)\] + λ·p·S(b) + p·(λ − m)·\[R(b) − e^(−(b−a)/m)·R(a)\].
//!
//! - The first part is that of polls alone: S loses the excess of its chord, and a
//!   poll a quarter of h·ΔS.
//! - What depends on one poll only, λ·p·S + p·(λ − m)·R, changes by the excess of
//!   its chord.
//! - In the product, the mean of e^(−gap/m) is at least that of the mean gap, and
//!   by Hoeffding at most e^((h/m)²/8) times that; the covariance of both factors
//!   is by Grüss at most a quarter of the product of their ranges, h/m and ΔR.
//!
//! In a cell that ends in an atom, R leaps, and none of this is small. A poll
//! there is moved to the atom first, which makes no lag longer than by the cell.

use loadgen_core::polling::Webhook;

use super::Table;
use crate::polling::grid::Grid;

/// What may be lost at each node, over the cells on both its sides.
#[derive(Clone, Debug)]
pub(super) struct Margins {
    /// By how much the chord of S lies above S, and a quarter of h·ΔS.
    chord: Vec<f64>,
    rounding: Vec<f64>,
    /// By how much the chord of R lies above R, and below.
    above: Vec<f64>,
    below: Vec<f64>,
    /// ΔR, and R itself.
    step: Vec<f64>,
    most: Vec<f64>,
    /// The width of the widest cell, and of the widest that ends in an atom.
    pub(super) widest: f64,
    pub(super) atom_cell: f64,
}

impl Margins {
    /// Those of a table with the nodes of `grid`.
    pub(super) fn new(grid: &Grid, table: &Table) -> Self {
        let count = table.times.len();
        let nothing = || vec![0.0_f64; count];
        let mut margins = Self {
            chord: grid.chord.clone(),
            rounding: grid.rounding.clone(),
            above: nothing(),
            below: nothing(),
            step: nothing(),
            most: nothing(),
            widest: grid.widest,
            atom_cell: grid.atom_cell,
        };
        for left in 0..count - 1 {
            // Cells that narrow are made for atoms only.
            if table.times[left + 1] - table.times[left] <= 1.5 * grid.atom_cell {
                continue;
            }
            let (from, to) = (table.fresh[left], table.fresh[left + 1]);
            let inner = table.inner[left + 1].iter().zip([0.25, 0.5, 0.75]);
            // Inside of a cell R is all but a parabola; a tenth is added.
            let excess = inner.map(|(value, part)| 1.1 * (from + part * (to - from) - value));
            let (mut above, mut below) = (0.0_f64, 0.0_f64);
            for excess in excess {
                above = above.max(excess);
                below = below.max(-excess);
            }
            for node in [left, left + 1] {
                let raise = |margin: &mut Vec<f64>, by: f64| margin[node] = margin[node].max(by);
                raise(&mut margins.above, above);
                raise(&mut margins.below, below);
                raise(&mut margins.step, (to - from).abs());
                raise(&mut margins.most, from.max(to) + below);
            }
        }
        margins
    }

    /// What is taken off at a node: for the poll itself, and for each second of the
    /// gap after it and of the price. `None` where nothing can be said.
    pub(super) fn at(&self, node: usize, price: f64, webhook: Webhook) -> Option<(f64, f64)> {
        let Webhook { probability, mean } = webhook;
        let weight = probability * (price - mean).abs();
        let ratio = self.widest / mean;
        let (above, below) = (self.above[node], self.below[node]);
        let covariance = ratio.min(1.0) / 4.0 * self.step[node];
        let product = if price >= mean {
            above + below + covariance
        } else {
            let growth = (ratio * ratio / 8.0).exp();
            below + (growth - 1.0) * self.most[node] + growth * above + ratio.exp() * covariance
        };
        let share = (1.0 - probability) * self.chord[node];
        let credit = (1.0 - probability) * self.rounding[node]
            + price * probability * self.chord[node]
            + weight * product;
        credit.is_finite().then_some((credit, share))
    }
}
