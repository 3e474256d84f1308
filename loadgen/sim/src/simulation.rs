//! A whole run under virtual time: the phases of a live one, with the same
//! plans, the same records and the same report.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, mpsc};

use contract::{ApiKey, Cents, Dice, Moment};
use jiff::Timestamp;
use loadgen_core::arrivals::{Arrivals, Shard};
use loadgen_core::fleet::{Fleet, Found, Plan, Role};
use loadgen_core::interval::{self, Interval, Slice, Stage};
use loadgen_core::outcome::Ledger;
use loadgen_core::record::{About, End, FORMAT_VERSION, SIMULATED, nanoseconds};
use loadgen_core::run::Run;
use loadgen_core::scenario::{Behaviour, Scenario};
use loadgen_core::series::Series;
use loadgen_core::stop::Stop;
use loadgen_core::tally::Tally;
use mock_server_core::{AccountSettings, Mock, Settings, WebhookSettings, WebhookUrl};

use crate::host::Host;
use crate::link::Link;
use crate::world::{Stuck, World};

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Simulation<'a> {
    /// What customers do.
    pub scenario: &'a Scenario,
    /// How the mock behaves.
    pub settings: Settings,
    /// Of all chance.
    pub seed: u64,
    /// The network.
    pub link: Link,
    /// The server's machine.
    pub host: Host,
    /// Whether every request is made in full, although the answers of most polls
    /// are known beforehand: slower, and the same.
    pub in_full: bool,
}

/// Is told how the run goes, as the recorder of a live run is.
pub trait Witness {
    /// The next second of a phase has passed.
    fn second(&mut self, interval: &Interval);
}

/// How many requests of the first, second and last phase are under way at once.
const PREPARING: u32 = 64;

/// Stands for the listener of a live run; nothing is sent there.
const LISTENER: &str = "http://127.0.0.1:1/";

/// When simulated runs begin, in the mock's wall clock: it must be the same always.
const EPOCH: Timestamp = Timestamp::UNIX_EPOCH;

impl Simulation<'_> {
    /// What is written down about it before it begins.
    pub fn about(&self) -> About {
        let scenario = self.scenario;
        let Link {
            delay,
            jitter,
            loss,
        } = self.link;
        About {
            format_version: FORMAT_VERSION,
            otplab: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: scenario.name.clone(),
            seed: self.seed,
            target: SIMULATED.to_owned(),
            server: format!(
                "a simulated mock, link delay={},jitter={},loss={loss}",
                contract::TimeSpan(delay),
                contract::TimeSpan(jitter)
            ),
            started_s: 0.0,
            open: scenario.arrivals.is_open(),
            connections: scenario.connections,
            threads: 1,
            warmup: scenario.warmup,
            thresholds: scenario.thresholds.clone(),
            populations: scenario.customers.names(),
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// [`Stuck`] when it makes no progress.
    pub fn run(&self, witness: &mut dyn Witness) -> Result<(Run, End), Stuck> {
        let dice = Dice::new(self.seed);
        let keys = (0..u64::from(self.scenario.accounts)).map(|index| ApiKey::made_up(dice, index));
        let mock = Mock::new(self.settings(), EPOCH);
        let mut world = World::new(mock, keys.collect(), self.link, self.host, dice);
        world.limit(self.scenario.connections, self.scenario.request_timeout);
        if self.in_full {
            world.forbid_shortcuts();
        }
        let mut show = Show {
            simulation: self,
            world,
            series: Series::new(self.scenario.warmup),
            witness,
        };
        let before = show.few(Role::ReadBalance, self.scenario.accounts, Stage::Opening)?;
        let role = show.role()?;
        let start = show.world.now();
        show.world.post_webhooks(self.listens());
        let load = show.phase(
            Plan {
                arrivals: self.scenario.arrivals.clone(),
                stop: self.scenario.stop,
                role,
                accounts: self.scenario.accounts,
                dice,
            },
            Stage::Load,
        )?;
        show.world.post_webhooks(false);
        let (end, arrivals) = (show.world.now(), load.end_of_arrivals);
        let ledger = show.audit(&before.found.balances)?;
        let end = End {
            duration_ns: nanoseconds(end.since(start)),
            window_ns: nanoseconds(arrivals.since(start)),
            interrupted: false,
            ledger: Some(ledger.into()),
        };
        Ok((Run::new(self.about(), show.series, Some(end)), end))
    }
}

impl Simulation<'_> {
    /// Whether there are customers who wait for webhooks.
    fn listens(&self) -> bool {
        let populations = self.scenario.customers.populations();
        let mut strategies = populations
            .iter()
            .map(|population| &population.plan.polling);
        strategies.any(|polling| polling.webhook().is_some())
    }

    /// The mock's settings, and what they cannot know: nobody asks a simulated mock
    /// what it was asked, and its webhooks go to customers, if any wait for them.
    fn settings(&self) -> Settings {
        let posts_to_customers = |account: &Arc<AccountSettings>| {
            let mut account = AccountSettings::clone(account);
            let listener = WebhookUrl::from_str(LISTENER).expect("invariant: it is an address");
            account.webhook = Some(Arc::new(WebhookSettings {
                truth: true,
                ..WebhookSettings::new(listener)
            }));
            Arc::new(account)
        };
        let mut settings = Settings {
            journal_max: 0,
            ..self.settings.clone()
        };
        if self.listens() {
            settings.account = posts_to_customers(&settings.account);
            for account in settings.accounts.values_mut() {
                *account = posts_to_customers(account);
            }
        }
        settings
    }
}

/// The phases, one by one.
struct Show<'a> {
    simulation: &'a Simulation<'a>,
    world: World,
    series: Series,
    witness: &'a mut dyn Witness,
}

/// What a phase leaves behind.
struct Finished {
    found: Found,
    end_of_arrivals: Moment,
}

impl Show<'_> {
    fn role(&mut self) -> Result<Role, Stuck> {
        let scenario = self.simulation.scenario;
        let Behaviour::PollOnce { rentals } = scenario.behaviour else {
            return Ok(Role::Customer(scenario.customers.clone()));
        };
        let role = Role::RentOnly(scenario.customers.clone());
        let mut rentals = self.few(role, rentals, Stage::SetUp)?.found.rentals;
        rentals.sort_unstable_by_key(|rental| (rental.account, rental.rental));
        Ok(Role::PollOnce(rentals.into()))
    }

    fn audit(&mut self, before: &BTreeMap<u32, Cents>) -> Result<Ledger, Stuck> {
        let accounts = self.simulation.scenario.accounts;
        let closing = self.few(Role::ReadBalance, accounts, Stage::Closing)?;
        let after = &closing.found.balances;
        let money = self.series.money();
        let now = self.world.now();
        Ok(Ledger::audit(accounts as usize, before, after, money, now))
    }

    /// A phase of `count` users with one request each.
    fn few(&mut self, role: Role, count: u32, stage: Stage) -> Result<Finished, Stuck> {
        let plan = Plan {
            arrivals: Arrivals::users(count.min(PREPARING)),
            stop: Stop {
                count: Some(u64::from(count)),
                ..Stop::default()
            },
            role,
            accounts: self.simulation.scenario.accounts,
            dice: Dice::new(self.simulation.seed),
        };
        self.phase(plan, stage)
    }

    fn phase(&mut self, plan: Plan, stage: Stage) -> Result<Finished, Stuck> {
        let start = self.world.now();
        let mut fleet = Fleet::new(Arc::new(plan), Shard::WHOLE, start);
        let (slices, received) = mpsc::channel();
        fleet.cut_into_seconds(start, slices);
        let mut notes = Notes {
            received,
            index: 0,
            series: &mut self.series,
            witness: self.witness,
            stage,
            start,
        };
        self.world
            .live(&mut fleet, &mut || notes.take(Moment::NEVER))?;
        let end = self.world.now();
        let end_of_arrivals = fleet.end_of_arrivals(end);
        let (rest, found) = fleet.finished();
        notes.end(rest, end);
        Ok(Finished {
            found,
            end_of_arrivals,
        })
    }
}

/// The seconds of a phase on their way to whoever counts them.
struct Notes<'a> {
    received: mpsc::Receiver<Slice>,
    /// The next second.
    index: u32,
    series: &'a mut Series,
    witness: &'a mut dyn Witness,
    stage: Stage,
    start: Moment,
}

impl Notes<'_> {
    /// What has been handed over so far; the phase lasts until `end`. There is
    /// one shard, so each slice is a whole second.
    fn take(&mut self, end: Moment) {
        while let Ok(slice) = self.received.try_recv() {
            self.second(*slice.tally, end);
        }
    }

    fn second(&mut self, tally: Tally, end: Moment) {
        let start = self.start + interval::LENGTH * self.index;
        let interval = Interval {
            stage: self.stage,
            index: self.index,
            start,
            length: end.since(start).min(interval::LENGTH),
            tally,
            cpu: None,
        };
        self.index += 1;
        self.series.add(&interval);
        self.witness.second(&interval);
    }

    fn end(&mut self, rest: Tally, end: Moment) {
        self.take(end);
        self.second(rest, end);
    }
}
