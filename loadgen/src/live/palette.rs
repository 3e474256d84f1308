//! How the live screen looks: with colours, or without. What it shows is in
//! [`super::picture`].

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Debug)]
pub struct Palette {
    pub(super) heat: [Style; 5],
    pub(super) dim: Style,
    pub(super) strong: Style,
    pub(super) rate: Style,
    pub(super) good: Style,
    pub(super) bad: Style,
}

impl Palette {
    /// In colours that are seen on light and dark ground alike.
    pub fn colours() -> Self {
        let heat = |colour| Style::new().fg(Color::Indexed(colour));
        Self {
            // From blue to orange; density says the same, for those who see no colour.
            heat: [heat(67), heat(68), heat(74), heat(172), heat(208)],
            dim: Style::new().add_modifier(Modifier::DIM),
            strong: Style::new().add_modifier(Modifier::BOLD),
            rate: Style::new().fg(Color::Indexed(68)),
            good: Style::new().fg(Color::Green),
            bad: Style::new().fg(Color::Red),
        }
    }

    /// Without any colour.
    pub const fn plain() -> Self {
        const NONE: Style = Style::new();
        Self {
            heat: [NONE; 5],
            dim: NONE,
            strong: Style::new().add_modifier(Modifier::BOLD),
            rate: NONE,
            good: NONE,
            bad: Style::new().add_modifier(Modifier::BOLD),
        }
    }
}
