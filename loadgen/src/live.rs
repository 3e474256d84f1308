//! How a run goes, while it lasts: a screen on a terminal, lines elsewhere.
//! Results are not here; they are printed when the run is over.
//!
//! | module | holds |
//! | --- | --- |
//! | [`state`], `history` | what is known so far, as plain values |
//! | [`picture`], `heat`, [`palette`] | those values as cells of a screen: no terminal, no clock |
//! | [`screen`] | the terminal: takes it, draws, listens to keys, and gives it back |
//! | [`lines`] | the same as a line now and then |
//!
//! The main thread writes the state, five times a second and for every whole
//! second; the screen has a thread of its own, so that a terminal that stands
//! still stops neither the run nor its record.

mod heat;
mod history;
pub mod lines;
pub mod palette;
pub mod picture;
pub mod screen;
pub mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loadgen_core::interval::Interval;
use loadgen_core::record::{About, End};

use crate::recorder::Recorder;
use state::State;

/// The state of a run, for those who write it and those who show it.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<State>>);

impl Shared {
    /// A state that several may hold.
    pub fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    // Held while a picture is made or a second added, well below a millisecond,
    // and never while a terminal is written to.
    fn lock(&self) -> MutexGuard<'_, State> {
        // A picture that failed to be drawn has changed nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder for Shared {
    fn begin(&mut self, about: &About) {
        self.lock().begin(about);
    }

    fn second(&mut self, interval: &Interval) {
        self.lock().second(interval);
    }

    fn end(&mut self, _: &End) {}
}
