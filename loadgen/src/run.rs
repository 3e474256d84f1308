//! A run and its phases: read the balances, make the rentals that polls need,
//! put on the load, read the balances again. Every phase is a plan for the
//! same fleet; only the third is what the rates are about.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use contract::{ApiKey, Cents, Dice};
use loadgen_core::arrivals::Arrivals;
use loadgen_core::budget::Bounds;
use loadgen_core::fleet::{Plan, Role, Target as Rental};
use loadgen_core::interval::Interval;
use loadgen_core::outcome::Ledger;
use loadgen_core::record::{About, End, FORMAT_VERSION, nanoseconds};
pub use loadgen_core::run::Run;
use loadgen_core::scenario::{Behaviour, Scenario};
use loadgen_core::series::Series;
use loadgen_core::stop::Stop;

use crate::client::Client;
use crate::clock::{self, Clock};
use crate::interrupt::{Interrupt, Urgency};
use crate::listener::Listener;
use crate::phase::{self, Context, Finished, Work};
use crate::progress::{Display, Stage};
use crate::recorder::Recorder;
use crate::target::Target;

/// What to run, against what.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What to do.
    pub scenario: &'a Scenario,
    /// Of all chance.
    pub seed: u64,
    /// The server.
    pub target: &'a Target,
    /// The server, in words.
    pub server: &'a str,
    /// Whose accounts.
    pub keys: Keys,
    /// Worker threads.
    pub threads: u32,
    /// What the run may do to the server, whatever the scenario asks for.
    pub bounds: Bounds,
    /// What carries the requests.
    pub client: Client,
    /// Who hears the webhooks that customers may count on.
    pub webhooks: Option<&'a Listener>,
}

/// Whose accounts the users have.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// Accounts that a mock opens on first use, with keys counted from the seed.
    MadeUp,
    /// One real account.
    Given(ApiKey),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nobody answers.
    #[error("{target} cannot be reached: {reason}; is the server running, and is this its port?")]
    Unreachable {
        /// The server.
        target: String,
        /// The operating system's complaint.
        reason: io::Error,
    },
    /// The server answers, but not with balances.
    #[error(
        "{target} does not answer as the CodySMS API does: {kinds} reading the balances of \
         {accounts} accounts; is it an otplab mock, and if it wants keys of its own, is --key-env given?"
    )]
    NotTheApi {
        /// The server.
        target: String,
        /// What went wrong, by kind.
        kinds: String,
        /// How many accounts were tried.
        accounts: u32,
    },
    /// The server gives no rentals to poll.
    #[error("{target} gave no rentals to poll during set-up: {kinds}")]
    NothingToPoll {
        /// The server.
        target: String,
        /// What went wrong, by kind.
        kinds: String,
    },
}

/// How many requests of the first, second and last phase are under way at once.
const PREPARING: u32 = 64;

/// Runs a scenario to its end, or until the user has had enough.
///
/// # Errors
///
/// [`RunError`] when the server cannot be loaded at all. Failed requests are
/// no errors; they are counted.
pub fn run(
    job: &Job<'_>,
    interrupt: &Interrupt,
    display: &mut dyn Display,
    recorder: &mut dyn Recorder,
) -> Result<Run, RunError> {
    let dice = Dice::new(job.seed);
    let scenario = job.scenario;
    let keys = keys(job.keys, scenario.accounts, dice);
    let about = job.about();
    recorder.begin(&about);
    let mut tee = Tee {
        series: Series::new(scenario.warmup),
        recorder,
    };
    let mut show = Show {
        context: Context {
            clock: Clock::start(),
            target: job.target,
            keys,
            client: job.client,
            connections: scenario.connections,
            request_timeout: scenario.request_timeout,
            threads: job.threads,
            // Made-up keys are good for a mock only, and a mock tells the truth.
            truth: job.target.is_loopback() || matches!(job.keys, Keys::MadeUp),
            budget: Arc::new(job.target.budget(job.bounds)),
            webhooks: job.webhooks,
        },
        dice,
        interrupt,
        display,
        tee: &mut tee,
    };
    let before = show.opening()?.found.balances;
    let load = match show.role(scenario)? {
        Some(role) => show.load(scenario, role)?,
        None => Finished::nothing(show.context.clock.now()),
    };
    let ledger = match interrupt.urgency() {
        Urgency::Stop => None,
        Urgency::None | Urgency::Drain => show.audit(&before),
    };
    let end = End {
        duration_ns: nanoseconds(load.end.since(load.start)),
        window_ns: nanoseconds(load.end_of_arrivals.since(load.start)),
        interrupted: interrupt.urgency() > Urgency::None,
        ledger: ledger.map(Into::into),
    };
    tee.recorder.end(&end);
    Ok(Run::new(about, tee.series, Some(end)))
}

impl Job<'_> {
    /// What is written down about it before it begins.
    fn about(&self) -> About {
        let scenario = self.scenario;
        About {
            format_version: FORMAT_VERSION,
            otplab: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: scenario.name.clone(),
            seed: self.seed,
            target: self.target.to_string(),
            server: self.server.to_owned(),
            started_s: clock::unix_seconds(),
            open: scenario.arrivals.is_open(),
            connections: scenario.connections,
            threads: self.threads,
            warmup: scenario.warmup,
            thresholds: scenario.thresholds.clone(),
            populations: scenario.customers.names(),
        }
    }
}

/// Adds the seconds of a run up, and hands them on.
struct Tee<'a> {
    series: Series,
    recorder: &'a mut dyn Recorder,
}

impl Recorder for Tee<'_> {
    fn begin(&mut self, about: &About) {
        self.recorder.begin(about);
    }

    fn second(&mut self, interval: &Interval) {
        self.series.add(interval);
        self.recorder.second(interval);
    }

    fn end(&mut self, end: &End) {
        self.recorder.end(end);
    }
}

fn keys(keys: Keys, accounts: u32, dice: Dice) -> Arc<[ApiKey]> {
    match keys {
        Keys::Given(key) => [key].into(),
        Keys::MadeUp => (0..u64::from(accounts))
            .map(|index| ApiKey::made_up(dice, index))
            .collect(),
    }
}

/// The phases, one by one.
struct Show<'a, 'b> {
    context: Context<'a>,
    dice: Dice,
    interrupt: &'a Interrupt,
    display: &'a mut dyn Display,
    tee: &'a mut Tee<'b>,
}

impl Show<'_, '_> {
    /// Reads the balance of every account; without any there is nobody to load.
    fn opening(&mut self) -> Result<Finished, RunError> {
        let finished = self.balances(Stage::Opening)?;
        if finished.found.balances.is_empty() && !self.interrupted() {
            return Err(RunError::NotTheApi {
                target: self.context.target.to_string(),
                kinds: kinds(&self.tee.series),
                accounts: self.accounts(),
            });
        }
        Ok(finished)
    }

    /// What the users of the load do, after what has to be made for it; `None`
    /// if the user has had enough before it began.
    fn role(&mut self, scenario: &Scenario) -> Result<Option<Role>, RunError> {
        let role = match scenario.behaviour {
            _ if self.interrupted() => return Ok(None),
            Behaviour::RentAndWait => Role::Customer(scenario.customers.clone()),
            Behaviour::PollOnce { rentals } => Role::PollOnce(self.rentals(scenario, rentals)?),
        };
        Ok((!self.interrupted()).then_some(role))
    }

    fn interrupted(&self) -> bool {
        self.interrupt.urgency() > Urgency::None
    }

    /// Makes rentals for others to poll.
    fn rentals(&mut self, scenario: &Scenario, count: u32) -> Result<Arc<[Rental]>, RunError> {
        let role = Role::RentOnly(scenario.customers.clone());
        let finished = self.few(role, count, Stage::SetUp)?;
        let mut rentals = finished.found.rentals;
        if rentals.is_empty() && !self.interrupted() {
            return Err(RunError::NothingToPoll {
                target: self.context.target.to_string(),
                kinds: kinds(&self.tee.series),
            });
        }
        // Answers come in any order; whom a user polls must not depend on it.
        rentals.sort_unstable_by_key(|rental| (rental.account, rental.rental));
        Ok(rentals.into())
    }

    /// The load itself.
    fn load(&mut self, scenario: &Scenario, role: Role) -> Result<Finished, RunError> {
        let plan = Plan {
            arrivals: scenario.arrivals.clone(),
            stop: scenario.stop,
            role,
            accounts: self.accounts(),
            dice: self.dice,
        };
        self.phase(plan, Stage::Load)
    }

    /// Reads the balances again and compares. A server that is gone by now
    /// takes the audit with it, but not the result of the run.
    fn audit(&mut self, before: &BTreeMap<u32, Cents>) -> Option<Ledger> {
        let closing = self.balances(Stage::Closing).ok()?;
        let after = &closing.found.balances;
        let accounts = self.context.keys.len();
        let money = self.tee.series.money();
        Some(Ledger::audit(accounts, before, after, money, closing.end))
    }

    fn balances(&mut self, stage: Stage) -> Result<Finished, RunError> {
        self.few(Role::ReadBalance, self.accounts(), stage)
    }

    fn accounts(&self) -> u32 {
        self.context.keys.len() as u32
    }

    /// A phase of `count` users with one request each.
    fn few(&mut self, role: Role, count: u32, stage: Stage) -> Result<Finished, RunError> {
        let plan = Plan {
            arrivals: Arrivals::users(count.min(PREPARING)),
            stop: Stop {
                count: Some(u64::from(count)),
                ..Stop::default()
            },
            role,
            accounts: self.accounts(),
            dice: self.dice,
        };
        self.phase(plan, stage)
    }

    fn phase(&mut self, plan: Plan, stage: Stage) -> Result<Finished, RunError> {
        let interrupt = match stage {
            // Even a run that was cut short says whether the money adds up.
            Stage::Closing => self.interrupt.only_stop(),
            Stage::Opening | Stage::SetUp | Stage::Load => self.interrupt.clone(),
        };
        let mut work = Work {
            plan: Arc::new(plan),
            interrupt,
            stage,
            display: self.display,
            recorder: self.tee,
        };
        phase::run(&self.context, &mut work).map_err(|reason| RunError::Unreachable {
            target: self.context.target.to_string(),
            reason,
        })
    }
}

/// Failures by kind, as a fragment: `64 times http_401`.
fn kinds(series: &Series) -> String {
    let kinds: Vec<_> = series
        .failures()
        .map(|(kind, count)| format!("{count} times {kind}"))
        .collect();
    if kinds.is_empty() {
        "no answers".to_owned()
    } else {
        kinds.join(", ")
    }
}
