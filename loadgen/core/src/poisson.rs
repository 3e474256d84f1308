//! A Poisson process that can be entered anywhere: point number i, and the
//! number of points before a place, are functions of the dice alone.
//!
//! The line is cut into octaves, each as long as all before it, whose numbers
//! of points are Poisson draws of their own. An octave is halved again and
//! again; given the points of the whole, those of its left half are a binomial
//! draw. A cell, which is not halved any more, has its points uniformly. So any
//! point is some tens of draws away, and none depends on having drawn another.

use contract::{Dice, Stream, dice};
use rand_distr::{Binomial, Distribution, Poisson};

/// Points expected in a cell.
const CELL: f64 = 64.0;

/// Octaves: some 10^16 points, beyond which a place has no fraction any more.
const OCTAVES: u32 = 48;

/// The points of the process with one point expected in a unit of length.
#[derive(Clone, Debug)]
pub struct Points {
    dice: Dice,
    /// The cell that was looked into last.
    cell: Option<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    /// The number of its first point.
    first: u64,
    /// In order.
    points: Vec<f64>,
}

/// 2^`height` cells from number `cell` on.
#[derive(Clone, Copy)]
struct Node {
    height: u32,
    cell: u64,
    /// Points in it.
    count: u64,
}

impl Points {
    /// The process that belongs to `dice`.
    pub const fn new(dice: Dice) -> Self {
        Self { dice, cell: None }
    }

    /// Where point number `index` lies; infinitely far away if it has none.
    pub fn point(&mut self, index: u64) -> f64 {
        let within = |cell: &Cell| {
            let place = index.checked_sub(cell.first)?;
            cell.points.get(usize::try_from(place).ok()?).copied()
        };
        if let Some(point) = self.cell.as_ref().and_then(within) {
            return point;
        }
        self.cell = self.find(index);
        self.cell.as_ref().and_then(within).unwrap_or(f64::INFINITY)
    }

    /// How many points lie before `place`.
    pub fn before(&self, place: f64) -> u64 {
        let cell = (place.max(0.0) / CELL) as u64;
        let mut count = 0;
        for octave in 0..OCTAVES {
            let mut node = self.octave(octave);
            if cell >= node.cell + (1 << node.height) {
                count += node.count;
                continue;
            }
            while node.height > 0 {
                let (left, right) = self.halves(node);
                node = if cell < right.cell {
                    left
                } else {
                    count += left.count;
                    right
                };
            }
            let points = self.points(node);
            return count + points.partition_point(|point| *point < place) as u64;
        }
        count
    }

    /// The cell that holds point number `index`.
    fn find(&self, index: u64) -> Option<Cell> {
        let mut first = 0;
        for octave in 0..OCTAVES {
            let mut node = self.octave(octave);
            if index >= first + node.count {
                first += node.count;
                continue;
            }
            while node.height > 0 {
                let (left, right) = self.halves(node);
                node = if index < first + left.count {
                    left
                } else {
                    first += left.count;
                    right
                };
            }
            let points = self.points(node);
            return Some(Cell { first, points });
        }
        None
    }

    /// Octave 0 is the first cell, each further one as long as all before it.
    fn octave(&self, octave: u32) -> Node {
        let height = octave.saturating_sub(1);
        let mean = CELL * (1_u64 << height) as f64;
        let law = Poisson::new(mean).expect("the mean is positive and finite");
        let mut roll = self
            .dice
            .roll(OCTAVE + u64::from(octave), Stream::Arrival, 0);
        Node {
            height,
            cell: if octave == 0 { 0 } else { 1 << height },
            count: law.sample(&mut roll) as u64,
        }
    }

    fn halves(&self, node: Node) -> (Node, Node) {
        let height = node.height - 1;
        let law = Binomial::new(node.count, 0.5).expect("a half is a probability");
        let mut roll = self
            .dice
            .roll(u64::from(node.height), Stream::Arrival, node.cell);
        let count = law.sample(&mut roll);
        let left = Node {
            height,
            cell: node.cell,
            count,
        };
        let right = Node {
            height,
            cell: node.cell + (1 << height),
            count: node.count - count,
        };
        (left, right)
    }

    /// The points of a node that is a cell.
    fn points(&self, cell: Node) -> Vec<f64> {
        let mut roll = self.dice.roll(0, Stream::Arrival, cell.cell);
        let begin = cell.cell as f64 * CELL;
        let mut points: Vec<_> = (0..cell.count)
            .map(|_| begin + CELL * dice::unit(&mut roll))
            .collect();
        points.sort_by(f64::total_cmp);
        points
    }
}

/// Dice for octaves are numbered from here, beyond all heights.
const OCTAVE: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gaps_are_exponential() {
        let mut process = Points::new(Dice::new(8));
        let points: Vec<_> = (0..=20_000).map(|index| process.point(index)).collect();
        let gaps = points.windows(2).map(|pair| pair[1] - pair[0]);
        let (sum, squares) = gaps.fold((0.0, 0.0), |(sum, squares), gap| {
            (sum + gap, squares + gap * gap)
        });
        let mean = sum / 20_000.0;
        let variation = (squares / 20_000.0 - mean * mean).sqrt() / mean;
        assert!((mean - 1.0).abs() < 0.03, "mean gap {mean}");
        assert!(
            (variation - 1.0).abs() < 0.03,
            "coefficient of variation {variation}"
        );
    }

    #[test]
    fn counts_vary_as_much_as_their_mean() {
        // Over 400 seeds, the points before 1000: mean and variance are 1000.
        let counts: Vec<_> = (0..400)
            .map(|seed| Points::new(Dice::new(seed)).before(1000.0) as f64)
            .collect();
        let mean = counts.iter().sum::<f64>() / 400.0;
        let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 399.0;
        // Their standard errors are 1.6 and 71; the seeds are fixed.
        assert!((mean - 1000.0).abs() < 6.0, "mean {mean}");
        assert!((variance - 1000.0).abs() < 250.0, "variance {variance}");
    }

    #[test]
    fn a_distant_point_is_where_it_should_be() {
        let mut process = Points::new(Dice::new(3));
        let far = process.point(1_000_000_000_000);
        assert!((far / 1e12 - 1.0).abs() < 1e-4, "{far}");
        assert_eq!(process.point(u64::MAX), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn as_many_lie_before_a_point_as_its_number(seed in 0_u64..50, index in 0_u64..10_000_000) {
            let mut process = Points::new(Dice::new(seed));
            let point = process.point(index);
            prop_assert_eq!(process.before(point), index);
            prop_assert!(process.point(index + 1) > point);
            let mut afresh = Points::new(Dice::new(seed));
            prop_assert_eq!(afresh.point(index + 1), process.point(index + 1));
        }
    }
}
