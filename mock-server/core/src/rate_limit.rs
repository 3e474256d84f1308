//! How many requests an account may make, in its own time: fixed windows, each
//! of which opens with the first request that it counts. A request that is
//! refused counts in none. That is what the usual framework does.

use std::time::Duration;

use contract::{Moment, Operation, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::{Quota, RateLimit, page};
use crate::history;
use crate::mock::Mock;
use crate::reply::{Media, Reply, seconds_to_wait};
use crate::request::Request;

/// A quota, and what it is about.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// `None` means every operation.
    only: Option<Operation>,
    quota: Quota,
}

/// How many limits count one account's requests at most.
const LIMITS: usize = 2;

/// What an account has used of its limits.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateRecord {
    windows: [Window; LIMITS],
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Window {
    #[schemars(with = "u64")]
    opened: Moment,
    /// Requests since then; a window without any is not open.
    used: u32,
}

/// How an account stands after a request, by the limit of which least is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests in a window.
    pub(crate) limit: u32,
    /// How many are left.
    pub(crate) remaining: u32,
    /// Of a request that is one too many: when it would not be.
    pub(crate) refused_until: Option<Moment>,
}

impl Standing {
    /// Whether the request was one too many.
    pub(crate) const fn is_over(&self) -> bool {
        self.refused_until.is_some()
    }
}

impl Mock {
    /// Counts a request of the account at `place`; `None` if nothing limits it.
    pub(crate) fn count(
        &mut self,
        place: u32,
        now: Moment,
        operation: Operation,
    ) -> Option<Standing> {
        let account = &mut self.accounts[place as usize];
        match account.settings.dialect.rate_limit {
            RateLimit::Off => None,
            rate => account.rate.count(now, rate, operation),
        }
    }

    /// Tells how the account at `place` stands, if its dialect does that.
    #[cold]
    pub(crate) fn tell_limit(&self, standing: Standing, place: u32, reply: &mut Reply) {
        let dialect = &self.accounts[place as usize].settings.dialect;
        if dialect.rate_limit != RateLimit::Hostile {
            reply.add_header("x-ratelimit-limit", &standing.limit);
            reply.add_header("x-ratelimit-remaining", &standing.remaining);
        }
    }

    /// The refusal of a request that is one too many, which leaves at `at`.
    #[cold]
    pub(crate) fn too_many_requests(
        &self,
        standing: Standing,
        place: u32,
        request: &Request<'_>,
        at: Moment,
    ) -> Reply {
        let account = &self.accounts[place as usize];
        let (dialect, problem) = (&account.settings.dialect, Problem::RateLimited);
        if dialect.rate_limit == RateLimit::Hostile {
            return Reply {
                status: problem.status(),
                media: Media::Html,
                ..Reply::success(page(problem.status(), problem.message()), at)
            };
        }
        let mut reply = dialect.refusal(problem, request.accept, at);
        self.tell_limit(standing, place, &mut reply);
        if let Some(until) = standing.refused_until {
            let wait = until.since(account.clock.local(at));
            reply.retry_after = Some(seconds_to_wait(wait));
            let end = history::wall_time(self.epoch, until);
            reply.add_header("x-ratelimit-reset", &end.as_second());
        }
        reply
    }
}

impl RateRecord {
    /// Counts a request for `operation`; `None` if nothing limits it.
    pub(crate) fn count(
        &mut self,
        now: Moment,
        rate: RateLimit,
        operation: Operation,
    ) -> Option<Standing> {
        let limits = limits(rate);
        let mut concerned: Vec<_> = limits
            .iter()
            .zip(&mut self.windows)
            .filter_map(|(limit, window)| Some((limit.as_ref()?, window)))
            .filter(|(limit, _)| limit.only.is_none_or(|only| only == operation))
            .map(|(limit, window)| (limit.quota, window))
            .collect();
        for (quota, window) in &mut concerned {
            window.close_by(now, quota.window);
        }
        let full = concerned
            .iter()
            .filter(|(quota, window)| window.used >= quota.count.get())
            .max_by_key(|(quota, window)| window.opened + quota.window);
        if let Some((quota, window)) = full {
            return Some(Standing {
                limit: quota.count.get(),
                remaining: 0,
                refused_until: Some(window.opened + quota.window),
            });
        }
        for (_, window) in &mut concerned {
            window.count(now);
        }
        let standings = concerned.iter().map(|(quota, window)| Standing {
            limit: quota.count.get(),
            remaining: quota.count.get().saturating_sub(window.used),
            refused_until: None,
        });
        standings.min_by_key(|standing| standing.remaining)
    }

    /// When windows that were used come to their ends.
    pub(crate) fn ends(&self, rate: RateLimit) -> impl Iterator<Item = Moment> {
        let windows = limits(rate).into_iter().zip(self.windows);
        let open = windows.filter(|(_, window)| window.used > 0);
        open.filter_map(|(limit, window)| Some(window.opened + limit?.quota.window))
    }
}

impl Window {
    fn close_by(&mut self, now: Moment, length: Duration) {
        if self.opened + length <= now {
            self.used = 0;
        }
    }

    fn count(&mut self, now: Moment) {
        if self.used == 0 {
            self.opened = now;
        }
        self.used = self.used.saturating_add(1);
    }
}

fn limits(rate: RateLimit) -> [Option<Limit>; LIMITS] {
    let limit = |only, quota| Some(Limit { only, quota });
    match rate {
        RateLimit::Off => [None, None],
        RateLimit::Own(quota) => [limit(None, quota), None],
        RateLimit::Realistic | RateLimit::Hostile => [
            limit(None, Quota::PER_KEY),
            limit(Some(Operation::Rent), Quota::RENTS),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::START + Duration::from_millis(milliseconds)
    }

    fn remaining(record: &mut RateRecord, milliseconds: u64, operation: Operation) -> Option<u32> {
        let standing = record.count(at(milliseconds), RateLimit::Realistic, operation)?;
        standing
            .refused_until
            .is_none()
            .then_some(standing.remaining)
    }

    #[test]
    fn a_window_opens_with_its_first_request_and_refusals_do_not_count() {
        let own = "2/s".parse().expect("a rate");
        let mut record = RateRecord::default();
        let mut count = |milliseconds| {
            let standing = record.count(at(milliseconds), own, Operation::Profile);
            let standing = standing.expect("limited");
            (standing.remaining, standing.refused_until)
        };
        assert_eq!(count(700), (1, None));
        assert_eq!(count(1600), (0, None));
        assert_eq!(count(1699), (0, Some(at(1700))));
        assert_eq!(count(1700), (1, None), "the next window");
        assert_eq!(count(9000), (1, None), "long after it");
    }

    #[test]
    fn what_is_shown_is_the_limit_of_which_least_is_left() {
        let mut record = RateRecord::default();
        assert_eq!(remaining(&mut record, 0, Operation::Rent), Some(1));
        assert_eq!(remaining(&mut record, 0, Operation::CheckOtp), Some(58));
        assert_eq!(remaining(&mut record, 0, Operation::Rent), Some(0));
        assert_eq!(remaining(&mut record, 999, Operation::Rent), None);
        assert_eq!(remaining(&mut record, 1000, Operation::Rent), Some(1));
        assert_eq!(record.ends(RateLimit::Realistic).count(), 2);
        for left in (0..56).rev() {
            let poll = remaining(&mut record, 3000, Operation::CheckOtp);
            assert_eq!(poll, Some(left));
        }
        assert_eq!(remaining(&mut record, 4000, Operation::Rent), None);
        assert_eq!(remaining(&mut record, 60_000, Operation::Rent), Some(1));
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let mut record = RateRecord::default();
        assert_eq!(record.count(at(0), RateLimit::Off, Operation::Rent), None);
        assert_eq!(record.ends(RateLimit::Off).count(), 0);
    }
}
