//! The live screen, held against golden files: a simulated run up to some
//! second, drawn at several sizes. `EXPECTORATE=overwrite cargo test` writes
//! them anew.

use std::time::Duration;

use loadgen::live::palette::Palette;
use loadgen::live::picture;
use loadgen::live::state::State;
use loadgen::progress::Snapshot;
use loadgen::recorder::Recorder;
use loadgen_core::interval::{Interval, Stage};
use loadgen_core::record::{About, End};
use loadgen_core::stop::Stop;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use crate::world::simulate_run;

const SCENARIO: &str = r#"
connections = 8
warmup = "3s"
thresholds = [
    "check_otp.response.p99 < 25ms",
    "rentals.delivered > 99%",
    "ledger.unexplained == 0",
]

[arrivals]
users = 200

[stop]
duration = "30s"

[users]
services = ["whatsapp", "telegram", "google"]
polling = "fixed(500ms)"

[mock]
sms_delay = "0.98*lognormal(2s,0.5) + 0.02*never"
rental_life = "10s"
"#;

/// What a screen would know after so many seconds.
struct Upto {
    state: State,
    seconds: u32,
}

impl Recorder for Upto {
    fn begin(&mut self, about: &About) {
        self.state.begin(about);
    }

    fn second(&mut self, interval: &Interval) {
        if interval.index < self.seconds {
            self.state.second(interval);
        }
    }

    fn end(&mut self, _: &End) {}
}

fn after(seconds: u32) -> State {
    let stop = Stop {
        duration: Some(Duration::from_secs(30)),
        ..Stop::default()
    };
    let mut upto = Upto {
        state: State::new(stop),
        seconds,
    };
    simulate_run(SCENARIO, 42, &mut upto);
    let snapshot = Snapshot {
        alive: 200,
        polls: 9000,
        failures: 12,
        ended: 1800,
        elapsed: Duration::from_secs(u64::from(seconds)),
    };
    upto.state.show(Stage::Load, &snapshot);
    upto.state
}

fn drawn(state: &State, palette: &Palette, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("no I/O");
    let draw = |frame: &mut ratatui::Frame<'_>| {
        let area = frame.area();
        picture::draw(state, palette, area, frame.buffer_mut());
    };
    terminal.draw(draw).expect("no I/O");
    terminal
}

fn check(state: &State, width: u16, height: u16, golden: &str) {
    let terminal = drawn(state, &Palette::plain(), width, height);
    let text = terminal.backend().to_string();
    // As people see it: without the backend's quotes and the ends of lines.
    let lines = text.lines().map(|line| line.trim_matches('"').trim_end());
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    expectorate::assert_contents(format!("tests/golden/{golden}"), &text);
}

#[test]
fn the_screen_is_as_drawn() {
    check(&after(20), 80, 24, "live-80x24.txt");
    check(&after(20), 120, 40, "live-120x40.txt");
    check(&State::default(), 80, 24, "live-before.txt");
}

#[test]
fn a_screen_of_any_size_is_drawn() {
    for state in [State::default(), after(0), after(1), after(30)] {
        for (width, height) in [
            (1, 1),
            (2, 2),
            (7, 3),
            (25, 5),
            (1, 50),
            (300, 1),
            (33, 9),
            (300, 100),
        ] {
            for palette in [Palette::plain(), Palette::colours()] {
                drawn(&state, &palette, width, height);
            }
        }
    }
}

#[test]
fn without_colour_there_is_none() {
    let colours = |palette: &Palette| {
        let terminal = drawn(&after(20), palette, 80, 24);
        let cells = terminal.backend().buffer().content();
        let coloured = cells
            .iter()
            .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        coloured.count()
    };
    assert_eq!(colours(&Palette::plain()), 0);
    assert!(colours(&Palette::colours()) > 100);
}
