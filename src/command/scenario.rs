//! Where a scenario comes from: a file, or one that ships in the binary.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, bail};
use contract::{ApiKey, document};
use loadgen_core::scenario::{Overrides, Scenario};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The scenarios that ship, by name.
const SHIPPED: [(&str, &str); 12] = [
    ("otp-rush", include_str!("../../scenarios/otp-rush.toml")),
    (
        "poll-hot-path",
        include_str!("../../scenarios/poll-hot-path.toml"),
    ),
    (
        "patient-crowd",
        include_str!("../../scenarios/patient-crowd.toml"),
    ),
    (
        "morning-wave",
        include_str!("../../scenarios/morning-wave.toml"),
    ),
    (
        "mixed-crowd",
        include_str!("../../scenarios/mixed-crowd.toml"),
    ),
    (
        "congested-evening",
        include_str!("../../scenarios/congested-evening.toml"),
    ),
    (
        "lossy-carrier",
        include_str!("../../scenarios/lossy-carrier.toml"),
    ),
    (
        "polling-storm",
        include_str!("../../scenarios/polling-storm.toml"),
    ),
    (
        "webhook-first",
        include_str!("../../scenarios/webhook-first.toml"),
    ),
    (
        "webhook-fails",
        include_str!("../../scenarios/webhook-fails.toml"),
    ),
    (
        "last-second",
        include_str!("../../scenarios/last-second.toml"),
    ),
    ("outage", include_str!("../../scenarios/outage.toml")),
];

/// The text of a scenario.
pub(crate) struct Source {
    /// For reports.
    name: String,
    /// For complaints.
    pub(crate) origin: String,
    /// The TOML.
    pub(crate) text: String,
}

impl Source {
    /// The shipped scenario of this name, or the file at this path.
    pub(crate) fn find(name: &str) -> anyhow::Result<Self> {
        if let Some((name, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Ok(Self {
                name: (*name).to_owned(),
                origin: format!("{name}.toml"),
                text: (*text).to_owned(),
            });
        }
        let path = std::path::Path::new(name);
        if !path.exists() && path.extension().is_none() {
            let shipped = SHIPPED.map(|(name, _)| name).join(", ");
            bail!("no scenario is named {name:?}; there are {shipped}, or give the path of a file");
        }
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {name}"))?;
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        Ok(Self {
            name: stem.to_string_lossy().into_owned(),
            origin: name.to_owned(),
            text,
        })
    }

    /// The text that a result directory keeps.
    pub(crate) fn kept(text: &str) -> Self {
        Self {
            name: "scenario".to_owned(),
            origin: "scenario.toml".to_owned(),
            text: text.to_owned(),
        }
    }

    /// The text below a heading, with every key in it taken out: those of the
    /// mock's accounts, and the one that was given for the run.
    pub(crate) fn without_keys(&self, heading: &str, given: Option<ApiKey>) -> String {
        #[derive(Deserialize)]
        struct File {
            mock: Option<Mock>,
        }
        #[derive(Deserialize)]
        struct Mock {
            accounts: Option<BTreeMap<String, IgnoredAny>>,
        }
        let file = document::parse::<File>(&self.origin, &self.text).ok();
        let accounts = file
            .and_then(|file| file.mock?.accounts)
            .unwrap_or_default();
        let given = given.map(|key| key.secret().to_owned());
        let mut text = heading.to_owned() + &self.text;
        for key in accounts.keys().chain(&given) {
            let redacted = text.replace(key, "(a key)");
            if redacted == text && Some(key) != given.as_ref() {
                // Written with escapes, so it cannot be found: better no text.
                return heading.to_owned() + "# left out: it holds keys\n";
            }
            text = redacted;
        }
        text
    }

    /// The generator's part of it.
    pub(crate) fn read(&self, overrides: Overrides) -> anyhow::Result<Scenario> {
        Ok(Scenario::read(
            &self.name,
            &self.origin,
            &self.text,
            overrides,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_out_however_they_are_written() {
        let key = "k".repeat(60);
        let source = |text: &str| Source {
            name: "s".to_owned(),
            origin: "s.toml".to_owned(),
            text: text.to_owned(),
        };
        let plain = source(&format!("[mock.accounts.{key}]\nbalance = \"5.00\"\n"));
        let text = plain.without_keys("# typed\n", None);
        assert_eq!(
            text,
            "# typed\n[mock.accounts.(a key)]\nbalance = \"5.00\"\n"
        );
        let escaped = source(&format!("[mock.accounts.\"\\u006b{}\"]\n", &key[1..]));
        let text = escaped.without_keys("# typed\n", None);
        assert_eq!(text, "# typed\n# left out: it holds keys\n");
        let given = "g".repeat(60).parse().expect("a key");
        let beside = source(&format!("description = \"{}\"", "g".repeat(60)));
        assert_eq!(
            beside.without_keys("", Some(given)),
            "description = \"(a key)\""
        );
    }

    #[test]
    fn every_shipped_scenario_can_be_read_by_both_sides() {
        for (name, _) in SHIPPED {
            let source = Source::find(name).expect(name);
            source.read(Overrides::default()).expect(name);
            crate::command::embedded::settings(&source, None, 1).expect(name);
        }
    }
}
