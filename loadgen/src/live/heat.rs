//! The heat map: time to the right, response time upwards on a logarithmic
//! axis, the more polls the denser the cell.

use loadgen_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::history::{Column, PER_DECADE};
use super::palette::Palette;

/// Cells from the rarest to the densest.
const GLYPHS: [&str; 5] = ["·", "░", "▒", "▓", "█"];

/// Room for the labels of the axis, to the left of the map.
pub(super) const LABELS: u16 = 8;

/// Draws `columns`, each so many cells wide, into `area`.
pub(super) fn draw(
    columns: &[Column],
    width: usize,
    palette: &Palette,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(axis) = Axis::of(columns, area.height as usize) else {
        return;
    };
    let cell = |column: &Column, row: usize| -> u64 {
        let ranges = column.heat.get(axis.ranges(row));
        ranges.unwrap_or_default().iter().sum()
    };
    let rows = area.height as usize;
    let all = columns
        .iter()
        .flat_map(|column| (0..rows).map(move |row| cell(column, row)));
    let most = all.max().unwrap_or(0);
    for row in 0..rows {
        let y = area.bottom() - 1 - row as u16;
        if let Some(label) = axis.label(row) {
            let label = format!("{label:>width$}", width = LABELS as usize - 1);
            let room = LABELS.min(area.width) as usize;
            buffer.set_stringn(area.x, y, label, room, palette.dim);
        }
        for (index, column) in columns.iter().enumerate() {
            let Some(level) = level(cell(column, row), most) else {
                continue;
            };
            for offset in 0..width {
                let x = area.x as usize + LABELS as usize + index * width + offset;
                let inside = x < area.right() as usize;
                if let Some(cell) = buffer.cell_mut((x as u16, y)).filter(|_| inside) {
                    cell.set_symbol(GLYPHS[level])
                        .set_style(palette.heat[level]);
                }
            }
        }
    }
}

/// How dense a cell is, by the logarithm of its count; `None` is empty.
fn level(count: u64, most: u64) -> Option<usize> {
    if count == 0 {
        return None;
    }
    let share = (count as f64).ln_1p() / (most.max(1) as f64).ln_1p();
    let level = (share * GLYPHS.len() as f64).ceil() as usize;
    Some(level.clamp(1, GLYPHS.len()) - 1)
}

/// Which ranges of latency a row shows.
struct Axis {
    /// The first range of the lowest row.
    first: usize,
    /// Ranges in a row.
    group: usize,
    /// Rows of the same ranges.
    repeat: usize,
}

impl Axis {
    /// So that all values are within `rows`; `None` without values or room.
    fn of(columns: &[Column], rows: usize) -> Option<Self> {
        let used = |column: &Column| {
            let counts = &column.heat;
            let first = counts.iter().position(|count| *count > 0)?;
            let last = counts.iter().rposition(|count| *count > 0)?;
            Some((first, last))
        };
        let used = columns.iter().filter_map(used);
        let (first, last) = used.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))?;
        if rows == 0 {
            return None;
        }
        let used = last + 1 - first;
        Some(Self {
            first,
            group: used.div_ceil(rows),
            repeat: (rows / used).clamp(1, 3),
        })
    }

    fn ranges(&self, row: usize) -> std::ops::Range<usize> {
        let from = self.first + row / self.repeat * self.group;
        from..from + self.group
    }

    /// The power of ten that a row begins with or holds.
    fn label(&self, row: usize) -> Option<String> {
        let lowest = row.is_multiple_of(self.repeat);
        let range = self
            .ranges(row)
            .find(|range| lowest && range.is_multiple_of(PER_DECADE))?;
        let microseconds = 10_f64.powi(i32::try_from(range / PER_DECADE).ok()?);
        Some(units::time(microseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_densest_cell_is_full_and_the_rarest_is_seen() {
        assert_eq!(level(0, 1000), None);
        assert_eq!(level(1, 1_000_000), Some(0));
        assert_eq!(level(1000, 1000), Some(4));
        assert_eq!(level(1, 1), Some(4));
    }

    #[test]
    fn the_axis_holds_every_value_and_names_the_powers_of_ten() {
        let column = |used: &[usize]| {
            let mut column = Column::default();
            column.heat = vec![0; 96];
            for range in used {
                column.heat[*range] = 1;
            }
            column
        };
        for (used, rows) in [([20, 45], 8), ([20, 21], 8), ([0, 95], 5), ([95, 95], 3)] {
            let axis = Axis::of(&[column(&used)], rows).expect("values");
            let shown: Vec<_> = (0..rows).flat_map(|row| axis.ranges(row)).collect();
            assert!(used.iter().all(|range| shown.contains(range)), "{used:?}");
        }
        let axis = Axis::of(&[column(&[25, 44])], 10).expect("values");
        let labels: Vec<_> = (0..10).filter_map(|row| axis.label(row)).collect();
        assert_eq!(labels, ["1ms", "10ms"]);
        assert!(Axis::of(&[], 5).is_none());
    }
}
