//! Scenario files: arrivals, users, polling, thresholds in one TOML file. The
//! `[mock]` section belongs to the mock and is only passed over here.
//!
//! Reading has two steps. [`ScenarioFile`] mirrors what is written, and
//! [`Overrides`] what was typed beside it; [`Scenario`] is complete, without an
//! `Option` where a default exists.

mod users;

use std::fmt;
use std::time::Duration;

use contract::TimeSpan;
use contract::document::{self, DocumentError};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::arrivals::{Arrivals, Process};
use crate::crowd::Crowd;
use crate::curve::Curve;
use crate::polling::Strategy;
use crate::rate::{Rate, RateProfile, Stage};
use crate::retry::Retry;
use crate::scenario::users::{PopulationFile, Typed, UsersFile};
use crate::shape::Shape;
use crate::stop::Stop;
use crate::threshold::Threshold;
use crate::warmup::Warmup;

/// A complete scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// For reports.
    pub name: String,
    /// When users start.
    pub arrivals: Arrivals,
    /// When no more do.
    pub stop: Stop,
    /// What each does.
    pub behaviour: Behaviour,
    /// Who they are, and how they rent and wait.
    pub customers: Crowd,
    /// The users are spread over this many accounts.
    pub accounts: u32,
    /// Connections, over which all users share.
    pub connections: u32,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
    /// What the headline figures leave out.
    pub warmup: Warmup,
    /// Of all chance; `None` lets the caller draw one and say which.
    pub seed: Option<u64>,
}

/// What a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Rents, polls and confirms.
    RentAndWait,
    /// Makes one poll of one of this many rentals, made beforehand.
    PollOnce {
        /// How many.
        rentals: u32,
    },
}

/// What was typed beside the scenario; each replaces what the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Users in flight: closed arrivals.
    pub users: Option<u32>,
    /// Users started per second: open arrivals.
    pub rate: Option<Rate>,
    /// When users start, however that is.
    pub arrivals: Option<Shape>,
    /// How long users start.
    pub duration: Option<Duration>,
    /// How many users start.
    pub count: Option<u64>,
    /// Connections.
    pub connections: Option<u32>,
    /// When to ask; of those who rent.
    pub polling: Option<Strategy>,
    /// What to do when a request fails.
    pub retry: Option<Retry>,
    /// More of them; these do not replace the file's.
    pub thresholds: Vec<Threshold>,
    /// What the headline figures leave out.
    pub warmup: Option<Warmup>,
    /// Of all chance.
    pub seed: Option<u64>,
    /// The one account there is, where its key is given.
    pub accounts: Option<u32>,
}

/// A scenario as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    /// For people.
    #[serde(rename = "description")]
    _description: Option<String>,
    /// Of all chance.
    seed: Option<u64>,
    /// Connections, over which all users share.
    connections: Option<u32>,
    /// How long a request may take, such as `10s`.
    #[schemars(with = "Option<String>")]
    request_timeout: Option<TimeSpan>,
    /// What the headline figures leave out: a duration, or `auto`.
    #[schemars(with = "Option<String>")]
    warmup: Option<Warmup>,
    /// What must hold, such as `lag.p95 < 1s`.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    thresholds: Vec<Threshold>,
    /// When users start: a text such as `poisson(50/s)`, or a table.
    #[serde(deserialize_with = "text_or_table")]
    #[schemars(schema_with = "text_or_table_schema")]
    arrivals: ArrivalsFile,
    /// When no more do.
    stop: StopFile,
    /// Who they are, and what they do.
    #[serde(default)]
    #[schemars(with = "Option<UsersFile>")]
    users: UsersFile,
    /// Up to eight kinds of users.
    #[serde(default)]
    #[schemars(with = "Option<Vec<PopulationFile>>")]
    populations: Vec<PopulationFile>,
    /// What is made before the run.
    setup: Option<SetupFile>,
    /// How the mock behaves.
    #[serde(rename = "mock")]
    #[schemars(with = "Option<serde_json::Value>")]
    _mock: Option<IgnoredAny>,
}

/// The JSON Schema of a scenario file, but for its `[mock]`, which is the mock's.
pub fn schema() -> serde_json::Value {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    let schema = settings
        .into_generator()
        .into_root_schema_for::<ScenarioFile>();
    schema.to_value()
}

fn text_or_table_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string" }, ArrivalsFile::json_schema(generator)] })
}

/// `arrivals = "poisson(50/s)"`, or a table.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArrivalsFile {
    /// Where it is a text.
    #[serde(skip)]
    shape: Option<Shape>,
    /// Users at any time.
    users: Option<u32>,
    /// How long it takes until they are there, such as `5s`.
    #[schemars(with = "Option<String>")]
    ramp: Option<TimeSpan>,
    /// Users started per time, such as `500/s`.
    #[schemars(with = "Option<String>")]
    rate: Option<Rate>,
    /// Rates, each reached in a straight line.
    stages: Option<Vec<Stage>>,
    /// How the starts are spread.
    process: Option<Process>,
}

fn text_or_table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ArrivalsFile, D::Error> {
    struct TextOrTable;

    impl<'de> Visitor<'de> for TextOrTable {
        type Value = ArrivalsFile;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text like \"500/s\" or a table like [arrivals]")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<ArrivalsFile, E> {
            Ok(ArrivalsFile {
                shape: Some(text.parse().map_err(E::custom)?),
                ..ArrivalsFile::default()
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ArrivalsFile, A::Error> {
            ArrivalsFile::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(TextOrTable)
}

/// When no more users start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StopFile {
    /// After this time, such as `20s`.
    #[schemars(with = "Option<String>")]
    duration: Option<TimeSpan>,
    /// After so many.
    count: Option<u64>,
    /// How long those who are there may stay then.
    #[schemars(with = "Option<String>")]
    drain: Option<TimeSpan>,
}

/// What a user does.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BehaviourFile {
    #[default]
    RentAndWait,
    PollOnce,
}

/// What is made before the run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetupFile {
    /// Rentals that are polled.
    rentals: u32,
}

/// Why a scenario cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The file says something that does not exist.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Each part is fine, the whole is not.
    #[error("{origin}: {message}")]
    Whole {
        /// The file's name.
        origin: String,
        /// What is wrong and what to write instead.
        message: &'static str,
    },
}

/// How many accounts open arrivals are spread over.
const ACCOUNTS: u32 = 64;

/// How many connections there are, if nobody says.
const CONNECTIONS: u32 = 64;

/// How long a request may take, if nobody says.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

impl Scenario {
    /// Reads the scenario `name` from `text`, which came from `origin`.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] with the place of the mistake and what to write instead.
    pub fn read(
        name: &str,
        origin: &str,
        text: &str,
        overrides: Overrides,
    ) -> Result<Self, ScenarioError> {
        let file: ScenarioFile = document::parse(origin, text)?;
        file.resolve(name, overrides)
            .map_err(|message| ScenarioError::Whole {
                origin: origin.to_owned(),
                message,
            })
    }
}

impl ScenarioFile {
    fn resolve(self, name: &str, overrides: Overrides) -> Result<Scenario, &'static str> {
        let stop = self.stop.resolve(overrides.duration, overrides.count)?;
        let arrivals = self.arrivals.resolve(&overrides)?;
        let accounts = overrides.accounts.or(self.users.accounts);
        let behaviour = behaviour(self.users.behaviour, self.setup)?;
        let typed = Typed {
            polling: overrides.polling,
            retry: overrides.retry,
        };
        let customers = self.users.crowd(self.populations, behaviour, &typed)?;
        let connections = overrides.connections.or(self.connections);
        let mut thresholds = self.thresholds;
        thresholds.extend(overrides.thresholds);
        Ok(Scenario {
            name: name.to_owned(),
            accounts: within(
                accounts.unwrap_or_else(|| default_accounts(&arrivals, stop.count)),
                "accounts is a number from 1 to 1000000",
            )?,
            arrivals,
            stop,
            behaviour,
            customers,
            connections: within(
                connections.unwrap_or(CONNECTIONS),
                "connections is a number from 1 to 1000000",
            )?,
            request_timeout: positive(
                self.request_timeout.map_or(REQUEST_TIMEOUT, |span| span.0),
                "request_timeout = \"0s\" leaves no time for an answer; write for instance \"10s\"",
            )?,
            thresholds,
            warmup: overrides.warmup.or(self.warmup).unwrap_or_default(),
            seed: overrides.seed.or(self.seed),
        })
    }
}

fn behaviour(file: BehaviourFile, setup: Option<SetupFile>) -> Result<Behaviour, &'static str> {
    match (file, setup) {
        (BehaviourFile::PollOnce, Some(SetupFile { rentals })) if rentals > 0 => {
            Ok(Behaviour::PollOnce { rentals })
        }
        (BehaviourFile::PollOnce, _) => {
            Err("do = \"poll_once\" needs rentals to poll; write [setup] rentals = 256")
        }
        (BehaviourFile::RentAndWait, Some(_)) => {
            Err("[setup] is for do = \"poll_once\"; customers rent for themselves")
        }
        (BehaviourFile::RentAndWait, None) => Ok(Behaviour::RentAndWait),
    }
}

/// One account for each of a fixed number of users, so that no two of them
/// rent under one key at the same time and every account's rentals are the
/// same in every run with the same seed.
fn default_accounts(arrivals: &Arrivals, count: Option<u64>) -> u32 {
    let users = arrivals.slots().unwrap_or(ACCOUNTS);
    count
        .and_then(|count| u32::try_from(count).ok())
        .map_or(users, |count| users.min(count))
}

/// More of anything than this is a slip of the keyboard, and would eat all memory.
const MOST: u32 = 1_000_000;

fn within(number: u32, message: &'static str) -> Result<u32, &'static str> {
    if (1..=MOST).contains(&number) {
        Ok(number)
    } else {
        Err(message)
    }
}

const fn positive(span: Duration, message: &'static str) -> Result<Duration, &'static str> {
    if span.is_zero() {
        Err(message)
    } else {
        Ok(span)
    }
}

impl ArrivalsFile {
    fn resolve(self, overrides: &Overrides) -> Result<Arrivals, &'static str> {
        let typed = [
            overrides.users.is_some(),
            overrides.rate.is_some(),
            overrides.arrivals.is_some(),
        ];
        if typed.into_iter().filter(|typed| *typed).count() > 1 {
            return Err("-c, -r and --arrivals say when users start; give one of them");
        }
        if let Some(shape) = &overrides.arrivals {
            return Ok(shape.arrivals());
        }
        let process = self.process.unwrap_or_default();
        let ramp = self.ramp.map_or(Duration::ZERO, |ramp| ramp.0);
        match (overrides.users, overrides.rate) {
            (Some(users), _) => closed(users, ramp, "-c is a number from 1 to 1000000"),
            (None, Some(rate)) => constant(rate, process),
            (None, None) => self.written(ramp, process),
        }
    }

    fn written(self, ramp: Duration, process: Process) -> Result<Arrivals, &'static str> {
        if let Some(shape) = self.shape {
            return Ok(shape.arrivals());
        }
        match (self.users, self.rate, self.stages) {
            (Some(_), None, None) if self.process.is_some() => {
                Err("[arrivals] process belongs to rate or stages, not to users")
            }
            (Some(users), None, None) => closed(
                users,
                ramp,
                "[arrivals] users is a number from 1 to 1000000",
            ),
            (None, Some(_), None) | (None, None, Some(_)) if self.ramp.is_some() => Err(
                "[arrivals] ramp belongs to users; for a rate write stages = [{ rate = \"500/s\", over = \"10s\" }]",
            ),
            (None, Some(rate), None) => constant(rate, process),
            (None, None, Some(stages))
                if stages.iter().any(|stage| stage.rate.per_second() > 0.0) =>
            {
                let profile = RateProfile::staged(stages);
                Ok(Arrivals::Open { profile, process })
            }
            (None, None, Some(_)) => Err(
                "[arrivals] stages start nobody; write for instance stages = [{ rate = \"500/s\", over = \"10s\" }]",
            ),
            _ => Err(
                "[arrivals] needs exactly one of users = 400, rate = \"500/s\" and stages = [{ rate = \"500/s\", over = \"10s\" }]",
            ),
        }
    }
}

fn closed(users: u32, ramp: Duration, message: &'static str) -> Result<Arrivals, &'static str> {
    let users = f64::from(within(users, message)?);
    Ok(Arrivals::Closed(Curve::through(0.0, [(users, ramp)])))
}

fn constant(rate: Rate, process: Process) -> Result<Arrivals, &'static str> {
    if rate.per_second() > 0.0 {
        let profile = RateProfile::constant(rate);
        return Ok(Arrivals::Open { profile, process });
    }
    Err("a rate of 0/s starts nobody; write for instance 500/s")
}

impl StopFile {
    fn resolve(self, duration: Option<Duration>, count: Option<u64>) -> Result<Stop, &'static str> {
        let drain = self.drain.map(|span| span.0);
        if drain.is_some() && self.duration.is_none() {
            return Err("[stop] drain begins at the end of duration; write duration as well");
        }
        let stop = if duration.is_some() || count.is_some() {
            Stop {
                duration,
                count,
                drain,
            }
        } else {
            Stop {
                duration: self.duration.map(|span| span.0),
                count: self.count,
                drain,
            }
        };
        match (stop.duration, stop.count) {
            (None, None) => Err("[stop] needs an end: duration = \"20s\", count = 1000, or both"),
            (Some(Duration::ZERO), _) | (_, Some(0)) => Err(
                "a run of no time or of no users measures nothing; write for instance 20s or 1000",
            ),
            _ => Ok(stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "[arrivals]\nusers = 4\n[stop]\ncount = 8\n";

    fn read(text: &str, overrides: Overrides) -> Result<Scenario, String> {
        Scenario::read("s", "s.toml", text, overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_fill_what_is_not_written() {
        let scenario = read(SMALL, Overrides::default()).expect("well-formed");
        assert_eq!(scenario.accounts, 4);
        assert_eq!(scenario.connections, CONNECTIONS);
        assert_eq!(
            scenario.customers.populations()[0].plan.polling.to_string(),
            "fixed(3s)"
        );
        assert_eq!(scenario.behaviour, Behaviour::RentAndWait);
    }

    #[test]
    fn what_is_typed_replaces_what_is_written() {
        let overrides = Overrides {
            rate: Some("10/s".parse().expect("a rate")),
            duration: Some(Duration::from_secs(3)),
            ..Overrides::default()
        };
        let scenario = read(SMALL, overrides).expect("well-formed");
        assert!(matches!(scenario.arrivals, Arrivals::Open { .. }));
        assert_eq!(scenario.stop.duration, Some(Duration::from_secs(3)));
        assert_eq!(scenario.stop.count, None);
        assert_eq!(scenario.accounts, ACCOUNTS);
    }

    #[test]
    fn arrivals_are_a_text_or_a_table_or_typed() {
        let shape = |text: &str| text.parse::<Shape>().expect(text);
        let text = SMALL.replace("[arrivals]\nusers = 4", "arrivals = \"poisson(5/s)\"");
        let scenario = read(&text, Overrides::default()).expect("well-formed");
        assert_eq!(scenario.arrivals, shape("poisson(5/s)").arrivals());
        let typed = Overrides {
            arrivals: Some(shape("stages(9,2s)")),
            ..Overrides::default()
        };
        let scenario = read(SMALL, typed.clone()).expect("well-formed");
        assert_eq!(scenario.arrivals.slots(), Some(9));
        let twice = Overrides {
            users: Some(1),
            ..typed
        };
        let error = read(SMALL, twice).expect_err("two of them");
        assert!(error.contains("-c, -r and --arrivals"), "{error}");
        for (arrivals, message) in [
            (
                "\"5/d\"",
                "s.toml:1:12: not a shape of arrivals, at character 1: \"5/d\" is not a rate",
            ),
            (
                "5",
                "s.toml:1:12: write a text like \"500/s\" or a table like [arrivals], not",
            ),
        ] {
            let text = format!("arrivals = {arrivals}\n[stop]\ncount = 1\n");
            let error = read(&text, Overrides::default()).expect_err(arrivals);
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn mistakes_name_the_line_or_the_section() {
        for (text, message) in [
            (
                "[arrivals]\nuser = 4\n",
                "s.toml:2:1: unknown field `user`, expected one of `users`, `ramp`",
            ),
            (
                "[arrivals]\nrate = \"5\"\n",
                "s.toml:2:8: \"5\" is not a rate; write it like 2000/s",
            ),
            (
                "[arrivals]\nusers = 4\n[stop]\nduration = \"20\"\n",
                "s.toml:4:12: \"20\" is not a duration",
            ),
            (
                "[arrivals]\nusers = 4\nrate = \"5/s\"\n[stop]\ncount = 1\n",
                "s.toml: [arrivals] needs exactly one of",
            ),
            (
                "[arrivals]\nusers = 4\n[stop]\n",
                "s.toml: [stop] needs an end",
            ),
            (
                "[arrivals]\nusers = 0\n[stop]\ncount = 1\n",
                "s.toml: [arrivals] users is a number from 1",
            ),
            (
                "[arrivals]\nusers = 1\n[stop]\ncount = 1\n[users]\nservices = [\"whatsap\"]\n",
                "s.toml:6:13: no service is named \"whatsap\", did you mean \"whatsapp\"",
            ),
            (
                "thresholds = [\"lag.p95 < 2\"]\n[arrivals]\nusers = 1\n[stop]\ncount = 1\n",
                "s.toml:1:15: \"2\" is not a limit for lag.p95",
            ),
            (
                "[arrivals]\nusers = 1\n[stop]\ncount = 1\n[users]\ndo = \"poll_once\"\n",
                "needs rentals to poll",
            ),
            (
                "[arrivals]\nstages = []\n[stop]\ncount = 1\n",
                "stages start nobody",
            ),
            (
                "[arrivals]\nrate = \"0/s\"\n[stop]\ncount = 1\n",
                "a rate of 0/s starts nobody",
            ),
            (
                "[arrivals]\nusers = 1\n[stop]\ncount = 0\n",
                "measures nothing",
            ),
            (
                "[arrivals]\nusers = 1\n[stop]\ncount = 1\ndrain = \"1s\"\n",
                "drain begins at the end",
            ),
        ] {
            let error = read(text, Overrides::default()).expect_err(text);
            assert!(error.contains(message), "{error}");
        }
    }
}
