//! Progress where there is no terminal: a line now and then, for a log.

use std::io::Write;
use std::time::Duration;

use loadgen_core::interval::Stage;
use loadgen_core::units;

use super::Shared;
use super::state::State;
use crate::progress::{Display, Snapshot};

/// From one line to the next.
const EVERY: Duration = Duration::from_secs(5);

/// Writes a line every five seconds of the load.
#[derive(Debug)]
pub struct Lines<W> {
    state: Shared,
    out: W,
    next: Duration,
}

impl<W: Write> Lines<W> {
    /// Lines about `state`.
    pub const fn new(state: Shared, out: W) -> Self {
        Self {
            state,
            out,
            next: EVERY,
        }
    }
}

impl<W: Write> Display for Lines<W> {
    fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        let mut state = self.state.lock();
        state.show(stage, snapshot);
        if stage == Stage::Load && snapshot.elapsed >= self.next {
            self.next = EVERY * (snapshot.elapsed.as_secs() as u32 / EVERY.as_secs() as u32 + 1);
            // Nobody may be reading any more, which is no reason to end the run.
            let _ = writeln!(self.out, "otplab: {}", line(&state));
        }
    }

    fn clear(&mut self) {}
}

fn line(state: &State) -> String {
    let (snapshot, last) = (&state.snapshot, &state.last);
    format!(
        "{} · {} in flight · {} delivered · {} answers/s · p99 {} · {} errors",
        state.doing(),
        units::count(u64::from(snapshot.alive)),
        units::count(state.rentals().delivered),
        units::digits(last.answered.round()),
        last.response_p99
            .map_or_else(|| "n/a".to_owned(), |value| units::time(value as f64)),
        units::count(snapshot.failures),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use loadgen_core::stop::Stop;

    #[test]
    fn a_line_comes_every_five_seconds_of_the_load_only() {
        let state = Shared::new(State::new(Stop {
            duration: Some(Duration::from_secs(20)),
            ..Stop::default()
        }));
        let mut lines = Lines::new(state, Vec::new());
        let at = |tenths: u64| Snapshot {
            elapsed: Duration::from_millis(tenths * 100),
            alive: 1200,
            ..Snapshot::default()
        };
        lines.show(Stage::Opening, &at(90));
        for tenths in (0..=202).step_by(2) {
            lines.show(Stage::Load, &at(tenths));
        }
        let text = String::from_utf8(lines.out).expect("UTF-8");
        let written: Vec<_> = text.lines().collect();
        assert_eq!(written.len(), 4, "{text}");
        assert_eq!(
            written[0],
            "otplab: 5s, 15s left · 1,200 in flight · 0 delivered · 0 answers/s · p99 n/a · 0 errors"
        );
        assert!(written[3].contains("20s, last rentals"), "{text}");
    }
}
