//! The terminal: taken when the run begins, drawn on by a thread of its own,
//! and given back at every end, a panic's too. What to draw is decided in
//! [`picture`].

use std::io::{self, IsTerminal, Stderr, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use loadgen_core::interval::Stage;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};

use super::Shared;
use super::palette::Palette;
use super::picture;
use crate::interrupt::{Interrupt, Urgency};
use crate::progress::{Display, Snapshot};

/// How long the thread waits for a key before it draws again.
const REFRESH: Duration = Duration::from_millis(100);

/// Whether the terminal is ours at present; there is one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal behind stderr, until this is dropped.
#[derive(Debug)]
pub struct Screen {
    state: Shared,
    ended: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether stderr is a terminal whose screen may be taken: one that can do more
/// than lines, and that this process is in the foreground of. A process in the
/// background would be stopped for changing its terminal.
pub fn is_possible() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
    let foreground = rustix::termios::tcgetpgrp(io::stderr())
        .is_ok_and(|group| group == rustix::process::getpgrp());
    io::stderr().is_terminal() && !dumb && foreground
}

impl Screen {
    /// Takes the terminal and shows `state` on it. `q` and Ctrl-C ask `interrupt` for the end.
    ///
    /// # Errors
    ///
    /// If the terminal does not obey; it is then as it was.
    pub fn open(state: Shared, interrupt: Interrupt, palette: Palette) -> io::Result<Self> {
        give_back_on_panic();
        let terminal = take().inspect_err(|_| give_back())?;
        let (ended, end) = mpsc::channel();
        let shown = state.clone();
        let thread = std::thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || {
                // If the terminal is gone, the run goes on without it.
                let _ = run(terminal, &shown, &interrupt, &palette, &end);
                give_back();
            })
            .inspect_err(|_| give_back())?;
        Ok(Self {
            state,
            ended: Some(ended),
            thread: Some(thread),
        })
    }
}

impl Display for Screen {
    fn show(&mut self, stage: Stage, snapshot: &Snapshot) {
        self.state.lock().show(stage, snapshot);
    }

    fn clear(&mut self) {}
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.ended.take());
        if let Some(thread) = self.thread.take() {
            // If it has panicked, the hook has given the terminal back.
            let _ = thread.join();
        }
        give_back();
    }
}

type Ours = Terminal<CrosstermBackend<Stderr>>;

fn take() -> io::Result<Ours> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut stderr = io::stderr();
    execute!(stderr, EnterAlternateScreen, cursor::Hide)?;
    Terminal::new(CrosstermBackend::new(stderr))
}

/// Gives the terminal back, once.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut stderr = io::stderr();
        // Whatever cannot be undone cannot be helped either.
        let _ = execute!(stderr, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        let _ = stderr.flush();
    }
}

/// A panic in any thread says what it has to say on the screen it was started from.
fn give_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

fn run(
    mut terminal: Ours,
    state: &Shared,
    interrupt: &Interrupt,
    palette: &Palette,
    end: &Receiver<()>,
) -> io::Result<()> {
    while end.try_recv() == Err(TryRecvError::Empty) {
        // A signal says the same as a key.
        if interrupt.urgency() > Urgency::None {
            state.lock().end();
        }
        // The state is locked while cells are made, not while they are written.
        terminal.draw(|frame| {
            let area = frame.area();
            picture::draw(&state.lock(), palette, area, frame.buffer_mut());
        })?;
        let mut patience = REFRESH;
        while event::poll(patience)? {
            if asks_for_the_end(&event::read()?) {
                interrupt.urge();
            }
            patience = Duration::ZERO;
        }
    }
    Ok(())
}

/// In raw mode Ctrl-C is a key like others.
fn asks_for_the_end(event: &Event) -> bool {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind,
        ..
    }) = event
    else {
        return false;
    };
    let control = modifiers.contains(KeyModifiers::CONTROL);
    *kind != KeyEventKind::Release
        && match code {
            KeyCode::Char('q') => true,
            KeyCode::Char('c') => control,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_control_c_ask_for_the_end_and_nothing_else_does() {
        let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        let none = KeyModifiers::NONE;
        assert!(asks_for_the_end(&key(KeyCode::Char('q'), none)));
        assert!(asks_for_the_end(&key(
            KeyCode::Char('c'),
            KeyModifiers::CONTROL
        )));
        for code in [KeyCode::Char('c'), KeyCode::Char('x'), KeyCode::Enter] {
            assert!(!asks_for_the_end(&key(code, none)));
        }
        assert!(!asks_for_the_end(&Event::Resize(1, 1)));
    }
}
