//! The screen as cells: a function of the state, the palette and the size.
//! From 1×1 on it draws what there is room for.

use loadgen_core::threshold::Verdict;
use loadgen_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline, Widget};

use super::heat;
use super::history::Column;
use super::palette::Palette;
use super::state::State;

/// Room for the figures, to the right of the plots.
const FIGURES: u16 = 24;

/// Lines of thresholds at most; those that miss come first.
const THRESHOLDS: usize = 8;

/// Draws the state into `area`.
pub fn draw(state: &State, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let thresholds = state.verdicts.len().min(THRESHOLDS) as u16;
    let [title, progress, middle, below, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        // At least half of the screen is for the plots.
        Constraint::Length(thresholds.min(area.height / 3)),
        Constraint::Length(1),
    ])
    .areas(area);
    Paragraph::new(Span::styled(state.heading.as_str(), palette.strong)).render(title, buffer);
    gauge(state, palette, progress, buffer);
    let [plots, figures] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(FIGURES)]).areas(middle);
    self::plots(state, palette, plots, buffer);
    self::figures(state, palette, figures, buffer);
    self::thresholds(&state.verdicts, palette, below, buffer);
    let help = match state.is_ending() {
        false => "q ends the run when its customers are done, again at once",
        true => "no new customers; q again ends the run at once",
    };
    Paragraph::new(Span::styled(help, palette.dim)).render(keys, buffer);
}

fn gauge(state: &State, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let text = state.doing() + "  ";
    let rest = (area.width as usize).saturating_sub(text.chars().count());
    let done = (state.progress() * rest as f64).round() as usize;
    let line = Line::from(vec![
        Span::raw(text),
        Span::styled("━".repeat(done), palette.rate),
        Span::styled("─".repeat(rest - done), palette.dim),
    ]);
    Paragraph::new(line).render(area, buffer);
}

/// The heat map above the sparklines, all with the same axis of time.
fn plots(state: &State, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let [heading, map, axis, rate, errors, slip] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let last = &state.last;
    let text = format!(
        "check_otp response, last second: p50 {}, p99 {}",
        time(last.response_p50),
        time(last.response_p99)
    );
    Paragraph::new(text).render(heading, buffer);
    let cells = (area.width as usize).saturating_sub(heat::LABELS as usize + 1);
    let (width, columns) = state.history.fitted(cells, state.expected_seconds());
    heat::draw(&columns, width, palette, map, buffer);
    time_axis(state, columns.len() * width, palette, axis, buffer);
    let mut spark = |name: &str, area: Rect, style, value: fn(&Column) -> f64| {
        let values = columns.iter().flat_map(|column| {
            // The widget knows whole numbers only, and cuts off the rest.
            let height = (value(column) * 1000.0).ceil() as u64;
            std::iter::repeat_n(height, width)
        });
        let [label, bars] =
            Layout::horizontal([Constraint::Length(heat::LABELS), Constraint::Fill(1)]).areas(area);
        let label_line = Rect {
            y: label.bottom().saturating_sub(1),
            height: label.height.min(1),
            ..label
        };
        Paragraph::new(Span::styled(format!("{name:>7}"), palette.dim)).render(label_line, buffer);
        Sparkline::default()
            .data(values)
            .style(style)
            .render(bars, buffer);
    };
    spark("rate", rate, palette.rate, Column::rate);
    spark("errors", errors, palette.bad, |column| column.errors as f64);
    spark("slip", slip, palette.dim, |column| column.slip_p99 as f64);
}

fn time_axis(state: &State, cells: usize, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let end = format!("{}s", state.history.seconds());
    if cells < 2 + end.len() {
        return;
    }
    let text = format!(
        "{:labels$}0s{end:>rest$}",
        "",
        labels = heat::LABELS as usize,
        rest = cells - 2
    );
    Paragraph::new(Span::styled(text, palette.dim)).render(area, buffer);
}

/// Figures of the last second, and the rentals so far.
fn figures(state: &State, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let (last, rentals) = (&state.last, state.rentals());
    let lines = [
        ("offered", units::digits(last.offered) + "/s"),
        ("answered", units::digits(last.answered) + "/s"),
        ("errors", units::count(state.snapshot.failures)),
        ("", String::new()),
        ("in flight", units::count(u64::from(state.snapshot.alive))),
        ("delivered", units::count(rentals.delivered)),
        ("confirmed", units::count(rentals.confirmed)),
        ("expired", units::count(rentals.expired)),
        ("given up", units::count(rentals.abandoned)),
        ("failed", units::count(rentals.failed)),
        ("", String::new()),
        ("slip p50", time(last.slip_p50)),
        ("slip p99", time(last.slip_p99)),
        ("generator p99", time(last.lateness_p99)),
        (
            "worker",
            last.cpu.map_or_else(|| "n/a".to_owned(), units::percent),
        ),
    ];
    let trouble = state.snapshot.failures > 0;
    let lines = lines.into_iter().map(|(name, value)| {
        let style = match name {
            "errors" if trouble => palette.bad,
            _ => Style::new(),
        };
        Line::from(vec![
            Span::styled(format!(" {name:<13}"), palette.dim),
            Span::styled(format!("{value:>10}"), style),
        ])
    });
    Paragraph::new(lines.collect::<Vec<_>>()).render(area, buffer);
}

/// How the thresholds stand. One that has too few samples yet is neither held nor missed.
fn thresholds(verdicts: &[Verdict], palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let mut sorted: Vec<_> = verdicts.iter().collect();
    sorted.sort_by_key(|verdict| verdict.passed || verdict.actual.is_none());
    let lines = sorted.into_iter().map(|verdict| {
        let (mark, style) = match (&verdict.actual, verdict.passed) {
            (None, _) => ("·", palette.dim),
            (Some(_), true) => ("✓", palette.good),
            (Some(_), false) => ("✗", palette.bad),
        };
        let actual = verdict.actual.as_deref().unwrap_or("nothing to judge yet");
        Line::from(vec![
            Span::styled(mark, style),
            Span::raw(format!(" {:<38} {actual}", verdict.expr)),
        ])
    });
    Paragraph::new(lines.collect::<Vec<_>>()).render(area, buffer);
}

fn time(microseconds: Option<u64>) -> String {
    microseconds.map_or_else(|| "n/a".to_owned(), |value| units::time(value as f64))
}
