//! How a mock behaves, twice: [`Settings`] is complete and is what the mock
//! runs with; [`SettingsFile`] is what somebody wrote, most of it left out.

use std::str::FromStr;
use std::time::Duration;

use contract::duration::DurationError;
use contract::{Cents, Law, TimeSpan};
use serde::Deserialize;
use serde_with::DeserializeFromStr;

use crate::fault::FaultRule;
use crate::webhook_url::WebhookUrl;

/// Everything that decides how a mock behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What all chance is counted from.
    pub seed: u64,
    /// From rent to SMS.
    pub sms_delay: Law,
    /// In order: of two damages to one request, the first decides.
    pub faults: Vec<FaultRule>,
    /// What a fresh account has.
    pub balance: Cents,
    /// From rent to the end of a rental.
    pub rental_life: Duration,
    /// Where webhooks go, if they go anywhere.
    pub webhook: Option<WebhookSettings>,
    /// How fast a fresh account's time runs: 1 is real time, 60 a minute in a
    /// second, 0 frozen until it is advanced.
    pub time_scale: f64,
    /// Requests that the journal holds; the oldest go first.
    pub journal_max: usize,
}

impl Settings {
    /// The defaults, with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            sms_delay: "typical".parse().expect("invariant: a preset is a law"),
            faults: Vec::new(),
            // Enough for some seven hundred rentals, so that money is no subject unless it is meant to be.
            balance: Cents(100_000),
            // The documentation's `expires_in_seconds`.
            rental_life: Duration::from_secs(1200),
            webhook: None,
            time_scale: 1.0,
            // Some five megabytes.
            journal_max: 100_000,
        }
    }
}

/// Where `sms.received` webhooks go, and how patiently.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The receiver.
    pub url: WebhookUrl,
    /// How often one event is posted at most.
    pub attempts: u32,
    /// From a failed attempt to the next.
    pub spacing: Duration,
    /// How long the receiver may take to answer.
    pub timeout: Duration,
}

impl WebhookSettings {
    /// The defaults of CLAUSES part 2, with this receiver.
    pub const fn new(url: WebhookUrl) -> Self {
        Self {
            url,
            attempts: 5,
            spacing: Duration::from_secs(15),
            timeout: Duration::from_secs(5),
        }
    }
}

/// The settings as a table in a TOML file or as flags: whatever is absent is
/// somebody else's to say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// See [`Settings::seed`].
    pub seed: Option<u64>,
    /// See [`Settings::sms_delay`].
    pub sms_delay: Option<Law>,
    /// See [`Settings::faults`].
    pub faults: Option<Vec<FaultRule>>,
    /// See [`Settings::balance`].
    pub balance: Option<Cents>,
    /// See [`Settings::rental_life`].
    pub rental_life: Option<RentalLife>,
    /// See [`WebhookSettings::url`].
    pub webhook_url: Option<WebhookUrl>,
    /// See [`Settings::time_scale`].
    pub time_scale: Option<TimeScale>,
    /// See [`Settings::journal_max`].
    pub journal_max: Option<usize>,
}

impl SettingsFile {
    /// What is said here, and for the rest what is said in `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            seed: self.seed.or(other.seed),
            sms_delay: self.sms_delay.or(other.sms_delay),
            faults: self.faults.or(other.faults),
            balance: self.balance.or(other.balance),
            rental_life: self.rental_life.or(other.rental_life),
            webhook_url: self.webhook_url.or(other.webhook_url),
            time_scale: self.time_scale.or(other.time_scale),
            journal_max: self.journal_max.or(other.journal_max),
        }
    }

    /// What is said here, and for the rest the defaults; `seed` is used if none is said.
    pub fn resolve(self, seed: u64) -> Settings {
        let default = Settings::new(self.seed.unwrap_or(seed));
        Settings {
            sms_delay: self.sms_delay.unwrap_or(default.sms_delay),
            faults: self.faults.unwrap_or_default(),
            balance: self.balance.unwrap_or(default.balance),
            rental_life: self.rental_life.map_or(default.rental_life, |life| life.0),
            webhook: self.webhook_url.map(WebhookSettings::new),
            time_scale: self.time_scale.map_or(default.time_scale, |scale| scale.0),
            journal_max: self.journal_max.unwrap_or(default.journal_max),
            ..default
        }
    }
}

/// How fast time runs: from 0, which is frozen, to a day in a second.
#[derive(Clone, Copy, Debug, PartialEq, DeserializeFromStr)]
pub struct TimeScale(pub(crate) f64);

impl TimeScale {
    /// Time stands still.
    pub const FROZEN: Self = Self(0.0);
    /// Time as it is.
    pub const REAL: Self = Self(1.0);
}

/// Not a pace of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "time runs at a pace from 0 to 86400; write 1 for real time, 60 for a minute in a second, 0 for frozen"
)]
pub struct TimeScaleError;

impl FromStr for TimeScale {
    type Err = TimeScaleError;

    fn from_str(text: &str) -> Result<Self, TimeScaleError> {
        let pace: f64 = text.parse().map_err(|_| TimeScaleError)?;
        Self::try_from(pace)
    }
}

impl TryFrom<f64> for TimeScale {
    type Error = TimeScaleError;

    fn try_from(pace: f64) -> Result<Self, TimeScaleError> {
        const DAY: f64 = 86_400.0;
        if (0.0..=DAY).contains(&pace) {
            Ok(Self(pace))
        } else {
            Err(TimeScaleError)
        }
    }
}

/// How long rentals live: more than no time at all, and at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeserializeFromStr)]
pub struct RentalLife(Duration);

/// Not a life of a rental.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RentalLifeError {
    /// Not even a duration.
    #[error(transparent)]
    NotADuration(#[from] DurationError),
    /// Out of bounds.
    #[error("a rental lives longer than 0s and at most a year; write it like 1200s or 20m")]
    OutOfBounds,
}

/// A bound that keeps moments and `expires_in_seconds` far from overflowing.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl FromStr for RentalLife {
    type Err = RentalLifeError;

    fn from_str(text: &str) -> Result<Self, RentalLifeError> {
        let TimeSpan(life) = text.parse()?;
        if life.is_zero() || life > YEAR {
            return Err(RentalLifeError::OutOfBounds);
        }
        Ok(Self(life))
    }
}

#[cfg(test)]
mod tests {
    use contract::document;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Whole {
        #[serde(default)]
        mock: SettingsFile,
    }

    fn read(text: &str) -> SettingsFile {
        document::parse::<Whole>("s.toml", text).expect(text).mock
    }

    fn complaint(text: &str) -> String {
        document::parse::<Whole>("s.toml", text)
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn what_is_said_first_counts_and_the_rest_is_default() {
        let flags = read("[mock]\nseed = 1\nfaults = [\"*: timeout\"]");
        let file = read("[mock]\nseed = 2\nbalance = \"5.00\"\nrental_life = \"2m\"");
        let settings = flags.or(file).resolve(3);
        assert_eq!(settings.seed, 1);
        assert_eq!(settings.faults.len(), 1);
        assert_eq!(settings.balance, Cents(500));
        assert_eq!(settings.rental_life, Duration::from_secs(120));
        assert_eq!(settings.sms_delay.to_string(), "typical");
        assert_eq!(read("").resolve(3).seed, 3);
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_place() {
        for (text, expected) in [
            (
                "[mock]\nsms_dely = \"2s\"",
                "s.toml:2:1: unknown field `sms_dely`, expected one of `seed`, `sms_delay`",
            ),
            (
                "[mock]\nsms_delay = \"lognormal(4s)\"",
                "s.toml:2:13: not a delay law, at character 1: write it like lognormal(4s,0.67)",
            ),
            (
                "[mock]\nfaults = [\n  \"*: timeout\",\n  \"rent: status(42)\",\n]",
                "s.toml:4:3: \"rent: status(42)\" is not a fault rule, at character 14: \"42\" is not",
            ),
            (
                "[mock]\nbalance = \"$5\"",
                "s.toml:2:11: \"$5\" is not an amount of money; write it like 1000.00",
            ),
            (
                "[mock]\nrental_life = \"0s\"",
                "s.toml:2:15: a rental lives longer than 0s",
            ),
            (
                "[mock]\nrental_life = \"20\"",
                "s.toml:2:15: \"20\" is not a duration; write",
            ),
            (
                "[mock]\nwebhook_url = \"https://localhost/\"",
                "s.toml:2:15: \"https://localhost/\" is not a webhook address",
            ),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }
}
