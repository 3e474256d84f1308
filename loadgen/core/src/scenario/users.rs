//! The `[users]` and `[[populations]]` sections: who comes, and what they do.
//! What a population does not say is as `[users]` says.

use std::str::FromStr;

use contract::service::ServiceName;
use contract::{Service, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_with::DeserializeFromStr;

use super::{Behaviour, BehaviourFile};
use crate::crowd::{Activity, Crowd, Population};
use crate::customer::CustomerPlan;
use crate::place::Place;
use crate::polling::Strategy;
use crate::retry::Retry;

/// Who comes, and what they do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsersFile {
    /// What each does.
    #[serde(default, rename = "do")]
    pub(super) behaviour: BehaviourFile,
    /// What they rent numbers for, such as `whatsapp`.
    #[schemars(with = "Option<Vec<String>>")]
    services: Option<Vec<ServiceName>>,
    /// How many accounts they are spread over.
    pub(super) accounts: Option<u32>,
    /// When they ask, such as `fixed(3s)`.
    #[schemars(with = "Option<String>")]
    polling: Option<Strategy>,
    /// How long they wait, such as `2m`.
    #[schemars(with = "Option<String>")]
    give_up: Option<TimeSpan>,
    /// What they do when a request fails.
    #[schemars(with = "Option<String>")]
    retry: Option<Retry>,
}

/// One kind of users; what it does not say is as `[users]` says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PopulationFile {
    /// For reports.
    name: String,
    /// Of all users, such as `80%`.
    #[schemars(with = "String")]
    share: Share,
    /// What each does.
    #[serde(default, rename = "do")]
    activity: Activity,
    /// What they rent numbers for, such as `whatsapp`.
    #[schemars(with = "Option<Vec<String>>")]
    services: Option<Vec<ServiceName>>,
    /// When they ask, such as `fixed(3s)`.
    #[schemars(with = "Option<String>")]
    polling: Option<Strategy>,
    /// How long they wait, such as `2m`.
    #[schemars(with = "Option<String>")]
    give_up: Option<TimeSpan>,
    /// What they do when a request fails.
    #[schemars(with = "Option<String>")]
    retry: Option<Retry>,
}

/// What was typed, and replaces what is written of all populations.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) polling: Option<Strategy>,
    pub(super) retry: Option<Retry>,
}

/// Per cent of all users, written `80%`.
#[derive(Clone, Copy, Debug, PartialEq, DeserializeFromStr)]
struct Share(f64);

/// Not a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a share; write it like 80%, more than nothing")]
pub(super) struct ShareError(String);

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = text.strip_suffix('%').map(str::trim);
        number
            .and_then(|number| number.parse().ok())
            .filter(|share: &f64| *share > 0.0 && *share <= 100.0)
            .map(Self)
            .ok_or_else(|| ShareError(text.to_owned()))
    }
}

impl UsersFile {
    /// All users of the scenario.
    pub(super) fn crowd(
        &self,
        populations: Vec<PopulationFile>,
        behaviour: Behaviour,
        typed: &Typed,
    ) -> Result<Crowd, &'static str> {
        let plan = self.plan(typed)?;
        let polls_once = matches!(behaviour, Behaviour::PollOnce { .. });
        if polls_once && (!populations.is_empty() || plan.retry != Retry::none()) {
            return Err(
                "do = \"poll_once\" is about single polls: it has neither [[populations]] nor retry",
            );
        }
        if populations.is_empty() {
            return Ok(Crowd::alike(plan));
        }
        check(&populations)?;
        // What was typed replaces what each population says, not what it stands on.
        let plan = self.plan(&Typed::default())?;
        let populations = populations
            .into_iter()
            .map(|file| file.population(&plan, typed));
        Ok(Crowd::mixed(populations.collect::<Result<_, _>>()?))
    }

    fn plan(&self, typed: &Typed) -> Result<CustomerPlan, &'static str> {
        let default = || {
            "fixed(3s)"
                .parse()
                .expect("the default strategy is tested to parse")
        };
        let polling = typed.polling.clone().or_else(|| self.polling.clone());
        let retry = typed.retry.clone().or_else(|| self.retry.clone());
        Ok(CustomerPlan {
            services: match &self.services {
                Some(names) => services(names)?,
                None => Service::find("whatsapp").into_iter().collect(),
            },
            polling: polling.unwrap_or_else(default),
            give_up: self.give_up.map(|span| span.0),
            retry: retry.unwrap_or_default(),
        })
    }
}

impl PopulationFile {
    fn population(self, users: &CustomerPlan, typed: &Typed) -> Result<Population, &'static str> {
        let rents = self.activity == Activity::RentAndWait;
        if !rents && self.services.is_some() {
            return Err("[[populations]] that read rent nothing; leave out services");
        }
        // How long customers wait says nothing about how long readers stay.
        let stays = if rents { users.give_up } else { None };
        let give_up = self.give_up.map_or(stays, |span| Some(span.0));
        if !rents && self.polling.is_some() && give_up.is_none() {
            return Err(
                "[[populations]] that read look once; with polling write also give_up = \"30s\", how long they stay",
            );
        }
        let typed_polling = typed.polling.clone().filter(|_| rents);
        Ok(Population {
            name: self.name,
            share: self.share.0,
            activity: self.activity,
            plan: CustomerPlan {
                services: match &self.services {
                    Some(names) => services(names)?,
                    None => users.services.clone(),
                },
                polling: typed_polling
                    .or(self.polling)
                    .unwrap_or_else(|| users.polling.clone()),
                give_up,
                retry: typed
                    .retry
                    .clone()
                    .or(self.retry)
                    .unwrap_or_else(|| users.retry.clone()),
            },
        })
    }
}

fn check(populations: &[PopulationFile]) -> Result<(), &'static str> {
    if populations.len() > Place::MOST {
        return Err("there are more than eight [[populations]]; put some together");
    }
    let plain = |name: &str| {
        let belongs = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        !name.is_empty() && name.len() <= 20 && name.chars().all(belongs)
    };
    let mut names: Vec<_> = populations.iter().map(|file| &file.name).collect();
    names.sort_unstable();
    if !names.iter().all(|name| plain(name)) || names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(
            "each of the [[populations]] has a name of its own: up to 20 letters, digits, _ and -",
        );
    }
    let whole: f64 = populations.iter().map(|file| file.share.0).sum();
    if (whole - 100.0).abs() > 0.01 {
        return Err("the shares of all [[populations]] add up to 100%");
    }
    Ok(())
}

fn services(names: &[ServiceName]) -> Result<Vec<&'static Service>, &'static str> {
    if names.is_empty() {
        return Err("services = [] leaves nothing to rent; write services = [\"whatsapp\"]");
    }
    Ok(names.iter().map(|name| name.0).collect())
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Overrides, Scenario};

    const BASE: &str = "arrivals = \"10\"\n[stop]\ncount = 1\n[users]\npolling = \"fixed(5s)\"\ngive_up = \"9s\"\n";

    fn read(populations: &str, overrides: Overrides) -> Result<Scenario, String> {
        let text = format!("{BASE}{populations}");
        Scenario::read("s", "s.toml", &text, overrides).map_err(|error| error.to_string())
    }

    const MIXED: &str = "
[[populations]]
name = \"patient\"
share = \"70%\"
[[populations]]
name = \"impatient\"
share = \"20%\"
polling = \"fixed(200ms)\"
give_up = \"2s\"
services = [\"telegram\"]
retry = \"attempts(3,fixed(1s))\"
[[populations]]
name = \"reader\"
share = \"10%\"
do = \"read_history\"
";

    #[test]
    fn what_a_population_does_not_say_is_as_users_say() {
        let crowd = read(MIXED, Overrides::default())
            .expect("well-formed")
            .customers;
        let shown: Vec<_> = crowd
            .populations()
            .iter()
            .map(|population| {
                let plan = &population.plan;
                format!(
                    "{} {:.1} {} {:?} {} {}",
                    population.name,
                    population.share,
                    plan.polling,
                    plan.give_up,
                    plan.services[0].slug,
                    plan.retry
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "patient 0.7 fixed(5s) Some(9s) whatsapp none",
                "impatient 0.2 fixed(200ms) Some(2s) telegram attempts(3,fixed(1s))",
                "reader 0.1 fixed(5s) None whatsapp none",
            ]
        );
        let typed = Overrides {
            polling: "fixed(1s)".parse().ok(),
            ..Overrides::default()
        };
        let crowd = read(MIXED, typed).expect("well-formed").customers;
        assert_eq!(crowd.populations()[1].plan.polling.to_string(), "fixed(1s)");
        assert_eq!(crowd.populations()[2].plan.polling.to_string(), "fixed(5s)");
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (from, to, message) in [
            ("70%", "60%", "add up to 100%"),
            (
                "70%",
                "70",
                "s.toml:10:9: \"70\" is not a share; write it like 80%",
            ),
            ("\"reader\"", "\"patient\"", "a name of its own"),
            ("\"reader\"", "\"a b\"", "a name of its own"),
            ("do = ", "services = [\"lyft\"]\ndo = ", "rent nothing"),
            (
                "do = ",
                "polling = \"fixed(1s)\"\ndo = ",
                "how long they stay",
            ),
            ("read_history", "read_mail", "unknown variant `read_mail`"),
            ("attempts(3", "attempts(1", "attempts are 2 to 100"),
        ] {
            let error = read(&MIXED.replace(from, to), Overrides::default()).expect_err(to);
            assert!(error.contains(message), "{to}: {error}");
        }
        let text = format!("{BASE}do = \"poll_once\"\n{MIXED}[setup]\nrentals = 5\n");
        let error = Scenario::read("s", "s.toml", &text, Overrides::default());
        let error = error.expect_err("two things").to_string();
        assert!(
            error.contains("neither [[populations]] nor retry"),
            "{error}"
        );
    }
}
