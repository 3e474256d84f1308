//! Somebody who is told how a run goes, second by second, to write it down or
//! to show it. Called from the main thread; workers do not wait for it.

use loadgen_core::interval::Interval;
use loadgen_core::record::{About, End};

/// Takes notes of a run. Trouble with the notes must not end the run, so it is
/// the recorder's own to remember.
pub trait Recorder {
    /// The run begins.
    fn begin(&mut self, about: &About);
    /// The next second of one of its phases has passed.
    fn second(&mut self, interval: &Interval);
    /// The run has ended.
    fn end(&mut self, end: &End);
}

/// Takes no notes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unrecorded;

impl Recorder for Unrecorded {
    fn begin(&mut self, _: &About) {}

    fn second(&mut self, _: &Interval) {}

    fn end(&mut self, _: &End) {}
}

/// Two recorders, told one after the other.
pub struct Both<'a>(pub &'a mut dyn Recorder, pub &'a mut dyn Recorder);

impl Recorder for Both<'_> {
    fn begin(&mut self, about: &About) {
        self.0.begin(about);
        self.1.begin(about);
    }

    fn second(&mut self, interval: &Interval) {
        self.0.second(interval);
        self.1.second(interval);
    }

    fn end(&mut self, end: &End) {
        self.0.end(end);
        self.1.end(end);
    }
}
