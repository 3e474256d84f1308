//! Who comes: one kind of user, or several populations in fixed shares. Which
//! population a user belongs to is a function of the seed and its number (for
//! closed arrivals, its slot's), so any part of a plan knows its own users.

use contract::{Dice, Stream};
use rand::Rng;

use crate::call::Call;
use crate::customer::CustomerPlan;
pub use crate::place::Place;

/// All kinds of users of a scenario; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    populations: Vec<Population>,
    /// Whether results are told apart.
    named: bool,
}

/// Users that behave alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// For reports.
    pub name: String,
    /// How many of all users, from 0 to 1; those of all populations add up to 1.
    pub share: f64,
    /// What they do.
    pub activity: Activity,
    /// How they rent, wait and try again; what concerns rentals is unused by readers.
    pub plan: CustomerPlan,
}

/// What a user does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Rents, polls and confirms.
    #[default]
    RentAndWait,
    /// Looks at the profile.
    ReadProfile,
    /// Looks at the history.
    ReadHistory,
}

impl Activity {
    /// What a reader asks for; `None` for customers.
    pub const fn reads(self) -> Option<Call> {
        match self {
            Self::RentAndWait => None,
            Self::ReadProfile => Some(Call::Profile),
            Self::ReadHistory => Some(Call::History(1)),
        }
    }
}

impl Crowd {
    /// Users of one kind, whose results need no name.
    pub fn alike(plan: CustomerPlan) -> Self {
        let population = Population {
            name: "all".to_owned(),
            share: 1.0,
            activity: Activity::RentAndWait,
            plan,
        };
        Self {
            populations: vec![population],
            named: false,
        }
    }

    /// These populations, of which there is at least one and at most [`Place::MOST`].
    pub fn mixed(mut populations: Vec<Population>) -> Self {
        let whole: f64 = populations.iter().map(|population| population.share).sum();
        for population in &mut populations {
            population.share /= whole;
        }
        Self {
            populations,
            named: true,
        }
    }

    /// The populations.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// How the users of each population rent, wait and try again.
    pub fn plans_mut(&mut self) -> impl Iterator<Item = &mut CustomerPlan> {
        let populations = self.populations.iter_mut();
        populations.map(|population| &mut population.plan)
    }

    /// The names under which results are told apart; none if all users are alike.
    pub fn names(&self) -> Vec<String> {
        let named = self.populations.iter().filter(|_| self.named);
        named.map(|population| population.name.clone()).collect()
    }

    /// Population number `place`.
    pub fn population(&self, place: Place) -> &Population {
        &self.populations[usize::from(place.0)]
    }

    /// The population of user or slot number `number`.
    ///
    /// A golden-ratio sequence: among any successive numbers the shares are as
    /// exact as they can be, so that small crowds are mixed as asked for.
    pub fn choose(&self, number: u64, dice: Dice) -> Place {
        /// 2^64 divided by the golden ratio.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        if self.populations.len() < 2 {
            return Place(0);
        }
        let offset = dice.roll(0, Stream::Population, 0).next_u64();
        let point = number.wrapping_mul(GOLDEN).wrapping_add(offset);
        let mut left = point as f64 / 2_f64.powi(64);
        for (place, population) in (0..).zip(&self.populations) {
            left -= population.share;
            if left < 0.0 {
                return Place(place);
            }
        }
        // Shares are rounded; what is left over belongs to the last.
        Place(self.populations.len() as u8 - 1)
    }

    /// Where results of a population are counted apart, if they are.
    pub fn counted(&self, place: Place) -> Option<Place> {
        self.named.then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Overrides, Scenario};

    const MIXED: &str = "
arrivals = \"100\"
[stop]
count = 1
[[populations]]
name = \"patient\"
share = \"80%\"
[[populations]]
name = \"impatient\"
share = \"20%\"
";

    #[test]
    fn shares_are_exact_in_small_crowds_and_anywhere_in_large_ones() {
        let scenario = Scenario::read("s", "s.toml", MIXED, Overrides::default());
        let crowd = scenario.expect("well-formed").customers;
        assert_eq!(crowd.names(), ["patient", "impatient"]);
        for (seed, from, of) in [(1, 0, 100), (2, 0, 1000), (3, 1 << 40, 1000)] {
            let chosen = (from..from + of).map(|user| crowd.choose(user, Dice::new(seed)));
            let second = chosen.filter(|place| place.0 == 1).count() as u64;
            assert!(
                second.abs_diff(of / 5) <= 2,
                "{second} of {of} are impatient"
            );
        }
    }
}
