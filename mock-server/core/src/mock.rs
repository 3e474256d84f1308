//! The mock: from a moment and a request to a reply. It owns everything and
//! waits for nothing; the time it knows is the time it was last told.

use std::sync::Arc;

use contract::key::KeyError;
use contract::{ApiKey, Moment, Problem, Route, RouteError};
use indexmap::IndexMap;
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::account::Account;
use crate::agenda::Agenda;
use crate::catalogue::Catalogue;
use crate::deliveries::DeliveryLog;
use crate::dialect::{KeyFormat, Waiting};
use crate::endpoint::SharedEndpoints;
use crate::fault::{self, FaultRecord, PreferenceError, Verdict};
use crate::feed::Feed;
use crate::journal::Journal;
use crate::lint::Lint;
use crate::operation::Times;
use crate::register::{Place, Register};
use crate::rental::Rental;
use crate::reply::{Delivery, Reply};
use crate::request::Request;
use crate::settings::Settings;

/// A whole fake API, all accounts included.
#[derive(Debug)]
pub struct Mock {
    pub(crate) settings: Settings,
    /// What the wall clock showed at [`Moment::START`].
    pub(crate) epoch: Timestamp,
    /// The latest moment that anybody told us. Time given by two threads may
    /// arrive out of order; it must not run backwards for an account.
    now: Moment,
    pub(crate) accounts: IndexMap<ApiKey, Account, FxBuildHasher>,
    pub(crate) register: Register,
    /// When which account has a webhook due, in the server's time.
    pub(crate) agenda: Agenda,
    pub(crate) journal: Journal,
    pub(crate) deliveries: DeliveryLog,
    /// Webhooks that were handed out and not answered yet.
    pub(crate) posts_under_way: usize,
    /// Endpoints that testers gave to every account, present and to come.
    pub(crate) shared_endpoints: SharedEndpoints,
    pub(crate) feed: Feed,
    /// Rules that testers gave to every account, present and to come.
    pub(crate) server_rules: FaultRecord,
    /// What is rented beside the table's services.
    pub(crate) catalogue: Catalogue,
    pub(crate) waiting: Waiting,
    /// A look at the clients, if one is wanted.
    pub(crate) lint: Option<Box<Lint>>,
}

impl Mock {
    /// An API without any accounts, whose run began when the wall clock showed `epoch`.
    pub fn new(settings: Settings, epoch: Timestamp) -> Self {
        Self {
            journal: Journal::new(settings.journal()),
            lint: Lint::of(settings.lint),
            settings,
            epoch,
            now: Moment::START,
            accounts: IndexMap::default(),
            register: Register::default(),
            agenda: Agenda::default(),
            deliveries: DeliveryLog::default(),
            posts_under_way: 0,
            shared_endpoints: SharedEndpoints::default(),
            feed: Feed::default(),
            server_rules: FaultRecord::default(),
            catalogue: Catalogue::default(),
            waiting: Waiting::new(),
        }
    }

    /// Answers `request`, which arrived at `now`.
    pub fn handle(&mut self, now: Moment, request: &Request<'_>) -> Reply {
        let now = self.advance(now);
        let mut owner = (None, now);
        let reply = self
            .answer(now, request, &mut owner)
            .unwrap_or_else(|problem| self.refuse(problem, owner.0, request, now));
        self.journal.record(owner, request, &reply);
        if self.lint.is_some() {
            self.examine_request(now, owner, (request, &reply));
        }
        if self.is_heard() {
            self.tell_request(now);
        }
        reply
    }

    /// The refusal of a request that got no further than to its account, or not even there.
    #[cold]
    fn refuse(
        &self,
        problem: Problem,
        owner: Option<u32>,
        request: &Request<'_>,
        at: Moment,
    ) -> Reply {
        let settings = match owner {
            Some(place) => &self.accounts[place as usize].settings,
            None => &self.settings.account,
        };
        settings.dialect.refusal(problem, request.accept, at)
    }

    pub(crate) fn advance(&mut self, now: Moment) -> Moment {
        self.now = self.now.max(now);
        self.now
    }

    /// Route, account, rate limit, faults, operation, in this order: a request that
    /// means no operation or has no valid key is not counted, and one that is
    /// over the limit is refused before any rule sees it.
    ///
    /// As soon as it is known whose the request is, `owner` says so, and when it
    /// came in that account's own time.
    fn answer(
        &mut self,
        now: Moment,
        request: &Request<'_>,
        owner: &mut (Option<u32>, Moment),
    ) -> Result<Reply, Problem> {
        let route = match find_route(request) {
            Ok(route) => route,
            // A stray request is in the journal as its sender's, but opens no account.
            Err(problem) => {
                owner.0 = self.known_account(request.auth);
                return Err(problem);
            }
        };
        let account = self.account(request.auth)?;
        let local = self.accounts[account as usize].clock.local(now);
        *owner = (Some(account), local);
        let standing = self.count(account, local, route.operation());
        let standing = match standing {
            Some(standing) if standing.is_over() => {
                return Ok(self.too_many_requests(standing, account, request, now));
            }
            standing => standing,
        };
        let verdict = match self.judge(local, account, &route, request.prefer) {
            Ok(verdict) => verdict,
            Err(error) => return Ok(Reply::not_preferable(error.to_string(), now)),
        };
        let latency = verdict.latency.unwrap_or_default();
        let at = now + latency;
        let times = Times {
            now: local,
            at,
            latency,
        };
        let made = self.rentals_made();
        let mut reply = if verdict.prevents_operation() {
            Reply::nothing(Delivery::Never)
        } else {
            self.carry_out(account, &route, request, (times, verdict.sms))
                .unwrap_or_else(|problem| self.refuse(problem, Some(account), request, at))
        };
        if !verdict.is_harmless() {
            reply = self.befallen(reply, at, account, &verdict);
        }
        if let Some(standing) = standing {
            self.tell_limit(standing, account, &mut reply);
        }
        if self.rentals_made() > made {
            let posts = self.begin_before_rent_answer(account, now);
            posts.into_iter().for_each(|post| reply.add_post(post));
        }
        Ok(reply)
    }

    /// What is left of `reply` after what the fault rules do to it.
    #[cold]
    fn befallen(&self, reply: Reply, at: Moment, account: u32, verdict: &Verdict) -> Reply {
        if verdict.latency.is_none() {
            return Reply::nothing(Delivery::Never);
        }
        let Some((effect, strike)) = verdict.effect() else {
            return reply;
        };
        let account = &self.accounts[account as usize];
        let dialect = &account.settings.dialect;
        effect.befall(reply, (at, dialect), || {
            strike.data((account.dice, account.number))
        })
    }

    /// The place of the account that owns the key in a header.
    fn account(&mut self, auth: Option<&[u8]>) -> Result<u32, Problem> {
        let key = auth.ok_or(Problem::MissingKey)?;
        let key = self.read_key(key).map_err(|_| self.no_key())?;
        self.admit(key).ok_or(Problem::UnknownKey)
    }

    /// What is wrong with a key that is none. Where any length will do, it is not the length.
    #[cold]
    fn no_key(&self) -> Problem {
        match self.settings.account.dialect.key_format {
            KeyFormat::Sixty => Problem::InvalidKey,
            KeyFormat::Any => Problem::UnknownKey,
        }
    }

    /// The key in an `Auth` header.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when no key looks like this.
    pub fn read_key(&self, header: &[u8]) -> Result<ApiKey, KeyError> {
        self.settings.account.dialect.key_format.read(header)
    }

    /// The place of the key's account, which is opened at its first use; `None`
    /// if only certain keys are known and this is none of them.
    pub(crate) fn admit(&mut self, key: ApiKey) -> Option<u32> {
        match self.accounts.get_index_of(&key) {
            Some(place) if !self.accounts[place].forgotten => Some(place as u32),
            _ => self.open(key),
        }
    }

    /// The place of the account that owns the key in a header, if it was here before.
    #[cold]
    fn known_account(&self, auth: Option<&[u8]>) -> Option<u32> {
        let key = self.read_key(auth?).ok()?;
        self.accounts.get_index_of(&key).map(|place| place as u32)
    }

    #[cold]
    fn open(&mut self, key: ApiKey) -> Option<u32> {
        let settings = Arc::clone(self.settings.of(&key)?);
        let mut account = Account::open(&key, settings, self.now);
        self.give_server_rules(&mut account);
        Some(self.accounts.insert_full(key, account).0 as u32)
    }

    /// The account at `place` as it would be opened now.
    pub(crate) fn fresh_account(&self, place: u32, now: Moment) -> Account {
        let owner = self.accounts.get_index(place as usize);
        let (key, account) = owner.expect("invariant: places are of accounts");
        let settings = self.settings.of(key).unwrap_or(&account.settings);
        let mut fresh = Account::open(key, Arc::clone(settings), now);
        self.give_server_rules(&mut fresh);
        fresh
    }

    /// The account at `place`, with its key.
    pub(crate) fn account_mut(&mut self, place: u32) -> (&ApiKey, &mut Account) {
        let owner = self.accounts.get_index_mut(place as usize);
        owner.expect("invariant: places are of accounts")
    }

    fn judge(
        &mut self,
        now: Moment,
        place: u32,
        route: &Route<'_>,
        prefer: Option<&str>,
    ) -> Result<Verdict, PreferenceError> {
        let account = &mut self.accounts[place as usize];
        if account.faults.rules.is_empty() && prefer.is_none() {
            return Ok(Verdict::HARMLESS);
        }
        let operation = route.operation();
        let preferred = match prefer {
            Some(header) => fault::preferred(header, operation)?,
            None => None,
        };
        let dice = (account.dice, account.number);
        let request = (operation, now);
        let faults = &mut account.faults;
        Ok(Verdict::reach(preferred.as_ref(), faults, dice, request))
    }

    /// The rental with this id, and the account that it belongs to. A rental
    /// that was forgotten in a reset keeps its id, but is found no more.
    pub(crate) fn rental(&self, id: u32) -> Option<(u32, &Rental)> {
        let Place { account, index } = self.register.place(id)?;
        let rental = self.accounts[account as usize]
            .rentals()
            .get(index as usize)?;
        (rental.id == id).then_some((account, rental))
    }

    /// How many rentals were ever made.
    pub(crate) fn rentals_made(&self) -> u64 {
        self.register.len() as u64
    }

    /// Where the rental with this id is, if it was not forgotten.
    pub(crate) fn place(&self, id: u32) -> Option<Place> {
        self.rental(id)?;
        self.register.place(id)
    }
}

fn find_route<'a>(request: &Request<'a>) -> Result<Route<'a>, Problem> {
    Route::find(request.method, request.path).map_err(|error| match error {
        RouteError::NoSuchPath => Problem::NoSuchPath,
        RouteError::WrongMethod(operation) => Problem::WrongMethod(operation),
    })
}
