//! Where a scenario comes from: a file, or one that ships in the binary.

use std::fs;

use anyhow::{Context, bail};
use loadgen_core::scenario::{Overrides, Scenario};

/// The scenarios that ship, by name.
const SHIPPED: [(&str, &str); 3] = [
    ("otp-rush", include_str!("../../scenarios/otp-rush.toml")),
    (
        "poll-hot-path",
        include_str!("../../scenarios/poll-hot-path.toml"),
    ),
    (
        "patient-crowd",
        include_str!("../../scenarios/patient-crowd.toml"),
    ),
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
    fn every_shipped_scenario_can_be_read_by_both_sides() {
        for (name, _) in SHIPPED {
            let source = Source::find(name).expect(name);
            source.read(Overrides::default()).expect(name);
            crate::command::embedded::settings(&source, None, 1).expect(name);
        }
    }
}
