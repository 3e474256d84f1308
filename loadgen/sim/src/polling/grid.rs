//! A law as a table over the time up to the deadline, for computations that
//! look at every moment. It also holds what moving a poll to the table can cost,
//! so that what is computed on it can be turned into a bound that is safe.

use contract::Law;

/// Moments from 0 to the deadline, and the law there. Times are seconds.
///
/// Atoms and corners of the law are nodes, so that between two nodes the law is smooth.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// In order, the first 0 and the last the deadline.
    pub(crate) times: Vec<f64>,
    /// S at each node.
    pub(crate) survival: Vec<f64>,
    /// ∫S from each node to the deadline.
    pub(crate) ahead: Vec<f64>,
    /// How far the chord of S lies above S in the cells next to each node, at most.
    pub(crate) chord: Vec<f64>,
    /// h·(Sᵢ − Sᵢ₊₁)/4 of the cells next to each node, at most.
    pub(crate) rounding: Vec<f64>,
    /// The width of the widest cell.
    pub(crate) widest: f64,
    /// The width of the widest cell that ends in an atom.
    pub(crate) atom_cell: f64,
    /// Whether the code may be there at once.
    pub(crate) instant: bool,
}

/// Cells that are enough to find a price.
pub const COARSE: usize = 1_200;

/// Cells that leave a gap of less than 0.01 % between the certified bound and
/// what is achieved, even at thirty polls per rental.
pub const FINE: usize = 12_000;

/// A cell that ends in an atom is cut down to this part of the deadline.
const ATOM_CELL: f64 = 1e-6;

impl Grid {
    /// The table of `law` up to `deadline`, with at least `nodes` cells.
    pub fn new(law: &Law, deadline: f64, nodes: usize) -> Self {
        let atoms = law.atoms();
        let times = nodes_of(law, &atoms, deadline, nodes);
        let survival: Vec<_> = times.iter().map(|&time| law.survival(time)).collect();
        let total = law.cdf_integral(deadline);
        let ahead = times
            .iter()
            .map(|&time| ((deadline - time) - (total - law.cdf_integral(time))).max(0.0));
        let (chord, rounding) = margins(law, &times, &survival);
        let ends_in_atom = |cell: &&[f64]| atoms.contains(&cell[1]);
        let atom_cells = times.windows(2).filter(ends_in_atom);
        Self {
            ahead: ahead.collect(),
            widest: deadline / nodes.max(1) as f64,
            atom_cell: atom_cells.map(|cell| cell[1] - cell[0]).fold(0.0, f64::max),
            instant: law.cdf(0.0) > 0.0,
            chord,
            rounding,
            survival,
            times,
        }
    }

    /// The moments of such a table, without the rest.
    pub(crate) fn moments(law: &Law, deadline: f64, nodes: usize) -> Vec<f64> {
        nodes_of(law, &law.atoms(), deadline, nodes)
    }

    /// The end of the table.
    pub fn deadline(&self) -> f64 {
        self.times[self.last()]
    }

    /// The last node.
    pub(crate) const fn last(&self) -> usize {
        self.times.len() - 1
    }
}

fn nodes_of(law: &Law, atoms: &[f64], deadline: f64, nodes: usize) -> Vec<f64> {
    let cells = nodes.max(1) as f64;
    let mut times: Vec<_> = (0..=nodes.max(1))
        .map(|index| deadline * index as f64 / cells)
        .collect();
    times.extend(law.corners());
    for &atom in atoms {
        times.extend([atom - ATOM_CELL * deadline, atom]);
    }
    times.retain(|time| (0.0..=deadline).contains(time));
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
}

/// For each node, the largest excess of the chord of S and the largest
/// h·(Sᵢ − Sᵢ₊₁)/4, over the cells on both its sides.
///
/// The excess is looked at in three inner points of a cell, and a tenth is
/// added: in a cell without corners S is all but a parabola, whose excess is
/// largest in the middle. Where a cell ends in an atom, S falls at its very end
/// and its chord lies below it.
fn margins(law: &Law, times: &[f64], survival: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut chord = vec![0.0_f64; times.len()];
    let mut rounding = vec![0.0_f64; times.len()];
    for left in 0..times.len() - 1 {
        let width = times[left + 1] - times[left];
        let fall = survival[left] - survival[left + 1];
        let excess = [0.25, 0.5, 0.75].map(|part| {
            let inner = law.survival(times[left] + part * width);
            survival[left] - part * fall - inner
        });
        let excess = 1.1 * excess.into_iter().fold(0.0, f64::max);
        let cost = width * fall.max(0.0) / 4.0;
        for node in [left, left + 1] {
            chord[node] = chord[node].max(excess);
            rounding[node] = rounding[node].max(cost);
        }
    }
    (chord, rounding)
}
