//! Which population something belongs to. What populations are is in [`crate::crowd`].

/// Which of the populations, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u8);

impl Place {
    /// Populations at most; each has histograms of its own in every second.
    pub const MOST: usize = 8;
}
