//! The configuration file, looked at again and again: what is different in it
//! counts at once, as far as it can; what cannot be understood changes nothing.
//!
//! The file is read, not asked for its dates: editors write a new file under the
//! old name, file systems count in whole seconds, and it is small.

use std::path::Path;
use std::time::Duration;

use mock_server::{Running, Server};
use mock_server_core::Settings;
use mock_server_core::control::Reloaded;
use serde_json::json;
use tokio::time::interval;

use super::choice::Choice;
use super::log::Log;
use crate::cli::serve::ServeArguments;

/// Between two looks. What is different has to be the same at two of them, so
/// that a file that is being written is not taken for a whole one.
const PAUSE: Duration = Duration::from_millis(200);

/// A file, and what it said when it was last understood.
pub(super) struct Watch {
    arguments: ServeArguments,
    text: Settled,
    choice: Choice,
    settings: Settings,
}

/// What a file says, or why it cannot be read.
type Text = Result<String, String>;

impl Watch {
    /// Looks after the file of `arguments`, which was understood as `choice`.
    pub(super) fn new(arguments: &ServeArguments, choice: Choice, settings: Settings) -> Self {
        let text = arguments
            .config
            .as_deref()
            .map_or_else(|| Ok(String::new()), read);
        Self {
            arguments: arguments.clone(),
            text: Settled::new(text),
            choice,
            settings,
        }
    }

    /// Looks as long as it is polled.
    pub(super) async fn run(&mut self, (server, running): (&Server, &Running), log: Log) {
        let Some(path) = self.arguments.config.clone() else {
            return std::future::pending().await;
        };
        let mut looks = interval(PAUSE);
        loop {
            looks.tick().await;
            if let Some(text) = self.text.look(read(&path)) {
                self.take(&path, text, (server, running), log);
            }
        }
    }

    fn take(&mut self, path: &Path, text: Text, (server, running): (&Server, &Running), log: Log) {
        let name = path.display();
        match self.understand(text, server) {
            Ok((choice, settings)) => {
                let reloaded = Reloaded {
                    applied: self.settings.differences(&settings),
                    needs_restart: self.choice.fixed_differences(&choice),
                    refused: None,
                };
                let words = format!("{name} was read again: {}", described(&reloaded));
                log.info("config.reloaded", &words, json!(reloaded));
                running.reload(&self.settings, &settings, reloaded);
                (self.choice, self.settings) = (choice, settings);
            }
            Err(error) => {
                let refused = format!("{error:#}");
                let words =
                    format!("{name} is not taken, and what it said before goes on: {refused}");
                let reloaded = Reloaded {
                    refused: Some(refused),
                    ..Reloaded::default()
                };
                log.warn("config.refused", &words, json!(reloaded));
                running.refuse(reloaded);
            }
        }
    }

    fn understand(&self, text: Text, server: &Server) -> anyhow::Result<(Choice, Settings)> {
        let text = text.map_err(anyhow::Error::msg)?;
        let choice = Choice::with_file(&self.arguments, Some(text))?;
        // The seed of a running server stays.
        let settings = choice.clone().settings(self.settings.account.seed);
        server.check_webhook_hosts(&settings)?;
        Ok((choice, settings))
    }
}

fn read(path: &Path) -> Text {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read it: {error}"))
}

fn described(reloaded: &Reloaded) -> String {
    let counts = |names: &[&str], verb: &str| {
        let names = names.join(", ");
        (!names.is_empty()).then(|| format!("{names} {verb}"))
    };
    let parts = [
        counts(&reloaded.applied, "from now on"),
        counts(&reloaded.needs_restart, "from the next start on"),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return "nothing is different for this server".to_owned();
    }
    parts.join("; ")
}

/// Something that is looked at now and then, and believed when it is the same twice.
struct Settled {
    believed: Text,
    seen: Option<Text>,
}

impl Settled {
    const fn new(believed: Text) -> Self {
        Self {
            believed,
            seen: None,
        }
    }

    /// What is believed from this look on, if that is something else than before.
    fn look(&mut self, text: Text) -> Option<Text> {
        if text == self.believed {
            self.seen = None;
            return None;
        }
        if self.seen.as_ref() != Some(&text) {
            self.seen = Some(text);
            return None;
        }
        self.believed = self.seen.take()?;
        Some(self.believed.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_believed_when_it_is_the_same_twice() {
        let said = |text: &str| Ok(text.to_owned());
        let mut file = Settled::new(said("a"));
        assert_eq!(file.look(said("a")), None);
        // Half of it, then all of it.
        assert_eq!(file.look(said("a, ")), None);
        assert_eq!(file.look(said("a, b")), None);
        assert_eq!(file.look(said("a, b")), Some(said("a, b")));
        assert_eq!(file.look(said("a, b")), None, "told once");
        // Gone while an editor puts another in its place.
        assert_eq!(file.look(Err("gone".to_owned())), None);
        assert_eq!(file.look(said("a, b")), None);
        let gone = || Err("gone".to_owned());
        assert_eq!(file.look(gone()), None);
        assert_eq!(file.look(gone()), Some(gone()));
        assert_eq!(file.look(gone()), None, "told once");
    }
}
