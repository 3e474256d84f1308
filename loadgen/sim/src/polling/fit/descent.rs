//! The way down to the least loss, and how steeply it rises from there.

/// The lowest value near `start`, and where it is, by the simplex method of Nelder
/// and Mead. The first corners are `step` apart; it ends when their values are
/// within `tolerance`.
pub(super) fn descend(
    loss: &impl Fn(&[f64]) -> f64,
    start: &[f64],
    step: f64,
    tolerance: f64,
) -> (f64, Vec<f64>) {
    const STEPS: u32 = 1_500;
    let count = start.len();
    let mut simplex: Vec<(f64, Vec<f64>)> = (0..=count)
        .map(|corner| {
            let mut point = start.to_vec();
            if let Some(place) = point.get_mut(corner) {
                *place += step;
            }
            (loss(&point), point)
        })
        .collect();
    for _ in 0..STEPS {
        simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
        let worst = simplex[count].clone();
        if worst.0 - simplex[0].0 <= tolerance {
            break;
        }
        let centre: Vec<f64> = (0..count)
            .map(|place| {
                simplex[..count]
                    .iter()
                    .map(|(_, point)| point[place])
                    .sum::<f64>()
                    / count as f64
            })
            .collect();
        let along = |share: f64| {
            let point: Vec<f64> = centre
                .iter()
                .zip(&worst.1)
                .map(|(c, w)| c + share * (c - w))
                .collect();
            (loss(&point), point)
        };
        let mirrored = along(1.0);
        let next = if mirrored.0 < simplex[0].0 {
            let further = along(2.0);
            if further.0 < mirrored.0 {
                further
            } else {
                mirrored
            }
        } else if mirrored.0 < simplex[count - 1].0 {
            mirrored
        } else {
            along(if mirrored.0 < worst.0 { 0.5 } else { -0.5 })
        };
        if next.0 < worst.0 {
            simplex[count] = next;
            continue;
        }
        shrink(&mut simplex, loss);
    }
    simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
    simplex.swap_remove(0)
}

/// All corners halfway to the best one.
fn shrink(simplex: &mut [(f64, Vec<f64>)], loss: &impl Fn(&[f64]) -> f64) {
    let best = simplex[0].1.clone();
    for corner in &mut simplex[1..] {
        let pairs = best.iter().zip(&corner.1);
        let point: Vec<f64> = pairs.map(|(b, c)| f64::midpoint(*b, *c)).collect();
        *corner = (loss(&point), point);
    }
}

/// Standard errors: roots of the diagonal of the inverse of the curvature.
pub(super) fn spreads(loss: &impl Fn(&[f64]) -> f64, best: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1e-3;
    let count = best.len();
    let at = |moves: &[(usize, f64)]| {
        let mut point = best.to_vec();
        for (place, step) in moves {
            point[*place] += step;
        }
        loss(&point)
    };
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|i| {
            let curvature = |j: usize| {
                let (up, down) = (STEP, -STEP);
                (at(&[(i, up), (j, up)]) - at(&[(i, up), (j, down)]) - at(&[(i, down), (j, up)])
                    + at(&[(i, down), (j, down)]))
                    / (4.0 * STEP * STEP)
            };
            let unit = (0..count).map(|j| f64::from(u8::from(i == j)));
            (0..count).map(curvature).chain(unit).collect()
        })
        .collect();
    // Gauss and Jordan; the curvature at a minimum is positive.
    for pivot in 0..count {
        let divisor = rows[pivot][pivot];
        for value in &mut rows[pivot] {
            *value /= divisor;
        }
        let pivot_row = rows[pivot].clone();
        for (place, row) in rows.iter_mut().enumerate() {
            let factor = row[pivot];
            if place != pivot {
                for (value, above) in row.iter_mut().zip(&pivot_row) {
                    *value -= factor * above;
                }
            }
        }
    }
    (0..count)
        .map(|place| rows[place][count + place].max(0.0).sqrt())
        .collect()
}
