//! A run and its phases: read the balances, make the rentals that polls need,
//! put on the load, read the balances again. Every phase is a plan for the
//! same fleet; only the third is what the rates are about.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use contract::{ApiKey, Cents, Dice};
use loadgen_core::arrivals::Arrivals;
use loadgen_core::fleet::{Plan, Role, Target as Rental};
use loadgen_core::outcome::{Ledger, Outcome};
use loadgen_core::scenario::{Behaviour, Scenario};
use loadgen_core::stop::Stop;
use loadgen_core::tally::Tally;
use loadgen_core::threshold::Verdict;

use crate::client::Client;
use crate::clock::Clock;
use crate::interrupt::{Interrupt, Urgency};
use crate::phase::{self, Context, Finished, Work};
use crate::progress::{Display, Stage};
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
    /// Whose accounts.
    pub keys: Keys,
    /// Worker threads.
    pub threads: u32,
    /// What carries the requests.
    pub client: Client,
}

/// Whose accounts the users have.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// Accounts that a mock opens on first use, with keys counted from the seed.
    MadeUp,
    /// One real account.
    Given(ApiKey),
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was measured.
    pub outcome: Outcome,
    /// How each threshold came out.
    pub verdicts: Vec<Verdict>,
    /// Whether the user stopped the run early.
    pub interrupted: bool,
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
) -> Result<Run, RunError> {
    let dice = Dice::new(job.seed);
    let scenario = job.scenario;
    let mut show = Show {
        context: Context {
            clock: Clock::start(),
            target: job.target,
            keys: keys(job.keys, scenario.accounts, dice),
            client: job.client,
            connections: scenario.connections,
            request_timeout: scenario.request_timeout,
            threads: job.threads,
            // Made-up keys are good for a mock only, and a mock tells the truth.
            truth: job.target.is_loopback() || matches!(job.keys, Keys::MadeUp),
        },
        dice,
        interrupt,
        display,
    };
    let opening = show.opening()?;
    let (before, mut tally) = (opening.found.balances, opening.tally);
    let load = match show.role(scenario, &mut tally)? {
        Some(role) => show.load(scenario, role)?,
        None => Finished::nothing(show.context.clock.now()),
    };
    tally.merge(&load.tally);
    let ledger = match interrupt.urgency() {
        Urgency::Stop => None,
        Urgency::None | Urgency::Drain => show.audit(&before, &mut tally),
    };
    // The other phases count as requests, but not into the rates.
    (tally.offered, tally.achieved) = (load.tally.offered, load.tally.achieved);
    let outcome = Outcome {
        tally,
        duration: load.end.since(load.start),
        window: load.end_of_arrivals.since(load.start),
        ledger,
    };
    let thresholds = scenario.thresholds.iter();
    Ok(Run {
        verdicts: thresholds
            .map(|threshold| threshold.judge(&outcome))
            .collect(),
        outcome,
        interrupted: interrupt.urgency() > Urgency::None,
    })
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
struct Show<'a> {
    context: Context<'a>,
    dice: Dice,
    interrupt: &'a Interrupt,
    display: &'a mut dyn Display,
}

impl Show<'_> {
    /// Reads the balance of every account; without any there is nobody to load.
    fn opening(&mut self) -> Result<Finished, RunError> {
        let finished = self.balances(Stage::Opening)?;
        if finished.found.balances.is_empty() && !self.interrupted() {
            return Err(RunError::NotTheApi {
                target: self.context.target.to_string(),
                kinds: kinds(&finished.tally),
                accounts: self.accounts(),
            });
        }
        Ok(finished)
    }

    /// What the users of the load do, after what has to be made for it; `None`
    /// if the user has had enough before it began.
    fn role(&mut self, scenario: &Scenario, tally: &mut Tally) -> Result<Option<Role>, RunError> {
        let role = match scenario.behaviour {
            _ if self.interrupted() => return Ok(None),
            Behaviour::RentAndWait => Role::Customer(scenario.customers.clone()),
            Behaviour::PollOnce { rentals } => {
                Role::PollOnce(self.rentals(scenario, rentals, tally)?)
            }
        };
        Ok((!self.interrupted()).then_some(role))
    }

    fn interrupted(&self) -> bool {
        self.interrupt.urgency() > Urgency::None
    }

    /// Makes rentals for others to poll.
    fn rentals(
        &mut self,
        scenario: &Scenario,
        count: u32,
        tally: &mut Tally,
    ) -> Result<Arc<[Rental]>, RunError> {
        let role = Role::RentOnly(scenario.customers.clone());
        let finished = self.few(role, count, Stage::SetUp)?;
        tally.merge(&finished.tally);
        let mut rentals = finished.found.rentals;
        if rentals.is_empty() && !self.interrupted() {
            return Err(RunError::NothingToPoll {
                target: self.context.target.to_string(),
                kinds: kinds(&finished.tally),
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
    fn audit(&mut self, before: &BTreeMap<u32, Cents>, tally: &mut Tally) -> Option<Ledger> {
        let closing = self.balances(Stage::Closing).ok()?;
        let after = &closing.found.balances;
        let accounts = self.context.keys.len();
        let ledger = Ledger::audit(accounts, before, after, &tally.money, closing.end);
        tally.merge(&closing.tally);
        Some(ledger)
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
            arrivals: Arrivals::Closed {
                users: count.min(PREPARING),
                ramp: Duration::ZERO,
            },
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
        };
        phase::run(&self.context, &mut work).map_err(|reason| RunError::Unreachable {
            target: self.context.target.to_string(),
            reason,
        })
    }
}

/// Failures by kind, as a fragment: `64 times http_401`.
fn kinds(tally: &Tally) -> String {
    let kinds: Vec<_> = contract::Operation::ALL
        .iter()
        .flat_map(|operation| &tally.operation(*operation).failures)
        .map(|(kind, count)| format!("{count} times {kind}"))
        .collect();
    if kinds.is_empty() {
        "no answers".to_owned()
    } else {
        kinds.join(", ")
    }
}
